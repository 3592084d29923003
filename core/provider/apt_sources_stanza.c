// SPDX-License-Identifier: MIT
/* The style deb822 of sources.list(5): stanzas of fields, with blank lines between. Pure. */
#include "provider/apt_sources_inner.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>
#include <strings.h>

static const char embedded_key[] = "(a key of its own)";

/* A field with its continuation lines and what is commented between them. */
struct field_at {
	const char *name;
	struct str value; /* lines joined by newlines, without comments */
	size_t start, end;
};

struct stanza {
	struct field_at *fields;
	size_t count, cap;
};

/* Adds the text of a continuation line to the value of the field before. */
static void take_continuation(struct stanza *stanza, const char *line, size_t n, size_t end)
{
	if (!stanza->count) {
		return;
	}
	struct field_at *field = &stanza->fields[stanza->count - 1];

	str_addc(&field->value, '\n');
	str_addn(&field->value, line, n);
	field->end = end;
}

static void take_field(struct arena *arena, struct stanza *stanza, const char *line, size_t n,
                       size_t start, size_t end)
{
	const char *colon = memchr(line, ':', n);

	if (!colon) {
		return;
	}
	stanza->fields =
	    arena_grow(arena, stanza->fields, stanza->count, &stanza->cap, sizeof *stanza->fields);
	stanza->fields[stanza->count++] = (struct field_at){
	    .name = arena_strndup(arena, line, (size_t)(colon - line)),
	    .start = start,
	    .end = end,
	};
	str_addn(&stanza->fields[stanza->count - 1].value, colon + 1, n - (size_t)(colon - line) - 1);
}

static void stanza_free(struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->count; i++) {
		str_free(&stanza->fields[i].value);
	}
}

/* Freed by stanza_free. */
static void read_stanza(struct arena *arena, const char *text, size_t start, size_t end,
                        struct stanza *ret_stanza)
{
	struct stanza stanza = {0};

	for (size_t at = start; at < end;) {
		size_t n = strcspn(text + at, "\n"), next = at + n + (text[at + n] == '\n');

		if (text[at] == ' ' || text[at] == '\t') {
			take_continuation(&stanza, text + at, n, next);
		} else if (text[at] != '#') {
			take_field(arena, &stanza, text + at, n, at, next);
		}
		at = next;
	}
	*ret_stanza = stanza;
}

static const struct field_at *find(const struct stanza *stanza, const char *name)
{
	for (size_t i = 0; i < stanza->count; i++) {
		if (strcasecmp(stanza->fields[i].name, name) == 0) {
			return &stanza->fields[i];
		}
	}
	return NULL;
}

static struct list value_words(struct arena *arena, const struct stanza *stanza, const char *name)
{
	const struct field_at *field = find(stanza, name);

	return field ? apt_sources_words(arena, str_text(&field->value)) : (struct list){.set = true};
}

static const char *first_word(const struct list *list)
{
	return list->count ? list->items[0] : "";
}

static void parse_stanza(struct arena *arena, const char *text, struct apt_entry entry,
                         struct apt_entries *entries)
{
	AUTO(stanza_free) struct stanza stanza = {0};

	read_stanza(arena, text, entry.start, entry.end, &stanza);
	struct list types = value_words(arena, &stanza, "Types");
	struct list enabled = value_words(arena, &stanza, "Enabled");
	struct list trusted = value_words(arena, &stanza, "Trusted");
	struct list key = value_words(arena, &stanza, "Signed-By");

	entry.uris = value_words(arena, &stanza, "URIs");
	entry.suites = value_words(arena, &stanza, "Suites");
	entry.components = value_words(arena, &stanza, "Components");
	if (!types.count || !entry.uris.count || !entry.suites.count) {
		return;
	}
	entry.is_stanza = true;
	entry.binary = list_has(&types, "deb");
	entry.enabled = !apt_sources_is_no(first_word(&enabled));
	entry.trusted = apt_sources_is_yes(first_word(&trusted));
	if (key.count) {
		entry.signed_by = strcmp(key.items[0], "-----BEGIN") == 0 ? embedded_key : key.items[0];
	}
	apt_sources_add(arena, entries, &entry);
}

void apt_sources_stanza_parse(struct arena *arena, const char *path, const char *text,
                              struct apt_entries *entries)
{
	struct apt_entry entry = {.path = path};
	unsigned number = 0;
	bool open = false;

	for (size_t at = 0; text[at];) {
		size_t n = strcspn(text + at, "\n"), next = at + n + (text[at + n] == '\n');
		bool blank = apt_sources_is_blank(text + at, n);

		number++;
		if (open && blank) {
			parse_stanza(arena, text, entry, entries);
			open = false;
		} else if (!open && !blank && text[at] != '#') {
			entry.start = at;
			entry.line = number;
			open = true;
		}
		entry.end = open ? next : entry.end;
		at = next;
	}
	if (open) {
		parse_stanza(arena, text, entry, entries);
	}
}

struct replacement {
	const char *name;
	struct list words;
	bool done;
};

static void add_field(struct str *out, struct replacement *r)
{
	str_addf(out, "%s:", r->name);
	apt_sources_put(out, &r->words);
	str_addc(out, '\n');
	r->done = true;
}

static struct replacement *replacement_of(struct replacement *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].words.set && strcasecmp(list[i].name, name) == 0) {
			return &list[i];
		}
	}
	return NULL;
}

static void set_word(struct arena *arena, struct replacement *r, const char *word)
{
	if (word) {
		r->words = apt_sources_one(arena, word);
	}
}

void apt_sources_stanza_mend(struct arena *arena, struct str *out, const char *text,
                             const struct apt_entry *entry, const struct apt_edit *edit)
{
	struct replacement list[] = {
	    {.name = "Enabled"},
	    {.name = "URIs"},
	    {.name = "Suites", .words = edit->suites},
	    {.name = "Components", .words = edit->components},
	    {.name = "Signed-By"},
	};
	AUTO(stanza_free) struct stanza stanza = {0};
	size_t at = entry->start;

	set_word(arena, &list[0], entry->enabled ? NULL : "yes");
	set_word(arena, &list[1], edit->uri);
	set_word(arena, &list[4], edit->signed_by);
	read_stanza(arena, text, entry->start, entry->end, &stanza);
	for (size_t i = 0; i < stanza.count; i++) {
		const struct field_at *field = &stanza.fields[i];
		struct replacement *r = replacement_of(list, ARRAY_LEN(list), field->name);

		str_addn(out, text + at, field->start - at);
		if (r) {
			add_field(out, r);
		} else {
			str_addn(out, text + field->start, field->end - field->start);
		}
		at = field->end;
	}
	if (at < entry->end) {
		str_addn(out, text + at, entry->end - at);
	}
	if (out->length && out->data[out->length - 1] != '\n') {
		str_addc(out, '\n');
	}
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (list[i].words.count && !list[i].done) {
			add_field(out, &list[i]);
		}
	}
}

char *apt_sources_stanza(struct arena *arena, const struct apt_edit *edit)
{
	AUTO(str_free) struct str out = {0};

	str_addf(&out, "Types: deb\nURIs: %s\nSuites:", edit->uri);
	apt_sources_put(&out, &edit->suites);
	str_addc(&out, '\n');
	if (edit->components.count) {
		str_add(&out, "Components:");
		apt_sources_put(&out, &edit->components);
		str_addc(&out, '\n');
	}
	if (edit->signed_by) {
		str_addf(&out, "Signed-By: %s\n", edit->signed_by);
	}
	return arena_strdup(arena, str_text(&out));
}
