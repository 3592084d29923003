// SPDX-License-Identifier: MIT
/* Paths as text: nothing here touches a file system. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/mem.h"

#include <stdbool.h>

/* Why `path` is not an absolute path in normal form, or NULL when it is: starts with /, no empty,
 * "." or ".." part, no slash at the end (but "/" itself), shorter than PATH_MAX. */
const char *path_fault(const char *path);

/* The folder a normal path lies in: "/a/b" -> "/a", "/a" -> "/", "/" -> NULL. */
char *path_parent(struct arena *arena, const char *path);

/* The last part; borrowed from path. */
const char *path_name(const char *path);

/* Is `path` below `top` (or, with `or_same`, equal to it)? Both in normal form. */
bool path_is_below(const char *path, const char *top, bool or_same);

/* "dir/name", without doubling the slash of "/". */
char *path_join(struct arena *arena, const char *dir, const char *name);

#endif
