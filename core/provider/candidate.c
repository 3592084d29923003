// SPDX-License-Identifier: MIT
/* Kind candidate, a fact: what the package index offers, and else what was kept of it: its origin
 * is "cache" then. Without an index nothing is known, and nothing is absent. A key may be a glob:
 * then it is the names that are told. */
#include "base/capture.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_cache.h"
#include "provider/table.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MS = 4000,      /* within the deadline of an observation */
	NAMES_MOST = 8 << 20, /* a distribution has some 70 000 names, of 20 bytes */
};

/* A version that only the cache has. */
static bool find_kept(struct host *host, const char *key, struct arena *arena,
                      struct resource *have)
{
	const char *damage;
	const struct cached_set *set = package_cache_offer(host, key, NULL, arena, &damage);

	if (!set) {
		return false;
	}
	const char **versions = arena_array(arena, 1, sizeof *versions);

	versions[0] = set->version;
	have->state = STATE_PRESENT;
	have->candidate.version = set->version;
	have->candidate.origin = "cache";
	have->candidate.versions = (struct list){.set = true, .count = 1, .items = versions};
	return true;
}

/* ---- Names that a glob fits ---- */

static int by_version(const void *a, const void *b)
{
	return packages_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Of the names that apt-cache(8) prints, one a line. Returns whether that is all of them. */
static bool take_names(struct arena *arena, const char *glob, char *text, struct list *ret_names)
{
	struct list names = {.set = true};
	size_t cap = 0;

	for (char *line; (line = lines_next(&text));) {
		if (*line == '[' && text_ends(line, CAPTURE_CUT)) {
			return false;
		}
		if (fnmatch(glob, line, 0) == 0) {
			lines_add(arena, &names, &cap, arena_strdup(arena, line));
		}
	}
	if (names.count) {
		qsort((void *)names.items, names.count, sizeof *names.items, by_version);
	}
	*ret_names = names;
	return true;
}

static int find_names(struct host *host, const char *glob, struct arena *arena,
                      struct resource *have, struct err *err)
{
	const char *prefix = arena_strndup(arena, glob, strcspn(glob, "*?"));
	/* Its cache file is not to be written by looking. */
	const char *const argv[] = {"apt-cache",
	                            "-o",
	                            "Dir::Cache::pkgcache=",
	                            "-o",
	                            "Dir::Cache::srcpkgcache=",
	                            "pkgnames",
	                            "--",
	                            prefix,
	                            NULL};
	const struct child_command command = {
	    .argv = argv, .timeout_ms = host_patience(host, NAMES_MS), .output_most = NAMES_MOST};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	bool well = !result.timed_out && !result.signalled && result.status == 0;

	if (well) {
		well = take_names(arena, glob, arena_strdup(arena, str_text(&result.out)),
		                  &have->candidate.names);
		have->state = have->candidate.names.count ? STATE_PRESENT : STATE_ABSENT;
	}
	child_result_free(&result);
	return well ? 0 : err_set(err, ERR_HOST, 0, "apt-cache pkgnames %s failed", prefix);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_CANDIDATE], key);
	struct host_candidate candidate;
	int64_t age;

	(void)want;
	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age < 0) {
		if (find_kept(host, key, arena, have)) {
			*ret_have = resource_copy(arena, have);
			return 0;
		}
		*ret_have = resource_undetermined(
		    arena, have->kind, key, "there is no package index: apt-get update was never run");
		return 0;
	}
	if (strpbrk(key, "*?")) {
		have->candidate.index_age = (struct number){.set = true, .value = age};
		*ret_have = have;
		return find_names(host, key, arena, have, err);
	}
	if (host->ops->candidate(host, key, &candidate, err)) {
		return -(int)err->code;
	}
	have->state = candidate.known ? STATE_PRESENT : STATE_ABSENT;
	have->candidate.index_age = (struct number){.set = true, .value = age};
	if (candidate.known) {
		have->candidate.version = candidate.version;
		have->candidate.origin = candidate.origin;
		have->candidate.versions = candidate.versions;
	} else {
		find_kept(host, key, arena, have);
	}
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

const struct provider provider_candidate = {.kind = KIND_CANDIDATE, .observe = observe};
