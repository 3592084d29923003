// SPDX-License-Identifier: MIT
/* See overlay.h. Both maps are sorted, so that one walk along the two makes the third, sorted
 * again. */
#include "desired/overlay.h"

#include "base/str.h"

#include <string.h>

struct overlay {
	struct arena *arena;
	struct faults *faults;
	const struct section *section; /* that is being merged */
};

/* What becomes of two entries of one key. */
typedef struct value_entry both_fn(struct overlay *o, const struct value_entry *low,
                                   const struct value_entry *high);

static struct value merge(struct overlay *o, const struct value *low, const struct value *high,
                          both_fn *both)
{
	struct value merged = value_map();
	size_t i = 0, k = 0;

	merged.at = high->at;
	merged.cap = low->count + high->count;
	merged.entries = arena_array(o->arena, merged.cap, sizeof *merged.entries);
	while (i < low->count || k < high->count) {
		int order = i == low->count    ? 1
		            : k == high->count ? -1
		                               : strcmp(low->entries[i].key, high->entries[k].key);

		if (order < 0) {
			merged.entries[merged.count++] = low->entries[i++];
		} else if (order > 0) {
			merged.entries[merged.count++] = high->entries[k++];
		} else {
			merged.entries[merged.count++] = both(o, &low->entries[i++], &high->entries[k++]);
		}
	}
	merged.sealed = true;
	return merged;
}

static struct value_entry take_high(struct overlay *o, const struct value_entry *low,
                                    const struct value_entry *high)
{
	(void)o;
	(void)low;
	return *high;
}

static bool has_state(const struct value *entry, const char *state)
{
	return text_equal(value_text(entry, "state"), state);
}

/* An entry that a lower layer wants absent and a higher one says something about: which of the two
 * is meant cannot be told, and one of them removes something. */
static void check_absent(struct overlay *o, const struct value_entry *low,
                         const struct value_entry *high)
{
	const struct value *state = value_get(&low->value, "state");

	if (!has_state(&low->value, "absent") || value_get(&high->value, "state")) {
		return;
	}
	fault_add(o->faults, high->key_at, "say state: present or state: absent here",
	          "%s: state: absent is inherited from %s:%u:%u",
	          layer_path(o->faults->diags->arena, (struct layer_place){o->section->name, high->key},
	                     NULL),
	          state->at.file, state->at.line, state->at.col);
}

static struct value_entry merge_entry(struct overlay *o, const struct value_entry *low,
                                      const struct value_entry *high)
{
	struct value_entry merged = *high;

	if (has_state(&low->value, "unmanaged") || has_state(&high->value, "unmanaged")) {
		return *high;
	}
	check_absent(o, low, high);
	merged.value = merge(o, &low->value, &high->value, take_high);
	return merged;
}

static struct value_entry merge_section(struct overlay *o, const struct value_entry *low,
                                        const struct value_entry *high)
{
	struct value_entry merged = *high;

	o->section = section_find(high->key);
	switch (o->section->shape) {
	case SECTION_VALUE:
		break;
	case SECTION_GROUP:
		merged.value = merge(o, &low->value, &high->value, take_high);
		break;
	case SECTION_COLLECTION:
	case SECTION_RESOURCES:
		merged.value = merge(o, &low->value, &high->value, merge_entry);
		break;
	}
	return merged;
}

static bool is_of_the_file(const char *section)
{
	return strcmp(section, "version") == 0 || strcmp(section, "nodes") == 0 ||
	       strcmp(section, "roles") == 0;
}

void overlay_lay(struct arena *arena, struct value *state, const struct value *over,
                 struct faults *faults)
{
	struct overlay o = {.arena = arena, .faults = faults};
	struct value high = value_map();

	for (size_t i = 0; i < over->count; i++) {
		if (!is_of_the_file(over->entries[i].key)) {
			value_put(arena, &high, over->entries[i].key, over->entries[i].value);
			high.entries[high.count - 1].key_at = over->entries[i].key_at;
		}
	}
	*state = merge(&o, state, &high, merge_section);
}

void overlay_finish(struct arena *arena, struct value *state)
{
	for (size_t i = 0; i < state->count; i++) {
		struct value *map = &state->entries[i].value, kept = *map;

		if (map->type != VALUE_MAP || section_find(state->entries[i].key)->shape == SECTION_GROUP) {
			continue;
		}
		kept.entries = arena_array(arena, map->count, sizeof *kept.entries);
		kept.cap = map->count;
		kept.count = 0;
		for (size_t k = 0; k < map->count; k++) {
			if (!has_state(&map->entries[k].value, "unmanaged")) {
				kept.entries[kept.count++] = map->entries[k];
			}
		}
		*map = kept;
	}
}
