// SPDX-License-Identifier: MIT
/* Settings of modules, as the kernel takes and shows them. */
#include "model/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void settings_are_compared_by_what_they_mean(void **state)
{
	static const struct {
		const char *wanted, *observed;
		bool agree;
	} cases[] = {
	    {"a=1", "a=1", true},  {"a=1", "a=Y", true},     {"a=y", "a=Y", true},
	    {"a", "a=Y", true},    {"a=0", "a=N", true},     {"a=1", "a=N", false},
	    {"a=2", "a=Y", false}, {"a=0x10", "a=16", true}, {"a=x", "a=y", false},
	    {"a=", "a=0", false},  {"a=010", "a=8", true},   {"a=1", "a=", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (setting_agrees(cases[i].wanted, cases[i].observed) != cases[i].agree) {
			fail_msg("%s %s", cases[i].wanted, cases[i].observed);
		}
	}
}

static void a_truth_is_read_by_its_first_letter_as_the_kernel_does(void **state)
{
	static const char *const yes[] = {"yes", "Yes", "true", "TRUE", "on", "oN", "On", "10", "t"};
	static const char *const no[] = {"no", "NO", "false", "off", "oF", "OFF", "Of", "00", "f"};
	static const char *const neither[] = {"", "o", "O1", "2", "x", "-1", " y"};
	char wanted[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		snprintf(wanted, sizeof wanted, "d=%s", yes[i]);
		assert_true(setting_agrees(wanted, "d=Y"));
		assert_false(setting_agrees(wanted, "d=N"));
		snprintf(wanted, sizeof wanted, "d=%s", no[i]);
		assert_true(setting_agrees(wanted, "d=N"));
		assert_false(setting_agrees(wanted, "d=Y"));
	}
	for (size_t i = 0; i < ARRAY_LEN(neither); i++) {
		snprintf(wanted, sizeof wanted, "d=%s", neither[i]);
		assert_false(setting_agrees(wanted, "d=Y"));
		assert_false(setting_agrees(wanted, "d=N"));
	}
	/* What is shown as text is compared as text. */
	assert_false(setting_agrees("d=yes", "d=1"));
	assert_false(setting_agrees("d=yes", "d=y"));
}

static void the_last_setting_of_a_name_counts_by_either_dash(void **state)
{
	const char *const items[] = {"b=1", "c-d=2", "b=3", "e"};
	const struct list list = {.set = true, .count = ARRAY_LEN(items), .items = items};

	(void)state;
	assert_string_equal(setting_find(&list, "b=9"), "b=3");
	assert_string_equal(setting_find(&list, "c_d"), "c-d=2");
	assert_string_equal(setting_find(&list, "e=1"), "e");
	assert_null(setting_find(&list, "c"));
	assert_null(setting_find(&list, "bb=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(settings_are_compared_by_what_they_mean),
	    cmocka_unit_test(a_truth_is_read_by_its_first_letter_as_the_kernel_does),
	    cmocka_unit_test(the_last_setting_of_a_name_counts_by_either_dash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
