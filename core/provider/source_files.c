// SPDX-License-Identifier: MIT
/* See source_files.h. */
#include "provider/source_files.h"

#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

enum { FILE_MOST = 1 << 20 };

/* ---- Reading ---- */

/* What lies under a name. */
struct found {
	struct file_bytes bytes; /* when it is a file */
	bool is_file, is_link;
};

/* apt follows a link to a file, and passes over one that leads to nothing or to /dev/null. */
static int read_link(const char *path, struct arena *arena, struct found *found, struct err *err)
{
	struct err fault = {0};

	found->is_file = !files_own_read(path, false, FILE_MOST, arena, &found->bytes, &fault);
	return found->is_file || files_is_missing(&fault) || fault.code == ERR_INPUT
	           ? 0
	           : err_copy(err, &fault);
}

static int read_source(struct host *host, struct arena *arena, const char *path,
                       struct found *ret_found, struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	*ret_found =
	    (struct found){.is_file = look.type == FILE_REGULAR, .is_link = look.type == FILE_LINK};
	if (ret_found->is_link) {
		return read_link(path, arena, ret_found, err);
	}
	return ret_found->is_file
	           ? host->ops->read(host, path, FILE_MOST, arena, &ret_found->bytes, err)
	           : 0;
}

/* Half a file would be written back as half a file. */
static int need_text(const char *path, const struct file_bytes *bytes, struct err *err)
{
	size_t n = strlen(bytes->data);
	unsigned line = 1;

	if (n >= bytes->length) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		line += bytes->data[i] == '\n';
	}
	return err_set(err, ERR_INPUT, 0, "%s:%u: a NUL byte, expected a text with apt's sources", path,
	               line);
}

static int add_file(struct host *host, struct arena *arena, const char *path,
                    struct source_files *files, struct err *err)
{
	size_t before = files->entries.count;
	struct found found;

	if (read_source(host, arena, path, &found, err)) {
		return -(int)err->code;
	}
	if (!found.is_file) {
		return 0;
	}
	if (need_text(path, &found.bytes, err)) {
		return -(int)err->code;
	}
	struct source_file file = {
	    .path = path,
	    .text = arena_strndup(arena, found.bytes.data, found.bytes.length),
	    .mode = found.bytes.look.mode,
	    .uid = found.bytes.look.uid,
	    .gid = found.bytes.look.gid,
	};

	file.after = file.text;
	files->list = arena_grow(arena, files->list, files->count, &files->cap, sizeof file);
	files->list[files->count++] = file;
	apt_sources_parse(arena, path, file.text, &files->entries);
	for (size_t i = before; i < files->entries.count; i++) {
		files->entries.list[i].is_link = found.is_link;
	}
	return 0;
}

int source_files_read(struct host *host, struct arena *arena, struct source_files *ret_files,
                      struct err *err)
{
	struct source_files files = {0};
	struct file_names names = {0};
	struct err fault = {0};

	if (add_file(host, arena, SOURCE_LIST, &files, err)) {
		return -(int)err->code;
	}
	if (host->ops->list(host, SOURCE_PARTS, arena, &names, &fault) && fault.os != ENOENT) {
		return err_copy(err, &fault);
	}
	for (size_t i = 0; i < names.count; i++) {
		if (apt_sources_is_read(names.list[i]) &&
		    add_file(host, arena, path_join(arena, SOURCE_PARTS, names.list[i]), &files, err)) {
			return -(int)err->code;
		}
	}
	*ret_files = files;
	return 0;
}

/* ---- Which it is ---- */

bool source_files_is_own(const struct apt_entry *entry, const char *name)
{
	const char *file = path_name(entry->path);
	size_t n = strlen(name);

	return path_is_below(entry->path, SOURCE_PARTS, false) && strncmp(file, name, n) == 0 &&
	       (strcmp(file + n, ".list") == 0 || strcmp(file + n, ".sources") == 0);
}

static bool shares(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (list_has(b, a->items[i])) {
			return true;
		}
	}
	return false;
}

static bool is_it(const struct apt_entry *entry, const char *name, const struct resource *want)
{
	bool own = source_files_is_own(entry, name);

	if (!want || !want->package_source.uri) {
		return own;
	}
	return apt_sources_is_at(entry, want->package_source.uri) &&
	       (own || !want->package_source.suites.set ||
	        shares(&entry->suites, &want->package_source.suites));
}

static void add_to_group(struct arena *arena, struct source_group *group,
                         const struct apt_entry *entry)
{
	group->list = arena_grow(arena, (void *)group->list, group->count, &group->cap, sizeof entry);
	group->list[group->count++] = entry;
}

/* The better of two to be mended: of packages, switched on, in its own file; else the first. */
static bool is_better(const struct apt_entry *a, const struct apt_entry *b, const char *name)
{
	if (a->binary != b->binary) {
		return a->binary;
	}
	if (a->enabled != b->enabled) {
		return a->enabled;
	}
	return source_files_is_own(a, name) && !source_files_is_own(b, name);
}

/* Its own file has one source and no other: that one has moved to another place. */
static const struct apt_entry *find_moved(const struct source_files *files, const char *name)
{
	const struct apt_entry *found = NULL;

	for (size_t i = 0; i < files->entries.count; i++) {
		const struct apt_entry *entry = &files->entries.list[i];

		if (source_files_is_own(entry, name) && entry->binary) {
			if (found) {
				return NULL;
			}
			found = entry;
		}
	}
	return found;
}

struct source_group source_files_find(struct arena *arena, const struct source_files *files,
                                      const char *name, const struct resource *want)
{
	struct source_group group = {0};

	for (size_t i = 0; i < files->entries.count; i++) {
		const struct apt_entry *entry = &files->entries.list[i];

		if (is_it(entry, name, want)) {
			add_to_group(arena, &group, entry);
			group.main = !group.main || is_better(entry, group.main, name) ? entry : group.main;
		}
	}
	const struct apt_entry *moved =
	    group.main || (want && want->state == STATE_ABSENT) ? NULL : find_moved(files, name);

	if (moved) {
		add_to_group(arena, &group, moved);
		group.main = moved;
	}
	if (group.main && !group.main->binary) {
		group.main = NULL; /* of the sources of its packages alone nothing can be installed */
	}
	return group;
}

/* ---- What it says ---- */

/* Of a foreign entry only what was asked for; of its own file all. */
static void take_words(struct arena *arena, const struct list *words, const struct list *wanted,
                       bool all, struct list *ret_list)
{
	size_t cap = ret_list->count;

	for (size_t i = 0; i < words->count; i++) {
		if ((all || !wanted || list_has(wanted, words->items[i])) &&
		    !list_has(ret_list, words->items[i])) {
			lines_add(arena, ret_list, &cap, words->items[i]);
		}
	}
	ret_list->set = true;
}

bool source_files_counts(const struct apt_entry *entry)
{
	return entry->enabled && entry->binary;
}

/* Those of the entry that lacks some, or has too many; of the main one when all are right. */
static struct list describe_components(struct arena *arena, const struct source_group *group,
                                       const struct resource *want, const char *name)
{
	const struct list *wanted =
	    want && want->package_source.components.set ? &want->package_source.components : NULL;
	struct list shown = {0};

	take_words(arena, &group->main->components, wanted, source_files_is_own(group->main, name),
	           &shown);
	for (size_t i = 0; wanted && i < group->count; i++) {
		struct list list = {0};

		if (!source_files_counts(group->list[i])) {
			continue;
		}
		take_words(arena, &group->list[i]->components, wanted,
		           source_files_is_own(group->list[i], name), &list);
		if (list.count != wanted->count) {
			return list;
		}
	}
	return shown;
}

static const char *describe_key(const struct source_group *group, const struct resource *want)
{
	const char *wanted = want ? want->package_source.signed_by : NULL;

	for (size_t i = 0; wanted && i < group->count; i++) {
		if (group->list[i]->enabled && !text_equal(group->list[i]->signed_by, wanted)) {
			return group->list[i]->signed_by;
		}
	}
	return group->main->signed_by;
}

static const char *place_of(struct arena *arena, const struct apt_entry *entry)
{
	return arena_printf(arena, "%s:%u%s", entry->path, entry->line,
	                    entry->enabled ? "" : " (switched off)");
}

void source_files_describe(struct arena *arena, const struct source_group *group,
                           const struct resource *want, struct resource *have)
{
	struct package_source *source = &have->package_source;
	const struct apt_entry *first = group->main;
	const struct list *wanted =
	    want && want->package_source.suites.set ? &want->package_source.suites : NULL;
	size_t cap = 0;
	bool asks_uri = want && want->package_source.uri;

	source->file = place_of(arena, first);
	source->uri = asks_uri && apt_sources_is_at(first, want->package_source.uri)
	                  ? want->package_source.uri
	                  : first->uris.items[0];
	source->suites.set = true;
	for (size_t i = 0; i < group->count; i++) {
		const struct apt_entry *entry = group->list[i];

		if (source_files_counts(entry)) {
			take_words(arena, &entry->suites, wanted, source_files_is_own(entry, have->key),
			           &source->suites);
		}
		if (entry != first && entry->binary) {
			lines_add(arena, &source->others, &cap, place_of(arena, entry));
		}
		if (entry->uris.count > 1) {
			source->obstacle = arena_printf(
			    arena, "%s:%u names other places as well: what is changed there changes those too",
			    entry->path, entry->line);
		}
		if (entry->is_link) {
			source->obstacle = arena_printf(
			    arena, "%s is a symbolic link, and what it leads to is not ours to change",
			    entry->path);
		}
	}
	source->components = describe_components(arena, group, want, have->key);
	source->signed_by = describe_key(group, want);
}
