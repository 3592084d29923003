// SPDX-License-Identifier: MIT
/* See field.h. The rules of each format are in format.c. */
#include "model/field.h"

#include "base/str.h"
#include "model/format.h"

#include <inttypes.h>
#include <string.h>

enum {
	SHOWN = 60,       /* how much of a faulty text a message repeats */
	MOST_ITEMS = 256, /* of lists that are compared item with item; nobody writes so many */
};

static void add_choices(struct str *out, const char *const *choices)
{
	for (size_t i = 0; choices[i]; i++) {
		str_add(out, i == 0 ? "" : ", ");
		str_add(out, choices[i]);
	}
}

const char *field_expectation(const struct field *field, struct arena *arena)
{
	AUTO(str_free) struct str out = {0};

	switch (field->type) {
	case FIELD_TRUTH:
		return "true or false";
	case FIELD_NUMBER:
		if (!field->least && !field->most) {
			return "a whole number";
		}
		if (field->least == field->most) {
			return arena_printf(arena, "the number %" PRId64, field->least);
		}
		return arena_printf(arena, "a whole number from %" PRId64 " to %" PRId64, field->least,
		                    field->most);
	case FIELD_LIST:
		if (field->format != FORMAT_CHOICE) {
			return arena_printf(arena, "a list of %s", format_words(field->format, true));
		}
		str_add(&out, "a list of any of ");
		add_choices(&out, field->choices);
		break;
	case FIELD_TEXT:
		if (field->format != FORMAT_CHOICE) {
			return format_words(field->format, false);
		}
		str_add(&out, field->choices[0] && !field->choices[1] ? "" : "one of ");
		add_choices(&out, field->choices);
		break;
	}
	return arena_strdup(arena, str_text(&out));
}

/* What was found, in a person's words: text in quotes, other scalars as they stand. */
static const char *found(const struct field *field, const struct value *value, struct arena *arena)
{
	AUTO(str_free) struct str out = {0};

	switch (value->type) {
	case VALUE_NULL:
		return "no value";
	case VALUE_BOOL:
		return value->boolean ? "true" : "false";
	case VALUE_INT:
		return arena_printf(arena, "the number %" PRId64, value->integer);
	case VALUE_STRING:
		if (field->flags & FIELD_SECRET) {
			return "text";
		}
		str_addc(&out, '"');
		str_add_printable(&out, value->string, SHOWN);
		str_addc(&out, '"');
		return arena_strdup(arena, str_text(&out));
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	return value_type_name(value->type);
}

static int wrong_type(const struct field *field, const struct value *value, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	return err_at(err, ERR_INPUT, value->at, "%s: expected %s, found %s", field->name,
	              field_expectation(field, arena), found(field, value, arena));
}

static bool is_from_yaml(const struct value *value)
{
	return value->at.line && value->at.file &&
	       (text_ends(value->at.file, ".yaml") || text_ends(value->at.file, ".yml"));
}

/* What a text of the row must look like. */
static const char *expected_text(const struct field *field, struct arena *arena)
{
	return field->format == FORMAT_CHOICE ? field_expectation(field, arena)
	                                      : format_words(field->format, false);
}

/* A plain number where a text belongs: right for few, and most others lack only quotes. */
static int check_number_as_text(const struct field *field, const struct value *value,
                                struct arena *arena, struct err *err)
{
	const char *text = arena_printf(arena, "%" PRId64, value->integer);

	if (field->format == FORMAT_MODE) {
		const char *meant = arena_printf(arena, "%04" PRId64, value->integer);

		/* 99999 or 888 was not meant to be a mode: then an example. */
		return err_at(err, ERR_INPUT, value->at,
		              "%s: %s must be a quoted octal of four digits, expected \"%s\"", field->name,
		              text, format_fault(field, meant, arena) ? "0644" : meant);
	}
	if (!format_takes_number(field->format)) {
		return err_at(err, ERR_INPUT, value->at, "%s: expected text, found %s: write \"%s\"",
		              field->name, value_type_name(value->type), text);
	}
	const char *fault = format_fault(field, text, arena);

	return fault ? err_at(err, ERR_INPUT, value->at, "%s: %s %s, expected %s", field->name, text,
	                      fault, expected_text(field, arena))
	             : 0;
}

static int check_scalar(const struct field *field, const struct value *value, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	if (value->type == VALUE_INT) {
		return check_number_as_text(field, value, arena, err);
	}
	if (value->type == VALUE_BOOL) {
		return err_at(err, ERR_INPUT, value->at, "%s: expected text, found %s: write \"%s\"",
		              field->name, value_type_name(value->type), value->boolean ? "true" : "false");
	}
	if (value->type != VALUE_STRING) {
		return err_at(err, ERR_INPUT, value->at, "%s: expected %s, found %s", field->name,
		              expected_text(field, arena), found(field, value, arena));
	}
	const char *fault = format_fault(field, value->string, arena);

	if (fault) {
		return err_at(err, ERR_INPUT, value->at, "%s: %s %s, expected %s", field->name,
		              found(field, value, arena), fault, expected_text(field, arena));
	}
	/* Quotes where quoting exists: an unquoted 0644 is another number to other readers of YAML. */
	if (field->format == FORMAT_MODE && !value->quoted && is_from_yaml(value)) {
		return err_at(err, ERR_INPUT, value->at, "%s: %s must stand in quotes, expected \"%s\"",
		              field->name, value->string, value->string);
	}
	return 0;
}

static int check_number(const struct field *field, const struct value *value, struct err *err)
{
	bool bound = field->least || field->most;

	if (value->type != VALUE_INT ||
	    (bound && (value->integer < field->least || value->integer > field->most))) {
		return wrong_type(field, value, err);
	}
	return 0;
}

/* Lua cannot tell an empty list from an empty map; YAML can and must. */
static bool is_list(const struct value *value)
{
	return value->type == VALUE_LIST ||
	       (value->type == VALUE_MAP && value->count == 0 && !is_from_yaml(value));
}

static int check_list(const struct field *field, const struct value *value, struct err *err)
{
	bool is_short = field->format == FORMAT_OPTION || field->format == FORMAT_SETTING ||
	                field->format == FORMAT_CHOICE;

	if (!is_list(value)) {
		return wrong_type(field, value, err);
	}
	if (is_short && value->count > MOST_ITEMS) {
		return err_at(err, ERR_INPUT, value->at, "%s: expected at most %d items, found %zu",
		              field->name, MOST_ITEMS, value->count);
	}
	for (size_t i = 0; i < value->count; i++) {
		int r = check_scalar(field, &value->items[i], err);

		if (r) {
			return r;
		}
	}
	return 0;
}

int field_check(const struct field *field, const struct value *value, struct err *err)
{
	switch (field->type) {
	case FIELD_TRUTH:
		return value->type == VALUE_BOOL ? 0 : wrong_type(field, value, err);
	case FIELD_NUMBER:
		return check_number(field, value, err);
	case FIELD_LIST:
		return check_list(field, value, err);
	case FIELD_TEXT:
		return check_scalar(field, value, err);
	}
	return err_set(err, ERR_BUG, 0, "%s: no such type of field", field->name);
}

int field_check_type(const struct field *field, const struct value *value, struct err *err)
{
	bool right = false;

	switch (field->type) {
	case FIELD_TRUTH:
		right = value->type == VALUE_BOOL;
		break;
	case FIELD_NUMBER:
		right = value->type == VALUE_INT;
		break;
	case FIELD_TEXT:
		right = value->type == VALUE_STRING;
		break;
	case FIELD_LIST:
		right = is_list(value);
		for (size_t i = 0; right && i < value->count; i++) {
			right = value->items[i].type == VALUE_STRING;
		}
		break;
	}
	return right ? 0 : wrong_type(field, value, err);
}

const struct field *field_find(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) == 0) {
			return &fields[i];
		}
	}
	return NULL;
}

const char *field_nearest(const struct field *fields, size_t n, const char *name)
{
	enum { MOST = 64 }; /* more than any table has; the rest would only go without a hint */
	const char *names[MOST];

	size_t count = 0;

	for (; count < n && count < MOST; count++) {
		names[count] = fields[count].name;
	}
	return text_nearest(name, names, count);
}

static const void *member(const struct field *field, const void *object)
{
	return (const char *)object + field->offset;
}

bool field_is_set(const struct field *field, const void *object)
{
	const void *at = member(field, object);

	switch (field->type) {
	case FIELD_TEXT:
		return *(const char *const *)at != NULL;
	case FIELD_LIST:
		return ((const struct list *)at)->set;
	case FIELD_NUMBER:
		return ((const struct number *)at)->set;
	case FIELD_TRUTH:
		return ((const struct truth *)at)->set;
	}
	return false;
}

struct value field_get(const struct field *field, const void *object, struct arena *arena)
{
	const void *at = member(field, object);

	if (!field_is_set(field, object)) {
		return value_null();
	}
	switch (field->type) {
	case FIELD_TEXT:
		return value_string(*(const char *const *)at);
	case FIELD_NUMBER:
		return value_int(((const struct number *)at)->value);
	case FIELD_TRUTH:
		return value_bool(((const struct truth *)at)->value);
	case FIELD_LIST:
		break;
	}
	const struct list *list = at;
	struct value value = value_list();

	value.cap = list->count;
	value.items = arena_array(arena, list->count, sizeof *value.items);
	for (; value.count < list->count; value.count++) {
		value.items[value.count] = value_string(list->items[value.count]);
	}
	return value;
}

/* The text of a scalar that passed field_check(). */
static const char *scalar_text(const struct value *value, struct arena *arena)
{
	return value->type == VALUE_INT ? arena_printf(arena, "%" PRId64, value->integer)
	                                : value->string;
}

static struct list list_of(const struct value *value, struct arena *arena)
{
	const char **items = arena_array(arena, value->count, sizeof *items);

	for (size_t i = 0; i < value->count; i++) {
		items[i] = scalar_text(&value->items[i], arena);
	}
	return (struct list){.set = true, .count = value->count, .items = items};
}

void field_set(const struct field *field, void *object, const struct value *value,
               struct arena *arena)
{
	void *at = (char *)object + field->offset;
	bool set = value->type != VALUE_NULL;

	switch (field->type) {
	case FIELD_TEXT:
		*(const char **)at = set ? scalar_text(value, arena) : NULL;
		break;
	case FIELD_NUMBER:
		*(struct number *)at = set ? (struct number){true, value->integer} : (struct number){0};
		break;
	case FIELD_TRUTH:
		*(struct truth *)at = set ? (struct truth){true, value->boolean} : (struct truth){0};
		break;
	case FIELD_LIST:
		*(struct list *)at = set ? list_of(value, arena) : (struct list){0};
		break;
	}
}
