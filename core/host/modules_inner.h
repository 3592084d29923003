// SPDX-License-Identifier: MIT
/* What the files of the noun modules and their tests share. */
#ifndef HOST_MODULES_INNER_H
#define HOST_MODULES_INNER_H

#include "host/host_inner.h"

/* Where modules are looked for. A NULL beyond config is not looked at. */
struct modules_place {
	const char *sysfs;  /* "/sys/module" */
	const char *folder; /* of one release: "/lib/modules/6.1.0-56-cloud-amd64" */
	/* Folders and files for libkmod, ends with NULL; NULL: those of modprobe.d(5). */
	const char *const *config;
	const char *release;
	const char *boot;     /* "/boot" */
	const char *sources;  /* "/usr/src" */
	const char *security; /* "/sys/kernel/security" */
	bool is_running;
};

/* That of a release, NULL: of the running kernel. */
int modules_place(struct arena *arena, const char *release, struct modules_place *ret_place,
                  struct err *err) MUST_CHECK;

/* modules_look, anywhere. Texts come into the arena. */
int modules_look_in(struct arena *arena, const struct modules_place *place, const char *name,
                    bool whole, struct host_module *ret_module, struct err *err);
/* modules_loadable, anywhere. */
int modules_loadable_in(struct arena *arena, const struct modules_place *place, const char *name,
                        struct host_loadable *ret_loadable, struct err *err) MUST_CHECK;

#endif
