// SPDX-License-Identifier: MIT
#include "sample.h"

#include "engine/gate.h"

static enum outcome gated(const struct gate *gate, unsigned marks)
{
	struct arena *arena = arena_create();
	struct step step = {.id = "mount:/fsx", .outcome = OUTCOME_CHANGE, .marks = marks};

	gate_step(arena, gate, gate_selects(gate, step.id), &step);
	enum outcome outcome = step.outcome;

	assert_true(outcome == OUTCOME_CHANGE || step.why);
	arena_free(arena);
	return outcome;
}

static void the_mode_binds_whoever_is_no_person(void **state)
{
	(void)state;
	const struct {
		const char *mode;
		unsigned marks;
		enum outcome outcome;
	} cases[] = {
	    {"observe", 0, OUTCOME_BLOCKED},
	    {"safe", 0, OUTCOME_CHANGE},
	    {"safe", MARK_DISRUPTIVE, OUTCOME_BLOCKED},
	    {"safe", MARK_IRREVERSIBLE, OUTCOME_BLOCKED},
	    {"safe", MARK_NEEDS_REBOOT, OUTCOME_BLOCKED},
	    {"safe", MARK_AFTER_MOUNT | MARK_UNPROVEN, OUTCOME_CHANGE},
	    {"full", MARK_DISRUPTIVE, OUTCOME_CHANGE},
	    {"full", MARK_IRREVERSIBLE, OUTCOME_BLOCKED},
	    {"full", MARK_NEEDS_REBOOT, OUTCOME_BLOCKED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gate gate = {.mode = cases[i].mode};

		assert_int_equal(gated(&gate, cases[i].marks), cases[i].outcome);
		gate.person = true;
		assert_int_equal(gated(&gate, cases[i].marks), OUTCOME_CHANGE);
	}
}

static void consent_is_for_the_marks_it_names(void **state)
{
	(void)state;
	struct gate gate = {.mode = "safe", .allow = MARK_DISRUPTIVE};

	assert_int_equal(gated(&gate, MARK_DISRUPTIVE), OUTCOME_CHANGE);
	assert_int_equal(gated(&gate, MARK_DISRUPTIVE | MARK_IRREVERSIBLE), OUTCOME_BLOCKED);
	gate.mode = "observe";
	assert_int_equal(gated(&gate, MARK_DISRUPTIVE), OUTCOME_BLOCKED);
}

static void what_reboot_when_says_is_consent_to_the_reboot_alone(void **state)
{
	(void)state;
	const unsigned marks = MARK_DISRUPTIVE | MARK_NEEDS_REBOOT;
	struct arena *arena = arena_create();
	struct resource *want = resource_create(arena, &kind_table[KIND_REBOOT], "");
	const struct {
		const char *mode, *when;
		unsigned more;
		enum outcome outcome;
	} cases[] = {
	    {"safe", "now", 0, OUTCOME_CHANGE},
	    {"full", "window", 0, OUTCOME_CHANGE},
	    {"safe", "slurm", 0, OUTCOME_CHANGE},
	    {"safe", "never", 0, OUTCOME_BLOCKED},
	    {"observe", "now", 0, OUTCOME_BLOCKED},
	    {"safe", NULL, 0, OUTCOME_BLOCKED},
	    {"safe", "now", MARK_IRREVERSIBLE, OUTCOME_BLOCKED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct gate gate = {.mode = cases[i].mode};
		struct step step = {.id = "reboot",
		                    .want = want,
		                    .outcome = OUTCOME_CHANGE,
		                    .marks = marks | cases[i].more};

		want->reboot.when = cases[i].when;
		gate_step(arena, &gate, true, &step);
		assert_int_equal(step.outcome, cases[i].outcome);
	}
	arena_free(arena);
}

static void work_under_jobs_waits_in_mode_safe(void **state)
{
	(void)state;
	struct gate gate = {.mode = "safe", .jobs = 2};

	assert_int_equal(gated(&gate, MARK_UNDER_JOBS), OUTCOME_BLOCKED);
	gate.jobs = 0;
	assert_int_equal(gated(&gate, MARK_UNDER_JOBS), OUTCOME_CHANGE);
	gate = (struct gate){.mode = "full", .jobs = 2};
	assert_int_equal(gated(&gate, MARK_UNDER_JOBS), OUTCOME_CHANGE);
}

static void only_names_an_id_or_a_whole_kind(void **state)
{
	(void)state;
	const char *const id[] = {"mount:/fsx", NULL}, *const kind[] = {"mount", NULL},
	                  *const other[] = {"mount:/fs", NULL};
	struct gate gate = {.mode = "safe", .only = id};

	assert_true(gate_selects(&gate, "mount:/fsx"));
	assert_false(gate_selects(&gate, "mount:/fsx/below"));
	gate.only = kind;
	assert_true(gate_selects(&gate, "mount:/fsx"));
	assert_false(gate_selects(&gate, "mounts:/fsx"));
	gate.only = other;
	assert_int_equal(gated(&gate, 0), OUTCOME_SKIPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_mode_binds_whoever_is_no_person),
	    cmocka_unit_test(consent_is_for_the_marks_it_names),
	    cmocka_unit_test(what_reboot_when_says_is_consent_to_the_reboot_alone),
	    cmocka_unit_test(work_under_jobs_waits_in_mode_safe),
	    cmocka_unit_test(only_names_an_id_or_a_whole_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
