// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#define WANT(rest) "{\"kind\": \"hold\", \"package\": \"tool\"" rest "}"
#define HAVE(rest) "{\"kind\": \"hold\", \"key\": \"tool\"" rest "}"

static void a_hold_is_there_or_not(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(compare(WANT(""), HAVE(", \"selection\": \"hold\"")).outcome, OUTCOME_KEPT);
	v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"selection\": \"install\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_CREATE);
	assert_string_equal(changes(&v, "state"), "not held > held");
	v = compare(WANT(", \"state\": \"absent\""), HAVE(""));
	assert_int_equal(v.action, ACTION_REMOVE);
	assert_string_equal(changes(&v, "state"), "held > not held");
	assert_int_equal(
	    compare(WANT(", \"state\": \"absent\""), HAVE(", \"state\": \"absent\"")).outcome,
	    OUTCOME_KEPT);
}

static void what_is_held_is_also_marked_as_wanted_by_somebody(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(compare(WANT(""), HAVE(", \"manual\": true")).outcome, OUTCOME_KEPT);
	v = compare(WANT(""), HAVE(", \"manual\": false"));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "manual"), "automatic > manual");
	assert_string_equal(changes(&v, "state"), "");
	v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"manual\": false"));
	assert_int_equal(v.action, ACTION_CREATE);
	assert_string_equal(changes(&v, "manual"), "automatic > manual");
}

static void the_mark_can_be_wanted_otherwise_and_stays_when_the_hold_is_lifted(void **state)
{
	struct verdict v = compare(WANT(", \"manual\": false"), HAVE(", \"manual\": true"));

	(void)state;
	assert_string_equal(changes(&v, "manual"), "manual > automatic");
	v = compare(WANT(", \"state\": \"absent\""), HAVE(", \"manual\": false"));
	assert_int_equal(v.action, ACTION_REMOVE);
	assert_string_equal(changes(&v, "manual"), "");
	v = compare(WANT(", \"state\": \"absent\", \"manual\": false"),
	            HAVE(", \"state\": \"absent\", \"manual\": true"));
	assert_int_equal(v.action, ACTION_UPDATE);
}

static void what_apt_does_not_know_cannot_be_held(void **state)
{
	struct verdict v =
	    compare(WANT(""), HAVE(", \"state\": \"absent\", \"obstacle\": \"unknown\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "unknown");
}

static void the_package_comes_first(void **state)
{
	struct keys ids;

	(void)state;
	converge_needs(arena, converging_want(arena, WANT("")), &ids);
	assert_int_equal(ids.count, 1);
	assert_string_equal(ids.list[0], "package:tool");
}

static void the_selection_of_this_machine_can_be_read(void **state)
{
	const struct resource *have = fact(KIND_HOLD, "dpkg");

	(void)state;
	if (have->state == STATE_UNDETERMINED) {
		assert_has(have->why, "dpkg");
		skip();
	}
	assert_non_null(have->hold.selection);
	assert_int_equal(fact(KIND_HOLD, "no-such-package")->state, STATE_ABSENT);
	assert_null(fact(KIND_HOLD, "no-such-package")->hold.obstacle);
}

static void release(void)
{
	TOOL("apt-mark", "unhold", "tool");
}

static void hold(void)
{
	TOOL("apt-mark", "hold", "tool");
}

static void release_automatic(void)
{
	TOOL("apt-mark", "unhold", "tool");
	TOOL("apt-mark", "auto", "tool");
}

static void hold_automatic(void)
{
	TOOL("apt-mark", "hold", "tool");
	TOOL("apt-mark", "auto", "tool");
}

static void the_mark_of_an_automatic_package_is_found(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	TOOL("apt-get", "-y", "install", "tool", "whole");
	TOOL("apt-mark", "auto", "tool");
	TOOL("apt-mark", "auto", "dpkg"); /* one that is not for all architectures */
	assert_false(fact(KIND_HOLD, "tool")->hold.manual.value);
	assert_false(fact(KIND_HOLD, "part")->hold.manual.value);
	assert_false(fact(KIND_HOLD, "dpkg")->hold.manual.value);
	assert_true(fact(KIND_HOLD, "dpkg")->hold.manual.set);
	assert_true(fact(KIND_HOLD, "whole")->hold.manual.value);
	assert_false(fact(KIND_HOLD, "no-such-package")->hold.manual.set);
	TOOL("apt-get", "-y", "remove", "tool");
	assert_false(fact(KIND_HOLD, "tool")->hold.manual.set);
	TOOL("apt-get", "-y", "install", "tool");
	assert_true(fact(KIND_HOLD, "tool")->hold.manual.value);
	hold_automatic();
	if (converging_apply(arena, &host_linux_ops,
	                     converging_want(arena, WANT(", \"state\": \"absent\"")),
	                     &why) != OUTCOME_CHANGED) {
		fail_msg("%s", why ? why : "");
	}
	assert_false(fact(KIND_HOLD, "tool")->hold.manual.value);
}

static void of_a_name_that_nobody_has_nothing_else_is_held(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	TOOL("apt-get", "-y", "install", "tool");
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops,
	                     converging_want(arena, "{\"kind\": \"hold\", \"package\": \"too.\"}"),
	                     &why),
	    OUTCOME_BLOCKED);
	assert_has(why, "neither installed nor published");
	assert_int_equal(fact(KIND_HOLD, "tool")->state, STATE_ABSENT);
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	TOOL("apt-get", "-y", "install", "tool");
	converging_sweep(WANT(""), release, "/var/lib/dpkg/status");
	converging_sweep(WANT(", \"state\": \"absent\""), hold, "/var/lib/dpkg/status");
	converging_sweep(WANT(""), hold_automatic, "/var/lib/apt/extended_states");
	converging_sweep(WANT(""), release_automatic, "/var/lib/apt/extended_states");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_hold_is_there_or_not),
	    TEST(what_is_held_is_also_marked_as_wanted_by_somebody),
	    TEST(the_mark_can_be_wanted_otherwise_and_stays_when_the_hold_is_lifted),
	    TEST(what_apt_does_not_know_cannot_be_held),
	    TEST(the_package_comes_first),
	    TEST(the_selection_of_this_machine_can_be_read),
	    TEST(the_mark_of_an_automatic_package_is_found),
	    TEST(of_a_name_that_nobody_has_nothing_else_is_held),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
