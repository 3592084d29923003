// SPDX-License-Identifier: MIT
/*
 * See packages_inner.h. One pass over the file (dpkg-status is deb822: stanzas, "Name: value",
 * continuation lines start with a blank), taking note of four fields and jumping over all else.
 */
#include "host/packages_inner.h"

#include "base/str.h"
#include "base/strmap.h"

#include <string.h>

struct stanza {
	struct host_package package;
	const char *name;
	struct stanza *next; /* of the same name, for another architecture */
};

struct packages_table {
	struct arena *arena;
	struct strmap *by_name;
	struct stanza **stanzas;
	size_t count, cap;
	/* The machine's architecture, which dpkg itself is of; NULL: it is not installed. */
	const char *native;
};

/* The word up to the next blank, cut off in place. */
static const char *cut_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	char *end = word + strcspn(word, " \t");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static void take_status(struct host_package *package, char *value)
{
	package->want = cut_word(&value);
	package->flag = cut_word(&value);
	package->status = cut_word(&value);
	package->held = strcmp(package->want, "hold") == 0;
}

/* The value behind "Name:", when the line is that field; field names differ in no case in this
 * file. */
static char *value_of(char *line, const char *name, size_t n)
{
	return strncmp(line, name, n) == 0 && line[n] == ':' ? line + n + 1 + (line[n + 1] == ' ')
	                                                     : NULL;
}

static void take_line(struct stanza *stanza, char *line)
{
	char *value;

	/* One letter decides about most lines. */
	switch (line[0]) {
	case 'P':
		if ((value = value_of(line, "Package", 7))) {
			stanza->name = cut_word(&value);
		}
		break;
	case 'S':
		if ((value = value_of(line, "Status", 6))) {
			take_status(&stanza->package, value);
		}
		break;
	case 'A':
		if ((value = value_of(line, "Architecture", 12))) {
			stanza->package.architecture = cut_word(&value);
		}
		break;
	case 'V':
		if ((value = value_of(line, "Version", 7))) {
			stanza->package.version = cut_word(&value);
		}
		break;
	default:
		break;
	}
}

static void add(struct packages_table *table, const struct stanza *read)
{
	if (!read->name || !*read->name || !read->package.status) {
		return;
	}
	struct stanza *stanza = arena_alloc(table->arena, sizeof *stanza);

	*stanza = *read;
	stanza->package.known = true;
	table->stanzas = arena_grow(table->arena, table->stanzas, table->count, &table->cap,
	                            sizeof(struct stanza *));
	table->stanzas[table->count++] = stanza;
	stanza->next = strmap_put(table->by_name, stanza->name, stanza);
	if (strcmp(stanza->name, "dpkg") == 0) {
		table->native = stanza->package.architecture;
	}
}

struct packages_table *packages_table_parse(struct arena *arena, char *text, size_t n)
{
	struct packages_table *table = arena_alloc(arena, sizeof *table);
	struct stanza stanza = {0};
	char *end = text + n;

	*table = (struct packages_table){.arena = arena, .by_name = strmap_create(arena)};
	for (char *line = text; line < end;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		newline = newline ? newline : end;
		*newline = '\0';
		if (line == newline) {
			add(table, &stanza);
			stanza = (struct stanza){0};
		} else {
			take_line(&stanza, line);
		}
		line = newline + 1;
	}
	add(table, &stanza);
	return table;
}

static bool is_native(const struct packages_table *table, const struct stanza *stanza)
{
	const char *architecture = stanza->package.architecture;

	return !table->native || !architecture || !*architecture || strcmp(architecture, "all") == 0 ||
	       strcmp(architecture, table->native) == 0;
}

const struct host_package *packages_table_find(const struct packages_table *table, const char *name)
{
	const char *colon = strchr(name, ':');
	AUTO(str_free) struct str plain = {0};

	str_addn(&plain, name, colon ? (size_t)(colon - name) : strlen(name));
	for (struct stanza *s = strmap_get(table->by_name, str_text(&plain)); s; s = s->next) {
		bool is_meant =
		    !colon || strcmp(colon, ":native") == 0 ? is_native(table, s)
		    : strcmp(colon, ":any") == 0
		        ? true
		        : s->package.architecture && strcmp(s->package.architecture, colon + 1) == 0;

		if (is_meant) {
			return &s->package;
		}
	}
	return NULL;
}

size_t packages_table_count(const struct packages_table *table)
{
	return table->count;
}

const struct host_package *packages_table_at(const struct packages_table *table, size_t i,
                                             const char **ret_name)
{
	const struct stanza *stanza = table->stanzas[i];

	*ret_name = is_native(table, stanza) ? stanza->name
	                                     : arena_printf(table->arena, "%s:%s", stanza->name,
	                                                    stanza->package.architecture);
	return &stanza->package;
}
