// SPDX-License-Identifier: MIT
/*
 * What changing a package takes: which version, what comes along, what stands in the way, and then
 * the change itself. Only package.c and tests use it.
 */
#ifndef PROVIDER_PACKAGE_CHANGE_H
#define PROVIDER_PACKAGE_CHANGE_H

#include "provider/provider.h"

/* Is there nothing to do? Pure. */
bool package_is_settled(const struct resource *want, const struct resource *have);

/* Where it is wanted intact and is installed: looks at its files. *ret_why: that cannot be told. */
int package_look_at_files(struct host *host, const struct resource *want, struct arena *arena,
                          struct resource *have, const char **ret_why, struct err *err) MUST_CHECK;
/* Only its files are not as they should be. Pure. */
bool package_is_damaged(const struct resource *want, const struct resource *have);

/* Of one that is not settled: fills in candidate, offered, brings, repair and obstacle. Changes
 * nothing. */
int package_foresee(struct host *host, const struct resource *want, struct arena *arena,
                    struct resource *have, struct err *err) MUST_CHECK;

int package_apply(struct host *host, const struct change *change, struct arena *arena,
                  struct applied *applied, struct err *err);

#endif
