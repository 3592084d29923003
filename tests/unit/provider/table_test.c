// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "provider/table.h"

#include <string.h>

static void every_kind_has_its_provider(void **state)
{
	(void)state;
	for (int i = 0; i < KIND_COUNT; i++) {
		assert_non_null(provider_table[i]);
		assert_int_equal(provider_table[i]->kind, i);
		assert_non_null(provider_table[i]->observe);
	}
}

static void what_can_only_be_observed_cannot_be_changed(void **state)
{
	(void)state;
	for (int i = 0; i < KIND_COUNT; i++) {
		if (kind_table[i].traits & KIND_FACT_ONLY) {
			assert_null(provider_table[i]->apply);
		}
	}
}

static void keys_are_copied(void **state)
{
	(void)state;
	char key[] = "/a";
	struct keys keys = {0};

	keys_add(arena, &keys, key);
	key[1] = 'b';
	for (int i = 0; i < 100; i++) {
		keys_add(arena, &keys, key);
	}
	assert_int_equal(keys.count, 101);
	assert_string_equal(keys.list[0], "/a");
	assert_string_equal(keys.list[100], "/b");
	assert_int_equal(err.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_kind_has_its_provider),
	    TEST(what_can_only_be_observed_cannot_be_changed),
	    TEST(keys_are_copied),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
