// SPDX-License-Identifier: MIT
/*
 * What is mounted (/proc/self/mountinfo, read once and kept by target), and what is asked for when
 * it is changed. Tables live as long as the host keeps them (host.h).
 */
#ifndef HOST_MOUNTS_H
#define HOST_MOUNTS_H

#include "base/mem.h"
#include "base/list.h"

/* One row of /proc/self/mountinfo (proc(5)). */
struct mount_row {
	uint64_t id, parent;
	const char *target, *source, *type;
	const char *root;              /* path within the file system */
	struct list options;           /* of the mount and of the file system together, as words */
	struct list vfs_options;       /* of the mount alone (sixth field): ro may differ */
	const struct mount_row *below; /* another one on the same target, covered by this one */
	unsigned covers;               /* how many of them */
	unsigned major, minor;
};

struct mount_table;

/* The top mount on a target; an autofs trigger is skipped when something lies on it. NULL: none. */
const struct mount_row *mount_table_at(const struct mount_table *table, const char *target);
/* The mount that a path lies on, by longest target (the path need not exist). */
const struct mount_row *mount_table_over(const struct mount_table *table, const char *path);
size_t mount_table_count(const struct mount_table *table);
const struct mount_row *mount_table_row(const struct mount_table *table, size_t i);

struct mount_request {
	const char *target, *source, *type;
	/* Those for kernel or helper alone. Of a remount: those that do not hold, and bind when it is
	 * one; everything else that is in force stays. */
	const struct list *options;
};

/* The device that a label, an id or a link below /dev stands for, as the kernel names it; the
 * source itself where there is nothing to resolve or nothing is found. Reads devices: may block. */
const char *mounts_resolve(const char *source, struct arena *arena);

#endif
