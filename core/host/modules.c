// SPDX-License-Identifier: MIT
/*
 * See modules.h. sysfs says what is loaded, modules.builtin what is part of the kernel; both need
 * no library. libkmod pulls in libraries for compression and signatures that cost more than all
 * else in a run that changes nothing, so it is loaded when it is first needed, and its contexts
 * are never kept: they go stale.
 */
#include "host/modules_inner.h"

#include "host/modules_config.h"
#include "host/modules_file.h"
#include "host/modules_library.h"
#include "host/modules_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

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
		        : modules_tree_line(arena, arena_printf(arena, "%s/%s", path, entry->d_name));

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

static const char *read_build_id(struct arena *arena, const char *folder)
{
	const char *path = arena_printf(arena, "%s/notes/.note.gnu.build-id", folder);
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char note[256];
	ssize_t n = fd < 0 ? -1 : read(fd, note, sizeof note);

	return n < 0 ? NULL : modules_file_note(arena, note, (size_t)n);
}

/* refcnt counts holders, mounts and open files together. */
static void read_users(struct arena *arena, const char *folder, struct host_module *module)
{
	const char *count = modules_tree_line(arena, arena_printf(arena, "%s/refcnt", folder));
	DIR *dir = opendir(arena_printf(arena, "%s/holders", folder));
	const char **items = NULL;
	struct dirent *entry;
	size_t cap = 0;

	module->users = (struct number){.set = count != NULL, .value = count ? atoll(count) : 0};
	module->holders = (struct list){.set = true};
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.') {
			items = arena_grow(arena, items, module->holders.count, &cap, sizeof *items);
			items[module->holders.count++] = arena_strdup(arena, entry->d_name);
		}
	}
	if (dir) {
		closedir(dir);
	}
	module->holders.items = items;
}

/* 0 also when the kernel does not know it. */
static int look_in_kernel(struct arena *arena, const struct modules_place *place, const char *name,
                          struct host_module *module, struct err *err)
{
	char *folder = arena_printf(arena, "%s/%s", place->sysfs, name);
	struct stat st;

	for (char *c = folder + strlen(place->sysfs); *c; c++) {
		*c = *c == '-' ? '_' : *c; /* as sysfs has it */
	}
	if (stat(folder, &st)) {
		return 0;
	}
	const char *state = modules_tree_line(arena, arena_printf(arena, "%s/initstate", folder));

	if (state && strcmp(state, "live") != 0) {
		return err_set(err, ERR_BUSY, 0, "module %s is %s just now", name,
		               strcmp(state, "going") == 0 ? "being unloaded" : "being loaded");
	}
	module->builtin = !state;
	module->loaded = true;
	module->exists = true;
	module->version = modules_tree_line(arena, arena_printf(arena, "%s/version", folder));
	module->srcversion = modules_tree_line(arena, arena_printf(arena, "%s/srcversion", folder));
	module->build_id = read_build_id(arena, folder);
	read_users(arena, folder, module);
	read_parameters(arena, folder, &module->parameters);
	return 0;
}

/* ---- libkmod ---- */

static void take_file(const struct modules_file *file, struct host_module *module)
{
	module->file = file->told.path;
	module->file_version = file->told.version;
	module->file_srcversion = file->srcversion;
	module->file_build_id = file->build_id;
	module->vermagic = file->told.vermagic;
	module->filesystem = file->told.filesystem;
	module->settings = file->settings;
	module->exists = true;
}

/* By the indexes that depmod made. An empty list means "there is none", which is no error to
 * libkmod. */
static const char *look_in_index(struct arena *arena, const struct modules_library *kmod,
                                 struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *list = NULL;
	const char *file = NULL;

	/* Without indexes every look-up comes back empty; the search of the tree tells the
	 * difference. */
	if (kmod->kmod_load_resources(ctx) < 0 ||
	    kmod->kmod_module_new_from_lookup(ctx, name, &list) < 0) {
		return NULL;
	}
	for (struct kmod_list *l = list; l && !file; l = kmod->kmod_list_next(list, l)) {
		struct kmod_module *m = kmod->kmod_module_get_module(l);
		const char *path = kmod->kmod_module_get_path(m);

		/* The name may be an alias of another module: that is not it. */
		if (path && modules_tree_same(kmod->kmod_module_get_name(m), name) &&
		    access(path, F_OK) == 0) {
			file = arena_strdup(arena, path);
		}
		kmod->kmod_module_unref(m);
	}
	kmod->kmod_module_unref_list(list);
	return file;
}

/* "a=1 b": as `options` lines of modprobe.d give them. */
static void read_options(struct arena *arena, const struct modules_library *kmod,
                         struct kmod_ctx *ctx, const char *name, struct list *list)
{
	struct kmod_module *m = NULL;
	const char *options = NULL, **items = NULL;
	char *rest = NULL;
	size_t cap = 0;

	*list = (struct list){.set = true};
	if (kmod->kmod_module_new_from_name(ctx, name, &m) < 0) {
		return;
	}
	options = kmod->kmod_module_get_options(m);
	for (char *word = options ? strtok_r(arena_strdup(arena, options), " \t", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t", &rest)) {
		items = arena_grow(arena, items, list->count, &cap, sizeof *items);
		items[list->count++] = word;
	}
	list->items = items;
	kmod->kmod_module_unref(m);
}

static int ask_libkmod(struct arena *arena, const struct modules_place *place, const char *name,
                       struct host_module *module, struct err *err)
{
	const struct modules_library *kmod = modules_library(err);
	struct kmod_ctx *ctx =
	    kmod ? modules_library_context(kmod, place->folder, place->config, err) : NULL;

	if (!ctx) {
		return -(int)err->code;
	}
	const char *path = look_in_index(arena, kmod, ctx, name);

	if (!path && !module->builtin) {
		path = modules_tree_find(arena, place->folder, name);
		module->index_missing = path != NULL;
	}
	if (path) {
		struct modules_file file;

		modules_file_read(kmod, ctx, arena, path, NULL, &file);
		take_file(&file, module);
	}
	read_options(arena, kmod, ctx, name, &module->options);
	module->blacklisted = modules_config_blacklists(kmod, ctx, name);
	if (module->blacklisted) {
		module->blacklisted_by = modules_config_find(arena, place->config, "blacklist", name);
	}
	module->is_whole = true;
	kmod->kmod_unref(ctx);
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
	if (!module.loaded && modules_tree_is_builtin(arena, place->folder, name)) {
		module.builtin = true;
		module.loaded = true;
		module.exists = true;
	}
	/* A loaded one may be older than its file; where it has no mark of what it is, nothing could
	 * be compared. */
	bool may_be_old = module.loaded && !module.builtin &&
	                  (module.version || module.srcversion || module.build_id);

	if ((whole || !module.loaded || may_be_old) &&
	    ask_libkmod(arena, place, name, &module, &fault) && (whole || !module.loaded)) {
		return err_copy(err, &fault);
	}
	*ret_module = module;
	return 0;
}

int modules_place(struct arena *arena, const char *release, struct modules_place *ret_place,
                  struct err *err)
{
	struct utsname names;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	const char *of = release ? release : names.release;

	*ret_place = (struct modules_place){
	    .sysfs = "/sys/module",
	    .folder = arena_printf(arena, "/lib/modules/%s", of),
	    .release = arena_strdup(arena, of),
	    .boot = "/boot",
	    .sources = "/usr/src",
	    .security = "/sys/kernel/security",
	    .is_running = strcmp(of, names.release) == 0,
	};
	return 0;
}

int modules_look(struct host *host, const char *name, bool whole, struct host_module *ret_module,
                 struct err *err)
{
	struct modules_place place;

	if (modules_place(host->arena, NULL, &place, err)) {
		return -(int)err->code;
	}
	return modules_look_in(host->arena, &place, name, whole, ret_module, err);
}

/* Nothing is kept: sysfs is cheap, and a context of libkmod goes stale. */
void modules_forget(struct host_cache *cache)
{
	(void)cache;
}
