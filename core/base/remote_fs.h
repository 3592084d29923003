// SPDX-License-Identifier: MIT
/*
 * File systems that more than one node writes: what lies on them changes without a word to this
 * node, may stop answering, and takes neither sqlite's locks nor its shared memory. FUSE counts as
 * one, since what is behind it cannot be told.
 */
#ifndef BASE_REMOTE_FS_H
#define BASE_REMOTE_FS_H

#include <stdint.h>

/* The name of the type with this number (f_type of statfs(2)), or NULL: it is local. For ever. */
const char *remote_fs_name(uint32_t magic);

/* The same of what the path lies on; NULL as well when that cannot be told. Calls statfs(2), which
 * hangs where the server does: for a child that may hang, or of a path that just answered. */
const char *remote_fs_at(const char *path);

#endif
