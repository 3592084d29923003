// SPDX-License-Identifier: MIT
/* desired_shrink() of desired.h. Either state may come from an older version, with sections we do
 * not know. */
#include "desired/desired.h"
#include "model/section.h"

#include "base/str.h"

#include <string.h>

/* Is the value of that section a map of entries? */
static bool has_entries(const struct value_entry *section)
{
	const struct section *known = section_find(section->key);

	return section->value.type == VALUE_MAP && known &&
	       (known->shape == SECTION_COLLECTION || known->shape == SECTION_RESOURCES);
}

enum {
	NAMED = 3,        /* of what is gone, so many are named */
	SHOWN = 80,       /* bytes of a key */
	ENTRIES_LEAST = 5 /* fewer may go unasked */
};

/* The n-th that is gone, counted from 1. */
static void name(struct str *text, size_t n, const char *section, const char *key)
{
	if (n > NAMED) {
		return;
	}
	str_add(text, n > 1 ? ", " : "");
	str_add(text, section);
	if (key) {
		str_addc(text, '.');
		str_add_printable(text, key, SHOWN);
	}
}

static void count_entries(const struct value_entry *before, const struct value *now,
                          struct desired_shrink *shrink, struct str *gone)
{
	for (size_t i = 0; i < before->value.count; i++) {
		shrink->before++;
		if (!value_get(now, before->value.entries[i].key)) {
			shrink->gone++;
			name(gone, shrink->gone, before->key, before->value.entries[i].key);
		}
	}
}

struct desired_shrink desired_shrink(struct arena *arena, const struct value *before,
                                     const struct value *now)
{
	struct desired_shrink shrink = {0};
	AUTO(str_free) struct str gone = {0}, sections = {0};
	size_t sections_gone = 0;

	for (size_t i = 0; before->type == VALUE_MAP && i < before->count; i++) {
		const struct value_entry *section = &before->entries[i];
		const struct value *left = value_get(now, section->key);
		bool empty = section->value.type == VALUE_MAP && section->value.count == 0;
		bool accepted = strcmp(section->key, "accept") == 0; /* has served, and may go */

		if (!left && !empty && !accepted) {
			name(&sections, ++sections_gone, section->key, NULL);
		}
		if (has_entries(section)) {
			count_entries(section, left, &shrink, &gone);
		}
	}
	bool many = shrink.gone >= ENTRIES_LEAST && shrink.gone * 3 > shrink.before;

	shrink.alarming = sections_gone || many;
	if (sections_gone) {
		shrink.text = arena_printf(arena, "%zu section%s of the last applied state %s gone (%s%s)",
		                           sections_gone, sections_gone == 1 ? "" : "s",
		                           sections_gone == 1 ? "is" : "are", str_text(&sections),
		                           sections_gone > NAMED ? ", ..." : "");
	} else if (shrink.gone) {
		shrink.text = arena_printf(
		    arena, "%zu of %zu entries of the last applied state are gone (%s%s)", shrink.gone,
		    shrink.before, str_text(&gone), shrink.gone > NAMED ? ", ..." : "");
	} else {
		shrink.text = "nothing of the last applied state is gone";
	}
	return shrink;
}
