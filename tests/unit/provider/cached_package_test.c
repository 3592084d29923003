// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#define WANT(rest) "{\"kind\": \"cached_package\", \"name\": \"whole\"" rest "}"
#define HAVE(rest) "{\"kind\": \"cached_package\", \"key\": \"whole\"" rest "}"

static void what_is_kept_stays_until_a_better_one_is_found(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(compare(WANT(""), HAVE(", \"version\": \"1\"")).outcome, OUTCOME_KEPT);
	v = compare(WANT(""), HAVE(", \"version\": \"1\", \"candidate\": \"2\""));
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "version"), "1 > 2");
	v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"candidate\": \"2\""));
	assert_int_equal(v.action, ACTION_CREATE);
	v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"obstacle\": \"no index\""));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "no index");
	assert_int_equal(v.differences.count, 1); /* that it is not there, and no version it could be */
	v = compare(WANT(""),
	            HAVE(", \"version\": \"1\", \"candidate\": \"1\", \"damaged\": \"x is gone\""));
	assert_string_equal(changes(&v, "damaged"), "x is gone > fetched again");
	v = compare(WANT(", \"state\": \"absent\""), HAVE(", \"version\": \"1\""));
	assert_int_equal(v.action, ACTION_REMOVE);
	assert_int_equal(
	    compare(WANT(", \"state\": \"absent\""), HAVE(", \"state\": \"absent\"")).outcome,
	    OUTCOME_KEPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_kept_stays_until_a_better_one_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
