// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/files.h"

#include <string.h>

static void names_and_numbers_are_both_understood(void **state)
{
	(void)state;
	unsigned id = 7;

	assert_int_equal(files_user("root", &id, &err), 0);
	assert_int_equal(id, 0);
	assert_int_equal(files_user("1234", &id, &err), 0);
	assert_int_equal(id, 1234);
	assert_int_equal(files_group("daemon", &id, &err), 0);
	assert_int_not_equal(id, 0);
	assert_string_equal(files_group_name(id, arena), "daemon");
}

static void who_does_not_exist_is_named(void **state)
{
	(void)state;
	unsigned id;

	assert_int_equal(files_user("nobody-at-all", &id, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "nobody-at-all"));
	assert_int_equal(files_group("12x", &id, &err), -ERR_INPUT);
	assert_int_equal(files_user("4294967295", &id, &err), -ERR_INPUT);
}

static void a_number_without_a_name_stays_one(void **state)
{
	(void)state;
	assert_string_equal(files_user_name(0, arena), "root");
	assert_string_equal(files_user_name(3999999, arena), "3999999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_and_numbers_are_both_understood),
	    TEST(who_does_not_exist_is_named),
	    TEST(a_number_without_a_name_stays_one),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
