// SPDX-License-Identifier: MIT
/*
 * Packages by what they have to do with kernels, as dpkg knows them. Reads only; texts live in the
 * arena.
 */
#ifndef PROVIDER_METAPACKAGES_H
#define PROVIDER_METAPACKAGES_H

#include "provider/provider.h"

/* Installed packages that are of no kernel themselves and depend on those of one (linux-aws,
 * linux-image-aws, lustre-client-modules-aws): upgraded, they pull in those of the next. */
int metapackages_find(struct host *host, struct arena *arena, struct list *ret_list,
                      struct err *err) MUST_CHECK;

/* Packages of exactly this release that dpkg has, in whatever state, by their names. */
int metapackages_of_release(struct host *host, const char *release, struct arena *arena,
                            struct list *ret_list, struct err *err) MUST_CHECK;

#endif
