// SPDX-License-Identifier: MIT
/*
 * See yaml.h. The event interface, not the document one: libyaml's composer follows aliases into
 * cycles, and only events let us stop in the middle: nested flow collections cost it quadratic
 * time (100 kB of "[" take a minute in 0.2.5), so reading ends at the first level too many.
 */
#include "desired/yaml.h"

#include "base/str.h"
#include "base/strmap.h"
#include "desired/source.h"
#include "desired/syntax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	const struct desired_file *file;
	struct faults *faults;
	size_t values;
	bool over; /* there is nothing more to be had from the parser */
};

static struct pos position(const struct reader *r, yaml_mark_t mark)
{
	return (struct pos){r->file->name, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* ---- events ---- */

/* The byte at a place of the text, 0 behind its end. */
static char byte_at(const struct reader *r, struct pos at)
{
	size_t length = 0;
	const char *line = desired_source_line(r->file, 1, at, &length);
	size_t i = 0;

	for (unsigned col = 1; line && i < length && col < at.col; col++) {
		for (i++; i < length && ((unsigned char)line[i] & 0xc0) == 0x80; i++) {
		}
	}
	return line && i < length ? line[i] : '\0';
}

static void syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	struct syntax_fault fault = {
	    .problem = p->error == YAML_MEMORY_ERROR ? "out of memory" : p->problem,
	    .context = p->context,
	    .at = position(r, p->problem_mark),
	    .began = p->context ? position(r, p->context_mark) : (struct pos){0},
	};

	fault.found = byte_at(r, fault.at);
	syntax_report(&fault, r->faults);
	r->over = true;
}

static bool next(struct reader *r, yaml_event_t *ret_event)
{
	if (r->over) {
		return false;
	}
	if (!yaml_parser_parse(&r->parser, ret_event)) {
		syntax(r);
		return false;
	}
	return true;
}

/* ---- scalars ---- */

/* Decimal, no plus, no leading zero, within 64 bits. */
static bool whole_number(const char *text, int64_t *ret_number)
{
	const char *digits = text + (*text == '-');
	char *end;

	if (*digits < '0' || *digits > '9' || (*digits == '0' && text[1])) {
		return false;
	}
	errno = 0;
	long long number = strtoll(text, &end, 10);

	if (*end || errno) {
		return false;
	}
	*ret_number = number;
	return true;
}

static struct value plain(struct reader *r, const char *text, struct pos at)
{
	static const char *const nulls[] = {"~", "null", "Null", "NULL"};
	struct value value = value_string(text);
	int64_t number;

	for (size_t i = 0; i < ARRAY_LEN(nulls); i++) {
		if (strcmp(text, nulls[i]) == 0) {
			fault_add(r->faults, at, "remove the line, or write it in quotes if it is a text",
			          "'%s': there are no null values", text);
			return fault_spoilt(at);
		}
	}
	if (!*text) {
		value = value_null();
	} else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		value = value_bool(*text == 't');
	} else if (whole_number(text, &number)) {
		value = value_int(number);
	}
	value.at = at;
	return value;
}

/* Escapes in double quotes can make what source_check() would not let through. */
static bool has_forbidden(struct reader *r, const char *text, size_t n, struct pos at)
{
	for (size_t i = 0, length; i < n; i += length) {
		uint32_t c = source_forbidden(text + i, n - i, &length);

		if (c) {
			fault_add(r->faults, at, "remove it", "a text with U+%04X, a control character",
			          c == UINT32_MAX ? 0 : c);
			return true;
		}
	}
	return false;
}

static void refuse(struct reader *r, struct pos at, const yaml_char_t *anchor,
                   const yaml_char_t *tag)
{
	if (anchor) {
		fault_add(r->faults, at, "write the value out where it is needed",
		          "an anchor (&%s): not allowed here", (const char *)anchor);
	}
	if (tag) {
		static const char core[] = "tag:yaml.org,2002:"; /* what !! stands for */
		const char *name = (const char *)tag;
		bool is_core = text_starts(name, core);

		fault_add(r->faults, at, "a value that begins with ! is put in quotes",
		          "a tag (%s%s): not allowed here", is_core ? "!!" : "",
		          is_core ? name + strlen(core) : name);
	}
}

static struct value scalar(struct reader *r, const yaml_event_t *event)
{
	struct pos at = position(r, event->start_mark);
	const char *text = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;

	refuse(r, at, event->data.scalar.anchor, event->data.scalar.tag);
	if (has_forbidden(r, text, n, at)) {
		return fault_spoilt(at);
	}
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		return plain(r, arena_strndup(r->arena, text, n), at);
	}
	struct value value = value_string(arena_strndup(r->arena, text, n));

	value.quoted = true;
	value.at = at;
	return value;
}

/* ---- lists and maps ---- */

static bool node(struct reader *r, yaml_event_t *event, unsigned depth, struct value *ret_value);

/* Keys that were seen in one map: small maps are searched, large ones have a table. */
struct keys {
	struct strmap *table;
};

static const struct value_entry *seen(struct reader *r, struct keys *keys, const struct value *map,
                                      const char *key)
{
	enum { SMALL = 8 };

	if (map->count < SMALL) {
		return value_entry(map, key);
	}
	if (!keys->table) {
		keys->table = strmap_create(r->arena);
		for (size_t i = 0; i < map->count; i++) {
			strmap_put(keys->table, map->entries[i].key, (void *)(uintptr_t)(i + 1));
		}
	}
	/* Entry numbers, since the array of entries moves as it grows. */
	uintptr_t i = (uintptr_t)strmap_get(keys->table, key);

	if (!i) {
		strmap_put(keys->table, key, (void *)(uintptr_t)(map->count + 1));
	}
	return i ? &map->entries[i - 1] : NULL;
}

/* The text of a key, or NULL when it cannot be one; that has been said then. False when reading is
 * over. */
static bool key_of(struct reader *r, yaml_event_t *event, unsigned depth, const char **ret_key)
{
	struct pos at = position(r, event->start_mark);
	bool is_scalar = event->type == YAML_SCALAR_EVENT;
	bool is_plain = is_scalar && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	size_t length = is_scalar ? event->data.scalar.length : 0;

	*ret_key = NULL;
	if (!is_scalar) {
		struct value dropped;

		if (event->type != YAML_ALIAS_EVENT) {
			fault_add(r->faults, at, "a key is a text; put one that begins with [ or { in quotes",
			          "%s as a key", event->type == YAML_MAPPING_START_EVENT ? "a map" : "a list");
		}
		return node(r, event, depth, &dropped);
	}
	const char *key = arena_strndup(r->arena, (const char *)event->data.scalar.value, length);

	refuse(r, at, event->data.scalar.anchor, event->data.scalar.tag);
	yaml_event_delete(event);
	if (is_plain && strcmp(key, "<<") == 0) {
		fault_add(r->faults, at, "write the entries out", "a merge key (<<): not allowed here");
	} else if (!length) {
		fault_add(r->faults, at, "write KEY: VALUE", "an empty key");
	} else if (strlen(key) != length || strpbrk(key, "\t\n\r")) {
		fault_add(r->faults, at, NULL, "a key with a line break, a tab or a control character");
	} else if (!has_forbidden(r, key, length, at)) {
		*ret_key = key;
	}
	return true;
}

static void put(struct reader *r, struct keys *keys, struct value *map,
                const struct value_entry *entry)
{
	const struct value_entry *first = seen(r, keys, map, entry->key);

	if (first) {
		fault_add(r->faults, entry->key_at, "remove one of them",
		          "%s stands here a second time, first at %u:%u",
		          fault_quote(r->faults, entry->key), first->key_at.line, first->key_at.col);
		return;
	}
	value_put(r->arena, map, entry->key, entry->value);
	map->entries[map->count - 1].key_at = entry->key_at;
}

static bool mapping(struct reader *r, unsigned depth, struct value *map)
{
	struct keys keys = {0};
	yaml_event_t event;

	while (next(r, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		struct value_entry entry = {.key_at = position(r, event.start_mark)};

		if (!key_of(r, &event, depth, &entry.key) || !next(r, &event) ||
		    !node(r, &event, depth, &entry.value)) {
			return false;
		}
		if (entry.value.type == VALUE_NULL && !entry.value.quoted) {
			/* An empty value has no place of its own that an operator would look at. */
			entry.value.at = entry.key_at;
		}
		if (entry.key) {
			put(r, &keys, map, &entry);
		}
	}
	return false;
}

static bool sequence(struct reader *r, unsigned depth, struct value *list)
{
	yaml_event_t event;

	while (next(r, &event)) {
		struct value item;

		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		if (!node(r, &event, depth, &item)) {
			return false;
		}
		value_append(r->arena, list, item);
	}
	return false;
}

static bool within_limits(struct reader *r, struct pos at, unsigned depth)
{
	if (depth > YAML_DEPTH) {
		fault_add(r->faults, at, NULL, "nested deeper than %d levels", YAML_DEPTH);
	} else if (++r->values > YAML_VALUES) {
		fault_add(r->faults, at, "spread it over several files", "more than %d values in one file",
		          YAML_VALUES);
	} else if (!fault_is_full(r->faults)) {
		return true;
	}
	r->over = true;
	return false;
}

/* One value, beginning with its first event, which is used up. `depth` counts the levels around
 * it. False when reading is over: what is in *ret_value then is only a beginning. */
static bool node(struct reader *r, yaml_event_t *event, unsigned depth, struct value *ret_value)
{
	struct pos at = position(r, event->start_mark);
	bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
	bool is_map = event->type == YAML_MAPPING_START_EVENT;

	if (is_list) {
		refuse(r, at, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		*ret_value = value_list();
	} else if (is_map) {
		refuse(r, at, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		*ret_value = value_map();
	} else if (event->type == YAML_ALIAS_EVENT) {
		fault_add(r->faults, at, "write the value out; a value that begins with * is put in quotes",
		          "an alias (*%s): not allowed here", (const char *)event->data.alias.anchor);
		*ret_value = fault_spoilt(at);
	} else {
		*ret_value = scalar(r, event);
	}
	yaml_event_delete(event);
	ret_value->at = at;
	if (!within_limits(r, at, is_list || is_map ? depth + 1 : depth)) {
		return false;
	}
	return is_list  ? sequence(r, depth + 1, ret_value)
	       : is_map ? mapping(r, depth + 1, ret_value)
	                : true;
}

/* ---- the document ---- */

/* Behind the document, only the end of the text may come. */
static void expect_end(struct reader *r)
{
	yaml_event_t event;

	while (next(r, &event)) {
		if (event.type == YAML_DOCUMENT_START_EVENT) {
			fault_add(r->faults, position(r, event.start_mark), "a file is one map of sections",
			          "a second document");
			r->over = true;
		} else if (event.type == YAML_STREAM_END_EVENT) {
			r->over = true;
		}
		yaml_event_delete(&event);
	}
}

/* A fault of syntax is often the end of a text that went on by mistake: "mode: a: b". */
static void drop_doubtful(struct value *root, bool whole)
{
	if (!whole && root->type == VALUE_MAP && root->count) {
		enum value_type last = root->entries[root->count - 1].value.type;

		root->count -= last != VALUE_LIST && last != VALUE_MAP;
	}
}

static struct value *document(struct reader *r, bool *ret_whole)
{
	yaml_event_t event;
	struct value *root = NULL;

	while (!root && next(r, &event)) {
		if (event.type == YAML_STREAM_END_EVENT) {
			fault_add(r->faults, fault_top(r->file->name), NULL,
			          "the file is empty, expected a map");
			r->over = true;
		} else if (event.type != YAML_STREAM_START_EVENT &&
		           event.type != YAML_DOCUMENT_START_EVENT) {
			root = arena_alloc(r->arena, sizeof *root);
			*ret_whole = node(r, &event, 0, root);
			drop_doubtful(root, *ret_whole);
			break;
		}
		yaml_event_delete(&event);
	}
	if (root && *ret_whole) {
		expect_end(r);
	}
	return root;
}

/* Directives stand at the beginning of a line, and libyaml compares each with all before it
 * (100000 of them take ten seconds): looked for beforehand. */
static bool has_directive(const struct desired_file *file, struct faults *faults)
{
	struct pos at = {file->name, 1, 1};
	const char *end = file->text + file->length;

	for (const char *line = file->text; line && line < end; at.line++) {
		if (*line == '%') {
			fault_add(faults, at, "remove it",
			          "a directive (a line that begins with %%): not allowed");
			return true;
		}
		line = memchr(line, '\n', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return false;
}

const struct value *yaml_read(struct arena *arena, const struct desired_file *file,
                              struct faults *faults, bool *ret_whole)
{
	struct reader r = {.arena = arena, .file = file, .faults = faults};

	*ret_whole = false;
	if (has_directive(file, faults)) {
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		fault_add(faults, fault_top(file->name), NULL, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)file->text, file->length);
	struct value *root = document(&r, ret_whole);

	yaml_parser_delete(&r.parser);
	return root;
}
