// SPDX-License-Identifier: MIT
/* See package_cache.h. */
#include "provider/package_cache.h"

#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

enum { INDEX_MOST = 4 << 20, FORMAT_VERSION = 1, DIGEST_MS = 120000, DIGEST_LENGTH = 64 };

#define INDEX PACKAGE_CACHE "/index.json"

/* ---- The index ---- */

/* No path may lead out of the folder. */
static bool is_file_name(const char *name)
{
	return name && text_ends(name, ".deb") && name[0] != '.' && !strchr(name, '/');
}

static bool take_file(struct arena *arena, const char *name, const struct value *value,
                      struct package_cache *cache)
{
	struct cached_file file = {
	    .name = name,
	    .package = value_text(value, "package"),
	    .version = value_text(value, "version"),
	    .sha256 = value_text(value, "sha256"),
	    .size = value_number(value, "size", -1),
	    .modified_ns = value_number(value, "modified_ns", 0),
	};

	if (!is_file_name(name) || !file.package || !file.version || !file.sha256 ||
	    strlen(file.sha256) != DIGEST_LENGTH || file.size < 0 || file.size > PACKAGE_CACHE_MOST) {
		return false;
	}
	cache->files =
	    arena_grow(arena, cache->files, cache->file_count, &cache->file_cap, sizeof file);
	cache->files[cache->file_count++] = file;
	return true;
}

static bool take_set(struct arena *arena, const char *package, const struct value *value,
                     struct package_cache *cache)
{
	const struct value *files = value_get(value, "files");
	struct cached_set set = {
	    .package = package,
	    .version = value_text(value, "version"),
	    .at = value_number(value, "at", 0),
	};
	size_t cap = 0;

	if (!set.version || !files || files->type != VALUE_LIST || !files->count) {
		return false;
	}
	for (size_t i = 0; i < files->count; i++) {
		const struct value *name = &files->items[i];

		if (name->type != VALUE_STRING || !package_cache_file(cache, name->string)) {
			return false;
		}
		lines_add(arena, &set.files, &cap, name->string);
	}
	cache->sets = arena_grow(arena, cache->sets, cache->set_count, &cache->set_cap, sizeof set);
	cache->sets[cache->set_count++] = set;
	return true;
}

static bool take_all(struct arena *arena, const struct value *document, struct package_cache *cache)
{
	const struct value *files = value_get(document, "files"), *sets = value_get(document, "sets");

	if (value_number(document, "reconcile_packages", 0) != FORMAT_VERSION || !files || !sets ||
	    files->type != VALUE_MAP || sets->type != VALUE_MAP) {
		return false;
	}
	for (size_t i = 0; i < files->count; i++) {
		if (!take_file(arena, files->entries[i].key, &files->entries[i].value, cache)) {
			return false;
		}
	}
	for (size_t i = 0; i < sets->count; i++) {
		if (!take_set(arena, sets->entries[i].key, &sets->entries[i].value, cache)) {
			return false;
		}
	}
	return true;
}

int package_cache_read(struct host *host, struct arena *arena, struct package_cache *ret_cache,
                       struct err *err)
{
	struct package_cache cache = {0};
	struct file_bytes bytes;
	struct value document;
	struct err fault = {0};

	if (host->ops->read(host, INDEX, INDEX_MOST, arena, &bytes, &fault)) {
		if (fault.os == ENOENT || fault.os == ENOTDIR) {
			*ret_cache = cache;
			return 0;
		}
		return err_copy(err, &fault);
	}
	if (files_trusted(INDEX, err)) {
		return err_wrap(err, "the package cache is not used");
	}
	if (json_parse(bytes.data, bytes.length, INDEX, arena, &document, &fault) ||
	    !take_all(arena, &document, &cache)) {
		cache = (struct package_cache){0};
	}
	*ret_cache = cache;
	return 0;
}

static struct value file_value(struct arena *arena, const struct cached_file *file)
{
	struct value map = value_map();

	value_put(arena, &map, "package", value_string(file->package));
	value_put(arena, &map, "version", value_string(file->version));
	value_put(arena, &map, "sha256", value_string(file->sha256));
	value_put(arena, &map, "size", value_int(file->size));
	value_put(arena, &map, "modified_ns", value_int(file->modified_ns));
	return map;
}

static struct value set_value(struct arena *arena, const struct cached_set *set)
{
	struct value map = value_map(), files = value_list();

	for (size_t i = 0; i < set->files.count; i++) {
		value_append(arena, &files, value_string(set->files.items[i]));
	}
	value_put(arena, &map, "version", value_string(set->version));
	value_put(arena, &map, "at", value_int(set->at));
	value_put(arena, &map, "files", files);
	return map;
}

int package_cache_write(struct host *host, const struct package_cache *cache, struct arena *arena,
                        struct err *err)
{
	struct value document = value_map(), files = value_map(), sets = value_map();
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < cache->file_count; i++) {
		value_put(arena, &files, cache->files[i].name, file_value(arena, &cache->files[i]));
	}
	for (size_t i = 0; i < cache->set_count; i++) {
		value_put(arena, &sets, cache->sets[i].package, set_value(arena, &cache->sets[i]));
	}
	value_put(arena, &document, "reconcile_packages", value_int(FORMAT_VERSION));
	value_put(arena, &document, "files", files);
	value_put(arena, &document, "sets", sets);
	value_seal(&document);
	json_print(&text, &document, 1);
	const struct file_write write = {.data = str_text(&text), .length = text.length, .mode = 0644};

	return host->ops->write(host, INDEX, &write, err);
}

struct cached_set *package_cache_find(const struct package_cache *cache, const char *package)
{
	for (size_t i = 0; i < cache->set_count; i++) {
		if (strcmp(cache->sets[i].package, package) == 0) {
			return &cache->sets[i];
		}
	}
	return NULL;
}

struct cached_file *package_cache_file(const struct package_cache *cache, const char *name)
{
	for (size_t i = 0; i < cache->file_count; i++) {
		if (strcmp(cache->files[i].name, name) == 0) {
			return &cache->files[i];
		}
	}
	return NULL;
}

const char *package_cache_path(struct arena *arena, const char *name)
{
	return path_join(arena, PACKAGE_CACHE, name);
}

int64_t package_cache_size(const struct package_cache *cache)
{
	int64_t size = 0;

	for (size_t i = 0; i < cache->file_count; i++) {
		size += cache->files[i].size;
	}
	return size;
}

static bool is_used(const struct package_cache *cache, const char *name)
{
	for (size_t i = 0; i < cache->set_count; i++) {
		if (list_has(&cache->sets[i].files, name)) {
			return true;
		}
	}
	return false;
}

void package_cache_tidy(struct package_cache *cache)
{
	size_t kept = 0;

	for (size_t i = 0; i < cache->file_count; i++) {
		if (is_used(cache, cache->files[i].name)) {
			cache->files[kept++] = cache->files[i];
		}
	}
	cache->file_count = kept;
}

void package_cache_drop(struct package_cache *cache, const char *package)
{
	size_t kept = 0;

	for (size_t i = 0; i < cache->set_count; i++) {
		if (strcmp(cache->sets[i].package, package) != 0) {
			cache->sets[kept++] = cache->sets[i];
		}
	}
	cache->set_count = kept;
	package_cache_tidy(cache);
}

/* ---- The files ---- */

/* By sha256sum(1), which needs no memory for a file of hundreds of megabytes. Of what it cannot
 * read it says so, goes on, and ends with 1. */
int package_cache_digests(struct host *host, const struct list *names, struct arena *arena,
                          const char ***ret_digests, struct err *err)
{
	const char **argv = arena_array(arena, names->count + 3, sizeof *argv);
	const char **digests = arena_array(arena, names->count, sizeof *digests);
	struct child_command command = {.argv = argv, .timeout_ms = DIGEST_MS};
	struct child_result result;

	argv[0] = "sha256sum";
	argv[1] = "--";
	for (size_t i = 0; i < names->count; i++) {
		argv[i + 2] = package_cache_path(arena, names->items[i]);
	}
	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	bool failed = result.timed_out || result.signalled || result.status > 1;
	char *out = arena_strdup(arena, str_text(&result.out));

	child_result_free(&result);
	if (failed) {
		return err_set(err, ERR_HOST, 0, "sha256sum failed");
	}
	for (char *line; (line = lines_next(&out));) {
		for (size_t i = 0; strlen(line) > DIGEST_LENGTH + 2 && i < names->count; i++) {
			if (strcmp(line + DIGEST_LENGTH + 2, argv[i + 2]) == 0) {
				digests[i] = arena_strndup(arena, line, DIGEST_LENGTH);
			}
		}
	}
	*ret_digests = digests;
	return 0;
}

/* Whoever may write it may also put its size and time back. */
static bool is_writable_by_others(const struct file_look *look)
{
	return look->uid != 0 || (look->gid != 0 && (look->mode & 020)) || (look->mode & 02);
}

int package_cache_check(struct host *host, const struct package_cache *cache,
                        const struct cached_set *set, struct arena *arena, const char **ret_damage,
                        struct err *err)
{
	struct list doubted = {0};
	const char **digests = NULL;
	size_t cap = 0;

	*ret_damage = NULL;
	for (size_t i = 0; i < set->files.count; i++) {
		const char *name = set->files.items[i];
		const struct cached_file *file = package_cache_file(cache, name);
		struct file_look look;

		if (host->ops->look(host, package_cache_path(arena, name), &look, err)) {
			return -(int)err->code;
		}
		if (look.type != FILE_REGULAR || (int64_t)look.size != file->size) {
			*ret_damage = look.type == FILE_REGULAR
			                  ? arena_printf(arena, "%s has another size than it had", name)
			                  : arena_printf(arena, "%s is gone", name);
			return 0;
		}
		if (is_writable_by_others(&look)) {
			*ret_damage =
			    arena_printf(arena, "%s is not trusted: others than root may write it", name);
			return 0;
		}
		if (cache->in_doubt || look.modified_ns != file->modified_ns) {
			lines_add(arena, &doubted, &cap, name);
		}
	}
	if (doubted.count && package_cache_digests(host, &doubted, arena, &digests, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < doubted.count; i++) {
		const struct cached_file *file = package_cache_file(cache, doubted.items[i]);

		if (!text_equal(digests[i], file->sha256)) {
			*ret_damage = arena_printf(arena, "%s was altered: its SHA-256 is not the one recorded",
			                           file->name);
			return 0;
		}
	}
	return 0;
}

const struct cached_set *package_cache_offer(struct host *host, const char *package,
                                             const char *version, struct arena *arena,
                                             const char **ret_damage)
{
	struct package_cache *cache = arena_alloc(arena, sizeof *cache);
	struct err fault = {0};

	*ret_damage = NULL;
	if (package_cache_read(host, arena, cache, &fault)) {
		*ret_damage = arena_strdup(arena, fault.text);
		return NULL;
	}
	const struct cached_set *set = package_cache_find(cache, package);

	if (!set || (version && fnmatch(version, set->version, 0) != 0)) {
		return NULL;
	}
	if (package_cache_check(host, cache, set, arena, ret_damage, &fault)) {
		*ret_damage = arena_strdup(arena, fault.text);
	}
	return *ret_damage ? NULL : set;
}

int package_cache_needed(struct host *host, const struct package_cache *cache,
                         const struct cached_set *set, struct arena *arena, struct list *ret_paths,
                         struct err *err)
{
	struct list paths = {0};
	size_t cap = 0;

	for (size_t i = 0; i < set->files.count; i++) {
		const struct cached_file *file = package_cache_file(cache, set->files.items[i]);
		struct host_package package;

		if (host->ops->package(host, file->package, &package, err)) {
			return -(int)err->code;
		}
		bool is_there = package.known && text_equal(package.status, "installed") &&
		                package.version && packages_compare(package.version, file->version) >= 0;

		if (i == 0 || !is_there) {
			lines_add(arena, &paths, &cap, package_cache_path(arena, file->name));
		}
	}
	*ret_paths = paths;
	return 0;
}
