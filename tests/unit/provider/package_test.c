// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#define WANT(rest) "{\"kind\": \"package\", \"name\": \"tool\"" rest "}"
#define HAVE(rest) "{\"kind\": \"package\", \"key\": \"tool\"" rest "}"
#define INSTALLED(version) ", \"status\": \"installed\", \"version\": \"" version "\""

static void a_version_is_a_condition_and_no_wish_to_upgrade(void **state)
{
	const char *newer =
	    HAVE(INSTALLED("2.15.6") ", \"candidate\": \"2.15.7\", \"offered\": [\"2.15.7\"]");

	(void)state;
	assert_int_equal(compare(WANT(", \"version\": \"2.15.*\""), newer).outcome, OUTCOME_KEPT);
	assert_int_equal(compare(WANT(""), newer).outcome, OUTCOME_KEPT);
}

static void what_is_installed_is_never_blocked_for_being_unpublished(void **state)
{
	(void)state;
	assert_int_equal(
	    compare(WANT(", \"version\": \"1.*\""), HAVE(INSTALLED("1.0") ", \"offered\": []")).outcome,
	    OUTCOME_KEPT);
}

static void a_change_names_the_version_that_it_brings(void **state)
{
	struct verdict v =
	    compare(WANT(", \"version\": \"2.*\""),
	            HAVE(", \"state\": \"absent\", \"candidate\": \"2.1\", \"offered\": [\"2.1\"]"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_CREATE);
	assert_true(v.marks & MARK_UNDER_JOBS);
	assert_string_equal(changes(&v, "state"), "absent > present");
	assert_string_equal(changes(&v, "version"), " > 2.1");
	v = compare(WANT(", \"version\": \"2.*\""),
	            HAVE(INSTALLED("1.9") ", \"candidate\": \"2.1\", \"offered\": [\"2.1\"]"));
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "version"), "1.9 > 2.1");
	assert_false(v.marks & MARK_DISRUPTIVE);
}

static void going_back_is_disruptive_and_removing_irreversible(void **state)
{
	struct verdict v =
	    compare(WANT(", \"version\": \"1.*\""),
	            HAVE(INSTALLED("2.0") ", \"candidate\": \"1.0\", \"offered\": [\"2.0\", \"1.0\"]"));

	(void)state;
	assert_true(v.marks & MARK_DISRUPTIVE);
	assert_string_equal(changes(&v, "version"), "2.0 > 1.0");
	v = compare(WANT(", \"state\": \"absent\""), HAVE(INSTALLED("2.0")));
	assert_int_equal(v.action, ACTION_REMOVE);
	assert_true(v.marks & MARK_IRREVERSIBLE);
	v = compare(WANT(", \"state\": \"absent\""),
	            HAVE(", \"state\": \"absent\", \"status\": \"config-files\""));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
}

static void what_nobody_offers_is_blocked_by_name(void **state)
{
	struct verdict v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"offered\": []"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "tool is not published: the package index does not have it");
	v = compare(WANT(", \"version\": \"9.*\""),
	            HAVE(INSTALLED("1") ", \"offered\": [\"6\", \"5\", \"4\", \"3\", \"2\", \"1\"]"));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(
	    v.why, "version 9.* is not published: the package index has only 6, 5, 4, 3 and 2 older");
	v = compare(WANT(""), HAVE(", \"state\": \"absent\", \"offered\": [\"6\"]"));
	assert_has(v.why, "apt's preferences allow none of the published versions: 6");
}

static void without_an_index_it_cannot_be_told(void **state)
{
	struct verdict v = compare(WANT(""), HAVE(", \"state\": \"absent\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_UNDETERMINED);
	assert_has(v.why, "there is no package index");
}

static void an_obstacle_blocks(void **state)
{
	struct verdict v =
	    compare(WANT(""), HAVE(", \"state\": \"absent\", \"obstacle\": \"held by 7\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "held by 7");
}

static void what_is_half_configured_is_repaired_in_sight(void **state)
{
	struct verdict v =
	    compare(WANT(""), HAVE(", \"status\": \"half-configured\", \"version\": \"1.0\", "
	                           "\"candidate\": \"1.0\", \"repair\": \"not configured: tool\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "status"), "half-configured > installed");
	assert_string_equal(changes(&v, "version"), "");
	assert_has(changes(&v, "repair"),
	           "not configured: tool > finished by dpkg --configure -a first");
}

static void the_index_comes_first(void **state)
{
	struct keys ids;

	(void)state;
	converge_needs(arena, converging_want(arena, WANT("")), &ids);
	assert_int_equal(ids.count, 1);
	assert_string_equal(ids.list[0], "package_index:apt");
	converge_needs(arena, converging_want(arena, WANT(", \"state\": \"absent\"")), &ids);
	assert_int_equal(ids.count, 0);
}

static void the_version_is_predicted(void **state)
{
	struct resource *want = converging_want(arena, WANT(", \"version\": \"2.*\""));
	struct change change = {
	    .kind = want->kind,
	    .action = ACTION_CREATE,
	    .want = want,
	    .have = recorded(
	        HAVE(", \"state\": \"absent\", \"candidate\": \"2.1\", \"offered\": [\"2.1\"]")),
	};
	bool exact;
	const struct resource *after = converge_predict(arena, &change, &exact);

	(void)state;
	assert_true(exact);
	assert_int_equal(after->state, STATE_PRESENT);
	assert_string_equal(after->package.version, "2.1");
	assert_string_equal(after->package.status, "installed");
	assert_null(after->package.candidate);
}

static void this_machine_can_be_asked(void **state)
{
	const struct resource *have = fact(KIND_PACKAGE, "dpkg");

	(void)state;
	if (have->state == STATE_UNDETERMINED) {
		assert_has(have->why, "dpkg");
		skip();
	}
	assert_int_equal(have->state, STATE_PRESENT);
	assert_non_null(have->package.version);
	assert_null(have->package.candidate);
	assert_int_equal(fact(KIND_PACKAGE, "no-such-package")->state, STATE_ABSENT);
	assert_true(has_key(keys_of(KIND_PACKAGE), "dpkg"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_version_is_a_condition_and_no_wish_to_upgrade),
	    TEST(what_is_installed_is_never_blocked_for_being_unpublished),
	    TEST(a_change_names_the_version_that_it_brings),
	    TEST(going_back_is_disruptive_and_removing_irreversible),
	    TEST(what_nobody_offers_is_blocked_by_name),
	    TEST(without_an_index_it_cannot_be_told),
	    TEST(an_obstacle_blocks),
	    TEST(what_is_half_configured_is_repaired_in_sight),
	    TEST(the_index_comes_first),
	    TEST(the_version_is_predicted),
	    TEST(this_machine_can_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
