// SPDX-License-Identifier: MIT
/* The order of kernel releases, which is that of Debian versions (deb-version(7)): 6.8.0-90 comes
 * before 6.8.0-1039. Pure. */
#ifndef PROVIDER_RELEASE_H
#define PROVIDER_RELEASE_H

/* -1, 0, 1. */
int release_compare(const char *a, const char *b);

#endif
