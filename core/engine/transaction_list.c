// SPDX-License-Identifier: MIT
/* See transaction_list.h. The lines are written by apt's dpkgpm.cc (SendPkgsInfo). */
#include "engine/transaction_list.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>

enum { FIELDS_MOST = 9 };

static char *next_line(char **rest)
{
	char *line = *rest;

	if (!line || !*line) {
		return NULL;
	}
	char *end = strchr(line, '\n');

	*rest = end ? end + 1 : NULL;
	if (end) {
		*end = '\0';
	}
	return line;
}

/* The file may be a path with blanks in it: the last field is what is left. */
static size_t split(char *line, size_t most, const char *fields[FIELDS_MOST])
{
	size_t n = 0;

	while (n < most) {
		fields[n++] = line;
		char *blank = n < most ? strchr(line, ' ') : NULL;

		if (!blank) {
			break;
		}
		*blank = '\0';
		line = blank + 1;
	}
	return n;
}

static const char *version_or_null(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

/* An install comes twice (unpacked, configured), and what is removed may be installed again. */
static void note(struct arena *arena, struct transaction_list *list,
                 const struct transaction_item *item)
{
	for (size_t i = 0; i < list->count; i++) {
		struct transaction_item *known = &list->list[i];

		if (strcmp(known->name, item->name) == 0 &&
		    strcmp(known->architecture, item->architecture) == 0) {
			known->new = item->new ? item->new : known->new;
			known->old = known->old ? known->old : item->old;
			known->archive = item->archive ? item->archive : known->archive;
			return;
		}
	}
	list->list = arena_grow(arena, list->list, list->count, &list->cap, sizeof *list->list);
	list->list[list->count++] = *item;
}

static int take(char *line, int version, struct arena *arena, struct transaction_list *list,
                struct err *err)
{
	const char *f[FIELDS_MOST];
	size_t most = version == 3 ? 9 : 5, n = split(line, most, f);

	if (n != most || !*f[0] || !*f[n - 1]) {
		return err_set(err, ERR_INPUT, 0, "apt's list of packages has a line with %zu fields", n);
	}
	bool goes = strcmp(f[n - 1], "**REMOVE**") == 0;
	const struct transaction_item item = {
	    .name = f[0],
	    .old = version_or_null(f[1]),
	    .new = goes ? NULL : version_or_null(version == 3 ? f[5] : f[3]),
	    .archive = *f[n - 1] == '/' ? f[n - 1] : NULL,
	    .architecture = version == 2             ? ""
	                    : strcmp(f[6], "-") == 0 ? f[2]
	                                             : f[6],
	};

	note(arena, list, &item);
	return 0;
}

int transaction_list_parse(char *text, struct arena *arena, struct transaction_list *ret_list,
                           struct err *err)
{
	struct transaction_list list = {0};
	size_t n = strlen(text);
	bool is_whole = n && text[n - 1] == '\n';
	char *rest = text, *line = next_line(&rest);
	int version = line && strcmp(line, "VERSION 3") == 0   ? 3
	              : line && strcmp(line, "VERSION 2") == 0 ? 2
	                                                       : 0;

	if (!version) {
		return err_set(err, ERR_INPUT, 0, "this is no list of packages of version 2 or 3");
	}
	/* apt's configuration, up to an empty line. */
	do {
		line = next_line(&rest);
	} while (line && *line);
	if (!line || !is_whole) {
		return err_set(err, ERR_INPUT, 0, "apt's list of packages is cut off");
	}
	while ((line = next_line(&rest))) {
		if (take(line, version, arena, &list, err)) {
			return -(int)err->code;
		}
	}
	*ret_list = list;
	return 0;
}

const char *transaction_list_release(const char *package)
{
	static const char *const prefixes[] = {"linux-image-unsigned-", "linux-image-"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const char *rest = text_starts(package, prefixes[i]) ? package + strlen(prefixes[i]) : NULL;

		if (rest && isdigit((unsigned char)*rest) && strchr(rest, '-')) {
			return rest;
		}
	}
	return NULL;
}
