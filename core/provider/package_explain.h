// SPDX-License-Identifier: MIT
/* Why apt-get refuses to bring a package, in one sentence that names what is missing. */
#ifndef PROVIDER_PACKAGE_EXPLAIN_H
#define PROVIDER_PACKAGE_EXPLAIN_H

#include "provider/provider.h"

/* From what it printed: a dependency that cannot be had is named, down to the last of a chain.
 * *ret_why is left alone when nothing better is found. Cuts the text up in place. */
int package_explain(struct host *host, const char *name, char *out, struct arena *arena,
                    const char **ret_why, struct err *err) MUST_CHECK;

#endif
