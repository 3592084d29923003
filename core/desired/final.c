// SPDX-License-Identifier: MIT
/* See final.h. */
#include "desired/final.h"

#include "base/path.h"
#include "base/str.h"
#include "model/resource.h"

#include <string.h>

/* Collections that speak of a kind: their entries are wanted resources but for the key. */
static const struct {
	const char *section;
	enum kind_id kind;
} sections_of_kinds[] = {
    {"mounts", KIND_MOUNT},
    {"data_repositories", KIND_DATA_REPOSITORY},
    {"packages", KIND_PACKAGE},
    {"holds", KIND_HOLD},
};

static bool is_absent(const struct value *entry)
{
	return text_equal(value_text(entry, "state"), "absent");
}

/* ---- entries ---- */

/* The rules of the model for a whole resource, said with the place of the entry. */
static void check_resource(struct arena *arena, struct layer_place place,
                           const struct value_entry *entry, const struct value *resource,
                           struct faults *faults)
{
	struct diags found = {.arena = faults->diags->arena};

	if (resource_from_value(arena, resource, USE_WANTED, &found)) {
		return;
	}
	for (size_t i = 0; i < found.count; i++) {
		struct err *err = &found.list[i].err;

		if (err->at.line == resource->at.line && err->at.col == resource->at.col) {
			err->at = entry->key_at;
		}
		err_wrap(err, "%s", layer_path(faults->diags->arena, place, NULL));
		fault_add_err(faults, err, found.list[i].hint);
	}
}

static void check_entry_of_kind(struct arena *arena, const char *section, const struct kind *kind,
                                const struct value_entry *entry, struct faults *faults)
{
	struct value resource = value_map(), key = value_string(entry->key);

	key.at = entry->key_at;
	resource.at = entry->value.at;
	value_put(arena, &resource, "kind", value_string(kind->name));
	value_put(arena, &resource, "key", key);
	for (size_t i = 0; i < entry->value.count; i++) {
		value_put(arena, &resource, entry->value.entries[i].key, entry->value.entries[i].value);
	}
	check_resource(arena, (struct layer_place){section, entry->key}, entry, &resource, faults);
}

static void check_required(const struct section *section, const struct value_entry *entry,
                           struct faults *faults)
{
	for (size_t i = 0; i < section->field_count && !is_absent(&entry->value); i++) {
		const struct field *field = &section->fields[i];

		if ((field->flags & FIELD_REQUIRED) && !value_entry(&entry->value, field->name)) {
			fault_add(faults, entry->key_at, NULL, "%s is missing: %s",
			          layer_path(faults->diags->arena,
			                     (struct layer_place){section->name, entry->key}, field->name),
			          field->help);
		}
	}
}

static const struct kind *kind_of(const struct section *section)
{
	for (size_t i = 0; i < ARRAY_LEN(sections_of_kinds); i++) {
		if (strcmp(sections_of_kinds[i].section, section->name) == 0) {
			return &kind_table[sections_of_kinds[i].kind];
		}
	}
	return NULL;
}

static void check_entries(const struct section *section, const struct value *entries,
                          struct faults *faults)
{
	const struct kind *kind = kind_of(section);

	for (size_t i = 0; i < entries->count && !fault_is_full(faults); i++) {
		const struct value_entry *entry = &entries->entries[i];
		AUTO(arena_auto) struct arena *arena = arena_create();

		if (section->shape == SECTION_RESOURCES) {
			check_resource(arena, (struct layer_place){section->name, entry->key}, entry,
			               &entry->value, faults);
		} else if (kind) {
			check_entry_of_kind(arena, section->name, kind, entry, faults);
		} else {
			check_required(section, entry, faults);
		}
	}
}

/* ---- contradictions ---- */

/* A choice that cannot be carried out without another field of its group. */
static void check_needs(const struct value *state, const char *section, const char *field,
                        const char *choice, const char *needed, struct faults *faults)
{
	const struct value *group = value_get(state, section), *chosen = value_get(group, field);

	if (chosen && text_equal(chosen->string, choice) && !value_get(group, needed)) {
		fault_add(faults, chosen->at, NULL, "%s.%s: %s needs %s.%s, which is not given", section,
		          field, choice, section, needed);
	}
}

/* What is mounted below the directory of a repository hides a part of it, and would be taken for
 * its content. */
static void check_repositories(const struct value *state, struct faults *faults)
{
	const struct value *mounts = value_get(state, "mounts");
	const struct value *repositories = value_get(state, "data_repositories");
	AUTO(arena_auto) struct arena *arena = arena_create();

	for (size_t i = 0; repositories && mounts && i < mounts->count; i++) {
		const struct value_entry *mount = &mounts->entries[i], *above = NULL;
		const char *path = path_parent(arena, mount->key);

		for (; path && !above; path = path_parent(arena, path)) {
			above = value_entry(repositories, path);
		}
		if (above && !is_absent(&mount->value)) {
			fault_add(faults, mount->key_at, NULL,
			          "mounts.%s: lies within data_repositories.%s (%s:%u)", mount->key, above->key,
			          above->key_at.file, above->key_at.line);
		}
	}
}

void final_check(const struct value *state, struct faults *faults)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct section *section = section_find(state->entries[i].key);

		if (section->shape == SECTION_COLLECTION || section->shape == SECTION_RESOURCES) {
			check_entries(section, &state->entries[i].value, faults);
		}
	}
	check_needs(state, "kernel", "strategy", "pin", "release", faults);
	check_needs(state, "reboot", "when", "window", "window", faults);
	check_repositories(state, faults);
}
