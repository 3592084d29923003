// SPDX-License-Identifier: MIT
/*
 * Does the running kernel take modules at all, whatever their files say? Private to this room; runs
 * in a worker.
 */
#ifndef PROVIDER_MODULE_CLOSED_H
#define PROVIDER_MODULE_CLOSED_H

#include "host/host.h"

/* Until the next boot it takes none, from nobody: kernel.modules_disabled, which can be set and not
 * cleared (Documentation/admin-guide/sysctl/kernel.rst). Unset: this kernel has no such setting. */
int module_closed_read(struct host *host, struct arena *arena, struct truth *ret_closed,
                       struct err *err) MUST_CHECK;
/* Why nothing can be loaded from where we run, or NULL. */
int module_closed_why(struct host *host, struct arena *arena, const char **ret_why,
                      struct err *err) MUST_CHECK;

#endif
