// SPDX-License-Identifier: MIT
/* Plain values: making, sealing, finding, comparing, copying. */
#include "base/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct value sample(void)
{
	struct value list = value_list(), map = value_map();

	value_append(arena, &list, value_int(-1));
	value_append(arena, &list, value_null());
	value_put(arena, &map, "zeta", value_bool(true));
	value_put(arena, &map, "alpha", list);
	value_put(arena, &map, "m", value_string("text"));
	return map;
}

static void value_of_no_text_is_null(void **state)
{
	(void)state;
	assert_int_equal(value_string(NULL).type, VALUE_NULL);
	assert_int_equal(value_string("").type, VALUE_STRING);
}

static void value_types_have_names_for_people(void **state)
{
	(void)state;
	assert_string_equal(value_type_name(VALUE_NULL), "nothing");
	assert_string_equal(value_type_name(VALUE_MAP), "a map");
}

static void value_is_found_before_and_after_sealing(void **state)
{
	(void)state;
	struct value map = sample();

	for (int i = 0; i < 2; i++) {
		assert_string_equal(value_text(&map, "m"), "text");
		assert_true(value_truth(&map, "zeta", false));
		assert_int_equal(value_get(&map, "alpha")->items[0].integer, -1);
		assert_null(value_get(&map, "beta"));
		assert_null(value_get(&map, ""));
		value_seal(&map);
	}
	assert_string_equal(map.entries[0].key, "alpha");
	assert_string_equal(map.entries[1].key, "m");
	assert_string_equal(map.entries[2].key, "zeta");
}

static void value_lookups_know_their_type(void **state)
{
	(void)state;
	struct value map = sample(), number = value_int(1), empty = value_map();

	value_put(arena, &map, "n", value_int(7));
	assert_int_equal(value_number(&map, "n", 3), 7);
	assert_int_equal(value_number(&map, "m", 3), 3);
	assert_int_equal(value_number(&map, "none", 3), 3);
	assert_false(value_truth(&map, "n", false));
	assert_true(value_truth(&map, "none", true));
	assert_null(value_text(&map, "n"));
	assert_null(value_get(&number, "n"));
	assert_null(value_get(NULL, "n"));
	value_seal(&empty);
	assert_null(value_get(&empty, "n"));
}

static void value_put_into_a_sealed_map_is_found(void **state)
{
	(void)state;
	struct value map = sample();

	value_seal(&map);
	value_put(arena, &map, "beta", value_int(5));
	assert_int_equal(value_number(&map, "beta", 0), 5);
	value_seal(&map);
	assert_string_equal(map.entries[1].key, "beta");
	assert_int_equal(value_number(&map, "beta", 0), 5);
}

static void value_set_replaces(void **state)
{
	(void)state;
	struct value map = sample(), item = value_int(9);

	item.at.line = 12;
	value_seal(&map);
	value_set(arena, &map, "m", item);
	assert_int_equal(map.count, 3);
	assert_int_equal(value_number(&map, "m", 0), 9);
	assert_int_equal(value_entry(&map, "m")->key_at.line, 12);
	value_set(arena, &map, "new", item);
	assert_int_equal(map.count, 4);
}

static void value_seal_reaches_every_map_below(void **state)
{
	(void)state;
	struct value list = value_list(), outer = value_map();

	value_append(arena, &list, sample());
	value_put(arena, &outer, "list", list);
	value_seal(&outer);
	const struct value *inner = &value_get(&outer, "list")->items[0];

	assert_true(inner->sealed);
	assert_string_equal(inner->entries[0].key, "alpha");
}

static void value_equality_ignores_order_of_keys_places_and_quotes(void **state)
{
	(void)state;
	struct value a = sample(), b = value_map(), text = value_string("text");

	text.at = (struct pos){"f", 1, 1};
	text.quoted = true;
	value_put(arena, &b, "m", text);
	value_put(arena, &b, "zeta", value_bool(true));
	value_put(arena, &b, "alpha", *value_get(&a, "alpha"));
	assert_true(value_equal(&a, &b));
	value_seal(&a);
	assert_true(value_equal(&a, &b));
}

static void value_inequality_is_seen_at_every_depth(void **state)
{
	(void)state;
	struct value a = sample(), b = sample(), one = value_int(1), text = value_string("1");

	value_append(arena, &b.entries[1].value, value_int(3));
	assert_false(value_equal(&a, &b));
	b = sample();
	b.entries[1].value.items[0].integer = 0;
	assert_false(value_equal(&a, &b));
	b = sample();
	value_put(arena, &b, "more", value_null());
	assert_false(value_equal(&a, &b));
	assert_false(value_equal(&b, &a));
	b = sample();
	b.entries[0].key = "zetb";
	assert_false(value_equal(&a, &b));
	assert_false(value_equal(&one, &text));
	b = value_bool(false);
	a = value_null();
	assert_false(value_equal(&a, &b));
}

static void value_copy_outlives_the_original(void **state)
{
	(void)state;
	struct value original = sample(), copy;

	value_put(arena, &original, "empty", value_list());
	value_seal(&original);
	original.entries[0].key_at = (struct pos){"file", 3, 4};
	AUTO(arena_auto) struct arena *other = arena_create();

	copy = value_copy(other, &original);
	assert_true(value_equal(&copy, &original));
	assert_true(copy.sealed);
	assert_int_equal(copy.entries[0].key_at.line, 3);
	arena_free(arena);
	arena = arena_create();
	assert_string_equal(value_text(&copy, "m"), "text");
	value_append(other, &value_set(other, &copy, "empty", value_list())[0], value_int(1));
	for (int i = 0; i < 20; i++) {
		value_put(other, &copy, arena_printf(other, "key%d", i), value_int(i));
	}
	assert_int_equal(value_number(&copy, "key19", 0), 19);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(value_of_no_text_is_null),
	    TEST(value_types_have_names_for_people),
	    TEST(value_is_found_before_and_after_sealing),
	    TEST(value_lookups_know_their_type),
	    TEST(value_put_into_a_sealed_map_is_found),
	    TEST(value_set_replaces),
	    TEST(value_seal_reaches_every_map_below),
	    TEST(value_equality_ignores_order_of_keys_places_and_quotes),
	    TEST(value_inequality_is_seen_at_every_depth),
	    TEST(value_copy_outlives_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
