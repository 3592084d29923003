// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

static void a_registered_type_is_present(void **state)
{
	const struct resource *have = fact(KIND_FILESYSTEM, "proc");

	(void)state;
	assert_int_equal(have->state, STATE_PRESENT);
	assert_true(have->filesystem.nodev.set && have->filesystem.nodev.value);
}

static void an_unknown_type_is_absent(void **state)
{
	(void)state;
	assert_int_equal(fact(KIND_FILESYSTEM, "no-such-type")->state, STATE_ABSENT);
	assert_int_equal(fact(KIND_FILESYSTEM, "nodev")->state, STATE_ABSENT);
}

static void all_types_are_listed(void **state)
{
	struct keys keys = keys_of(KIND_FILESYSTEM);

	(void)state;
	assert_true(has_key(keys, "proc") && has_key(keys, "tmpfs"));
	assert_false(has_key(keys, "nodev"));
	for (size_t i = 0; i < keys.count; i++) {
		assert_int_equal(fact(KIND_FILESYSTEM, keys.list[i])->state, STATE_PRESENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_registered_type_is_present),
	    TEST(an_unknown_type_is_absent),
	    TEST(all_types_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
