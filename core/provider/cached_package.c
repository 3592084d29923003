// SPDX-License-Identifier: MIT
/*
 * Kind cached_package: the .debs of a package and of what it needs, kept on the node, so that a
 * repair works while nobody can be reached. Kept is the version that is installed, as long as it is
 * one that is wanted, else the newest that is. Only what a signed index vouches for comes in.
 * How they come there is in cached_package_change.c.
 */
#include "provider/cached_package.h"

#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_cache.h"
#include "provider/package_closure.h"
#include "provider/table.h"

#include <fnmatch.h>
#include <string.h>

enum { TIMEOUT_MS = 30 * 60 * 1000 };

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
	if (installed && list_has(&offer->versions, installed)) {
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
	if (!kept->obstacle &&
	    package_closure_obstacle(host, want->key, version, arena, &kept->obstacle, err)) {
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
	const char *version = kept->candidate ? kept->candidate : want->cached_package.version;

	if (kept->version || version) {
		differences_add(arena, &verdict->differences, "version", kept->version, version);
	}
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

const struct provider provider_cached_package = {
    .kind = KIND_CACHED_PACKAGE,
    .timeout_ms = TIMEOUT_MS,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = cached_package_change,
    .needs = needs,
    .predict = predict,
};
