// SPDX-License-Identifier: MIT
/* See grub.h. A line at a time: update-grub writes one command a line, and braces only of
 * entries end them. */
#include "provider/grub.h"

#include "base/str.h"
#include "provider/lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 64 };

struct entry {
	const char *title, *id;
	const char *release; /* of its kernel; NULL: it boots something else */
	struct entry *parent, *next;
	struct entry *first, *last; /* of a submenu */
	bool is_menu;
};

struct config {
	struct arena *arena;
	struct entry top, *at; /* the menu or entry we are in */
	unsigned depth;        /* of other braces within it: functions */
	const char *fallback;  /* of `set default`, as it stands there */
	bool has_next;         /* grub.cfg heeds next_entry */
};

/* ---- Words of a line, as GRUB's shell cuts them: quotes, no expansion ---- */

static void take_quoted(struct str *word, const char **at, char quote)
{
	for (++*at; **at && **at != quote; ++*at) {
		if (quote == '"' && **at == '\\' && (*at)[1]) {
			++*at;
		}
		str_addc(word, **at);
	}
	*at += **at == quote;
}

static size_t split(struct arena *arena, const char *line, const char *words[WORDS_MOST])
{
	size_t n = 0;

	while (n < WORDS_MOST) {
		AUTO(str_free) struct str word = {0};

		line += strspn(line, " \t");
		if (!*line || *line == '#') {
			break;
		}
		while (*line && *line != ' ' && *line != '\t') {
			if (*line == '\'' || *line == '"') {
				take_quoted(&word, &line, *line);
			} else {
				line += *line == '\\' && line[1];
				str_addc(&word, *line++);
			}
		}
		words[n++] = arena_strdup(arena, str_text(&word));
	}
	return n;
}

/* ---- The menu ---- */

static void open_entry(struct config *c, const char *const *words, size_t n, bool is_menu)
{
	struct entry *entry = arena_alloc(c->arena, sizeof *entry);

	*entry = (struct entry){.title = n > 1 ? words[1] : "", .parent = c->at, .is_menu = is_menu};
	for (size_t i = 2; i + 1 < n; i++) {
		if (strcmp(words[i], "$menuentry_id_option") == 0 || strcmp(words[i], "--id") == 0) {
			entry->id = words[i + 1];
		}
	}
	if (c->at->last) {
		c->at->last->next = entry;
	} else {
		c->at->first = entry;
	}
	c->at->last = entry;
	c->at = entry;
}

/* "/boot/vmlinuz-6.8.0-1039-aws" */
static const char *release_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return text_starts(name, "vmlinuz-") || text_starts(name, "vmlinux-")
	           ? name + strlen("vmlinuz-")
	           : NULL;
}

static void take_default(struct config *c, const char *assignment)
{
	const char *value = assignment + strlen("default=");

	if (strstr(value, "next_entry")) {
		c->has_next = true;
	} else if (!c->at->parent) {
		c->fallback = value;
	}
}

static void take_line(struct config *c, const char *line)
{
	const char *words[WORDS_MOST];
	size_t n = split(c->arena, line, words);

	if (!n) {
		return;
	}
	bool opens = strcmp(words[n - 1], "{") == 0;

	if (opens && (strcmp(words[0], "menuentry") == 0 || strcmp(words[0], "submenu") == 0)) {
		open_entry(c, words, n, words[0][0] == 's');
	} else if (opens) {
		c->depth++;
	} else if (strcmp(words[0], "}") == 0 && c->depth) {
		c->depth--;
	} else if (strcmp(words[0], "}") == 0 && c->at->parent) {
		c->at = c->at->parent;
	} else if (n > 1 && strcmp(words[0], "set") == 0 && text_starts(words[1], "default=")) {
		take_default(c, words[1]);
	} else if (n > 1 && text_starts(words[0], "linux") && c->at->parent && !c->at->release) {
		const char *release = release_of(words[1]);

		c->at->release = release;
	}
}

/* ---- Which entry ---- */

static bool is_number(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (!isdigit((unsigned char)*c)) {
			return false;
		}
	}
	return *text != '\0';
}

/* By number, id or title; what names no entry makes GRUB take the first. */
static const struct entry *find(const struct entry *menu, const char *name)
{
	unsigned long number = is_number(name) ? strtoul(name, NULL, 10) : 0, i = 0;

	for (const struct entry *e = menu->first; e; e = e->next, i++) {
		if (is_number(name) ? i == number
		                    : text_equal(e->id, name) || strcmp(e->title, name) == 0) {
			return e;
		}
	}
	return menu->first;
}

/* The part up to the next ">"; ">>" stands for one within a title. */
static const char *next_part(struct arena *arena, const char **rest)
{
	AUTO(str_free) struct str part = {0};
	const char *at = *rest;

	while (*at && (at[0] != '>' || at[1] == '>')) {
		at += at[0] == '>';
		str_addc(&part, *at++);
	}
	*rest = *at ? at + 1 : at;
	return arena_strdup(arena, str_text(&part));
}

static const char *resolve(struct arena *arena, const struct entry *top, const char *path)
{
	const struct entry *entry = find(top, next_part(arena, &path));

	while (entry && entry->is_menu) {
		entry = find(entry, next_part(arena, &path));
	}
	return entry ? entry->release : NULL;
}

/* ---- grubenv ---- */

/* grub-editenv writes a backslash before a backslash and a newline. */
static const char *value_in(struct arena *arena, const char *env, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = env; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		AUTO(str_free) struct str value = {0};

		if (strncmp(line, name, n) != 0 || line[n] != '=') {
			continue;
		}
		for (const char *c = line + n + 1; *c && *c != '\n'; c++) {
			c += *c == '\\' && c[1];
			str_addc(&value, *c);
		}
		return value.length ? arena_strdup(arena, str_text(&value)) : NULL;
	}
	return NULL;
}

/* `set default="${saved_entry}"` and what may stand in its place. NULL: somebody's own variable. */
static const char *expand(struct arena *arena, const char *value, const char *env)
{
	if (strcmp(value, "${saved_entry}") == 0 || strcmp(value, "$saved_entry") == 0) {
		const char *saved = env ? value_in(arena, env, "saved_entry") : NULL;

		return saved ? saved : "0";
	}
	return strchr(value, '$') ? NULL : value;
}

void grub_read(struct arena *arena, char *config, char *env, struct grub_answer *ret_answer)
{
	struct config c = {.arena = arena, .top = {.title = "", .is_menu = true}};

	c.at = &c.top;
	for (char *line; (line = lines_next(&config));) {
		take_line(&c, line);
	}
	const char *chosen = expand(arena, c.fallback ? c.fallback : "0", env);
	const char *next = env && c.has_next ? value_in(arena, env, "next_entry") : NULL;

	*ret_answer = (struct grub_answer){
	    .boot_default = chosen ? resolve(arena, &c.top, chosen) : NULL,
	    .boot_next = next ? resolve(arena, &c.top, next) : NULL,
	};
}
