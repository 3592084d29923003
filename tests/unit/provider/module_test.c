// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <unistd.h>

#define WANT(rest) "{\"kind\": \"module\", \"name\": \"lustre\"" rest "}"
#define HAVE(rest) "{\"kind\": \"module\", \"key\": \"lustre\"" rest "}"

static void what_is_nowhere_is_absent_and_it_is_said_why(void **state)
{
	const struct resource *have = fact(KIND_MODULE, "no_such_module");

	(void)state;
	if (have->state == STATE_UNDETERMINED) {
		assert_has(have->why, "libkmod");
		skip();
	}
	assert_int_equal(have->state, STATE_ABSENT);
	assert_non_null(have->module.obstacle);
	if (access("/proc/modules", F_OK)) {
		assert_string_equal(have->module.obstacle,
		                    "the running kernel loads no modules: all it has is built in");
	}
}

static void what_is_built_in_is_loaded(void **state)
{
	struct verdict v =
	    compare(WANT(", \"loaded\": true"), HAVE(", \"loaded\": true, \"builtin\": true"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	if (access("/sys/module/kernel", F_OK) == 0) {
		assert_true(fact(KIND_MODULE, "kernel")->module.builtin.value);
	}
}

static void loading_is_not_in_this_version(void **state)
{
	struct verdict v =
	    compare(WANT(", \"loaded\": true"), HAVE(", \"loaded\": false, \"file\": \"/x.ko\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "loading modules is not in this version of reconcile");
	v = compare(WANT(", \"loaded\": true"),
	            HAVE(", \"state\": \"absent\", \"obstacle\": "
	                 "\"there is no such module for the running kernel 1\""));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why,
	                    "there is no such module for the running kernel 1; loading modules is "
	                    "not in this version of reconcile");
}

static void unloading_and_parameters_are_not_in_this_version(void **state)
{
	struct verdict v = compare(WANT(", \"state\": \"absent\""), HAVE(", \"loaded\": true"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "unloading modules is not in this version");
	v = compare(WANT(", \"loaded\": true, \"parameters\": [\"debug=1\"]"),
	            HAVE(", \"loaded\": true, \"parameters\": [\"debug=0\"]"));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "changing modules is not in this version");
	assert_string_equal(changes(&v, "parameters"), "debug=0 > debug=1");
}

static void wanted_absent_means_not_in_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(
	    compare(WANT(", \"state\": \"absent\""), HAVE(", \"state\": \"absent\"")).outcome,
	    OUTCOME_KEPT);
	assert_int_equal(
	    compare(WANT(", \"state\": \"absent\""), HAVE(", \"loaded\": false, \"file\": \"/x.ko\""))
	        .outcome,
	    OUTCOME_KEPT);
}

static void one_that_is_older_than_its_file_waits_for_a_reboot(void **state)
{
	const char *old =
	    HAVE(", \"loaded\": true, \"version\": \"2.15.5\", \"file_version\": \"2.15.6\"");
	struct verdict v = compare(WANT(", \"loaded\": true"), old);

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "a newer module (2.15.6) is on disk: a reboot is needed");
	assert_true(v.marks & MARK_NEEDS_REBOOT);
	v = compare(WANT(", \"loaded\": true, \"version\": \"2.15.6\""), old);
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	v = compare(WANT(", \"loaded\": true, \"version\": \"2.16.*\""), old);
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	v = compare(WANT(", \"loaded\": true"),
	            HAVE(", \"loaded\": true, \"version\": \"2.15.6\", \"file_version\": \"2.15.6\""));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
}

static void loaded_ones_are_listed(void **state)
{
	(void)state;
	assert_true((keys_of(KIND_MODULE).count == 0) == (access("/proc/modules", F_OK) != 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_nowhere_is_absent_and_it_is_said_why),
	    TEST(what_is_built_in_is_loaded),
	    TEST(loading_is_not_in_this_version),
	    TEST(unloading_and_parameters_are_not_in_this_version),
	    TEST(wanted_absent_means_not_in_the_kernel),
	    TEST(one_that_is_older_than_its_file_waits_for_a_reboot),
	    TEST(loaded_ones_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
