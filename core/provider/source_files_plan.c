// SPDX-License-Identifier: MIT
/* See source_files.h: what the files should be. Pure. */
#include "provider/source_files.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>

struct mending {
	struct arena *arena;
	const struct resource *want;
	const struct source_group *group;
	struct list claimed; /* suites that stand somewhere already */
	size_t cap;
};

static void add_new(struct arena *arena, struct list *list, size_t *cap, const char *item)
{
	if (!list_has(list, item)) {
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

		if (!own || (list_has(wanted, suite) && !list_has(&m->claimed, suite))) {
			add_new(m->arena, &list, &cap, suite);
		}
		if (list_has(wanted, suite)) {
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
		if (i != main && source_files_counts(entry)) {
			edits[i].suites = keep_suites(m, entry);
		}
		if (i == main || source_files_counts(entry)) {
			edits[i].components = keep_components(m, entry);
		}
	}
	edits[main].uri = want->uri;
	size_t cap = edits[main].suites.count;

	for (size_t i = 0; i < want->suites.count; i++) {
		if (!list_has(&m->claimed, want->suites.items[i])) {
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
		if (!list_has(away, entry->suites.items[i])) {
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
