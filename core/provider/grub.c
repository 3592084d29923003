// SPDX-License-Identifier: MIT
/* See grub.h. A line at a time: grub-mkconfig writes one command a line, and braces only of
 * entries end them. */
#include "provider/grub.h"

#include "base/str.h"
#include "provider/lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 64 };

/* What grub-editenv writes first, and what GRUB takes a block by. */
#define BLOCK_START "# GRUB Environment Block\n"

struct entry {
	const char *title, *id;
	const char *release; /* of its kernel; NULL: it boots something else */
	const char *image;
	struct entry *parent, *next;
	struct entry *first, *last; /* of a submenu */
	bool is_menu, has_initrd;
};

/* "if the default is this old title, it means that path". */
struct correction {
	const char *from, *to;
};

struct config {
	struct arena *arena;
	struct correction *corrections;
	size_t correction_count, correction_cap;
	struct entry top, *at; /* the menu or entry we are in */
	unsigned depth;        /* of other braces within it: functions */
	const char *preset;    /* of `set default`, as it stands there */
	bool has_next;         /* grub.cfg heeds next_entry */
	bool has_previous;     /* and prev_entry, when the boot before that one failed */
	bool is_bls;
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
	entry->id = entry->id ? entry->id : entry->title;
	if (c->at->last) {
		c->at->last->next = entry;
	} else {
		c->at->first = entry;
	}
	c->at->last = entry;
	c->at = entry;
}

const char *grub_release_of(const char *image)
{
	const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;

	if (!text_starts(name, "vmlinuz-") && !text_starts(name, "vmlinux-")) {
		return NULL;
	}
	name += strlen("vmlinuz-");
	return *name ? name : NULL;
}

static void take_set(struct config *c, const char *assignment)
{
	if (text_starts(assignment, "default=")) {
		const char *value = assignment + strlen("default=");

		if (strstr(value, "next_entry")) {
			c->has_next = true;
		} else if (!c->at->parent) {
			c->preset = value;
		}
	} else if (strcmp(assignment, "next_entry=${prev_entry}") == 0) {
		c->has_previous = true;
	}
}

/* `if [ "x$default" = 'A' ]; then default='B'; fi;`, one or more of them on a line: 10_linux so
 * translates titles as GRUB had them before it had submenus. */
static void take_corrections(struct config *c, const char *const *words, size_t n)
{
	for (size_t i = 0; i + 7 < n; i++) {
		const char *set = words[i + 7];

		if (strcmp(words[i], "if") != 0 || strcmp(words[i + 2], "x$default") != 0 ||
		    !text_starts(set, "default=") || !text_ends(set, ";")) {
			continue;
		}
		set += strlen("default=");
		c->corrections = arena_grow(c->arena, c->corrections, c->correction_count,
		                            &c->correction_cap, sizeof *c->corrections);
		c->corrections[c->correction_count++] = (struct correction){
		    .from = words[i + 4],
		    .to = arena_strndup(c->arena, set, strlen(set) - 1),
		};
	}
}

static const char *corrected(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->correction_count; i++) {
		name = strcmp(c->corrections[i].from, name) == 0 ? c->corrections[i].to : name;
	}
	return name;
}

/* Ubuntu's entries may name their kernel twice, with and without a ram disk: it is the same one. */
static void take_command(struct config *c, const char *const *words, size_t n)
{
	if (strcmp(words[0], "set") == 0) {
		take_set(c, words[1]);
	} else if (text_starts(words[0], "linux") && c->at->parent && !c->at->release) {
		c->at->release = grub_release_of(words[1]);
		c->at->image = words[1];
	} else if (text_starts(words[0], "initrd") && c->at->parent && n > 1) {
		c->at->has_initrd = true;
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
	} else if (strcmp(words[0], "blscfg") == 0) {
		c->is_bls = true;
	} else if (strcmp(words[0], "if") == 0) {
		take_corrections(c, words, n);
	} else if (n > 1) {
		take_command(c, words, n);
	}
}

/* An entry or a menu that the end of the file leaves open is a fault to GRUB, which then has
 * nothing of it, however many whole entries stand within. */
static void drop_open(struct config *c)
{
	struct entry *open = c->at, *before = NULL;

	if (!open->parent) {
		return;
	}
	while (open->parent != &c->top) {
		open = open->parent;
	}
	for (struct entry *e = c->top.first; e != open; e = e->next) {
		before = e;
	}
	c->top.last = before;
	if (before) {
		before->next = NULL;
	} else {
		c->top.first = NULL;
	}
	c->at = &c->top;
}

/* ---- Which entry ---- */

/* Names in a path: a ">" within one is doubled. */
static void add_name(struct str *path, const char *name)
{
	for (; *name; name++) {
		str_addc(path, *name);
		if (*name == '>') {
			str_addc(path, '>');
		}
	}
}

static void add_path(struct str *path, const struct entry *entry)
{
	if (entry->parent && entry->parent->parent) {
		add_path(path, entry->parent);
		str_addc(path, '>');
	}
	add_name(path, entry->id);
}

static const char *path_of(struct arena *arena, const struct entry *entry)
{
	AUTO(str_free) struct str path = {0};

	add_path(&path, entry);
	return arena_strdup(arena, str_text(&path));
}

static void collect(struct arena *arena, const struct entry *menu, struct grub_answer *answer)
{
	for (const struct entry *e = menu->first; e; e = e->next) {
		if (e->is_menu) {
			collect(arena, e, answer);
			continue;
		}
		if (!e->release) {
			continue;
		}
		answer->entries = arena_grow(arena, answer->entries, answer->count, &answer->cap,
		                             sizeof *answer->entries);
		answer->entries[answer->count++] = (struct grub_entry){
		    .path = path_of(arena, e),
		    .id = e->id,
		    .release = e->release,
		    .image = e->image,
		    .has_initrd = e->has_initrd,
		};
	}
}

/* By number (what starts as one is one, whatever follows), id or title. What names no entry makes
 * GRUB take the first: *ret_stale. */
static const struct entry *find(const struct entry *menu, const char *name, bool *ret_stale)
{
	bool is_number = isdigit((unsigned char)*name);
	unsigned long number = is_number ? strtoul(name, NULL, 0) : 0, i = 0;

	for (const struct entry *e = menu->first; e; e = e->next, i++) {
		if (is_number ? i == number : strcmp(e->id, name) == 0 || strcmp(e->title, name) == 0) {
			return e;
		}
	}
	*ret_stale = true;
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

static const struct entry *resolve(struct arena *arena, const struct entry *top, const char *path,
                                   bool *ret_stale)
{
	*ret_stale = false;
	const struct entry *entry = find(top, next_part(arena, &path), ret_stale);

	while (entry && entry->is_menu) {
		entry = find(entry, next_part(arena, &path), ret_stale);
	}
	return entry;
}

/* ---- grubenv ---- */

const char *grub_env_value(struct arena *arena, const char *env, const char *name)
{
	size_t n = strlen(name);

	if (!env || !text_starts(env, BLOCK_START)) {
		return NULL;
	}
	for (const char *line = env; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		AUTO(str_free) struct str value = {0};

		if (strncmp(line, name, n) != 0 || line[n] != '=') {
			continue;
		}
		/* grub-editenv writes a backslash before a backslash and a newline. */
		for (const char *c = line + n + 1; *c && *c != '\n'; c++) {
			c += *c == '\\' && c[1];
			str_addc(&value, *c);
		}
		return value.length ? arena_strdup(arena, str_text(&value)) : NULL;
	}
	return NULL;
}

/* `set default="${saved_entry}"` and what may stand in its place. NULL: somebody's own variable. */
static const char *expand(struct arena *arena, const char *value, const char *env, bool *ret_saved)
{
	*ret_saved = strcmp(value, "${saved_entry}") == 0 || strcmp(value, "$saved_entry") == 0;
	if (*ret_saved) {
		const char *saved = grub_env_value(arena, env, "saved_entry");

		return saved ? saved : "0";
	}
	return strchr(value, '$') ? NULL : value;
}

/* Ubuntu: after a boot without ram disk that failed, prev_entry takes the place of next_entry. */
static const char *once(struct config *c, const char *env)
{
	bool failed = c->has_previous && text_equal(grub_env_value(c->arena, env, "initrdfail"), "1");

	return grub_env_value(c->arena, env, failed ? "prev_entry" : "next_entry");
}

static void answer_default(struct config *c, const char *env, struct grub_answer *answer)
{
	const char *chosen = expand(c->arena, c->preset ? c->preset : "0", env, &answer->is_saved);
	bool stale;

	answer->preset = c->preset;
	if (!chosen) {
		return;
	}
	const struct entry *entry = resolve(c->arena, &c->top, corrected(c, chosen), &stale);

	answer->stale = stale ? chosen : NULL;
	if (entry && entry->release) {
		answer->boot_default = entry->release;
		answer->default_entry = path_of(c->arena, entry);
	}
}

static void answer_next(struct config *c, const char *env, struct grub_answer *answer)
{
	bool stale;

	answer->heeds_next = c->has_next;
	answer->asked_next = once(c, env);
	if (!answer->asked_next || !c->has_next) {
		return;
	}
	const struct entry *entry =
	    resolve(c->arena, &c->top, corrected(c, answer->asked_next), &stale);

	answer->stale = stale ? answer->asked_next : answer->stale;
	if (entry && entry->release) {
		answer->boot_next = entry->release;
		answer->next_entry = path_of(c->arena, entry);
	}
}

void grub_read(struct arena *arena, char *config, char *env, struct grub_answer *ret_answer)
{
	struct config c = {.arena = arena, .top = {.title = "", .id = "", .is_menu = true}};
	struct grub_answer answer = {0};

	c.at = &c.top;
	for (char *line; (line = lines_next(&config));) {
		take_line(&c, line);
	}
	drop_open(&c);
	answer.is_bls = c.is_bls;
	collect(arena, &c.top, &answer);
	answer_default(&c, env, &answer);
	answer_next(&c, env, &answer);
	*ret_answer = answer;
}

const struct grub_entry *grub_entry_of(const struct grub_answer *answer, const char *release)
{
	size_t n = strlen(release);

	for (size_t i = 0; i < answer->count; i++) {
		const struct grub_entry *entry = &answer->entries[i];
		const char *id = entry->id;

		if (strcmp(entry->release, release) == 0 && text_starts(id, "gnulinux-") &&
		    strncmp(id + strlen("gnulinux-"), release, n) == 0 &&
		    text_starts(id + strlen("gnulinux-") + n, "-advanced-")) {
			return entry;
		}
	}
	return NULL;
}
