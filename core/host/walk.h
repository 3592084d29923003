// SPDX-License-Identifier: MIT
/*
 * Walking a path step by step, as root must where others may write: a link is followed only when
 * somebody we trust has placed it. Private to this room.
 */
#ifndef HOST_WALK_H
#define HOST_WALK_H

#include "base/mem.h"

enum walk_rule {
	WALK_NO_LINKS,   /* no link at all, not even at the end */
	WALK_SAFE_LINKS, /* links on the way must belong to root or to us */
	WALK_TRUSTED,    /* besides, all on the way belongs to root (to root or us when we are not
	                  * root) and is not writable by others; sticky folders are fine */
};

/* Opens with O_PATH what the absolute path names, following links as the rule allows, the last one
 * too. An automount at the end is not triggered. ERR_INPUT names the part that is not trusted;
 * ERR_HOST with the errno else. */
int walk_open(const char *path, enum walk_rule rule, int *ret_fd, struct err *err) MUST_CHECK;

/* The folder that a normal path lies in, opened with O_PATH, and the name of its last part. Links
 * on the way are followed as WALK_SAFE_LINKS says. ERR_INPUT for "/" itself. */
int walk_open_parent(const char *path, int *ret_fd, const char **ret_name,
                     struct err *err) MUST_CHECK;

#endif
