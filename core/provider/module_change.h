// SPDX-License-Identifier: MIT
/*
 * Carrying out what a module is wanted to be: our drop-in of modprobe.d, depmod, loading,
 * unloading. Private to the kind module.
 */
#ifndef PROVIDER_MODULE_CHANGE_H
#define PROVIDER_MODULE_CHANGE_H

#include "provider/provider.h"

/* /etc/modprobe.d/reconcile-NAME.conf */
const char *module_change_dropin(struct arena *arena, const char *name);
/* Wanted out of the kernel: absent, or loaded: false. */
bool module_change_unloads(const struct resource *want);
/* Do the options of modprobe.d give all these parameters? */
bool module_change_is_configured(const struct list *parameters, const struct list *options);

int module_change_apply(struct host *host, const struct change *change, struct arena *arena,
                        struct applied *ret_applied, struct err *err);

#endif
