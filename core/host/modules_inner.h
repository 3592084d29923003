// SPDX-License-Identifier: MIT
/* What modules.c and its test share. */
#ifndef HOST_MODULES_INNER_H
#define HOST_MODULES_INNER_H

#include "host/host_inner.h"

/* Where modules are looked for. */
struct modules_place {
	const char *sysfs;  /* "/sys/module" */
	const char *folder; /* of one release: "/lib/modules/6.1.0-56-cloud-amd64" */
	const char *const
	    *config; /* folders and files for libkmod, NULL: those of modprobe.d(5); ends with NULL */
};

/* modules_look, anywhere. Texts come into the arena. */
int modules_look_in(struct arena *arena, const struct modules_place *place, const char *name,
                    bool whole, struct host_module *ret_module, struct err *err);

#endif
