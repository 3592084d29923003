// SPDX-License-Identifier: MIT
/* One row, one value: what is refused and in which words, and the way into the C struct and
 * back. */
#include "model/resource.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const choices[] = {"pin", "follow", "none", NULL};

static const struct field rows[] = {
    {.name = "source", .type = FIELD_TEXT, .format = FORMAT_TEXT},
    {.name = "target", .type = FIELD_TEXT, .format = FORMAT_PATH},
    {.name = "mode", .type = FIELD_TEXT, .format = FORMAT_MODE},
    {.name = "owner", .type = FIELD_TEXT, .format = FORMAT_OWNER},
    {.name = "stale_max", .type = FIELD_TEXT, .format = FORMAT_DURATION},
    {.name = "version", .type = FIELD_TEXT, .format = FORMAT_GLOB},
    {.name = "strategy", .type = FIELD_TEXT, .format = FORMAT_CHOICE, .choices = choices},
    {.name = "content", .type = FIELD_TEXT, .format = FORMAT_CONTENT, .flags = FIELD_SECRET},
    {.name = "options", .type = FIELD_LIST, .format = FORMAT_OPTION},
    {.name = "argv", .type = FIELD_LIST, .format = FORMAT_TEXT},
    {.name = "any", .type = FIELD_LIST, .format = FORMAT_CHOICE, .choices = choices},
    {.name = "per_day", .type = FIELD_NUMBER, .least = 1, .most = 24},
    {.name = "jobs", .type = FIELD_NUMBER},
    {.name = "force", .type = FIELD_TRUTH},
};

static const struct pos in_yaml = {"state/defaults.yaml", 3, 9};
static const struct pos in_lua = {"policies/mounts.lua", 7, 0};

static struct value text(const char *string)
{
	struct value value = value_string(string);

	value.at = in_yaml;
	return value;
}

static struct value quoted(const char *string)
{
	struct value value = text(string);

	value.quoted = true;
	return value;
}

static struct value number(int64_t integer)
{
	struct value value = value_int(integer);

	value.at = in_yaml;
	return value;
}

/* What field_check says of the value in the row of that name: "" when it is right. */
static const char *verdict(const char *name, struct value value)
{
	static struct err err;
	const struct field *field = field_find(rows, ARRAY_LEN(rows), name);

	assert_non_null(field);
	err = (struct err){0};
	int r = field_check(field, &value, &err);

	assert_int_equal(r, err.text[0] ? -ERR_INPUT : 0);
	if (r && value.type != VALUE_LIST) {
		assert_memory_equal(&err.at, &value.at, sizeof err.at);
	}
	return err.text;
}

static void field_check_takes_what_is_right(void **state)
{
	(void)state;
	assert_string_equal(verdict("source", text("10.1.30.23@tcp:/czrc3amv")), "");
	assert_string_equal(verdict("target", text("/fsx")), "");
	assert_string_equal(verdict("mode", quoted("0644")), "");
	assert_string_equal(verdict("owner", text("root")), "");
	assert_string_equal(verdict("owner", number(1000)), "");
	assert_string_equal(verdict("stale_max", text("7d")), "");
	assert_string_equal(verdict("stale_max", number(90)), "");
	assert_string_equal(verdict("version", text("2.15.*")), "");
	assert_string_equal(verdict("strategy", text("pin")), "");
	assert_string_equal(verdict("content", quoted("a\nb\n")), "");
	assert_string_equal(verdict("content", quoted("")), "");
	assert_string_equal(verdict("per_day", number(24)), "");
	assert_string_equal(verdict("jobs", number(-5)), "");
	assert_string_equal(verdict("force", value_bool(false)), "");
}

static void field_check_says_what_is_wrong_and_what_was_expected(void **state)
{
	struct value map = value_map(), nothing = value_null(), truth = value_bool(true);

	(void)state;
	map.at = nothing.at = truth.at = in_yaml;
	assert_string_equal(verdict("target", text("fsx")),
	                    "target: \"fsx\" is relative, expected an absolute path");
	assert_string_equal(verdict("target", map), "target: expected an absolute path, found a map");
	assert_string_equal(verdict("target", nothing),
	                    "target: expected an absolute path, found no value");
	assert_string_equal(verdict("mode", number(644)),
	                    "mode: 644 must be a quoted octal of four digits, "
	                    "expected \"0644\"");
	assert_string_equal(verdict("mode", number(888)),
	                    "mode: 888 must be a quoted octal of four digits, "
	                    "expected \"0644\"");
	assert_string_equal(verdict("mode", text("0644")),
	                    "mode: 0644 must stand in quotes, expected \"0644\"");
	assert_string_equal(verdict("mode", quoted("rw")),
	                    "mode: \"rw\" is no mode, expected a quoted octal "
	                    "of four digits, \"0644\"");
	assert_string_equal(verdict("version", number(2)),
	                    "version: expected text, found a whole number: write \"2\"");
	assert_string_equal(verdict("source", truth),
	                    "source: expected text, found true or false: write \"true\"");
	assert_string_equal(verdict("strategy", text("folow")),
	                    "strategy: \"folow\" is unknown, did you mean follow, expected one of pin, "
	                    "follow, none");
	assert_string_equal(verdict("strategy", map),
	                    "strategy: expected one of pin, follow, none, found a map");
	assert_string_equal(verdict("options", text("flock")),
	                    "options: expected a list of mount options, found \"flock\"");
	assert_string_equal(verdict("per_day", number(25)),
	                    "per_day: expected a whole number from 1 to 24, found the number 25");
	assert_string_equal(verdict("per_day", quoted("2")),
	                    "per_day: expected a whole number from 1 to 24, found \"2\"");
	assert_string_equal(verdict("force", text("yes")),
	                    "force: expected true or false, found \"yes\"");
	assert_string_equal(verdict("owner", number(-1)),
	                    "owner: -1 does not start like a name, expected a name or number");
}

static void field_check_wants_quotes_only_of_yaml(void **state)
{
	struct value value = value_string("0644");

	(void)state;
	assert_string_equal(verdict("mode", value), "");
	value.at = in_lua;
	assert_string_equal(verdict("mode", value), "");
	value.at = in_yaml;
	assert_string_not_equal(verdict("mode", value), "");
}

static void field_check_does_not_repeat_secrets_or_endless_or_wild_text(void **state)
{
	char *endless = malloc(10000);

	(void)state;
	assert_string_equal(verdict("content", quoted("password\xff")),
	                    "content: text is not UTF-8, expected text");
	memset(endless, 'x', 9999);
	endless[9999] = '\0';
	assert_true(strlen(verdict("mode", quoted(endless))) < 200);
	free(endless);
	assert_string_equal(
	    verdict("target", quoted("/a\x1b[31m")),
	    "target: \"/a\\x1b[31m\" has a control character, expected an absolute path");
}

static struct value list_of(struct arena *arena, size_t n, const char *const *items)
{
	struct value list = value_list();

	list.at = (struct pos){"state/defaults.yaml", 3, 1};
	for (size_t i = 0; i < n; i++) {
		struct value item = text(items[i]);

		item.at.col += (unsigned)i;
		value_append(arena, &list, item);
	}
	return list;
}

static void field_check_points_at_the_faulty_item(void **state)
{
	static const char *const items[] = {"flock", "no blanks", "relatime"};
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value list = list_of(arena, ARRAY_LEN(items), items);
	struct err err;

	(void)state;
	assert_int_equal(field_check(field_find(rows, ARRAY_LEN(rows), "options"), &list, &err),
	                 -ERR_INPUT);
	assert_string_equal(err.text, "options: \"no blanks\" has a blank, expected a mount option");
	assert_int_equal(err.at.col, 10);
	list.items[1] = value_int(5);
	assert_string_equal(verdict("argv", list),
	                    "argv: expected text, found a whole number: write \"5\"");
	list.items[1] = value_string("pin");
	list.items[0] = list.items[2] = value_string("none");
	assert_string_equal(verdict("any", list), "");
}

static void field_check_knows_an_empty_list_of_lua(void **state)
{
	struct value map = value_map();

	(void)state;
	assert_string_equal(verdict("options", value_list()), "");
	assert_string_equal(verdict("options", map), "");
	map.at = in_lua;
	assert_string_equal(verdict("options", map), "");
	map.at = in_yaml;
	assert_string_equal(verdict("options", map),
	                    "options: expected a list of mount options, found a map");
}

static void field_check_bounds_lists_that_are_compared(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value list = value_list();

	(void)state;
	for (size_t i = 0; i < 257; i++) {
		value_append(arena, &list, value_string("x"));
	}
	assert_string_equal(verdict("options", list), "options: expected at most 256 items, found 257");
	assert_string_equal(verdict("argv", list), "");
	list.count--;
	assert_string_equal(verdict("options", list), "");
}

static void field_check_type_leaves_the_text_to_the_machine(void **state)
{
	struct value odd = value_string("not/absolute \x01"), truth = value_bool(true);
	struct value list = value_list(), item = value_int(1);
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct err err;

	(void)state;
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "target"), &odd, &err), 0);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "target"), &truth, &err),
	                 -ERR_INPUT);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "options"), &list, &err),
	                 0);
	value_append(arena, &list, item);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "options"), &list, &err),
	                 -ERR_INPUT);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "jobs"), &item, &err), 0);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "force"), &truth, &err), 0);
	assert_int_equal(field_check_type(field_find(rows, ARRAY_LEN(rows), "force"), &item, &err),
	                 -ERR_INPUT);
}

static void field_expectation_names_bounds_and_choices(void **state)
{
	static const struct {
		const char *name, *expectation;
	} expected[] = {
	    {"source", "text on one line"},
	    {"options", "a list of mount options"},
	    {"strategy", "one of pin, follow, none"},
	    {"any", "a list of any of pin, follow, none"},
	    {"per_day", "a whole number from 1 to 24"},
	    {"jobs", "a whole number"},
	    {"force", "true or false"},
	};
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct field *field = field_find(rows, ARRAY_LEN(rows), expected[i].name);

		assert_string_equal(field_expectation(field, arena), expected[i].expectation);
	}
}

static void field_nearest_helps_with_a_slip(void **state)
{
	(void)state;
	assert_string_equal(field_nearest(rows, ARRAY_LEN(rows), "optoins"), "options");
	assert_null(field_nearest(rows, ARRAY_LEN(rows), "nothing_like_it"));
	assert_null(field_nearest(NULL, 0, "options"));
	assert_null(field_find(rows, ARRAY_LEN(rows), "optoins"));
}

/* A value of the row's type that no other call makes. */
static struct value sample(struct arena *arena, const struct field *field, int64_t i)
{
	struct value list = value_list();

	switch (field->type) {
	case FIELD_TEXT:
		return value_string(arena_printf(arena, "%s-%d", field->name, (int)i));
	case FIELD_NUMBER:
		return value_int(i - 3);
	case FIELD_TRUTH:
		return value_bool(i % 2);
	case FIELD_LIST:
		for (int64_t k = 0; k < i % 4; k++) {
			value_append(arena, &list,
			             value_string(arena_printf(arena, "%s-%d", field->name, (int)k)));
		}
		break;
	}
	return list;
}

static void field_of_each_kind_survives_set_and_get(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	int64_t count = 0;

	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];
		struct resource *r = resource_create(arena, kind, "key");
		struct value *put = arena_array(arena, kind->field_count, sizeof *put);

		for (size_t f = 0; f < kind->field_count; f++) {
			assert_false(field_is_set(&kind->fields[f], r));
			assert_int_equal(field_get(&kind->fields[f], r, arena).type, VALUE_NULL);
			put[f] = sample(arena, &kind->fields[f], count++);
			field_set(&kind->fields[f], r, &put[f], arena);
		}
		for (size_t f = 0; f < kind->field_count; f++) {
			struct value got = field_get(&kind->fields[f], r, arena), nothing = value_null();

			assert_true(field_is_set(&kind->fields[f], r));
			assert_true(value_equal(&got, &put[f]));
			field_set(&kind->fields[f], r, &nothing, arena);
			assert_false(field_is_set(&kind->fields[f], r));
		}
		assert_string_equal(r->key, "key");
		assert_ptr_equal(r->kind, kind);
	}
}

static void field_set_takes_a_number_for_a_text(void **state)
{
	const struct kind *kind = &kind_table[KIND_FILE];
	const struct field *field = field_find(kind->fields, kind->field_count, "owner");
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct resource *r = resource_create(arena, kind, "/a");
	struct value value = value_int(1000);

	(void)state;
	field_set(field, r, &value, arena);
	assert_string_equal(r->file.owner, "1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(field_check_takes_what_is_right),
	    cmocka_unit_test(field_check_says_what_is_wrong_and_what_was_expected),
	    cmocka_unit_test(field_check_wants_quotes_only_of_yaml),
	    cmocka_unit_test(field_check_does_not_repeat_secrets_or_endless_or_wild_text),
	    cmocka_unit_test(field_check_points_at_the_faulty_item),
	    cmocka_unit_test(field_check_knows_an_empty_list_of_lua),
	    cmocka_unit_test(field_check_bounds_lists_that_are_compared),
	    cmocka_unit_test(field_check_type_leaves_the_text_to_the_machine),
	    cmocka_unit_test(field_expectation_names_bounds_and_choices),
	    cmocka_unit_test(field_nearest_helps_with_a_slip),
	    cmocka_unit_test(field_of_each_kind_survives_set_and_get),
	    cmocka_unit_test(field_set_takes_a_number_for_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
