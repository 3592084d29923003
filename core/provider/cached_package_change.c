// SPDX-License-Identifier: MIT
/*
 * See cached_package.h: fetching the files of a package and of what it needs, and making room for
 * them. There is room for 1 GiB. Whoever needs more has to go first, the oldest before the others;
 * never the files of a package that is installed, since that is what they are kept for.
 */
#include "provider/cached_package.h"

#include "base/clock.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_cache.h"
#include "provider/package_closure.h"
#include "provider/transaction.h"

#include <errno.h>
#include <string.h>

enum { DOWNLOAD_MS = 25 * 60 * 1000 };

static const char in_folder[] = "--chdir=" PACKAGE_CACHE;

struct work {
	struct host *host;
	struct arena *arena;
	struct package_cache cache;
	struct closure closure;
	struct applied *applied;
};

static bool block(struct work *w, enum outcome outcome, const char *why)
{
	w->applied->outcome = outcome;
	w->applied->why = why;
	return false;
}

static const char *size_text(struct arena *arena, int64_t bytes)
{
	return arena_printf(arena, "%.1f MiB", (double)bytes / (1 << 20));
}

/* What of the closure is not among the files yet. */
static int64_t size_missing(const struct work *w)
{
	int64_t size = 0;

	for (size_t i = 0; i < w->closure.count; i++) {
		const struct cached_file *file = package_cache_file(&w->cache, w->closure.list[i].file);

		size += file && text_equal(file->sha256, w->closure.list[i].sha256)
		            ? 0
		            : w->closure.list[i].size;
	}
	return size;
}

/* The oldest set whose package is not installed; the one we are about is no more among them. */
static int find_oldest(struct work *w, const char **ret_package, struct err *err)
{
	int64_t oldest = 0;

	*ret_package = NULL;
	for (size_t i = 0; i < w->cache.set_count; i++) {
		const struct cached_set *set = &w->cache.sets[i];
		struct host_package package;

		if (w->host->ops->package(w->host, set->package, &package, err)) {
			return -(int)err->code;
		}
		if (!text_equal(package.status, "installed") && (!*ret_package || set->at < oldest)) {
			*ret_package = set->package;
			oldest = set->at;
		}
	}
	return 0;
}

static int make_room(struct work *w, bool *ret_go_on, struct err *err)
{
	const struct package_cache before = w->cache;
	int64_t needed = 0;

	for (size_t i = 0; i < w->closure.count; i++) {
		needed += w->closure.list[i].size;
	}
	while (package_cache_size(&w->cache) + size_missing(w) > PACKAGE_CACHE_MOST) {
		const char *oldest;

		if (find_oldest(w, &oldest, err)) {
			return -(int)err->code;
		}
		if (!oldest) {
			*ret_go_on =
			    block(w, OUTCOME_BLOCKED,
			          arena_printf(
			              w->arena,
			              "it takes %s, and of the %s that may be kept %s are taken by installed "
			              "packages",
			              size_text(w->arena, needed), size_text(w->arena, PACKAGE_CACHE_MOST),
			              size_text(w->arena, package_cache_size(&w->cache))));
			w->cache = before;
			return 0;
		}
		package_cache_drop(&w->cache, oldest);
	}
	return 0;
}

/* What the index does not name: left by a download that was cut off, or by nobody we know. */
static int remove_strays(struct work *w, struct err *err)
{
	struct file_names names = {0};
	struct err fault = {0};

	if (w->host->ops->list(w->host, PACKAGE_CACHE, w->arena, &names, &fault)) {
		return fault.os == ENOENT ? 0 : err_copy(err, &fault);
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *path = package_cache_path(w->arena, names.list[i]);
		struct file_look look;

		if (strcmp(names.list[i], "index.json") == 0 ||
		    package_cache_file(&w->cache, names.list[i])) {
			continue;
		}
		if (w->host->ops->look(w->host, path, &look, err) ||
		    (look.type == FILE_REGULAR && w->host->ops->remove_file(w->host, path, err))) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int need_folders(struct host *host, struct err *err)
{
	static const char *const folders[] = {"/var/cache/reconcile", PACKAGE_CACHE};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct file_look look;

		if (host->ops->look(host, folders[i], &look, err) ||
		    (look.type == FILE_NONE && host->ops->make_directory(host, folders[i], 0755, err))) {
			return -(int)err->code;
		}
	}
	return files_trusted(PACKAGE_CACHE, err);
}

/* apt checks what it fetches against its signed index, and takes nothing else. It writes to the
 * folder it is started in. */
static int download(struct work *w, const struct list *words, bool *ret_go_on, struct err *err)
{
	static const char *const start[] = {"env",
	                                    in_folder,
	                                    "apt-get",
	                                    "-q",
	                                    "-o",
	                                    "Dir::Cache::pkgcache=",
	                                    "-o",
	                                    "Dir::Cache::srcpkgcache=",
	                                    "-o",
	                                    PACKAGES_EXACT,
	                                    "-o",
	                                    "APT::Get::AllowUnauthenticated=false",
	                                    "-o",
	                                    "Acquire::AllowInsecureRepositories=false",
	                                    "-o",
	                                    "Acquire::Retries=3",
	                                    TRANSACTION_PATIENCE,
	                                    "-o",
	                                    "APT::Sandbox::User=root",
	                                    "download",
	                                    "--"};
	const char **argv = arena_array(w->arena, ARRAY_LEN(start) + words->count + 1, sizeof *argv);
	const char *why;
	char *out;

	memcpy(argv, start, sizeof start);
	for (size_t i = 0; i < words->count; i++) {
		argv[ARRAY_LEN(start) + i] = words->items[i];
	}
	if (transaction_ask_for(w->host, argv, DOWNLOAD_MS, w->arena, &out, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		*ret_go_on = block(w, OUTCOME_FAILED, why);
	}
	return 0;
}

/* Which parts are not there as they must be. */
static int find_missing(struct work *w, struct list *ret_words, struct err *err)
{
	size_t n = w->closure.count, cap = 0, words_cap = 0;
	struct list names = {0};
	const char **digests;

	for (size_t i = 0; i < n; i++) {
		lines_add(w->arena, &names, &cap, w->closure.list[i].file);
	}
	if (package_cache_digests(w->host, &names, w->arena, &digests, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < n; i++) {
		const struct closure_part *part = &w->closure.list[i];

		if (!text_equal(digests[i], part->sha256)) {
			lines_add(w->arena, ret_words, &words_cap,
			          arena_printf(w->arena, "%s=%s", part->name, part->version));
		}
	}
	return 0;
}

static int fetch(struct work *w, bool *ret_go_on, struct err *err)
{
	struct list before = {0}, after = {0};

	if (find_missing(w, &before, err)) {
		return -(int)err->code;
	}
	/* apt passes over a file that is there already, whatever is in it. */
	for (size_t i = 0; i < w->closure.count && before.count; i++) {
		const struct closure_part *part = &w->closure.list[i];
		const char *path = package_cache_path(w->arena, part->file);
		struct err fault = {0};

		if (list_has(&before, arena_printf(w->arena, "%s=%s", part->name, part->version)) &&
		    w->host->ops->remove_file(w->host, path, &fault) && fault.os != ENOENT) {
			return err_copy(err, &fault);
		}
	}
	if (before.count && download(w, &before, ret_go_on, err)) {
		return -(int)err->code;
	}
	if (*ret_go_on && before.count && find_missing(w, &after, err)) {
		return -(int)err->code;
	}
	if (after.count) {
		*ret_go_on =
		    block(w, OUTCOME_FAILED,
		          arena_printf(w->arena, "what came of %s does not have the SHA-256 of the index",
		                       after.items[0]));
	}
	return 0;
}

static int add_file(struct work *w, const struct closure_part *part, struct err *err)
{
	struct cached_file *file = package_cache_file(&w->cache, part->file);
	struct file_look look;

	if (w->host->ops->look(w->host, package_cache_path(w->arena, part->file), &look, err)) {
		return -(int)err->code;
	}
	if (!file) {
		w->cache.files = arena_grow(w->arena, w->cache.files, w->cache.file_count,
		                            &w->cache.file_cap, sizeof *file);
		file = &w->cache.files[w->cache.file_count++];
	}
	*file = (struct cached_file){
	    .name = part->file,
	    .package = part->name,
	    .version = part->version,
	    .sha256 = part->sha256,
	    .size = part->size,
	    .modified_ns = look.modified_ns,
	};
	return 0;
}

static int add_set(struct work *w, const struct resource *want, struct err *err)
{
	struct cached_set set = {
	    .package = want->key, .version = w->closure.list[0].version, .at = clock_now()};
	size_t cap = 0;

	for (size_t i = 0; i < w->closure.count; i++) {
		lines_add(w->arena, &set.files, &cap, w->closure.list[i].file);
		if (add_file(w, &w->closure.list[i], err)) {
			return -(int)err->code;
		}
	}
	w->cache.sets =
	    arena_grow(w->arena, w->cache.sets, w->cache.set_count, &w->cache.set_cap, sizeof set);
	w->cache.sets[w->cache.set_count++] = set;
	package_cache_tidy(&w->cache);
	return 0;
}

/* The index first, then the files: what it does not name is nobody's. */
static int settle(struct work *w, struct err *err)
{
	return package_cache_write(w->host, &w->cache, w->arena, err) ? -(int)err->code
	                                                              : remove_strays(w, err);
}

static int take_away(struct work *w, const struct change *change, struct err *err)
{
	package_cache_drop(&w->cache, change->want->key);
	return settle(w, err);
}

int cached_package_change(struct host *host, const struct change *change, struct arena *arena,
                          struct applied *applied, struct err *err)
{
	struct work w = {.host = host, .arena = arena, .applied = applied};
	const struct closure_part part = {.name = change->want->key,
	                                  .version = change->have->cached_package.candidate};
	const char *why;
	bool go_on = true;

	if (package_cache_read(host, arena, &w.cache, err)) {
		return -(int)err->code;
	}
	if (change->action == ACTION_REMOVE) {
		return take_away(&w, change, err);
	}
	if (package_closure_find(host, &part, arena, &w.closure, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		block(&w, OUTCOME_BLOCKED, why);
		return 0;
	}
	/* The old set goes only when the new one is whole: until then it may still serve. */
	struct package_cache old = w.cache;

	if (need_folders(host, err) || remove_strays(&w, err) || make_room(&w, &go_on, err)) {
		return -(int)err->code;
	}
	if (go_on && w.cache.set_count != old.set_count && settle(&w, err)) {
		return -(int)err->code;
	}
	if (go_on && fetch(&w, &go_on, err)) {
		return -(int)err->code;
	}
	if (!go_on) {
		return 0;
	}
	package_cache_drop(&w.cache, change->want->key);
	return add_set(&w, change->want, err) ? -(int)err->code : settle(&w, err);
}
