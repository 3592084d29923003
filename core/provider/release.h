// SPDX-License-Identifier: MIT
/*
 * The order of kernel releases, by which GRUB's menu takes the newest on top: version_test_gt() of
 * grub-mkconfig_lib as Debian and Ubuntu ship it (from 2.12 on grub-sort-version, by the same
 * rule). That of Debian versions (deb-version(7)), so that 6.8.0-90 comes before 6.8.0-1039, and
 * with a release candidate and its like before their release. Pure.
 */
#ifndef PROVIDER_RELEASE_H
#define PROVIDER_RELEASE_H

/* -1, 0, 1. */
int release_compare(const char *a, const char *b);

#endif
