// SPDX-License-Identifier: MIT
/*
 * Kind cached_package: the .debs of a package and of what it needs, kept on the node, so that a
 * repair works while nobody can be reached. Kept is the version that is installed, as long as it is
 * one that is wanted, else the newest that is. Only what a signed index vouches for comes in.
 *
 * There is room for 1 GiB. Whoever needs more has to go first, the oldest before the others; never
 * the files of a package that is installed, since that is what they are kept for.
 */
#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_cache.h"
#include "provider/package_closure.h"
#include "provider/table.h"
#include "provider/transaction.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

enum { DOWNLOAD_MS = 25 * 60 * 1000, TIMEOUT_MS = 30 * 60 * 1000 };

static const char in_folder[] = "--chdir=" PACKAGE_CACHE;

/* ---- What is there ---- */

static bool is_right(const struct resource *want, const char *version)
{
	return version && (!want->cached_package.version ||
	                   fnmatch(want->cached_package.version, version, 0) == 0);
}

static void describe(struct arena *arena, const struct package_cache *cache,
                     const struct cached_set *set, struct resource *have)
{
	struct cached_package *kept = &have->cached_package;
	size_t cap = 0;

	kept->version = set->version;
	kept->size.set = true;
	for (size_t i = 0; i < set->files.count; i++) {
		const struct cached_file *file = package_cache_file(cache, set->files.items[i]);

		lines_add(arena, &kept->files, &cap,
		          arena_printf(arena, "%s=%s", file->name, file->sha256));
		kept->size.value += file->size;
	}
}

/* The version that is installed, when it is one that is wanted. */
static int find_installed(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_version, struct err *err)
{
	struct host_package package;

	if (host->ops->package(host, want->key, &package, err)) {
		return -(int)err->code;
	}
	bool is_there = package.known && text_equal(package.status, "installed");

	*ret_version =
	    is_there && is_right(want, package.version) ? arena_strdup(arena, package.version) : NULL;
	return 0;
}

/* Of what is on offer: the version that is installed; without it what apt prefers, else the newest
 * that is wanted, unless what is kept still serves (`sound`). */
static const char *choose(const struct resource *want, const struct host_candidate *offer,
                          const char *installed, bool sound)
{
	if (installed && lines_has(&offer->versions, installed)) {
		return installed;
	}
	if (sound || is_right(want, offer->version)) {
		return sound ? NULL : offer->version;
	}
	for (size_t i = 0; i < offer->versions.count; i++) {
		if (is_right(want, offer->versions.items[i])) {
			return offer->versions.items[i];
		}
	}
	return NULL;
}

static const char *not_published(struct arena *arena, const struct resource *want)
{
	const char *version = want->cached_package.version;

	return arena_printf(arena, "%s%s%s is not published", want->key, version ? " " : "",
	                    version ? version : "");
}

/* The version that should be fetched; none when what is kept is the best that can be had. */
static int find_candidate(struct host *host, const struct resource *want, struct arena *arena,
                          struct resource *have, struct err *err)
{
	struct cached_package *kept = &have->cached_package;
	bool sound = have->state == STATE_PRESENT && !kept->damaged && is_right(want, kept->version);
	struct host_candidate offer;
	const char *installed = NULL;
	int64_t age;

	if (find_installed(host, want, arena, &installed, err)) {
		return -(int)err->code;
	}
	if (sound && (!installed || strcmp(installed, kept->version) == 0)) {
		return 0;
	}
	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age < 0) {
		kept->obstacle = sound ? NULL : "there is no package index to fetch it by";
		return 0;
	}
	if (host->ops->candidate(host, want->key, &offer, err)) {
		return -(int)err->code;
	}
	const char *version = choose(want, &offer, installed, sound);

	if (!version) {
		kept->obstacle = sound ? NULL : not_published(arena, want);
		return 0;
	}
	if (text_equal(version, offer.version) && offer.origin &&
	    package_closure_distrust(host, want->key, offer.origin, arena, &kept->obstacle, err)) {
		return -(int)err->code;
	}
	kept->candidate = kept->obstacle ? NULL : arena_strdup(arena, version);
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_CACHED_PACKAGE], key);
	struct package_cache cache;

	if (package_cache_read(host, arena, &cache, err)) {
		return -(int)err->code;
	}
	const struct cached_set *set = package_cache_find(&cache, key);

	have->state = set ? STATE_PRESENT : STATE_ABSENT;
	if (set) {
		describe(arena, &cache, set, have);
		if (package_cache_check(host, &cache, set, arena, &have->cached_package.damaged, err)) {
			return -(int)err->code;
		}
	}
	if (want && want->state == STATE_PRESENT && find_candidate(host, want, arena, have, err)) {
		return -(int)err->code;
	}
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct package_cache cache;

	if (package_cache_read(host, arena, &cache, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < cache.set_count; i++) {
		keys_add(arena, ret_keys, cache.sets[i].package);
	}
	return 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const struct cached_package *kept = &have->cached_package;

	if (want->state == STATE_ABSENT) {
		if (have->state == STATE_PRESENT) {
			differences_add(arena, &verdict->differences, "state", "present", "absent");
			verdict->outcome = OUTCOME_CHANGE;
			verdict->action = ACTION_REMOVE;
		}
		return;
	}
	if (!kept->candidate && !kept->obstacle) {
		return;
	}
	if (have->state != STATE_PRESENT) {
		differences_add(arena, &verdict->differences, "state", "absent", "present");
	}
	if (kept->damaged) {
		differences_add(arena, &verdict->differences, "damaged", kept->damaged, "fetched again");
	}
	differences_add(arena, &verdict->differences, "version", kept->version,
	                kept->candidate ? kept->candidate : want->cached_package.version);
	verdict->action = have->state == STATE_PRESENT ? ACTION_UPDATE : ACTION_CREATE;
	verdict->outcome = kept->candidate ? OUTCOME_CHANGE : OUTCOME_BLOCKED;
	verdict->why = kept->candidate ? NULL : kept->obstacle;
}

static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	if (want->state == STATE_PRESENT) {
		keys_add(arena, ret_ids, resource_id(arena, &kind_table[KIND_PACKAGE_INDEX], "apt"));
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_create(arena, change->kind, change->want->key);

	*ret_exact = true;
	after->state = change->want->state;
	if (after->state == STATE_PRESENT) {
		after->cached_package.version = change->have->cached_package.candidate;
	}
	return after;
}

/* ---- The change ---- */

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

		if (lines_has(&before, arena_printf(w->arena, "%s=%s", part->name, part->version)) &&
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

static int apply(struct host *host, const struct change *change, struct arena *arena,
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

const struct provider provider_cached_package = {
    .kind = KIND_CACHED_PACKAGE,
    .timeout_ms = TIMEOUT_MS,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
