// SPDX-License-Identifier: MIT
/*
 * See modules.h. sysfs says what is loaded, modules.builtin what is part of the kernel; both need
 * no library. libkmod pulls in libraries for compression and signatures that cost more than all
 * else in a run that changes nothing, so it is loaded when it is first needed, and its contexts
 * are never kept: they go stale.
 */
#include "host/modules_inner.h"

#include "base/str.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TREE_DEPTH = 12 };

/* ---- Names and small files ---- */

/* The kernel and its tools take either dash in a name; sysfs has the lower one. */
static char same(char c)
{
	return c == '-' ? '_' : c;
}

static bool is_name(const char *text, size_t n, const char *name)
{
	if (strlen(name) != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (same(text[i]) != same(name[i])) {
			return false;
		}
	}
	return true;
}

/* Is it the file of the module: NAME.ko, packed or not? */
static bool is_file_of(const char *file, const char *name)
{
	static const char *const suffixes[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (text_ends(file, suffixes[i]) &&
		    is_name(file, strlen(file) - strlen(suffixes[i]), name)) {
			return true;
		}
	}
	return false;
}

/* A line of sysfs, "" when it is empty; NULL when it is not there or may not be read. */
static const char *read_line(struct arena *arena, const char *path)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n < 0) {
		return NULL;
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return arena_strdup(arena, text);
}

/* ---- What the running kernel says ---- */

static void read_parameters(struct arena *arena, const char *folder, struct list *list)
{
	const char *path = arena_printf(arena, "%s/parameters", folder);
	DIR *dir = opendir(path);
	const char **items = NULL;
	struct dirent *entry;
	size_t cap = 0;

	*list = (struct list){.set = true};
	while (dir && (entry = readdir(dir))) {
		const char *value =
		    entry->d_name[0] == '.'
		        ? NULL
		        : read_line(arena, arena_printf(arena, "%s/%s", path, entry->d_name));

		/* Some may be written only, or read by root only: those are not told. */
		if (value) {
			items = arena_grow(arena, items, list->count, &cap, sizeof *items);
			items[list->count++] = arena_printf(arena, "%s=%s", entry->d_name, value);
		}
	}
	if (dir) {
		closedir(dir);
	}
	list->items = items;
}

/* True when the kernel knows it at all. */
static int look_in_kernel(struct arena *arena, const struct modules_place *place, const char *name,
                          struct host_module *module, struct err *err)
{
	char *folder = arena_printf(arena, "%s/%s", place->sysfs, name);
	struct stat st;

	for (char *c = folder + strlen(place->sysfs); *c; c++) {
		*c = same(*c);
	}
	if (stat(folder, &st)) {
		return 0;
	}
	const char *state = read_line(arena, arena_printf(arena, "%s/initstate", folder));

	if (state && strcmp(state, "live") != 0) {
		return err_set(err, ERR_BUSY, 0, "module %s is %s just now", name,
		               strcmp(state, "going") == 0 ? "being unloaded" : "being loaded");
	}
	module->builtin = !state;
	module->loaded = true;
	module->exists = true;
	module->version = read_line(arena, arena_printf(arena, "%s/version", folder));
	read_parameters(arena, folder, &module->parameters);
	return 0;
}

/* A built-in module without parameters is not in sysfs. modules.builtin has a line for each, like
 * "kernel/drivers/block/loop.ko". */
static bool is_in_builtin(const struct modules_place *place, const char *name, struct arena *arena)
{
	FILE *f = fopen(arena_printf(arena, "%s/modules.builtin", place->folder), "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		const char *slash = strrchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		found = is_file_of(slash ? slash + 1 : line, name);
	}
	if (f) {
		fclose(f);
	}
	return found;
}

/* ---- libkmod ---- */

#define KMOD_FUNCTIONS(X)          \
	X(kmod_new)                    \
	X(kmod_unref)                  \
	X(kmod_load_resources)         \
	X(kmod_module_new_from_lookup) \
	X(kmod_module_new_from_path)   \
	X(kmod_module_unref)           \
	X(kmod_module_unref_list)      \
	X(kmod_module_get_module)      \
	X(kmod_module_get_name)        \
	X(kmod_module_get_path)        \
	X(kmod_module_get_info)        \
	X(kmod_module_info_get_key)    \
	X(kmod_module_info_get_value)  \
	X(kmod_module_info_free_list)  \
	X(kmod_list_next)              \
	X(kmod_config_get_blacklists)  \
	X(kmod_config_iter_next)       \
	X(kmod_config_iter_get_key)    \
	X(kmod_config_iter_free_iter)

/* The functions of the library, by their own names; the types are those of its header. */
static struct {
	void *library;
#define MEMBER(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	KMOD_FUNCTIONS(MEMBER)
#undef MEMBER
} kmod; /* of this process: a library is loaded once */

static const struct {
	const char *name;
	void *place;
} kmod_functions[] = {
#define ROW(name) {#name, &kmod.name},
    KMOD_FUNCTIONS(ROW)
#undef ROW
};

static int load_library(struct err *err)
{
	if (kmod.library) {
		return 0;
	}
	void *library = dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		return err_set(err, ERR_HOST, 0,
		               "libkmod, which tells what modules there are, cannot be loaded: %s",
		               dlerror());
	}
	for (size_t i = 0; i < ARRAY_LEN(kmod_functions); i++) {
		void *found = dlsym(library, kmod_functions[i].name);

		if (!found) {
			dlclose(library);
			return err_set(err, ERR_HOST, 0, "libkmod has no %s", kmod_functions[i].name);
		}
		/* POSIX, dlsym: a pointer to a function looks the same as one to an object. */
		memcpy(kmod_functions[i].place, &found, sizeof found);
	}
	kmod.library = library;
	return 0;
}

/* Files that cannot be read (a truncated one) have no info: then nothing of it is known. */
static void take_info(struct arena *arena, struct kmod_module *m, struct host_module *module)
{
	struct kmod_list *info = NULL;

	if (kmod.kmod_module_get_info(m, &info) < 0) {
		return;
	}
	for (struct kmod_list *l = info; l; l = kmod.kmod_list_next(info, l)) {
		const char *key = kmod.kmod_module_info_get_key(l);
		const char *value = kmod.kmod_module_info_get_value(l);

		if (strcmp(key, "version") == 0) {
			module->file_version = arena_strdup(arena, value);
		} else if (strcmp(key, "vermagic") == 0) {
			module->vermagic = arena_strdup(arena, value);
		}
	}
	kmod.kmod_module_info_free_list(info);
}

/* By the indexes that depmod made. An empty list means "there is none", which is no error to
 * libkmod. */
static void look_in_index(struct arena *arena, struct kmod_ctx *ctx, const char *name,
                          struct host_module *module)
{
	struct kmod_list *list = NULL;

	if (kmod.kmod_module_new_from_lookup(ctx, name, &list) < 0) {
		return;
	}
	for (struct kmod_list *l = list; l && !module->file; l = kmod.kmod_list_next(list, l)) {
		struct kmod_module *m = kmod.kmod_module_get_module(l);
		const char *found = kmod.kmod_module_get_name(m), *path = kmod.kmod_module_get_path(m);

		/* The name may be an alias of another module: that is not it. */
		if (path && is_name(found, strlen(found), name)) {
			module->file = arena_strdup(arena, path);
			module->exists = true;
			take_info(arena, m, module);
		}
		kmod.kmod_module_unref(m);
	}
	kmod.kmod_module_unref_list(list);
}

static bool is_blacklisted(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_config_iter *iter = kmod.kmod_config_get_blacklists(ctx);
	bool found = false;

	while (iter && !found && kmod.kmod_config_iter_next(iter)) {
		const char *key = kmod.kmod_config_iter_get_key(iter);

		found = is_name(key, strlen(key), name);
	}
	if (iter) {
		kmod.kmod_config_iter_free_iter(iter);
	}
	return found;
}

/* The file of the module somewhere below the folder, whether an index names it or not. */
static const char *find_file(struct arena *arena, const char *folder, const char *name, int depth)
{
	DIR *dir = depth > 0 ? opendir(folder) : NULL;
	const char *found = NULL;
	struct dirent *entry;

	while (dir && !found && (entry = readdir(dir))) {
		const char *path = arena_printf(arena, "%s/%s", folder, entry->d_name);

		if (is_file_of(entry->d_name, name)) {
			found = path;
		} else if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
		           entry->d_name[0] != '.') {
			found = find_file(arena, path, name, depth - 1);
		}
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static void look_in_tree(struct arena *arena, struct kmod_ctx *ctx,
                         const struct modules_place *place, const char *name,
                         struct host_module *module)
{
	const char *file = find_file(arena, place->folder, name, TREE_DEPTH);
	struct kmod_module *m = NULL;

	if (!file) {
		return;
	}
	module->file = file;
	module->exists = true;
	module->index_missing = true;
	if (kmod.kmod_module_new_from_path(ctx, file, &m) >= 0) {
		take_info(arena, m, module);
		kmod.kmod_module_unref(m);
	}
}

static int ask_libkmod(struct arena *arena, const struct modules_place *place, const char *name,
                       struct host_module *module, struct err *err)
{
	if (load_library(err)) {
		return -(int)err->code;
	}
	struct kmod_ctx *ctx = kmod.kmod_new(place->folder, place->config);

	if (!ctx) {
		return err_set(err, ERR_HOST, errno, "libkmod cannot read its configuration");
	}
	/* Without indexes every look-up comes back empty; the search of the tree below tells the
	 * difference. */
	if (kmod.kmod_load_resources(ctx) >= 0) {
		look_in_index(arena, ctx, name, module);
	}
	if (!module->file && !module->builtin) {
		look_in_tree(arena, ctx, place, name, module);
	}
	module->blacklisted = is_blacklisted(ctx, name);
	module->is_whole = true;
	kmod.kmod_unref(ctx);
	return 0;
}

/* ---- The host's door ---- */

int modules_look_in(struct arena *arena, const struct modules_place *place, const char *name,
                    bool whole, struct host_module *ret_module, struct err *err)
{
	struct host_module module = {0};
	struct err fault = {0};

	if (look_in_kernel(arena, place, name, &module, err)) {
		return -(int)err->code;
	}
	if (!module.loaded && is_in_builtin(place, name, arena)) {
		module.builtin = true;
		module.loaded = true;
		module.exists = true;
	}
	/* A loaded one with a version may be older than its file; of others nothing could be
	 * compared. */
	bool may_be_old = module.loaded && !module.builtin && module.version;

	if ((whole || !module.loaded || may_be_old) &&
	    ask_libkmod(arena, place, name, &module, &fault) && (whole || !module.loaded)) {
		return err_copy(err, &fault);
	}
	*ret_module = module;
	return 0;
}

int modules_look(struct host *host, const char *name, bool whole, struct host_module *ret_module,
                 struct err *err)
{
	struct modules_place place = {.sysfs = "/sys/module"};
	struct utsname names;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	place.folder = arena_printf(host->arena, "/lib/modules/%s", names.release);
	return modules_look_in(host->arena, &place, name, whole, ret_module, err);
}

/* Nothing is kept: sysfs is cheap, and a context of libkmod goes stale. */
void modules_forget(struct host_cache *cache)
{
	(void)cache;
}
