// SPDX-License-Identifier: MIT
/* See mounts_library.h. */
#include "host/mounts_library.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static struct mounts_library functions; /* of this process: a library is loaded once */

static const struct {
	const char *name;
	void *place;
} rows[] = {
#define ROW(name) {#name, &functions.name},
    MOUNTS_LIBRARY_FUNCTIONS(ROW)
#undef ROW
};

const struct mounts_library *mounts_library(struct err *err)
{
	static bool is_loaded;
	void *library = is_loaded ? NULL : dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL);

	if (is_loaded) {
		return &functions;
	}
	if (!library) {
		err_set(err, ERR_HOST, 0, "libmount, which mounts, cannot be loaded: %s", dlerror());
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *found = dlsym(library, rows[i].name);

		if (!found) {
			dlclose(library);
			err_set(err, ERR_HOST, 0, "libmount has no %s", rows[i].name);
			return NULL;
		}
		/* POSIX, dlsym: a pointer to a function looks the same as one to an object. */
		memcpy(rows[i].place, &found, sizeof found);
	}
	is_loaded = true;
	return &functions;
}
