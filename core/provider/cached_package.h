// SPDX-License-Identifier: MIT
/* The two halves of the kind cached_package. Private to them and their tests. */
#ifndef PROVIDER_CACHED_PACKAGE_H
#define PROVIDER_CACHED_PACKAGE_H

#include "provider/provider.h"

/* Keeps the candidate that was found, or lets go of what is kept; as `apply` of a provider. The old
 * set goes only when the new one is whole (cached_package_change.c). */
int cached_package_change(struct host *host, const struct change *change, struct arena *arena,
                          struct applied *applied, struct err *err);

#endif
