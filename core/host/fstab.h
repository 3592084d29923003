// SPDX-License-Identifier: MIT
/*
 * /etc/fstab (fstab(5)): lines by target; writing keeps every other line, comment and blank as it
 * is. What is read lives as long as the host keeps it (host.h).
 */
#ifndef HOST_FSTAB_H
#define HOST_FSTAB_H

#include "base/list.h"

struct fstab_line {
	const char *source, *target, *type;
	struct list options;
	int dump, pass;
	unsigned line; /* where it stands, from 1; 0 for one to be added */
};

struct fstab;

/* The line for a target, NULL when there is none; *ret_count says how many there are. */
const struct fstab_line *fstab_find(const struct fstab *fstab, const char *target,
                                    size_t *ret_count);
size_t fstab_count(const struct fstab *fstab);
const struct fstab_line *fstab_at(const struct fstab *fstab, size_t i);
/* Lines that mount nothing, though they are no comments: "/etc/fstab:7: WHY". The first few. */
const struct list *fstab_faults(const struct fstab *fstab);

#endif
