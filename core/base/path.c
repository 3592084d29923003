// SPDX-License-Identifier: MIT
/* See path.h. */
#include "base/path.h"

#include <limits.h>
#include <string.h>

const char *path_fault(const char *path)
{
	if (!path[0]) {
		return "is empty, expected an absolute path";
	}
	if (path[0] != '/') {
		return "is relative, expected an absolute path";
	}
	if (strlen(path) >= PATH_MAX) {
		return "is longer than a path may be";
	}
	if (!path[1]) {
		return NULL;
	}
	for (const char *part = path + 1;; part++) {
		size_t n = strcspn(part, "/");

		if (n == 0) {
			return part[0] ? "has an empty part" : "ends in a slash";
		}
		if (n == 1 && part[0] == '.') {
			return "has a part \".\"";
		}
		if (n == 2 && part[0] == '.' && part[1] == '.') {
			return "has a part \"..\"";
		}
		part += n;
		if (!*part) {
			return NULL;
		}
	}
}

char *path_parent(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !path[1]) {
		return NULL;
	}
	return slash == path ? arena_strdup(arena, "/")
	                     : arena_strndup(arena, path, (size_t)(slash - path));
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_is_below(const char *path, const char *top, bool or_same)
{
	size_t n = strlen(top);

	if (strncmp(path, top, n) != 0) {
		return false;
	}
	if (!path[n]) {
		return or_same;
	}
	return path[n] == '/' || n == 1;
}

char *path_join(struct arena *arena, const char *dir, const char *name)
{
	return arena_printf(arena, strcmp(dir, "/") == 0 ? "%s%s" : "%s/%s", dir, name);
}
