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

static int plan_with(struct sample *s, const char *const *only, struct err *err)
{
	struct facts facts;
	struct wanted_set set;
	struct plan plan;
	struct gate gate = sample_open_gate;

	gate.only = only;
	facts_init_recorded(&facts, s->arena, s->facts, NULL);
	assert_int_equal(planner_wanted(s->arena, &s->decision, &set, err), 0);
	return planner_plan(&set, &s->decision, &facts, &gate, &plan, err);
}

static void each_word_of_only_must_name_something(void **state)
{
	(void)state;
	struct sample s = sample_create();
	const char *const good[] = {"directory:/d", "file", NULL};
	const char *const bad[] = {"directory:/d", "file:/typo", NULL};
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/d");
	sample_want(&s, KIND_FILE, "/f");
	assert_int_equal(plan_with(&s, good, &err), 0);
	assert_int_equal(plan_with(&s, bad, &err), -ERR_INPUT);
	assert_string_equal(err.text, "--only file:/typo: nothing of that name is wanted on this node");
	arena_free(s.arena);
}

/* A package of this plan brings the module; `release` is the kernel it is for. */
static struct plan plan_with_bringer(struct sample *s, const char *release)
{
	struct proposal *package = sample_want(s, KIND_PACKAGE, "lustre-client-modules");

	package->provides_module = "lustre";
	package->provides_kernel = release;
	sample_want(s, KIND_MODULE, "lustre")->want->module.loaded = (struct truth){true, true};
	sample_fact(s, KIND_KERNEL, "", STATE_PRESENT)->kernel.running = "6.8.0-1042-aws";
	sample_fact(s, KIND_PACKAGE, "lustre-client-modules", STATE_ABSENT)->package.candidate = "1";
	sample_fact(s, KIND_MODULE, "lustre", STATE_ABSENT)->module.obstacle =
	    "there is no such module";
	return sample_plan(s, &sample_open_gate);
}

static void a_module_is_loaded_after_the_package_that_brings_it(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct plan plan = plan_with_bringer(&s, "6.8.0-1042-aws");
	const struct step *step = sample_step(&plan, "module:lustre");

	assert_int_equal(step->outcome, OUTCOME_CHANGE);
	assert_int_equal(step->action, ACTION_UPDATE);
	assert_string_equal(plan.steps[step->needs[0]].id, "package:lustre-client-modules");
	arena_free(s.arena);
}

static void a_package_for_another_kernel_brings_the_running_one_nothing(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct plan plan = plan_with_bringer(&s, "6.8.0-1039-aws");
	const struct step *step = sample_step(&plan, "module:lustre");

	assert_int_equal(step->outcome, OUTCOME_BLOCKED);
	assert_string_equal(step->why, "there is no such module");
	arena_free(s.arena);
}

static void dkms_builds_after_the_headers_that_it_lacks(void **state)
{
	(void)state;
	struct sample s = sample_create();
	static const char *const headers[] = {"package:linux-headers-6.1.0-50-amd64"};
	struct proposal *dkms = sample_want(&s, KIND_DKMS, "beegfs@6.1.0-50-amd64");
	struct resource *have = sample_fact(&s, KIND_DKMS, "beegfs@6.1.0-50-amd64", STATE_PRESENT);

	dkms->after = headers;
	dkms->after_count = 1;
	have->dkms = (struct dkms){.version = "7.4.4", .status = "no headers"};
	sample_want(&s, KIND_PACKAGE, "linux-headers-6.1.0-50-amd64");
	struct resource *package =
	    sample_fact(&s, KIND_PACKAGE, "linux-headers-6.1.0-50-amd64", STATE_ABSENT);

	package->package.candidate = "6.1.158-1";
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(sample_step(&plan, "dkms:beegfs@6.1.0-50-amd64")->outcome, OUTCOME_CHANGE);
	package->package.candidate = NULL;
	package->package.offered = (struct list){.set = true};
	plan = sample_plan(&s, &sample_open_gate);
	assert_int_equal(sample_step(&plan, "dkms:beegfs@6.1.0-50-amd64")->outcome, OUTCOME_BLOCKED);
	arena_free(s.arena);
}

static void what_needs_something_pending_waits_but_for_a_loaded_module(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct resource have[] = {
	    *resource_create(s.arena, &kind_table[KIND_PACKAGE], "p"),
	    *resource_create(s.arena, &kind_table[KIND_MODULE], "m"),
	};
	const struct resource *want[] = {&have[0], &have[1]};
	struct step need = {.want = want[0], .have = &have[0], .outcome = OUTCOME_PENDING};

	assert_false(planner_is_met(&need));
	need = (struct step){.want = want[1], .have = &have[1], .outcome = OUTCOME_PENDING};
	assert_false(planner_is_met(&need));
	have[1].module.loaded = (struct truth){true, true};
	assert_true(planner_is_met(&need));
	static const enum outcome met[] = {OUTCOME_KEPT, OUTCOME_CHANGED, OUTCOME_BLOCKED};
	static const enum outcome unmet[] = {OUTCOME_CHANGE, OUTCOME_SKIPPED, OUTCOME_FAILED,
	                                     OUTCOME_UNDETERMINED};

	for (size_t i = 0; i < ARRAY_LEN(met); i++) {
		need.outcome = met[i];
		assert_true(planner_is_met(&need));
	}
	for (size_t i = 0; i < ARRAY_LEN(unmet); i++) {
		need.outcome = unmet[i];
		assert_false(planner_is_met(&need));
	}
	arena_free(s.arena);
}

static void what_lies_on_a_mount_does_not_wait_for_its_next_mount(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct resource *want = want_mount(&s, "/m"), *have = live_mount(&s, "/m");
	struct step need = {.want = want, .have = have, .outcome = OUTCOME_PENDING};

	want->state = STATE_PRESENT;
	assert_true(planner_is_met(&need)); /* the line of fstab says otherwise */
	differences_add(s.arena, &need.differences, "options", "localflock", "flock");
	assert_true(planner_is_met(&need));
	want->mount.manage = "observe";
	assert_true(planner_is_met(&need));
	differences_add(s.arena, &need.differences, "source", "/dev/a", "/dev/b");
	assert_false(planner_is_met(&need)); /* another file system, which is only observed */
	need.differences = (struct differences){0};
	have->mount.other_source = "fs is another one now";
	assert_false(planner_is_met(&need));
	have->mount.other_source = NULL;
	need.outcome = OUTCOME_BLOCKED;
	assert_false(planner_is_met(&need));
	need.outcome = OUTCOME_PENDING;
	have->mount.live.value = false; /* an armed automount */
	assert_false(planner_is_met(&need));
	arena_free(s.arena);
}

static void a_source_that_changes_makes_a_young_index_old(void **state)
{
	static const char *const after[] = {"package_source:fsx"};
	static const char *const words[] = {"main"};

	(void)state;
	for (int is_there = 0; is_there < 2; is_there++) {
		struct sample s = sample_create();
		struct resource *want = sample_want(&s, KIND_PACKAGE_SOURCE, "fsx")->want;
		struct proposal *index = sample_want(&s, KIND_PACKAGE_INDEX, "apt");

		want->package_source.uri = "https://fsx/ubuntu";
		want->package_source.suites = (struct list){true, 1, words};
		want->package_source.components = (struct list){true, 1, words};
		index->after = after;
		index->after_count = 1;
		struct resource *have =
		    sample_fact(&s, KIND_PACKAGE_SOURCE, "fsx", is_there ? STATE_PRESENT : STATE_ABSENT);

		have->package_source = want->package_source;
		sample_fact(&s, KIND_PACKAGE_INDEX, "apt", STATE_PRESENT)->package_index.age =
		    (struct number){true, 5};
		struct plan plan = sample_plan(&s, &sample_open_gate);
		const struct step *step = sample_step(&plan, "package_index:apt");

		assert_int_equal(step->outcome, is_there ? OUTCOME_KEPT : OUTCOME_CHANGE);
		assert_int_equal(step->action, is_there ? ACTION_NONE : ACTION_RUN);
		arena_free(s.arena);
	}
}

static void an_index_that_was_not_refreshed_stops_nobody(void **state)
{
	(void)state;
	struct sample s = sample_create();
	const struct resource *index = resource_create(s.arena, &kind_table[KIND_PACKAGE_INDEX], "apt");
	struct step need = {.want = index, .have = index, .outcome = OUTCOME_FAILED};

	assert_true(planner_is_met(&need));
	arena_free(s.arena);
}

/* One change under jobs, in mode safe and with nobody there. */
static const struct step *plan_under_jobs(struct sample *s, enum state scheduler, int64_t jobs)
{
	static const struct gate gate = {.mode = "safe", .jobs = JOBS_NOT_COUNTED};

	sample_want(s, KIND_HOLD, "linux-aws");
	sample_fact(s, KIND_HOLD, "linux-aws", STATE_ABSENT);
	sample_want(s, KIND_PACKAGE, "p");
	struct resource *have = sample_fact(s, KIND_PACKAGE, "p", STATE_ABSENT);
	struct resource *fact = sample_fact(s, KIND_SCHEDULER, "", scheduler);

	have->package.candidate = "1";
	fact->scheduler.jobs = (struct number){scheduler == STATE_PRESENT, jobs};
	fact->why = "no permission";
	struct plan *plan = arena_alloc(s->arena, sizeof *plan);

	*plan = sample_plan(s, &gate);
	return sample_step(plan, "package:p");
}

static void work_under_jobs_waits_for_jobs_and_when_they_cannot_be_counted(void **state)
{
	(void)state;
	static const struct {
		enum state scheduler;
		int64_t jobs;
		const char *why; /* NULL: it is not held up by jobs */
	} cases[] = {
	    {STATE_PRESENT, 2, "waits until no job runs on this node (2 now)"},
	    {STATE_PRESENT, 0, NULL},
	    {STATE_ABSENT, 0, NULL},
	    {STATE_UNDETERMINED, 0, "cannot tell whether a job runs on this node: no permission"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sample s = sample_create();
		const struct step *step = plan_under_jobs(&s, cases[i].scheduler, cases[i].jobs);

		if (!(step->marks & MARK_UNDER_JOBS)) {
			fail_msg("not a change: %s", step->why ? step->why : "?");
		}
		if (cases[i].why) {
			assert_string_equal(step->why, cases[i].why);
			assert_int_equal(step->outcome, OUTCOME_BLOCKED);
		} else {
			assert_int_equal(step->outcome, OUTCOME_CHANGE);
		}
		arena_free(s.arena);
	}
}

static void a_block_of_a_policy_does_not_hide_what_is_right(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct note block = {
	    .rule = "r", .resource = "directory:/d", .origin = {.policy = "t", .reason = "no"}};

	sample_want(&s, KIND_DIRECTORY, "/d");
	sample_fact(&s, KIND_DIRECTORY, "/d", STATE_PRESENT)->directory.mode = "0755";
	s.decision.blocks = &block;
	s.decision.block_count = 1;
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(sample_step(&plan, "directory:/d")->outcome, OUTCOME_KEPT);
	assert_int_equal(plan_exit_code(&plan), 4); /* the block itself still counts */
	arena_free(s.arena);
}

static void what_can_only_be_observed_cannot_be_wanted(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct wanted_set set;
	struct err err = {0};

	sample_want(&s, KIND_CANDIDATE, "p");
	assert_int_equal(planner_wanted(s.arena, &s.decision, &set, &err), -ERR_INPUT);
	assert_string_equal(err.at.file, "test.yaml");
	assert_int_equal(err.at.line, 1);
	arena_free(s.arena);
}

static void nothing_wanted_is_a_plan_without_steps(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct plan plan = sample_plan(&s, &sample_open_gate);

	assert_int_equal(plan.step_count, 0);
	assert_int_equal(plan_exit_code(&plan), 0);
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
	    cmocka_unit_test(each_word_of_only_must_name_something),
	    cmocka_unit_test(a_module_is_loaded_after_the_package_that_brings_it),
	    cmocka_unit_test(a_package_for_another_kernel_brings_the_running_one_nothing),
	    cmocka_unit_test(dkms_builds_after_the_headers_that_it_lacks),
	    cmocka_unit_test(what_needs_something_pending_waits_but_for_a_loaded_module),
	    cmocka_unit_test(what_lies_on_a_mount_does_not_wait_for_its_next_mount),
	    cmocka_unit_test(a_source_that_changes_makes_a_young_index_old),
	    cmocka_unit_test(an_index_that_was_not_refreshed_stops_nobody),
	    cmocka_unit_test(work_under_jobs_waits_for_jobs_and_when_they_cannot_be_counted),
	    cmocka_unit_test(a_block_of_a_policy_does_not_hide_what_is_right),
	    cmocka_unit_test(what_can_only_be_observed_cannot_be_wanted),
	    cmocka_unit_test(nothing_wanted_is_a_plan_without_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
