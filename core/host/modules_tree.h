// SPDX-License-Identifier: MIT
/*
 * /lib/modules/RELEASE as a folder: names, files and what is built in, without libkmod. Texts come
 * into the arena.
 */
#ifndef HOST_MODULES_TREE_H
#define HOST_MODULES_TREE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel and its tools take either dash in a name; sysfs has the lower one. */
bool modules_tree_same(const char *a, const char *b);
/* Is it the name of the module's file: NAME.ko, packed or not? */
bool modules_tree_is_file_of(const char *file, const char *name);
/* The name of the module whose file that is; NULL: it is no module's. */
const char *modules_tree_name_of(struct arena *arena, const char *path);
/* A line of a small file, "" when it is empty; NULL when it is not there or may not be read. */
const char *modules_tree_line(struct arena *arena, const char *path);

/* The file of the module somewhere in the tree, whether an index names it or not; where there are
 * several, the one that depmod would take by default (depmod.d(5), "search"). NULL: none. */
const char *modules_tree_find(struct arena *arena, const char *folder, const char *name);
/* A line of modules.builtin names it, like "kernel/drivers/block/loop.ko". */
bool modules_tree_is_builtin(struct arena *arena, const char *folder, const char *name);

/* How a file is packed, by its first bytes: "gzip", "xz", "zstd"; NULL: it is not. */
const char *modules_tree_packing(const char *path);

struct modules_tree_file {
	const char *path;
	int64_t size;
};

/* The files of the kernel's own modules (below kernel/), the largest first. */
size_t modules_tree_own(struct arena *arena, const char *folder,
                        struct modules_tree_file **ret_files);

#endif
