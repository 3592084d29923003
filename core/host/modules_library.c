// SPDX-License-Identifier: MIT
/* See modules_library.h. */
#include "host/modules_library.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static struct modules_library functions; /* of this process: a library is loaded once */

static const struct {
	const char *name;
	void *place;
} rows[] = {
#define ROW(name) {#name, &functions.name},
    MODULES_LIBRARY_FUNCTIONS(ROW)
#undef ROW
};

const struct modules_library *modules_library(struct err *err)
{
	static bool is_loaded;
	void *library = is_loaded ? NULL : dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL);

	if (is_loaded) {
		return &functions;
	}
	if (!library) {
		err_set(err, ERR_HOST, 0,
		        "libkmod, which tells what modules there are, cannot be loaded: %s", dlerror());
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *found = dlsym(library, rows[i].name);

		if (!found) {
			dlclose(library);
			err_set(err, ERR_HOST, 0, "libkmod has no %s", rows[i].name);
			return NULL;
		}
		/* POSIX, dlsym: a pointer to a function looks the same as one to an object. */
		memcpy(rows[i].place, &found, sizeof found);
	}
	is_loaded = true;
	return &functions;
}

/* One parameter more than others have: it is the library's type. NOLINTNEXTLINE(*-function-size) */
static void say_nothing(void *data, int priority, const char *file, int line, const char *function,
                        const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)function;
	(void)format;
	(void)args;
}

struct kmod_ctx *modules_library_context(const struct modules_library *kmod, const char *folder,
                                         const char *const *config, struct err *err)
{
	struct kmod_ctx *ctx = kmod->kmod_new(folder, config);

	if (!ctx) {
		err_set(err, ERR_HOST, errno, "libkmod cannot read its configuration");
		return NULL;
	}
	kmod->kmod_set_log_fn(ctx, say_nothing, NULL);
	return ctx;
}
