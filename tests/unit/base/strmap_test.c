// SPDX-License-Identifier: MIT
/* The table from text to pointer. */
#include "base/strmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void strmap_that_is_empty_has_nothing(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct strmap *map = strmap_create(arena);

	assert_null(strmap_get(map, ""));
	assert_null(strmap_get(map, "a"));
	assert_int_equal(strmap_count(map), 0);
}

static void strmap_replaces_and_hands_back_the_old(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct strmap *map = strmap_create(arena);
	char first, second, key[] = "key";

	assert_null(strmap_put(map, "key", &first));
	assert_null(strmap_put(map, "", &second));
	assert_ptr_equal(strmap_get(map, key), &first);
	assert_ptr_equal(strmap_put(map, key, &second), &first);
	assert_ptr_equal(strmap_get(map, "key"), &second);
	assert_ptr_equal(strmap_get(map, ""), &second);
	assert_int_equal(strmap_count(map), 2);
}

static void strmap_finds_each_of_many_in_the_order_of_adding(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct strmap *map = strmap_create(arena);

	for (uintptr_t i = 1; i <= MANY; i++) {
		assert_null(strmap_get(map, "none")); /* a full table would look for ever */
		assert_null(
		    strmap_put(map, arena_printf(arena, "mount:/data/%ju", (uintmax_t)i), (void *)i));
	}
	assert_int_equal(strmap_count(map), MANY);
	for (uintptr_t i = 1; i <= MANY; i++) {
		const char *key = arena_printf(arena, "mount:/data/%ju", (uintmax_t)i);

		assert_int_equal((uintptr_t)strmap_get(map, key), i);
		assert_string_equal(strmap_key(map, i - 1), key);
		assert_int_equal((uintptr_t)strmap_value(map, i - 1), i);
	}
	assert_null(strmap_get(map, "mount:/data/0"));
	assert_null(strmap_get(map, "mount:/data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strmap_that_is_empty_has_nothing),
	    cmocka_unit_test(strmap_replaces_and_hands_back_the_old),
	    cmocka_unit_test(strmap_finds_each_of_many_in_the_order_of_adding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
