// SPDX-License-Identifier: MIT
/*
 * What dpkg --configure -a has to finish before packages are changed. Only what it can finish: what
 * is half installed, or must be installed anew (reinst-required), is left to apt-get, which does it
 * or says why it cannot, and to people.
 */
#ifndef PROVIDER_PACKAGE_REPAIR_H
#define PROVIDER_PACKAGE_REPAIR_H

#include "provider/provider.h"

extern const char *const package_repair_argv[];

/* As one phrase in the host's arena, NULL: nothing. With `tried` it has been run: what then still
 * waits does so for reasons of its own, and hinders only when it is the package `key`, or when dpkg
 * was cut off again. */
int package_repair_find(struct host *host, const struct host_package_manager *manager,
                        const char *key, bool tried, const char **ret_repair,
                        struct err *err) MUST_CHECK;

/* A few names of the list, and how many more there are. */
const char *package_repair_names(struct arena *arena, const struct list *names);

#endif
