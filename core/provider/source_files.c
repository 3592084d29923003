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

/* apt follows a link to a file, and passes over one that leads to nothing or to /dev/null. */
static int read_link(const char *path, struct arena *arena, struct file_bytes *ret_bytes,
                     bool *ret_is_file, struct err *err)
{
	struct err fault = {0};

	*ret_is_file = !files_own_read(path, false, FILE_MOST, arena, ret_bytes, &fault);
	return *ret_is_file || fault.os == ENOENT || fault.os == ENOTDIR || fault.code == ERR_INPUT
	           ? 0
	           : err_copy(err, &fault);
}

static int read_source(struct host *host, struct arena *arena, const char *path,
                       struct file_bytes *ret_bytes, bool *ret_is_file, bool *ret_is_link,
                       struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	*ret_is_link = look.type == FILE_LINK;
	*ret_is_file = look.type == FILE_REGULAR;
	if (*ret_is_link) {
		return read_link(path, arena, ret_bytes, ret_is_file, err);
	}
	return *ret_is_file ? host->ops->read(host, path, FILE_MOST, arena, ret_bytes, err) : 0;
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
	struct file_bytes bytes;
	size_t before = files->entries.count;
	bool is_file, is_link;

	if (read_source(host, arena, path, &bytes, &is_file, &is_link, err)) {
		return -(int)err->code;
	}
	if (!is_file) {
		return 0;
	}
	if (need_text(path, &bytes, err)) {
		return -(int)err->code;
	}
	struct source_file file = {
	    .path = path,
	    .text = arena_strndup(arena, bytes.data, bytes.length),
	    .mode = bytes.look.mode,
	    .uid = bytes.look.uid,
	    .gid = bytes.look.gid,
	};

	file.after = file.text;
	files->list = arena_grow(arena, files->list, files->count, &files->cap, sizeof file);
	files->list[files->count++] = file;
	apt_sources_parse(arena, path, file.text, &files->entries);
	for (size_t i = before; i < files->entries.count; i++) {
		files->entries.list[i].is_link = is_link;
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
		if (lines_has(b, a->items[i])) {
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
		if ((all || !wanted || lines_has(wanted, words->items[i])) &&
		    !lines_has(ret_list, words->items[i])) {
			lines_add(arena, ret_list, &cap, words->items[i]);
		}
	}
	ret_list->set = true;
}

static bool is_counted(const struct apt_entry *entry)
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

		if (!is_counted(group->list[i])) {
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

		if (is_counted(entry)) {
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

/* ---- What the files should be ---- */

struct mending {
	struct arena *arena;
	const struct resource *want;
	const struct source_group *group;
	struct list claimed; /* suites that stand somewhere already */
	size_t cap;
};

static void add_new(struct arena *arena, struct list *list, size_t *cap, const char *item)
{
	if (!lines_has(list, item)) {
		lines_add(arena, list, cap, item);
	}
}

/* Suites of an entry: those wanted that nobody had before, and of a foreign one all else too. */
static struct list keep_suites(struct mending *m, const struct apt_entry *entry)
{
	bool own = source_files_is_own(entry, m->want->key);
	const struct list *wanted = &m->want->package_source.suites;
	struct list list = {.set = true};
	size_t cap = 0;

	for (size_t i = 0; i < entry->suites.count; i++) {
		const char *suite = entry->suites.items[i];

		if (!own || (lines_has(wanted, suite) && !lines_has(&m->claimed, suite))) {
			add_new(m->arena, &list, &cap, suite);
		}
		if (lines_has(wanted, suite)) {
			add_new(m->arena, &m->claimed, &m->cap, suite);
		}
	}
	return list;
}

static struct list keep_components(struct mending *m, const struct apt_entry *entry)
{
	const struct list *wanted = &m->want->package_source.components;
	struct list list = {.set = true};
	size_t cap = 0;

	if (!wanted->set) {
		return (struct list){0};
	}
	if (!source_files_is_own(entry, m->want->key)) {
		for (size_t i = 0; i < entry->components.count; i++) {
			add_new(m->arena, &list, &cap, entry->components.items[i]);
		}
	}
	for (size_t i = 0; i < wanted->count; i++) {
		add_new(m->arena, &list, &cap, wanted->items[i]);
	}
	return list;
}

static struct source_file *file_of(const struct source_files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(files->list[i].path, path) == 0) {
			return &files->list[i];
		}
	}
	return NULL;
}

static bool is_same_list(const struct list *a, const struct list *b)
{
	if (a->count != b->count) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* Does the entry say all that already? Then its bytes stay. */
static bool is_right(const struct apt_entry *entry, const struct apt_edit *edit)
{
	return entry->enabled && (!edit->uri || apt_sources_is_at(entry, edit->uri)) &&
	       (!edit->suites.set || is_same_list(&entry->suites, &edit->suites)) &&
	       (!edit->components.set || is_same_list(&entry->components, &edit->components)) &&
	       (!edit->signed_by || text_equal(entry->signed_by, edit->signed_by));
}

/* What each entry of the group should be: by its place in the group. */
static struct apt_edit *make_edits(struct mending *m)
{
	const struct source_group *group = m->group;
	const struct package_source *want = &m->want->package_source;
	struct apt_edit *edits = arena_array(m->arena, group->count, sizeof *edits);
	size_t main = 0;

	for (size_t i = 0; i < group->count; i++) {
		main = group->list[i] == group->main ? i : main;
	}
	edits[main].suites = keep_suites(m, group->main);
	for (size_t i = 0; i < group->count; i++) {
		const struct apt_entry *entry = group->list[i];

		edits[i].signed_by = want->signed_by;
		if (i != main && is_counted(entry)) {
			edits[i].suites = keep_suites(m, entry);
		}
		if (i == main || is_counted(entry)) {
			edits[i].components = keep_components(m, entry);
		}
	}
	edits[main].uri = want->uri;
	size_t cap = edits[main].suites.count;

	for (size_t i = 0; i < want->suites.count; i++) {
		if (!lines_has(&m->claimed, want->suites.items[i])) {
			lines_add(m->arena, &edits[main].suites, &cap, want->suites.items[i]);
		}
	}
	return edits;
}

/* From the last entry to the first, so that the places of those before stay. */
static void mend(struct mending *m, struct source_files *files)
{
	struct apt_edit *edits = make_edits(m);

	for (size_t i = m->group->count; i-- > 0;) {
		const struct apt_entry *entry = m->group->list[i];
		struct source_file *file = file_of(files, entry->path);

		if (!file || (!entry->enabled && entry != m->group->main) || is_right(entry, &edits[i])) {
			continue;
		}
		file->after = edits[i].suites.set && !edits[i].suites.count
		                  ? apt_sources_remove(m->arena, file->after, entry)
		                  : apt_sources_mend(m->arena, file->after, entry, &edits[i]);
	}
}

static void create(struct arena *arena, struct source_files *files, const struct resource *want)
{
	const struct package_source *source = &want->package_source;
	const struct apt_edit edit = {
	    .uri = source->uri,
	    .suites = source->suites,
	    .components = source->components,
	    .signed_by = source->signed_by,
	};
	const char *path = arena_printf(arena, SOURCE_PARTS "/%s.sources", want->key);
	const char *stanza = apt_sources_stanza(arena, &edit);
	struct source_file *file = file_of(files, path);

	if (file) {
		file->after = arena_printf(arena, "%s%s%s", file->text,
		                           apt_sources_is_empty(file->text) ? "" : "\n", stanza);
		return;
	}
	files->list = arena_grow(arena, files->list, files->count, &files->cap, sizeof *files->list);
	files->list[files->count++] = (struct source_file){.path = path, .after = stanza, .mode = 0644};
}

/* The suites that are left when those wanted away are gone. */
static struct list leave_suites(struct arena *arena, const struct apt_entry *entry,
                                const struct list *away)
{
	struct list list = {.set = true};
	size_t cap = 0;

	for (size_t i = 0; away->set && i < entry->suites.count; i++) {
		if (!lines_has(away, entry->suites.items[i])) {
			lines_add(arena, &list, &cap, entry->suites.items[i]);
		}
	}
	return list;
}

static void take_away(struct arena *arena, struct source_files *files,
                      const struct source_group *group, const struct resource *want)
{
	for (size_t i = group->count; i-- > 0;) {
		const struct apt_entry *entry = group->list[i];
		struct source_file *file = file_of(files, entry->path);
		struct apt_edit edit = {.suites = leave_suites(arena, entry, &want->package_source.suites)};

		if (!file || !entry->enabled) {
			continue;
		}
		file->after = edit.suites.count ? apt_sources_mend(arena, file->after, entry, &edit)
		                                : apt_sources_remove(arena, file->after, entry);
		if (source_files_is_own(entry, want->key) && apt_sources_is_empty(file->after)) {
			file->after = NULL;
		}
	}
}

void source_files_plan(struct arena *arena, struct source_files *files, const struct resource *want)
{
	struct source_group group = source_files_find(arena, files, want->key, want);
	struct mending m = {.arena = arena, .want = want, .group = &group};

	if (want->state == STATE_ABSENT) {
		take_away(arena, files, &group, want);
	} else if (group.main) {
		mend(&m, files);
	} else {
		create(arena, files, want);
	}
}
