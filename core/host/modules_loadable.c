// SPDX-License-Identifier: MIT
/*
 * Would a module load under a kernel? What the files of that kernel tell, without loading anything
 * and without that kernel running. What follows from it is the provider's.
 *
 * The proof of the symbol versions takes the word of Module.symvers where the headers of the kernel
 * are installed. Elsewhere the kernel's own modules tell: each was built with it and imports what
 * it exports, and one import in each, module_layout, stands for the structures they all share. Of
 * ten symbols that a file system imports they know nine; the largest are asked first, as they know
 * most.
 */
#include "base/str.h"
#include "base/strmap.h"
#include "host/modules_config.h"
#include "host/modules_file.h"
#include "host/modules_inner.h"
#include "host/modules_library.h"
#include "host/modules_symvers.h"
#include "host/modules_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NEEDS_MOST = 256, /* modules that one module may need */
	/* How much is read to prove symbols. A plain file takes 0.03 ms whatever its size; unpacking
	 * takes 7 ms per MiB of zstd and 50 ms per MiB of xz or gzip. */
	PLAIN_MOST = 1500, /* files */
	ZSTD_MOST = 3 << 20,
	SLOW_MOST = 1 << 20,
	/* One huge driver tells little for its size. */
	PACKED_FILE_MOST = 512 << 10,
	REFERENCE_TRIES = 4,
};

struct look {
	struct arena *arena;
	const struct modules_place *place;
	const struct modules_library *kmod;
	struct kmod_ctx *index;  /* the tree with its indexes; NULL: they cannot be read */
	struct kmod_ctx *reader; /* without: reads files, also several of one name */
	struct modules_proof *proof;
	struct strmap *known; /* modules by name: those that were looked at */
	struct host_loadable *told;
	size_t needs_cap;
	uint32_t layout; /* of that kernel, by one of its own modules; 0: not known */
};

/* ---- Index ---- */

/* What the index says is the file of the module; NULL: it has none. *ret_needs (may be NULL) gets
 * the names of those that must be loaded before. */
static const char *look_up(const struct look *look, const char *name, struct strmap *ret_needs)
{
	const struct modules_library *kmod = look->kmod;
	struct kmod_list *list = NULL;
	const char *path = NULL;

	/* An empty list means that there is none, which is no error to libkmod. */
	if (!look->index || kmod->kmod_module_new_from_lookup(look->index, name, &list) < 0) {
		return NULL;
	}
	for (struct kmod_list *l = list; l && !path; l = kmod->kmod_list_next(list, l)) {
		struct kmod_module *m = kmod->kmod_module_get_module(l);
		const char *found = kmod->kmod_module_get_path(m);

		/* The name may be an alias of another module: that is not it. */
		if (found && modules_tree_same(kmod->kmod_module_get_name(m), name)) {
			struct kmod_list *needs = kmod->kmod_module_get_dependencies(m);

			path = arena_strdup(look->arena, found);
			for (struct kmod_list *n = ret_needs ? needs : NULL; n;
			     n = kmod->kmod_list_next(needs, n)) {
				struct kmod_module *need = kmod->kmod_module_get_module(n);

				strmap_put(ret_needs, arena_strdup(look->arena, kmod->kmod_module_get_name(need)),
				           look->arena);
				kmod->kmod_module_unref(need);
			}
			kmod->kmod_module_unref_list(needs);
		}
		kmod->kmod_module_unref(m);
	}
	kmod->kmod_module_unref_list(list);
	return path;
}

static const char *index_path(const struct look *look)
{
	return arena_printf(look->arena, "%s/modules.dep.bin", look->place->folder);
}

static bool strmap_has_module(const struct strmap *map, const char *name)
{
	for (size_t i = 0; i < strmap_count(map); i++) {
		if (modules_tree_same(strmap_key(map, i), name)) {
			return true;
		}
	}
	return false;
}

/* The file that would be loaded, and whether the index knows it. */
static const char *find_file(struct look *look, const char *name, struct strmap *indexed_needs)
{
	struct host_loadable *told = look->told;
	const char *indexed = look_up(look, name, indexed_needs);
	const char *path = indexed && access(indexed, F_OK) == 0
	                       ? indexed
	                       : modules_tree_find(look->arena, look->place->folder, name);

	if (path && !told->index_fault && path != indexed) {
		told->index_fault = access(index_path(look), F_OK)
		                        ? arena_printf(look->arena, "%s is missing", index_path(look))
		                    : indexed
		                        ? arena_printf(look->arena, "it names %s, which is gone", indexed)
		                        : arena_printf(look->arena, "%s is in no index", path);
	}
	return path;
}

/* ---- The module and those it needs ---- */

static void add_need(struct look *look, const struct host_module_file *file)
{
	struct host_loadable *told = look->told;

	told->needs = arena_grow(look->arena, told->needs, told->need_count, &look->needs_cap,
	                         sizeof *told->needs);
	told->needs[told->need_count++] = *file;
}

static void read_file(struct look *look, const char *path, struct modules_file *file)
{
	modules_file_read(look->kmod, look->reader, look->arena, path, look->proof, file);
}

/* One after the other until all that is needed is known; `files` is what is still to be asked. */
static void follow_needs(struct look *look, struct modules_file *self,
                         const struct strmap *indexed_needs)
{
	struct modules_file **queue = arena_array(look->arena, NEEDS_MOST, sizeof *queue);
	size_t count = 1;

	queue[0] = self;
	for (size_t q = 0; q < count; q++) {
		for (size_t i = 0; i < queue[q]->needs.count; i++) {
			const char *name = queue[q]->needs.items[i];

			if (strmap_get(look->known, name) || count == NEEDS_MOST ||
			    modules_tree_is_builtin(look->arena, look->place->folder, name)) {
				continue;
			}
			struct modules_file *need = arena_alloc(look->arena, sizeof *need);
			const char *path = find_file(look, name, NULL);

			strmap_put(look->known, name, need);
			if (path) {
				read_file(look, path, need);
				queue[count++] = need;
			} else {
				need->told.name = name;
			}
			add_need(look, &need->told);
			if (!look->told->index_fault && path && look->told->file.path &&
			    !strmap_has_module(indexed_needs, name)) {
				look->told->index_fault = arena_printf(
				    look->arena, "the index does not know that %s needs %s", self->told.name, name);
			}
		}
	}
}

static void offer_exports(struct look *look)
{
	for (size_t i = 0; i < look->told->need_count; i++) {
		const struct host_module_file *need = &look->told->needs[i];

		if (need->path && !need->damaged && !need->hidden && !need->packed) {
			modules_file_exports(look->kmod, look->reader, need->path, look->proof);
		}
	}
}

/* ---- What the kernel offers ---- */

static bool is_for(const char *vermagic, const char *release)
{
	size_t n = strlen(release);

	return vermagic && strncmp(vermagic, release, n) == 0 && vermagic[n] == ' ';
}

static bool offer_headers(struct look *look)
{
	const struct modules_place *place = look->place;
	struct arena *arena = look->arena;
	const char *paths[] = {
	    arena_printf(arena, "%s/build/Module.symvers", place->folder),
	    place->sources ? arena_printf(arena, "%s/linux-headers-%s/Module.symvers", place->sources,
	                                  place->release)
	                   : NULL,
	    /* Those of Red Hat, in the package of the kernel itself. */
	    arena_printf(arena, "%s/symvers.gz", place->folder),
	    place->boot ? arena_printf(arena, "%s/symvers-%s.gz", place->boot, place->release) : NULL,
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (paths[i] && modules_symvers_offer(look->proof, paths[i])) {
			return true;
		}
	}
	return false;
}

/* How a kernel of that release describes itself: as its own modules do. */
static void take_reference(struct look *look, const struct modules_tree_file *files, size_t count)
{
	size_t tries = 0;

	/* From the small end: those are read in no time, packed or not. */
	for (size_t i = count; i-- > 0 && tries < REFERENCE_TRIES && !look->told->vermagic;) {
		const char *name = modules_tree_name_of(look->arena, files[i].path);
		struct modules_file file;

		if (strmap_get(look->known, name)) {
			continue;
		}
		modules_file_read(look->kmod, look->reader, look->arena, files[i].path, NULL, &file);
		tries++;
		if (file.is_own && is_for(file.told.vermagic, look->place->release)) {
			look->told->vermagic = file.told.vermagic;
			look->told->key = file.told.key;
			look->layout = modules_file_layout(look->kmod, look->reader, files[i].path);
		}
	}
}

/* True when there is room for one more file of that size. */
static bool may_read(const char *path, int64_t size, int64_t *plain, int64_t *zstd, int64_t *slow)
{
	if (text_ends(path, ".ko")) {
		return ++*plain <= PLAIN_MOST;
	}
	int64_t *spent = text_ends(path, ".zst") ? zstd : slow;
	int64_t most = spent == zstd ? ZSTD_MOST : SLOW_MOST;

	if (size > PACKED_FILE_MOST || *spent + size > most) {
		return false;
	}
	*spent += size;
	return true;
}

static void offer_own(struct look *look, const struct modules_tree_file *files, size_t count)
{
	int64_t plain = 0, zstd = 0, slow = 0;

	for (size_t i = 0; look->layout && i < count && !modules_proof_is_settled(look->proof); i++) {
		const char *path = files[i].path;

		/* What is asked about cannot be its own witness. */
		if (!strmap_get(look->known, modules_tree_name_of(look->arena, path)) &&
		    may_read(path, files[i].size, &plain, &zstd, &slow)) {
			modules_file_witness(look->kmod, look->reader, path, look->layout, look->proof);
		}
	}
}

static void prove(struct look *look)
{
	struct modules_tree_file *files;
	size_t count = modules_tree_own(look->arena, look->place->folder, &files);

	take_reference(look, files, count);
	offer_exports(look);
	if (!offer_headers(look)) {
		offer_own(look, files, count);
	}
	modules_proof_tell(look->proof, &look->told->symbols);
}

/* ---- Configuration ---- */

/* The `install` line of a module: it would be run instead of loading. */
static const char *redirection_of(struct look *look, const struct host_module_file *file)
{
	struct kmod_module *m = NULL;
	const char *command = NULL;

	if (!file->path || look->kmod->kmod_module_new_from_path(look->reader, file->path, &m) < 0) {
		return NULL;
	}
	command = look->kmod->kmod_module_get_install_commands(m);
	command = command ? arena_strdup(look->arena, command) : NULL;
	look->kmod->kmod_module_unref(m);
	if (command) {
		look->told->redirected_by =
		    modules_config_find(look->arena, look->place->config, "install", file->name);
	}
	return command;
}

static void look_at_config(struct look *look, const char *name)
{
	struct host_loadable *told = look->told;

	if (modules_config_blacklists(look->kmod, look->reader, name)) {
		told->blacklisted = true;
		told->blacklisted_by =
		    modules_config_find(look->arena, look->place->config, "blacklist", name);
	}
	told->redirected = redirection_of(look, &told->file);
	for (size_t i = 0; i < told->need_count && !told->redirected; i++) {
		told->redirected = redirection_of(look, &told->needs[i]);
	}
}

/* ---- Signatures ---- */

static bool config_forces(struct look *look)
{
	const struct modules_place *place = look->place;
	FILE *f =
	    place->boot
	        ? fopen(arena_printf(look->arena, "%s/config-%s", place->boot, place->release), "re")
	        : NULL;
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof line, f)) {
		found = text_starts(line, "CONFIG_MODULE_SIG_FORCE=y");
	}
	if (f) {
		fclose(f);
	}
	return found;
}

/* Lockdown comes from the firmware's Secure Boot or from the command line, and stays for the next
 * kernel: "none [integrity] confidentiality". */
static const char *who_enforces(struct look *look)
{
	const struct modules_place *place = look->place;
	const char *now = arena_printf(look->arena, "%s/module/parameters/sig_enforce", place->sysfs);
	const char *enforced = place->is_running ? modules_tree_line(look->arena, now) : NULL;
	const char *lockdown =
	    place->security ? modules_tree_line(look->arena, arena_printf(look->arena, "%s/lockdown",
	                                                                  place->security))
	                    : NULL;

	if (enforced && strcmp(enforced, "Y") == 0) {
		return now;
	}
	if (lockdown && strchr(lockdown, '[') && !strstr(lockdown, "[none]")) {
		return arena_printf(look->arena, "the kernel's lockdown (%s)", lockdown);
	}
	return config_forces(look)
	           ? arena_printf(look->arena, "CONFIG_MODULE_SIG_FORCE of %s/config-%s", place->boot,
	                          place->release)
	           : NULL;
}

/* ---- The host's door ---- */

static void gather(struct look *look, const char *name)
{
	struct strmap *indexed_needs = strmap_create(look->arena);
	struct host_loadable *told = look->told;
	struct modules_file self = {0};
	const char *path = find_file(look, name, indexed_needs);

	if (!path) {
		return;
	}
	strmap_put(look->known, modules_tree_name_of(look->arena, path), told);
	read_file(look, path, &self);
	told->file = self.told;
	if (!told->file.damaged && !told->file.hidden && !told->file.packed) {
		follow_needs(look, &self, indexed_needs);
		prove(look);
	}
	look_at_config(look, name);
	told->enforced = who_enforces(look);
}

int modules_loadable_in(struct arena *arena, const struct modules_place *place, const char *name,
                        struct host_loadable *ret_loadable, struct err *err)
{
	struct host_loadable told = {.release = place->release, .is_running = place->is_running};
	struct look look = {.arena = arena,
	                    .place = place,
	                    .proof = modules_proof_create(arena),
	                    .known = strmap_create(arena),
	                    .told = &told};

	/* As whoever we are now: what may not be seen is not missing. */
	told.has_tree = faccessat(AT_FDCWD, place->folder, R_OK | X_OK, AT_EACCESS) == 0;
	if (!told.has_tree && errno == EACCES) {
		return err_set(err, ERR_HOST, EACCES, "cannot look into %s", place->folder);
	}
	told.builtin = told.has_tree && modules_tree_is_builtin(arena, place->folder, name);
	if (!told.has_tree || told.builtin) {
		*ret_loadable = told;
		return 0;
	}
	look.kmod = modules_library(err);
	if (!look.kmod) {
		return -(int)err->code;
	}
	look.reader = modules_library_context(look.kmod, place->folder, place->config, err);
	if (!look.reader) {
		return -(int)err->code;
	}
	look.index = modules_library_context(look.kmod, place->folder, place->config, err);
	if (!look.index) {
		/* No answer: without it each module would seem to be in no index. */
		look.kmod->kmod_unref(look.reader);
		return -(int)err->code;
	}
	if (look.kmod->kmod_load_resources(look.index) < 0) {
		/* Without indexes every look-up comes back empty: the search of the tree tells. */
		look.index = look.kmod->kmod_unref(look.index);
	}
	gather(&look, name);
	if (look.index) {
		look.kmod->kmod_unref(look.index);
	}
	look.kmod->kmod_unref(look.reader);
	*ret_loadable = told;
	return 0;
}

int modules_loadable(struct host *host, const char *name, const char *release,
                     struct host_loadable *ret_loadable, struct err *err)
{
	struct modules_place place;

	return modules_place(host->arena, release, &place, err) ||
	               modules_loadable_in(host->arena, &place, name, ret_loadable, err)
	           ? -(int)err->code
	           : 0;
}
