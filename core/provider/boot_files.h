// SPDX-License-Identifier: MIT
/*
 * The kernels that lie on this node, whatever the boot loader makes of them: image, initial ram
 * disk, index of their modules. Reads only. Results live in the arena.
 */
#ifndef PROVIDER_BOOT_FILES_H
#define PROVIDER_BOOT_FILES_H

#include "provider/provider.h"

/* Releases with an image in /boot, oldest first; without any (a container) those with an index of
 * modules. */
int boot_files_releases(struct host *host, struct arena *arena, struct list *ret_list,
                        struct err *err) MUST_CHECK;

struct boot_files {
	const char *image;  /* NULL: there is none */
	const char *initrd; /* NULL: none that could be used */
	const char *fault;  /* why it could not boot, one sentence, or NULL */
};

/* Of one release. A ram disk is asked for unless the kernel that runs `running` gets along without
 * one. */
int boot_files_find(struct host *host, const char *release, const char *running,
                    struct arena *arena, struct boot_files *ret_files, struct err *err) MUST_CHECK;

#endif
