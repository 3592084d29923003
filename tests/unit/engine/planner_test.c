// SPDX-License-Identifier: MIT
#include "sample.h"

#include "engine/planner.h"

static struct resource *want_mount(struct sample *s, const char *target)
{
	struct resource *want = sample_want(s, KIND_MOUNT, target)->want;

	want->mount.source = "tmpfs";
	want->mount.type = "tmpfs";
	want->mount.manage = "live";
	return want;
}

static struct resource *live_mount(struct sample *s, const char *target)
{
	struct resource *fact = sample_fact(s, KIND_MOUNT, target, STATE_PRESENT);

	fact->mount.source = "tmpfs";
	fact->mount.type = "tmpfs";
	fact->mount.live = (struct truth){true, true};
	return fact;
}

static void what_is_right_is_kept_and_the_code_is_zero(void **state)
{
	(void)state;
	struct sample s = sample_create();

	sample_want(&s, KIND_DIRECTORY, "/d")->want->directory.mode = "0750";
	sample_fact(&s, KIND_DIRECTORY, "/d", STATE_PRESENT)->directory.mode = "0750";
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(sample_step(&plan, "directory:/d")->outcome, OUTCOME_KEPT);
	assert_int_equal(plan_exit_code(&plan), 0);
	arena_free(s.arena);
}

static void wanting_one_field_two_ways_names_both_lines(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct wanted_set set;
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/d")->want->directory.mode = "0750";
	sample_want(&s, KIND_DIRECTORY, "/d")->want->directory.mode = "0755";
	assert_int_equal(planner_wanted(s.arena, &s.decision, &set, &err), -ERR_POLICY);
	assert_string_equal(err.text,
	                    "directory:/d: mode is wanted with two different values: by policy test "
	                    "(test.lua:1) and by policy test (test.lua:2)");
	assert_string_equal(err.at.file, "test.yaml");
	arena_free(s.arena);
}

static void wants_that_agree_become_one_step_with_two_origins(void **state)
{
	(void)state;
	struct sample s = sample_create();

	sample_want(&s, KIND_DIRECTORY, "/d")->want->directory.mode = "0750";
	sample_want(&s, KIND_DIRECTORY, "/d")->want->directory.owner = "root";
	sample_fact(&s, KIND_DIRECTORY, "/d", STATE_ABSENT);
	struct plan plan = sample_plan(&s, &sample_open_gate);
	const struct step *step = sample_step(&plan, "directory:/d");

	assert_int_equal(plan.step_count, 1);
	assert_int_equal(step->origin_count, 2);
	assert_string_equal(step->want->directory.mode, "0750");
	assert_string_equal(step->want->directory.owner, "root");
	assert_int_equal(step->action, ACTION_CREATE);
	assert_int_equal(plan_exit_code(&plan), 2);
	arena_free(s.arena);
}

static void what_lies_on_a_mount_to_come_is_known_after_it(void **state)
{
	(void)state;
	struct sample s = sample_create();

	want_mount(&s, "/m");
	sample_fact(&s, KIND_MOUNT, "/m", STATE_ABSENT);
	sample_want(&s, KIND_DIRECTORY, "/m/d");
	sample_fact(&s, KIND_DIRECTORY, "/m/d", STATE_PRESENT); /* on what lies beneath: says nothing */
	struct plan plan = sample_plan(&s, &sample_open_gate);
	const struct step *step = sample_step(&plan, "directory:/m/d");

	assert_int_equal(step->outcome, OUTCOME_CHANGE);
	assert_true(step->marks & MARK_AFTER_MOUNT);
	assert_true(sample_position(&plan, "mount:/m") < sample_position(&plan, "directory:/m/d"));
	arena_free(s.arena);
}

static void what_lies_on_a_mount_that_cannot_come_is_blocked(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct note block = {.rule = "no-module",
	                     .resource = "mount:/m",
	                     .origin = {.policy = "test", .reason = "no module"}};

	want_mount(&s, "/m");
	sample_fact(&s, KIND_MOUNT, "/m", STATE_ABSENT);
	sample_want(&s, KIND_DIRECTORY, "/m/d");
	sample_fact(&s, KIND_DIRECTORY, "/m/d", STATE_ABSENT);
	s.decision.blocks = &block;
	s.decision.block_count = 1;
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(sample_step(&plan, "mount:/m")->outcome, OUTCOME_BLOCKED);
	assert_string_equal(sample_step(&plan, "mount:/m")->why, "no module");
	assert_int_equal(sample_step(&plan, "directory:/m/d")->outcome, OUTCOME_BLOCKED);
	assert_string_equal(sample_step(&plan, "directory:/m/d")->why,
	                    "lies on mount:/m, which is not mounted");
	assert_int_equal(plan_exit_code(&plan), 4);
	arena_free(s.arena);
}

static void what_lies_on_a_live_mount_is_compared(void **state)
{
	(void)state;
	struct sample s = sample_create();

	want_mount(&s, "/m");
	live_mount(&s, "/m");
	sample_want(&s, KIND_DIRECTORY, "/m/d")->want->directory.mode = "0755";
	sample_fact(&s, KIND_DIRECTORY, "/m/d", STATE_PRESENT)->directory.mode = "0700";
	struct plan plan = sample_plan(&s, &sample_open_gate);
	const struct step *step = sample_step(&plan, "directory:/m/d");

	assert_int_equal(step->outcome, OUTCOME_CHANGE);
	assert_int_equal(step->differences.count, 1);
	assert_string_equal(step->differences.list[0].from, "0700");
	arena_free(s.arena);
}

static void a_fact_that_was_not_recorded_is_undetermined_and_stops_what_needs_it(void **state)
{
	(void)state;
	struct sample s = sample_create();

	sample_want(&s, KIND_DIRECTORY, "/d");
	sample_want(&s, KIND_FILE, "/d/f");
	sample_fact(&s, KIND_FILE, "/d/f", STATE_ABSENT);
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(sample_step(&plan, "directory:/d")->outcome, OUTCOME_UNDETERMINED);
	assert_int_equal(sample_step(&plan, "file:/d/f")->outcome, OUTCOME_BLOCKED);
	assert_int_equal(plan_exit_code(&plan), 6);
	arena_free(s.arena);
}

static void only_brings_along_what_is_needed(void **state)
{
	(void)state;
	struct sample s = sample_create();
	const char *const only[] = {"file:/d/f", NULL};
	struct gate gate = sample_open_gate;

	gate.only = only;
	sample_want(&s, KIND_DIRECTORY, "/d");
	sample_want(&s, KIND_FILE, "/d/f");
	sample_want(&s, KIND_FILE, "/d/g");
	sample_fact(&s, KIND_DIRECTORY, "/d", STATE_ABSENT);
	sample_fact(&s, KIND_FILE, "/d/f", STATE_ABSENT);
	sample_fact(&s, KIND_FILE, "/d/g", STATE_ABSENT);
	struct plan plan = sample_plan(&s, &gate);

	assert_int_equal(sample_step(&plan, "directory:/d")->outcome, OUTCOME_CHANGE);
	assert_int_equal(sample_step(&plan, "file:/d/f")->outcome, OUTCOME_CHANGE);
	assert_int_equal(sample_step(&plan, "file:/d/g")->outcome, OUTCOME_SKIPPED);
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_right_is_kept_and_the_code_is_zero),
	    cmocka_unit_test(wanting_one_field_two_ways_names_both_lines),
	    cmocka_unit_test(wants_that_agree_become_one_step_with_two_origins),
	    cmocka_unit_test(what_lies_on_a_mount_to_come_is_known_after_it),
	    cmocka_unit_test(what_lies_on_a_mount_that_cannot_come_is_blocked),
	    cmocka_unit_test(what_lies_on_a_live_mount_is_compared),
	    cmocka_unit_test(a_fact_that_was_not_recorded_is_undetermined_and_stops_what_needs_it),
	    cmocka_unit_test(only_brings_along_what_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
