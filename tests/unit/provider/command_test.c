// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <stdlib.h>
#include <unistd.h>

/* Commands that work on the file "done" in the scratch folder. */
static const char *json(const char *argv, const char *guard)
{
	return arena_printf(arena, "{\"kind\": \"command\", \"name\": \"c\", \"argv\": %s, %s}", argv,
	                    guard);
}

static const char *done(void)
{
	return arena_strdup(arena, scratch_path("done"));
}

static const char *touch(void)
{
	return arena_printf(arena, "[\"touch\", \"%s\"]", done());
}

static const char *creates(void)
{
	return arena_printf(arena, "\"creates\": \"%s\"", done());
}

static const char *unless(void)
{
	return arena_printf(arena, "\"unless\": [\"test\", \"-e\", \"%s\"]", done());
}

static int clean(void **state)
{
	scratch_clear();
	return observing_teardown(state);
}

static void it_runs_until_what_it_creates_is_there(void **state)
{
	(void)state;
	converging_twice(arena, converging_want(arena, json(touch(), creates())), done());
}

static void it_runs_unless_its_guard_holds(void **state)
{
	(void)state;
	converging_twice(arena, converging_want(arena, json(touch(), unless())), done());
}

static void it_is_not_done_when_the_guard_does_not_hold_afterwards(void **state)
{
	(void)state;
	assert_int_equal(converging_apply(arena, &host_linux_ops,
	                                  converging_want(arena, json("[\"true\"]", creates())), NULL),
	                 OUTCOME_FAILED);
}

static void what_it_said_is_kept_when_it_fails(void **state)
{
	const char *argv = "[\"sh\", \"-c\", \"echo out; echo wrong >&2; exit 3\"]", *why;

	(void)state;
	assert_int_equal(converging_apply(arena, &host_linux_ops,
	                                  converging_want(arena, json(argv, creates())), &why),
	                 OUTCOME_FAILED);
	assert_string_equal(why, "sh ended with status 3: wrong");
}

static void a_program_that_is_not_there_is_named(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops,
	                     converging_want(arena, json("[\"/no/such/program\"]", creates())), &why),
	    OUTCOME_FAILED);
	assert_has(why, "/no/such/program");
}

static void a_guard_that_cannot_be_asked_leaves_it_open(void **state)
{
	(void)state;
	struct verdict v = converging_diff(
	    arena, converging_want(arena, json(touch(), "\"unless\": [\"/no/such/guard\"]")));

	assert_int_equal(v.outcome, OUTCOME_UNDETERMINED);
	assert_has(v.why, "/no/such/guard");
	v = converging_diff(
	    arena,
	    converging_want(arena, json(touch(), "\"unless\": [\"sh\", \"-c\", \"kill -9 $$\"]")));
	assert_int_equal(v.outcome, OUTCOME_UNDETERMINED);
	assert_has(v.why, "signal 9");
	assert_int_not_equal(access(done(), F_OK), 0);
}

static void it_gets_no_shell_and_a_clean_environment(void **state)
{
	const char *argv = arena_printf(
	    arena,
	    "[\"sh\", \"-c\", \"[ \\\"$1\\\" = '$HOME;*' ] && [ -z \\\"$LEAK\\\" ] && touch %s\", "
	    "\"_\", \"$HOME;*\"]",
	    done());

	(void)state;
	setenv("LEAK", "1", 1);
	converging_twice(arena, converging_want(arena, json(argv, creates())), done());
}

static void without_a_wish_nothing_can_be_said(void **state)
{
	(void)state;
	assert_int_equal(fact(KIND_COMMAND, "c")->state, STATE_UNDETERMINED);
}

static void without_a_guard_it_is_refused(void **state)
{
	struct resource *want = converging_want(arena, json(touch(), creates()));
	struct err err;

	(void)state;
	want->command.creates = NULL;
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_has(err.text, "needs a guard");
}

static void what_would_run_is_shown(void **state)
{
	(void)state;
	struct verdict v =
	    converging_diff(arena, converging_want(arena, json("[\"a\", \"b c\"]", creates())));

	assert_int_equal(v.action, ACTION_RUN);
	assert_string_equal(changes(&v, "satisfied"), "no > yes, by a b c");
}

static void reset(void)
{
	unlink(scratch_path("done"));
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	const char *both = arena_printf(arena, "%s, %s", creates(), unless());

	converging_sweep(json(touch(), unless()), reset, done());
	converging_sweep(json(touch(), both), reset, done());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_runs_until_what_it_creates_is_there, observing_setup,
	                                    clean),
	    cmocka_unit_test_setup_teardown(it_runs_unless_its_guard_holds, observing_setup, clean),
	    cmocka_unit_test_setup_teardown(it_is_not_done_when_the_guard_does_not_hold_afterwards,
	                                    observing_setup, clean),
	    cmocka_unit_test_setup_teardown(what_it_said_is_kept_when_it_fails, observing_setup, clean),
	    cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_named, observing_setup,
	                                    clean),
	    cmocka_unit_test_setup_teardown(a_guard_that_cannot_be_asked_leaves_it_open,
	                                    observing_setup, clean),
	    cmocka_unit_test_setup_teardown(it_gets_no_shell_and_a_clean_environment, observing_setup,
	                                    clean),
	    TEST(without_a_wish_nothing_can_be_said),
	    TEST(without_a_guard_it_is_refused),
	    TEST(what_would_run_is_shown),
	    cmocka_unit_test_setup_teardown(a_fault_anywhere_is_mended_by_the_next_run, observing_setup,
	                                    clean),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
