// SPDX-License-Identifier: MIT
/*
 * When a kernel came to this node, and who brought it: from the history that apt keeps, else from
 * dpkg's log, also from those that were rotated. Reads only; what cannot be read or is not told is
 * NULL, never an error. Results live in the arena.
 */
#ifndef PROVIDER_BOOT_ORIGIN_H
#define PROVIDER_BOOT_ORIGIN_H

#include "provider/provider.h"

struct boot_origin {
	const char *installed; /* "2026-11-20T06:12:40Z" */
	const char *brought;   /* "unattended-upgrades", "apt-get dist-upgrade by root" */
};

int boot_origin_find(struct host *host, const char *release, struct arena *arena,
                     struct boot_origin *ret_origin, struct err *err) MUST_CHECK;

#endif
