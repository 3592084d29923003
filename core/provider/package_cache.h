// SPDX-License-Identifier: MIT
/*
 * /var/cache/reconcile/packages: .debs of packages that a repair must not wait for, and index.json,
 * which says what belongs together and what each file must be. The index is replaced as a whole;
 * what it does not name does not count, so that a download that was cut off is as good as none.
 *
 * A file is taken for what it was while its size and time are as recorded; before one is used, and
 * when they are not, its SHA-256 is computed again. The folder must be root's alone.
 */
#ifndef PROVIDER_PACKAGE_CACHE_H
#define PROVIDER_PACKAGE_CACHE_H

#include "provider/provider.h"

#define PACKAGE_CACHE "/var/cache/reconcile/packages"

enum { PACKAGE_CACHE_MOST = 1 << 30 }; /* bytes of all files */

struct cached_file {
	const char *name; /* in the folder */
	const char *package, *version, *sha256;
	int64_t size, modified_ns;
};

/* What installing one package takes. */
struct cached_set {
	const char *package, *version;
	struct list files; /* names; that of the package itself is the first */
	int64_t at;        /* when it was put there, seconds */
};

struct package_cache {
	struct cached_file *files;
	size_t file_count, file_cap;
	struct cached_set *sets;
	size_t set_count, set_cap;
	bool in_doubt; /* content is looked at even where size and time are as recorded */
};

/* No folder, or an index that cannot be understood: 0 and an empty cache. ERR_INPUT: others than
 * root can write there. */
int package_cache_read(struct host *host, struct arena *arena, struct package_cache *ret_cache,
                       struct err *err) MUST_CHECK;
int package_cache_write(struct host *host, const struct package_cache *cache, struct arena *arena,
                        struct err *err) MUST_CHECK;

/* NULL when it has none of that name. */
struct cached_set *package_cache_find(const struct package_cache *cache, const char *package);
struct cached_file *package_cache_file(const struct package_cache *cache, const char *name);
const char *package_cache_path(struct arena *arena, const char *name);
int64_t package_cache_size(const struct package_cache *cache);

/* The files of no set are forgotten. */
void package_cache_tidy(struct package_cache *cache);
/* Takes a set out, and what only it had. */
void package_cache_drop(struct package_cache *cache, const char *package);

/* What is wrong with the files of a set, as one sentence, or NULL. */
int package_cache_check(struct host *host, const struct package_cache *cache,
                        const struct cached_set *set, struct arena *arena, const char **ret_damage,
                        struct err *err) MUST_CHECK;

/* SHA-256 of files of the folder, in the order of their names; NULL of one that cannot be read. */
int package_cache_digests(struct host *host, const struct list *names, struct arena *arena,
                          const char ***ret_digests, struct err *err) MUST_CHECK;

/* A sound set of that package with a version that matches the glob (NULL: any), or NULL with the
 * damage, if that is why, in *ret_damage. Of files whose metadata is right the content is not
 * looked at. An unreadable cache is as good as none. */
const struct cached_set *package_cache_offer(struct host *host, const char *package,
                                             const char *version, struct arena *arena,
                                             const char **ret_damage);

/* The paths of the set that have to be installed now: of the package itself, and of what is not
 * there, or only in an older version. */
int package_cache_needed(struct host *host, const struct package_cache *cache,
                         const struct cached_set *set, struct arena *arena, struct list *ret_paths,
                         struct err *err) MUST_CHECK;

#endif
