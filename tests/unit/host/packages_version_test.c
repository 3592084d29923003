// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "host/packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void the_order_is_that_of_the_manual(void **state)
{
	/* Each line is in rising order (deb-version(7), Debian policy 5.6.12). */
	static const char *const rising[][2] = {
	    {"~~", "~~a"},
	    {"~~a", "~"},
	    {"~", ""},
	    {"", "a"},
	    {"1.0~rc1", "1.0"},
	    {"1.0", "1.0a"},
	    {"1.0a", "1.0+"},
	    {"1.0-1", "1.0-1.1"},
	    {"1.0-9", "1.0-10"},
	    {"2.15.6-1fsx21", "2.15.6-1fsx25"},
	    {"6.8.0-90-generic", "6.8.0-1039-aws"},
	    {"9", "1:0"},
	    {"1:9", "2:0"},
	    {"1.2-3", "1.2-4"},
	    {"1-2", "1-1-1"},
	    {"99999999999999999998", "99999999999999999999"},
	};
	static const char *const equal[][2] = {
	    {"1.0", "0:1.0"}, {"1.0", "1.0-0"}, {"1.00", "1.0"}, {"01", "1"}, {"1.0-", "1.0"}};

	(void)state;
	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
		if (packages_compare(rising[i][0], rising[i][1]) != -1 ||
		    packages_compare(rising[i][1], rising[i][0]) != 1) {
			fail_msg("%s < %s", rising[i][0], rising[i][1]);
		}
	}
	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
		assert_int_equal(packages_compare(equal[i][0], equal[i][1]), 0);
		assert_int_equal(packages_compare(equal[i][1], equal[i][0]), 0);
	}
}

static bool dpkg_says(const char *a, const char *relation, const char *b)
{
	const char *const argv[] = {"dpkg", "--compare-versions", a, relation, b, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 20000};
	struct child_result result;
	struct err err;

	if (child_run(&command, &result, &err)) {
		print_message("# skip: %s\n", err.text);
		skip();
	}
	child_result_free(&result);
	return result.status == 0;
}

/* A version that dpkg accepts: an upstream part that starts with a digit. */
static void make_version(char *text, unsigned *seed)
{
	static const char bits[] = "0012359aZ.+~-~.";
	size_t n = 1 + (size_t)rand_r(seed) % 7, at = 0;

	if (rand_r(seed) % 4 == 0) {
		at += (size_t)sprintf(text, "%d:", rand_r(seed) % 3);
	}
	text[at++] = (char)('0' + rand_r(seed) % 3);
	while (n-- > 0) {
		text[at++] = bits[(size_t)rand_r(seed) % (sizeof bits - 1)];
	}
	text[at++] = '1'; /* an empty revision is no version */
	text[at] = '\0';
}

static void random_pairs_are_ordered_as_dpkg_does(void **state)
{
	unsigned seed = 20260522;
	char a[32], b[32];

	(void)state;
	for (int i = 0; i < 150; i++) {
		make_version(a, &seed);
		make_version(b, &seed);
		int order = packages_compare(a, b);

		if (!dpkg_says(a, order < 0 ? "lt" : order > 0 ? "gt" : "eq", b)) {
			fail_msg("%s and %s: %d, dpkg says otherwise", a, b, order);
		}
		assert_int_equal(packages_compare(b, a), -order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_order_is_that_of_the_manual),
	    cmocka_unit_test(random_pairs_are_ordered_as_dpkg_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
