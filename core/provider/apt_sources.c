// SPDX-License-Identifier: MIT
/* See apt_sources.h. What is the same in both styles; each has a file of its own:
 * apt_sources_line.c and apt_sources_stanza.c. */
#include "provider/apt_sources_inner.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>
#include <strings.h>

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

bool apt_sources_is_yes(const char *word)
{
	static const char *const words[] = {"yes", "true", "with", "on", "enable", "1"};

	return is_one_of(word, words, ARRAY_LEN(words));
}

bool apt_sources_is_no(const char *word)
{
	static const char *const words[] = {"no", "false", "without", "off", "disable", "0"};

	return is_one_of(word, words, ARRAY_LEN(words));
}

struct list apt_sources_words(struct arena *arena, const char *text)
{
	struct list list = {.set = true};
	char *rest = arena_strdup(arena, text);
	size_t cap = 0;

	for (char *c = rest; *c; c++) {
		*c = *c == '\n' || *c == '\r' ? ' ' : *c;
	}
	for (char *word; (word = lines_word(&rest));) {
		lines_add(arena, &list, &cap, word);
	}
	return list;
}

void apt_sources_add(struct arena *arena, struct apt_entries *entries,
                     const struct apt_entry *entry)
{
	entries->list = arena_grow(arena, entries->list, entries->count, &entries->cap, sizeof *entry);
	entries->list[entries->count++] = *entry;
}

struct list apt_sources_one(struct arena *arena, const char *item)
{
	struct list list = {0};
	size_t cap = 0;

	lines_add(arena, &list, &cap, item);
	return list;
}

void apt_sources_put(struct str *out, const struct list *words)
{
	for (size_t i = 0; i < words->count; i++) {
		str_addf(out, " %s", words->items[i]);
	}
}

bool apt_sources_is_blank(const char *line, size_t n)
{
	return strspn(line, " \t\r") >= n;
}

void apt_sources_parse(struct arena *arena, const char *path, const char *text,
                       struct apt_entries *entries)
{
	if (text_ends(path, ".sources")) {
		apt_sources_stanza_parse(arena, path, text, entries);
	} else {
		apt_sources_line_parse(arena, path, text, entries);
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

char *apt_sources_mend(struct arena *arena, const char *text, const struct apt_entry *entry,
                       const struct apt_edit *edit)
{
	AUTO(str_free) struct str out = {0};

	str_addn(&out, text, entry->start);
	if (entry->is_stanza) {
		apt_sources_stanza_mend(arena, &out, text, entry, edit);
	} else {
		size_t n = strcspn(text + entry->start, "\n");

		apt_sources_line_mend(arena, &out, arena_strndup(arena, text + entry->start, n), entry,
		                      edit);
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

		if (!apt_sources_is_blank(line, n) && line[strspn(line, " \t")] != '#') {
			return false;
		}
		line += n + (line[n] == '\n');
	}
	return true;
}
