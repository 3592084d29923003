// SPDX-License-Identifier: MIT
/* The one-line style of sources.list(5): "deb [options] URI SUITE COMPONENT...". Pure. */
#include "provider/apt_sources_inner.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>
#include <strings.h>

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
	*ret_options = apt_sources_words(arena, at + 1);
	*rest = end + 1;
	return true;
}

/* Takes a line apart; false when it is no source (a blank line, prose behind a #, a CD). */
static bool take_apart(struct arena *arena, const char *line, struct one_line *ret_parts)
{
	struct one_line parts = {.comment = ""};
	char *rest = arena_strdup(arena, line), *comment = strchr(rest, '#');
	size_t cap = 0, n = strlen(rest);

	/* apt takes the end of a line of another system for a blank. */
	for (; n && rest[n - 1] == '\r'; n--) {
		rest[n - 1] = '\0';
	}
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
	entry.uris = apt_sources_one(arena, parts.uri);
	entry.suites = apt_sources_one(arena, parts.suite);
	entry.components = parts.components;
	entry.signed_by = option(&parts.options, "signed-by");
	entry.trusted = trusted && apt_sources_is_yes(trusted);
	apt_sources_add(arena, entries, &entry);
}

void apt_sources_line_parse(struct arena *arena, const char *path, const char *text,
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
void apt_sources_line_mend(struct arena *arena, struct str *out, const char *line,
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
		apt_sources_put(out, components);
		if (entry->enabled && *parts.comment) {
			str_addf(out, " %s", parts.comment);
		}
		str_addc(out, '\n');
	}
}
