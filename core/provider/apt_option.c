// SPDX-License-Identifier: MIT
/*
 * Kind apt_option: a list of apt's configuration, as APT::NeverAutoRemove. What is in it is what
 * apt-config says, since the list is made of all files together and any of them may clear it. What
 * is wanted goes into a file of our own, one per option, that is read after those of packages; what
 * stands in other files is never touched. The file is left there only if apt understands it and it
 * has the effect that is wanted of it.
 */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"
#include "provider/transaction.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { OBSERVE_MS = 2500 }; /* within the deadline of an observation */

#define FOLDER "/etc/apt/apt.conf.d"
#define MAIN_FILE "/etc/apt/apt.conf"

/* ---- Names, and texts as apt.conf(5) has them ---- */

/* Names of options are the same in capitals and small letters. A dot would begin a suffix, and of
 * suffixes apt reads .conf only. */
static const char *our_file(struct arena *arena, const char *key)
{
	char *name = arena_strdup(arena, key);

	for (char *c = name; *c; c++) {
		*c = *c == ':' || *c == '.' ? '-' : (char)tolower((unsigned char)*c);
	}
	return arena_printf(arena, FOLDER "/zz-reconcile-%s.conf", name);
}

/* Between braces a backslash is only itself, and %XX is a byte: so what would end the text, or not
 * be read as it stands, can be written. (In NAME:: "TEXT"; it is three characters.) */
static void add_quoted(struct str *text, const char *item)
{
	str_addc(text, '"');
	for (const char *c = item; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte == '"' || byte == '%' || byte < ' ' || byte > '~') {
			str_addf(text, "%%%02x", byte);
		} else {
			str_addc(text, *c);
		}
	}
	str_addc(text, '"');
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* %XX as the bytes that they stand for. */
static const char *decode(struct arena *arena, const char *text, size_t n)
{
	char *out = arena_strndup(arena, text, n), *to = out;

	for (const char *c = out; *c; c++) {
		int high = *c == '%' ? hex_digit(c[1]) : -1, low = high < 0 ? -1 : hex_digit(c[2]);

		if (low >= 0 && high + low > 0) {
			*to++ = (char)(high * 16 + low);
			c += 2;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return out;
}

static const char *write_content(struct arena *arena, const struct resource *want)
{
	AUTO(str_free) struct str text = {0};

	str_addf(&text, "// Made by reconcile for apt_option:%s; what is changed here is made anew.\n",
	         want->key);
	str_addf(&text, "%s {\n", want->key);
	for (size_t i = 0; i < want->apt_option.items.count; i++) {
		str_addc(&text, '\t');
		add_quoted(&text, want->apt_option.items.items[i]);
		str_add(&text, ";\n");
	}
	str_add(&text, "};\n");
	return arena_strdup(arena, str_text(&text));
}

/* The item of a line of write_content, NULL when it has none; of any other line the line itself,
 * which then is none of those that are wanted. */
static const char *read_line(struct arena *arena, const char *key, const char *line)
{
	size_t n = strlen(key), length = strlen(line);

	if (!*line || text_starts(line, "//") || text_equal(line, "};") ||
	    (strncasecmp(line, key, n) == 0 && text_equal(line + n, " {"))) {
		return NULL;
	}
	if (!text_starts(line, "\t\"") || !text_ends(line, "\";") ||
	    strchr(line + 2, '"') != line + length - 2) {
		return line;
	}
	return decode(arena, line + 2, length - 4);
}

/* ---- What is there ---- */

static int read_ours(struct host *host, const char *key, struct arena *arena,
                     struct apt_option *option, struct err *err)
{
	const char *path = our_file(arena, key);
	struct file_look look;
	size_t cap = 0;
	char *rest;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	if (look.type == FILE_NONE) {
		return 0;
	}
	option->ours.set = true;
	if (look.type != FILE_REGULAR) {
		option->obstacle = arena_printf(arena, "%s is no regular file", path);
		return 0;
	}
	if (lines_read(host, path, arena, &rest, err)) {
		return -(int)err->code;
	}
	for (char *line; rest && (line = lines_next(&rest));) {
		const char *item = read_line(arena, key, line);

		if (item) {
			lines_add(arena, &option->ours, &cap, item);
		}
	}
	return 0;
}

/* Asks apt for all that it has under that name; ends with NULL. */
static const char *const *question(struct arena *arena, const char *key)
{
	const char *const argv[] = {"apt-config", "dump", "--format", "%F=%V%n", key, NULL};
	const char **list = arena_array(arena, ARRAY_LEN(argv), sizeof *list);

	memcpy(list, argv, sizeof argv);
	return list;
}

/* Lines NAME=VALUE, both with %XX for what is special: the option itself, and below it its items,
 * which may have names of their own. */
static void read_list(struct arena *arena, const char *key, char *rest, struct apt_option *option)
{
	size_t n = strlen(key), cap = 0;

	option->items.set = true;
	for (char *line; (line = lines_next(&rest));) {
		const char *equals = strchr(line, '=');
		const char *name = equals ? decode(arena, line, (size_t)(equals - line)) : "";
		const char *value = equals ? decode(arena, equals + 1, strlen(equals + 1)) : "";

		if (strncasecmp(name, key, n) != 0) {
			continue;
		}
		if (!name[n] && *value) {
			option->obstacle = arena_printf(
			    arena, "%s has the single value \"%s\", and apt then looks at no list", key, value);
		} else if (text_starts(name + n, "::") && !strstr(name + n + 2, "::")) {
			lines_add(arena, &option->items, &cap, value);
		}
	}
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_APT_OPTION], key);
	struct apt_option *option = &have->apt_option;
	const char *why;
	char *out;

	(void)want;
	if (read_ours(host, key, arena, option, err) ||
	    transaction_ask_for(host, question(arena, key), OBSERVE_MS, arena, &out, &why, err)) {
		return -(int)err->code;
	}
	/* A file of ours that apt stumbles over can be made anew; over another, nobody knows. */
	if (!why) {
		read_list(arena, key, out, option);
	} else if (!option->ours.set || !strstr(why, our_file(arena, key))) {
		*ret_have = resource_undetermined(arena, have->kind, key, "%s", why);
		return 0;
	}
	have->state = option->items.count || option->ours.set ? STATE_PRESENT : STATE_ABSENT;
	*ret_have = have;
	return 0;
}

/* ---- What would be done ---- */

/* The items of APT::NeverAutoRemove are extended regular expressions (regex(7)), and apt passes
 * over one that is none with a warning that nobody sees. Those of unattended-upgrades are Python's,
 * of which only so much is known here that the empty one is in every name. */
static int check(const struct resource *want, struct err *err)
{
	const struct list *items = &want->apt_option.items;
	char fault[200];
	regex_t regex;

	if (want->state == STATE_PRESENT && !items->count) {
		return err_set(err, ERR_INPUT, 0,
		               "items: names none, expected what must be in the list (state: absent takes "
		               "away what was written)");
	}
	for (size_t i = 0; i < items->count; i++) {
		if (!*items->items[i]) {
			return err_set(err, ERR_INPUT, 0, "items: one is empty, expected a text");
		}
		if (strcasecmp(want->key, "APT::NeverAutoRemove") != 0) {
			continue;
		}
		int r = regcomp(&regex, items->items[i], REG_EXTENDED | REG_ICASE | REG_NOSUB);

		if (r) {
			regerror(r, &regex, fault, sizeof fault);
			return err_set(err, ERR_INPUT, 0,
			               "items: %s: %s, expected an extended regular expression",
			               items->items[i], fault);
		}
		regfree(&regex);
	}
	return 0;
}

static bool has_all(const struct list *list, const struct list *items)
{
	for (size_t i = 0; i < items->count; i++) {
		if (!list_has(list, items->items[i])) {
			return false;
		}
	}
	return true;
}

static const char *show_ours(struct arena *arena, const struct resource *r)
{
	const struct kind *kind = r->kind;

	return compare_show(arena, field_find(kind->fields, kind->field_count, "ours"), r);
}

/* Also a file of ours that holds something else than what is wanted: what was wanted once, or what
 * somebody wrote into it. */
static void diff_present(struct arena *arena, const struct resource *want,
                         const struct resource *have, struct verdict *verdict)
{
	const struct list *items = &want->apt_option.items, *ours = &have->apt_option.ours;
	struct resource there = *have, after = *want;

	there.state = STATE_PRESENT; /* so that the items are told, and not that there were none */
	compare_resources(arena, want, &there, &verdict->differences);
	if (ours->set && (!has_all(ours, items) || !has_all(items, ours))) {
		after.apt_option.ours = *items;
		differences_add(arena, &verdict->differences, "ours", show_ours(arena, have),
		                show_ours(arena, &after));
	}
	verdict->action = ours->set ? ACTION_UPDATE : ACTION_CREATE;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const char *obstacle = have->apt_option.obstacle;

	if (want->state == STATE_PRESENT) {
		diff_present(arena, want, have, verdict);
	} else if (have->apt_option.ours.set) {
		differences_add(arena, &verdict->differences, "ours", show_ours(arena, have), "");
		verdict->action = ACTION_REMOVE;
	}
	if (obstacle && want->state == STATE_PRESENT) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = obstacle;
	} else if (verdict->differences.count) {
		verdict->outcome = OUTCOME_CHANGE;
	}
}

/* What is in the list besides what our file puts there: each of ours counts once. */
static struct list items_of_others(struct arena *arena, const struct apt_option *option)
{
	struct list others = {.set = true};
	size_t cap = 0;

	for (size_t i = option->items.count; i-- > 0;) {
		const char *item = option->items.items[i];
		size_t before = 0, ours = 0;

		for (size_t k = i + 1; k < option->items.count; k++) {
			before += strcmp(option->items.items[k], item) == 0;
		}
		for (size_t k = 0; k < option->ours.count; k++) {
			ours += strcmp(option->ours.items[k], item) == 0;
		}
		if (before >= ours) {
			lines_add(arena, &others, &cap, item);
		}
	}
	/* They were found from the last to the first. */
	for (size_t i = 0; i < others.count / 2; i++) {
		const char **items = (const char **)others.items, *swap = items[i];

		items[i] = items[others.count - 1 - i];
		items[others.count - 1 - i] = swap;
	}
	return others;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	const struct apt_option *had = &change->have->apt_option, *wanted = &change->want->apt_option;
	struct resource *after = resource_create(arena, change->kind, change->want->key);
	struct list items = items_of_others(arena, had);
	size_t cap = items.count;

	*ret_exact = had->items.set;
	if (change->action != ACTION_REMOVE) {
		for (size_t i = 0; i < wanted->items.count; i++) {
			lines_add(arena, &items, &cap, wanted->items.items[i]);
		}
		after->apt_option.ours = wanted->items;
	}
	after->apt_option.items = items;
	after->state = items.count ? STATE_PRESENT : STATE_ABSENT;
	return after;
}

/* ---- The change ---- */

struct work {
	struct host *host;
	const struct resource *want;
	const char *path;
	struct file_bytes before; /* of our file; data NULL: it was not there */
	struct arena *arena;
};

static int put(struct work *w, const char *data, size_t length, struct err *err)
{
	struct file_write write = {.data = data, .length = length, .mode = 0644};

	return w->host->ops->write(w->host, w->path, &write, err);
}

static int put_back(struct work *w, struct err *err)
{
	return w->before.data ? put(w, w->before.data, w->before.length, err)
	                      : w->host->ops->remove_file(w->host, w->path, err);
}

static bool clears_something(struct host *host, const char *path, struct arena *arena)
{
	struct err err;
	char *text;

	return !lines_read(host, path, arena, &text, &err) && text && strstr(text, "#clear");
}

/* The first file that apt reads after ours and that clears something; NULL: none. Parts are read in
 * the order of their bytes, and the main file last (apt.conf(5)). */
static const char *who_clears(struct work *w)
{
	const char *name = strrchr(w->path, '/') + 1;
	struct file_names names;
	struct err err;

	if (w->host->ops->list(w->host, FOLDER, w->arena, &names, &err)) {
		names.count = 0;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *path = arena_printf(w->arena, FOLDER "/%s", names.list[i]);

		if (strcmp(names.list[i], name) > 0 && clears_something(w->host, path, w->arena)) {
			return path;
		}
	}
	return clears_something(w->host, MAIN_FILE, w->arena) ? MAIN_FILE : NULL;
}

/* Asks apt whether it has what was written; *ret_why: why it has not. */
static int read_back(struct work *w, const char **ret_why, struct err *err)
{
	struct apt_option option = {0};
	const char *culprit;
	char *out;

	if (transaction_ask(w->host, question(w->arena, w->want->key), w->arena, &out, ret_why, err)) {
		return -(int)err->code;
	}
	if (*ret_why) {
		return 0;
	}
	read_list(w->arena, w->want->key, out, &option);
	if (has_all(&option.items, &w->want->apt_option.items)) {
		return 0;
	}
	culprit = who_clears(w);
	*ret_why =
	    arena_printf(w->arena, "what was written to %s is not in apt's list%s%s", w->path,
	                 culprit ? "; read after it, and clearing: " : "", culprit ? culprit : "");
	return 0;
}

static int write_ours(struct work *w, struct applied *applied, struct err *err)
{
	const char *content = write_content(w->arena, w->want), *why;
	struct file_look look;
	struct err fault = {0};

	if (w->host->ops->look(w->host, w->path, &look, err) ||
	    (look.type == FILE_REGULAR &&
	     w->host->ops->read(w->host, w->path, SIZE_MAX, w->arena, &w->before, err)) ||
	    put(w, content, strlen(content), err) || read_back(w, &why, err)) {
		return -(int)err->code;
	}
	if (!why) {
		return 0;
	}
	applied->outcome = OUTCOME_FAILED;
	applied->why = why;
	if (put_back(w, &fault)) {
		applied->why = arena_printf(w->arena, "%s; and %s could not be put back as it was: %s", why,
		                            w->path, fault.text);
	}
	return 0;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct work w = {
	    .host = host,
	    .want = change->want,
	    .path = our_file(arena, change->want->key),
	    .arena = arena,
	};

	return change->action == ACTION_REMOVE ? host->ops->remove_file(host, w.path, err)
	                                       : write_ours(&w, applied, err);
}

const struct provider provider_apt_option = {
    .kind = KIND_APT_OPTION,
    .timeout_ms = 120000, /* apt-config is asked with a deadline of its own */
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
