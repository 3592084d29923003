// SPDX-License-Identifier: MIT
/* See apt_sources.h. */
#include "provider/apt_sources.h"

#include "base/str.h"
#include "provider/lines.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char embedded_key[] = "(a key of its own)";

bool apt_sources_is_read(const char *name)
{
	/* Other files are passed over, with a notice (sources.list(5)). */
	return name[0] != '.' && (text_ends(name, ".list") || text_ends(name, ".sources")) &&
	       name[strspn(
	           name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

/* The words that apt takes for yes and for no. */
static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(word, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_yes(const char *word)
{
	static const char *const words[] = {"yes", "true", "with", "on", "enable", "1"};

	return is_one_of(word, words, ARRAY_LEN(words));
}

static bool is_no(const char *word)
{
	static const char *const words[] = {"no", "false", "without", "off", "disable", "0"};

	return is_one_of(word, words, ARRAY_LEN(words));
}

static struct list words_of(struct arena *arena, const char *text)
{
	struct list list = {.set = true};
	char *rest = arena_strdup(arena, text);
	size_t cap = 0;

	for (char *c = rest; *c; c++) {
		*c = *c == '\n' ? ' ' : *c;
	}
	for (char *word; (word = lines_word(&rest));) {
		lines_add(arena, &list, &cap, word);
	}
	return list;
}

static void add_entry(struct arena *arena, struct apt_entries *entries,
                      const struct apt_entry *entry)
{
	entries->list = arena_grow(arena, entries->list, entries->count, &entries->cap, sizeof *entry);
	entries->list[entries->count++] = *entry;
}

/* ---- One line ---- */

/* "deb [arch=amd64 signed-by=/x.gpg] URI SUITE COMPONENT..." in its parts. */
struct one_line {
	const char *type;
	struct list options;
	const char *uri, *suite;
	struct list components;
	const char *comment; /* with its #, "" when there is none */
};

/* What stands in brackets behind the type; false when they are never closed. */
static bool take_options(struct arena *arena, char **rest, struct list *ret_options)
{
	char *at = *rest + strspn(*rest, " \t");

	*ret_options = (struct list){.set = true};
	if (*at != '[') {
		return true;
	}
	char *end = strchr(at, ']');

	if (!end) {
		return false;
	}
	*end = '\0';
	*ret_options = words_of(arena, at + 1);
	*rest = end + 1;
	return true;
}

/* Takes a line apart; false when it is no source (a blank line, prose behind a #, a CD). */
static bool take_apart(struct arena *arena, const char *line, struct one_line *ret_parts)
{
	struct one_line parts = {.comment = ""};
	char *rest = arena_strdup(arena, line), *comment = strchr(rest, '#');
	size_t cap = 0;

	if (comment) {
		parts.comment = arena_strdup(arena, comment);
		*comment = '\0';
	}
	parts.type = lines_word(&rest);
	if (!parts.type || (strcmp(parts.type, "deb") != 0 && strcmp(parts.type, "deb-src") != 0) ||
	    !take_options(arena, &rest, &parts.options)) {
		return false;
	}
	parts.uri = lines_word(&rest);
	parts.suite = parts.uri ? lines_word(&rest) : NULL;
	parts.components.set = true;
	for (char *word; parts.suite && (word = lines_word(&rest));) {
		lines_add(arena, &parts.components, &cap, word);
	}
	*ret_parts = parts;
	return parts.suite && strchr(parts.uri, ':') && !text_starts(parts.uri, "cdrom:");
}

static const char *option(const struct list *options, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < options->count; i++) {
		if (strncasecmp(options->items[i], name, n) == 0 && options->items[i][n] == '=') {
			return options->items[i] + n + 1;
		}
	}
	return NULL;
}

static struct list one(struct arena *arena, const char *item)
{
	struct list list = {0};
	size_t cap = 0;

	lines_add(arena, &list, &cap, item);
	return list;
}

/* The line without the marks that comment it out. */
static const char *behind_marks(const char *line)
{
	return line + strspn(line, "# \t");
}

static void parse_line(struct arena *arena, const char *line, struct apt_entry entry,
                       struct apt_entries *entries)
{
	const char *text = line + strspn(line, " \t");
	struct one_line parts;

	entry.enabled = *text != '#';
	if (!take_apart(arena, behind_marks(line), &parts)) {
		return;
	}
	const char *trusted = option(&parts.options, "trusted");

	entry.binary = strcmp(parts.type, "deb") == 0;
	entry.uris = one(arena, parts.uri);
	entry.suites = one(arena, parts.suite);
	entry.components = parts.components;
	entry.signed_by = option(&parts.options, "signed-by");
	entry.trusted = trusted && is_yes(trusted);
	add_entry(arena, entries, &entry);
}

static void parse_lines(struct arena *arena, const char *path, const char *text,
                        struct apt_entries *entries)
{
	unsigned number = 0;

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		struct apt_entry entry = {
		    .path = path,
		    .line = ++number,
		    .start = (size_t)(line - text),
		    .end = (size_t)(line - text) + n + (line[n] == '\n'),
		};

		parse_line(arena, arena_strndup(arena, line, n), entry, entries);
		line += n + (line[n] == '\n');
	}
}

/* ---- deb822 ---- */

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

static bool is_blank(const char *line, size_t n)
{
	return strspn(line, " \t\r") >= n;
}

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

	return field ? words_of(arena, str_text(&field->value)) : (struct list){.set = true};
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
	entry.binary = lines_has(&types, "deb");
	entry.enabled = !is_no(first_word(&enabled));
	entry.trusted = is_yes(first_word(&trusted));
	if (key.count) {
		entry.signed_by = strcmp(key.items[0], "-----BEGIN") == 0 ? embedded_key : key.items[0];
	}
	add_entry(arena, entries, &entry);
}

static void parse_stanzas(struct arena *arena, const char *path, const char *text,
                          struct apt_entries *entries)
{
	struct apt_entry entry = {.path = path};
	unsigned number = 0;
	bool open = false;

	for (size_t at = 0; text[at];) {
		size_t n = strcspn(text + at, "\n"), next = at + n + (text[at + n] == '\n');
		bool blank = is_blank(text + at, n);

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

void apt_sources_parse(struct arena *arena, const char *path, const char *text,
                       struct apt_entries *entries)
{
	if (text_ends(path, ".sources")) {
		parse_stanzas(arena, path, text, entries);
	} else {
		parse_lines(arena, path, text, entries);
	}
}

static size_t length_of_uri(const char *uri)
{
	size_t n = strlen(uri);

	while (n && uri[n - 1] == '/') {
		n--;
	}
	return n;
}

bool apt_sources_is_at(const struct apt_entry *entry, const char *uri)
{
	size_t n = length_of_uri(uri);

	for (size_t i = 0; i < entry->uris.count; i++) {
		if (length_of_uri(entry->uris.items[i]) == n &&
		    strncmp(entry->uris.items[i], uri, n) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- Writing ---- */

static void add_words(struct str *out, const struct list *words)
{
	for (size_t i = 0; i < words->count; i++) {
		str_addf(out, " %s", words->items[i]);
	}
}

static void add_options(struct str *out, const struct list *options, const char *signed_by)
{
	bool is_said = false;

	if (!options->count && !signed_by) {
		return;
	}
	str_add(out, " [");
	for (size_t i = 0; i < options->count; i++) {
		bool is_key = strncasecmp(options->items[i], "signed-by=", 10) == 0;

		str_add(out, i ? " " : "");
		if (is_key && signed_by) {
			str_addf(out, "signed-by=%s", signed_by);
		} else {
			str_add(out, options->items[i]);
		}
		is_said |= is_key;
	}
	if (signed_by && !is_said) {
		str_addf(out, "%ssigned-by=%s", options->count ? " " : "", signed_by);
	}
	str_addc(out, ']');
}

/* One line per suite: the style knows no other way. */
static void add_lines(struct arena *arena, struct str *out, const char *line,
                      const struct apt_entry *entry, const struct apt_edit *edit)
{
	const struct list *suites = edit->suites.set ? &edit->suites : &entry->suites;
	const struct list *components = edit->components.set ? &edit->components : &entry->components;
	struct one_line parts;

	if (!take_apart(arena, behind_marks(line), &parts)) {
		return; /* it was one when it was read */
	}
	for (size_t i = 0; i < suites->count; i++) {
		str_add(out, parts.type);
		add_options(out, &parts.options, edit->signed_by);
		str_addf(out, " %s %s", edit->uri ? edit->uri : parts.uri, suites->items[i]);
		add_words(out, components);
		if (entry->enabled && *parts.comment) {
			str_addf(out, " %s", parts.comment);
		}
		str_addc(out, '\n');
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
	add_words(out, &r->words);
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
		r->words = one(arena, word);
	}
}

static void add_stanza(struct arena *arena, struct str *out, const char *text,
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

char *apt_sources_mend(struct arena *arena, const char *text, const struct apt_entry *entry,
                       const struct apt_edit *edit)
{
	AUTO(str_free) struct str out = {0};

	str_addn(&out, text, entry->start);
	if (entry->is_stanza) {
		add_stanza(arena, &out, text, entry, edit);
	} else {
		size_t n = strcspn(text + entry->start, "\n");

		add_lines(arena, &out, arena_strndup(arena, text + entry->start, n), entry, edit);
	}
	str_add(&out, text + entry->end);
	return arena_strdup(arena, str_text(&out));
}

char *apt_sources_remove(struct arena *arena, const char *text, const struct apt_entry *entry)
{
	return arena_printf(arena, "%.*s%s", (int)entry->start, text, text + entry->end);
}

bool apt_sources_is_empty(const char *text)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (!is_blank(line, n) && line[strspn(line, " \t")] != '#') {
			return false;
		}
		line += n + (line[n] == '\n');
	}
	return true;
}

char *apt_sources_stanza(struct arena *arena, const struct apt_edit *edit)
{
	AUTO(str_free) struct str out = {0};

	str_addf(&out, "Types: deb\nURIs: %s\nSuites:", edit->uri);
	add_words(&out, &edit->suites);
	str_addc(&out, '\n');
	if (edit->components.count) {
		str_add(&out, "Components:");
		add_words(&out, &edit->components);
		str_addc(&out, '\n');
	}
	if (edit->signed_by) {
		str_addf(&out, "Signed-By: %s\n", edit->signed_by);
	}
	return arena_strdup(arena, str_text(&out));
}
