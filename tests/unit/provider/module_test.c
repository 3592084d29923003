// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <unistd.h>

#define WANT(rest) "{\"kind\": \"module\", \"name\": \"lustre\"" rest "}"
#define HAVE(rest) "{\"kind\": \"module\", \"key\": \"lustre\"" rest "}"

#define LOADED ", \"loaded\": true"
#define NOT_LOADED ", \"loaded\": false, \"file\": \"/x.ko\""
#define DEBUG_ONE ", \"parameters\": [\"debug=1\"]"

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
	struct verdict v = compare(WANT(LOADED), HAVE(LOADED ", \"builtin\": true"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	if (access("/sys/module/kernel", F_OK) == 0) {
		assert_true(fact(KIND_MODULE, "kernel")->module.builtin.value);
	}
}

static void one_that_is_there_is_loaded(void **state)
{
	struct verdict v = compare(WANT(LOADED), HAVE(NOT_LOADED));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "loaded"), "no > yes");
	assert_string_equal(changes(&v, "index"), "");
	/* What depmod has not seen costs one more step, and it is shown. */
	v = compare(WANT(LOADED), HAVE(NOT_LOADED ", \"needs_depmod\": true"));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "index"), "does not know it > made by depmod");
}

static void one_that_could_not_load_is_blocked_with_the_reason(void **state)
{
	struct verdict v = compare(
	    WANT(LOADED), HAVE(", \"state\": \"absent\", \"obstacle\": \"there is no module lustre\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "there is no module lustre");
}

static void one_of_another_version_is_not_loaded(void **state)
{
	struct verdict v = compare(WANT(LOADED ", \"version\": \"2.15.*\""),
	                           HAVE(NOT_LOADED ", \"file_version\": \"2.12.8\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "its file has the version 2.12.8, wanted is 2.15.*");
	v = compare(WANT(LOADED ", \"version\": \"2.15.*\""),
	            HAVE(NOT_LOADED ", \"file_version\": \"2.15.6\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
}

static void a_blacklist_holds_until_it_is_spoken_of(void **state)
{
	const char *black = HAVE(
	    NOT_LOADED ", \"blacklisted\": true, \"blacklisted_by\": \"/etc/modprobe.d/a.conf:3\"");
	struct verdict v = compare(WANT(LOADED), black);

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "it is blacklisted by /etc/modprobe.d/a.conf:3");
	v = compare(WANT(LOADED ", \"blacklisted\": true"), black);
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	/* Somebody else's line is not ours to take away; our own is. */
	v = compare(WANT(LOADED ", \"blacklisted\": false"), black);
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "/etc/modprobe.d/a.conf:3 blacklists it");
	v = compare(WANT(LOADED ", \"blacklisted\": false"),
	            HAVE(NOT_LOADED ", \"blacklisted\": true, \"blacklisted_by\": "
	                            "\"/etc/modprobe.d/reconcile-lustre.conf:2\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
}

static void one_that_is_used_or_a_file_system_stays(void **state)
{
	struct verdict v =
	    compare(WANT(", \"state\": \"absent\""), HAVE(LOADED ", \"obstacle\": \"it is in use\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "it is in use");
	v = compare(WANT(", \"loaded\": false"), HAVE(LOADED));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	v = compare(WANT(", \"state\": \"absent\""), HAVE(LOADED));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_REMOVE);
}

static void wanted_absent_means_not_in_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(
	    compare(WANT(", \"state\": \"absent\""), HAVE(", \"state\": \"absent\"")).outcome,
	    OUTCOME_KEPT);
	assert_int_equal(compare(WANT(", \"state\": \"absent\""), HAVE(NOT_LOADED)).outcome,
	                 OUTCOME_KEPT);
}

static void other_parameters_are_written_and_wait_for_a_reboot(void **state)
{
	const char *want = WANT(LOADED DEBUG_ONE);
	struct verdict v =
	    compare(want, HAVE(LOADED ", \"parameters\": [\"debug=0\"], \"options\": []"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.marks, 0);
	assert_string_equal(changes(&v, "parameters"), "debug=0 > debug=1");
	assert_string_equal(changes(&v, "options"), " > debug=1");
	v = compare(want, HAVE(LOADED ", \"parameters\": [\"debug=0\"], \"options\": [\"debug=1\"]"));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_true(v.marks & MARK_NEEDS_REBOOT);
	v = compare(want, HAVE(LOADED ", \"parameters\": [\"debug=1\"], \"options\": [\"debug=1\"]"));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	/* What cannot be read says nothing. */
	v = compare(want, HAVE(LOADED ", \"parameters\": [], \"options\": [\"debug=1\"]"));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(want, HAVE(LOADED ", \"builtin\": true, \"parameters\": [\"debug=0\"], "
	                              "\"options\": []"));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "kernel's command line");
}

static void one_that_is_older_than_its_file_waits_for_a_reboot(void **state)
{
	const char *old = HAVE(LOADED ", \"version\": \"2.15.5\", \"file_version\": \"2.15.6\"");
	struct verdict v = compare(WANT(LOADED), old);

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "another module (2.15.6) is on disk: a reboot is needed");
	assert_true(v.marks & MARK_NEEDS_REBOOT);
	v = compare(WANT(LOADED ", \"version\": \"2.15.6\""), old);
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	v = compare(WANT(LOADED ", \"version\": \"2.16.*\""), old);
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	v = compare(WANT(LOADED),
	            HAVE(LOADED ", \"version\": \"2.15.6\", \"file_version\": \"2.15.6\""));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(WANT(LOADED), HAVE(LOADED ", \"outdated\": \"it was loaded from other sources\""));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_string_equal(v.why, "it was loaded from other sources: a reboot is needed");
}

static void a_parameter_that_would_be_taken_apart_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(converge_check(recorded(HAVE(LOADED ", \"parameters\": [\"a='1\"]")), &err),
	                 -ERR_INPUT);
	assert_has(err.text, "a='1");
	assert_int_equal(converge_check(recorded(HAVE(LOADED DEBUG_ONE)), &err), 0);
	assert_int_equal(converge_check(recorded(HAVE(", \"loaded\": false" DEBUG_ONE)), &err),
	                 -ERR_INPUT);
}

/* After what is predicted nothing is left to do, or what was said to be left. */
static void what_is_predicted_settles(void **state)
{
	static const struct {
		const char *want, *have;
		enum outcome after;
	} cases[] = {
	    {WANT(LOADED), HAVE(NOT_LOADED ", \"needs_depmod\": true"), OUTCOME_KEPT},
	    {WANT(LOADED ", \"version\": \"2.15.*\""),
	     HAVE(NOT_LOADED ", \"file_version\": \"2.15.6\""), OUTCOME_KEPT},
	    {WANT(LOADED DEBUG_ONE), HAVE(NOT_LOADED ", \"options\": []"), OUTCOME_KEPT},
	    {WANT(LOADED DEBUG_ONE), HAVE(LOADED ", \"parameters\": [\"debug=0\"], \"options\": []"),
	     OUTCOME_PENDING},
	    {WANT(", \"state\": \"absent\""), HAVE(LOADED), OUTCOME_KEPT},
	    {WANT(", \"loaded\": false, \"blacklisted\": true"), HAVE(LOADED), OUTCOME_KEPT},
	    {WANT(", \"blacklisted\": true"), HAVE(", \"state\": \"absent\""), OUTCOME_KEPT},
	    {WANT(", \"blacklisted\": false"),
	     HAVE(NOT_LOADED ", \"blacklisted\": true, \"blacklisted_by\": "
	                     "\"/etc/modprobe.d/reconcile-lustre.conf:2\""),
	     OUTCOME_KEPT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct resource *want = converging_want(arena, cases[i].want);
		struct change change = {.kind = want->kind, .want = want, .have = recorded(cases[i].have)};
		struct verdict v;
		bool exact;

		converge_diff(arena, want, change.have, &v);
		assert_int_equal(v.outcome, OUTCOME_CHANGE);
		change.action = v.action;
		v = (struct verdict){0};
		converge_diff(arena, want, converge_predict(arena, &change, &exact), &v);
		if (!exact || v.outcome != cases[i].after) {
			fail_msg("%s: %s", cases[i].want, outcome_name(v.outcome));
		}
	}
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
	    TEST(one_that_is_there_is_loaded),
	    TEST(one_that_could_not_load_is_blocked_with_the_reason),
	    TEST(one_of_another_version_is_not_loaded),
	    TEST(a_blacklist_holds_until_it_is_spoken_of),
	    TEST(one_that_is_used_or_a_file_system_stays),
	    TEST(wanted_absent_means_not_in_the_kernel),
	    TEST(other_parameters_are_written_and_wait_for_a_reboot),
	    TEST(one_that_is_older_than_its_file_waits_for_a_reboot),
	    TEST(a_parameter_that_would_be_taken_apart_is_refused),
	    TEST(what_is_predicted_settles),
	    TEST(loaded_ones_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
