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

static void at_boot_modules_are_loaded_and_built_and_none_is_unloaded(void **state)
{
	(void)state;
	struct arena *arena = arena_create();
	struct resource *want = resource_create(arena, &kind_table[KIND_MODULE], "lustre");
	const struct gate gate = {.mode = "full", .boot = true};
	struct step step = {.id = "module:lustre", .want = want, .outcome = OUTCOME_CHANGE};

	assert_true(gate_selects(&gate, "module:lustre"));
	assert_true(gate_selects(&gate, "dkms:beegfs/7.4@6.1.0"));
	assert_false(gate_selects(&gate, "package:tools"));
	assert_false(gate_selects(&gate, "mount:/fsx"));
	gate_step(arena, &gate, true, &step);
	assert_int_equal(step.outcome, OUTCOME_CHANGE);
	want->module.loaded = (struct truth){.set = true};
	gate_step(arena, &gate, true, &step);
	assert_int_equal(step.outcome, OUTCOME_SKIPPED);
	step.outcome = OUTCOME_UNDETERMINED;
	want->module.loaded.set = false;
	gate_step(arena, &gate, true, &step);
	assert_int_equal(step.outcome, OUTCOME_UNDETERMINED);
	gate_step(arena, &gate, false, &step);
	assert_int_equal(step.outcome, OUTCOME_SKIPPED); /* of no concern to the boot */
	step.outcome = OUTCOME_CHANGE;
	want->state = STATE_ABSENT;
	gate_step(arena, &gate, true, &step);
	assert_int_equal(step.outcome, OUTCOME_SKIPPED);
	arena_free(arena);
}

static void at_boot_nothing_is_brought_along_that_starts_a_unit(void **state)
{
	(void)state;
	struct arena *arena = arena_create();
	const struct gate boot = {.boot = true}, later = {0};
	const enum kind_id installs[] = {KIND_PACKAGE_SOURCE, KIND_PACKAGE_INDEX, KIND_PACKAGE,
	                                 KIND_HOLD,           KIND_DKMS,          KIND_MODULE,
	                                 KIND_DIRECTORY,      KIND_FILE};
	const enum kind_id starts[] = {KIND_MOUNT, KIND_SERVICE, KIND_COMMAND, KIND_REBOOT};

	for (size_t i = 0; i < ARRAY_LEN(installs); i++) {
		assert_true(
		    gate_takes_along(&boot, resource_create(arena, &kind_table[installs[i]], "/x")));
	}
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		const struct resource *need = resource_create(arena, &kind_table[starts[i]], "/x");

		assert_false(gate_takes_along(&boot, need));
		assert_true(gate_takes_along(&later, need));
	}
	arena_free(arena);
}

static void in_a_namespace_of_its_own_a_unit_mounts_nothing(void **state)
{
	(void)state;
	struct arena *arena = arena_create();
	const struct gate gate = {.mode = "full", .apart = true};
	struct step mount = {.want = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx"),
	                     .outcome = OUTCOME_CHANGE};
	struct step file = {.want = resource_create(arena, &kind_table[KIND_FILE], "/etc/x"),
	                    .outcome = OUTCOME_CHANGE};

	gate_step(arena, &gate, true, &mount);
	assert_int_equal(mount.outcome, OUTCOME_BLOCKED);
	assert_non_null(strstr(mount.why, "nobody else would see"));
	gate_step(arena, &gate, true, &file);
	assert_int_equal(file.outcome, OUTCOME_CHANGE);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_mode_binds_whoever_is_no_person),
	    cmocka_unit_test(consent_is_for_the_marks_it_names),
	    cmocka_unit_test(what_reboot_when_says_is_consent_to_the_reboot_alone),
	    cmocka_unit_test(work_under_jobs_waits_in_mode_safe),
	    cmocka_unit_test(only_names_an_id_or_a_whole_kind),
	    cmocka_unit_test(in_a_namespace_of_its_own_a_unit_mounts_nothing),
	    cmocka_unit_test(at_boot_modules_are_loaded_and_built_and_none_is_unloaded),
	    cmocka_unit_test(at_boot_nothing_is_brought_along_that_starts_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
