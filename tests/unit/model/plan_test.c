// SPDX-License-Identifier: MIT
/* Counting, exit codes, and the plan as a value. */
#include "model/plan.h"

#include "base/json.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void plan_names_are_complete(void **state)
{
	(void)state;
	for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		assert_non_null(outcome_name(outcome));
	}
	for (enum action action = ACTION_NONE; action <= ACTION_REPLACE; action++) {
		assert_non_null(action_name(action));
	}
	assert_string_equal(outcome_name(OUTCOME_KEPT), "kept");
	assert_string_equal(action_name(ACTION_CREATE), "create");
}

static void plan_marks_are_named_in_order(void **state)
{
	(void)state;
	assert_string_equal(marks_text(arena, 0), "");
	assert_string_equal(marks_text(arena, MARK_UNDER_JOBS | MARK_DISRUPTIVE),
	                    "disruptive, under jobs");
	assert_string_equal(marks_text(arena, MARK_AFTER_MOUNT), "known after mount");
}

/* Section 6 of the design: the first that holds of failed, changes, undetermined, blocked or
 * pending. */
static void plan_exit_code_is_the_first_that_holds(void **state)
{
	static const struct {
		enum outcome outcomes[3];
		int code;
	} cases[] = {
	    {{OUTCOME_KEPT, OUTCOME_KEPT, OUTCOME_KEPT}, 0},
	    {{OUTCOME_CHANGED, OUTCOME_SKIPPED, OUTCOME_KEPT}, 0},
	    {{OUTCOME_KEPT, OUTCOME_PENDING, OUTCOME_KEPT}, 4},
	    {{OUTCOME_BLOCKED, OUTCOME_KEPT, OUTCOME_SKIPPED}, 4},
	    {{OUTCOME_BLOCKED, OUTCOME_UNDETERMINED, OUTCOME_PENDING}, 6},
	    {{OUTCOME_CHANGE, OUTCOME_UNDETERMINED, OUTCOME_BLOCKED}, 2},
	    {{OUTCOME_CHANGE, OUTCOME_FAILED, OUTCOME_UNDETERMINED}, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct step steps[3] = {{.id = "file:/a"}, {.id = "file:/b"}, {.id = "file:/c"}};
		struct plan plan = {.steps = steps, .step_count = 3};

		for (size_t k = 0; k < 3; k++) {
			steps[k].outcome = cases[i].outcomes[k];
		}
		assert_int_equal(plan_exit_code(&plan), cases[i].code);
	}
	struct plan empty = {0};

	assert_int_equal(plan_exit_code(&empty), 0);
}

static void plan_counts_blocks_and_undecided_items_once(void **state)
{
	struct step steps[] = {
	    {.id = "module:lustre", .outcome = OUTCOME_BLOCKED},
	    {.id = "mount:/fsx", .outcome = OUTCOME_KEPT},
	};
	struct note blocks[] = {
	    {.rule = "no-module-package", .resource = "module:lustre"},
	    {.rule = "again", .resource = "module:lustre"},
	    {.rule = "other", .resource = "mount:/fsx"},
	    {.rule = "whole", .resource = NULL},
	};
	struct undecided undecided[] = {{.item = "mounts./fsx", .fact = "mount:/fsx"}};
	struct plan plan = {.steps = steps, .step_count = 2, .blocks = blocks, .block_count = 4};

	(void)state;
	assert_int_equal(plan_count(&plan).of[OUTCOME_BLOCKED], 3);
	assert_int_equal(plan_count(&plan).of[OUTCOME_KEPT], 1);
	assert_int_equal(plan_exit_code(&plan), 4);
	plan.undecided = undecided;
	plan.undecided_count = 1;
	assert_int_equal(plan_count(&plan).of[OUTCOME_UNDETERMINED], 1);
	assert_int_equal(plan_exit_code(&plan), 6);
}

static struct step file_step(void)
{
	static const struct origin origin = {
	    .policy = "resources",
	    .lua = {"policies/resources.lua", 12, 0},
	    .yaml = {"state/defaults.yaml", 3, 5},
	    .reason = "wanted by resources",
	};
	struct resource *want = resource_create(arena, &kind_table[KIND_FILE], "/etc/secret");
	struct resource *have = resource_create(arena, &kind_table[KIND_FILE], "/etc/secret");
	struct step step = {.id = "file:/etc/secret",
	                    .want = want,
	                    .have = have,
	                    .action = ACTION_UPDATE,
	                    .outcome = OUTCOME_CHANGE,
	                    .marks = MARK_DISRUPTIVE,
	                    .origins = &origin,
	                    .origin_count = 1};

	want->file.content = "hunter2";
	resource_complete(arena, want);
	have->file.content = "hunter1";
	have->file.type = "file";
	compare_resources(arena, want, have, &step.differences);
	return step;
}

static const char *print(const struct value *value)
{
	AUTO(str_free) struct str out = {0};

	json_print(&out, value, 0);
	return arena_strdup(arena, str_text(&out));
}

static void plan_step_as_a_value_has_all_but_secrets(void **state)
{
	struct step step = file_step();
	struct value value = plan_step_to_value(arena, &step);
	const struct value *origin = &value_get(&value, "origins")->items[0];
	const struct value *difference = &value_get(&value, "differences")->items[0];

	(void)state;
	assert_true(value.sealed);
	assert_string_equal(value_text(&value, "id"), "file:/etc/secret");
	assert_string_equal(value_text(&value, "kind"), "file");
	assert_string_equal(value_text(&value, "key"), "/etc/secret");
	assert_string_equal(value_text(&value, "action"), "update");
	assert_string_equal(value_text(&value, "outcome"), "change");
	assert_string_equal(value_get(&value, "marks")->items[0].string, "disruptive");
	assert_string_equal(value_text(difference, "field"), "digest");
	assert_int_equal(value_get(difference, "from")->type, VALUE_NULL);
	assert_string_equal(value_text(origin, "policy"), "resources");
	assert_int_equal(value_number(value_get(origin, "lua"), "line", 0), 12);
	assert_int_equal(value_number(value_get(origin, "yaml"), "column", 0), 5);
	assert_null(value_get(value_get(origin, "lua"), "column"));
	assert_string_equal(value_text(value_get(&value, "wanted"), "digest"), step.want->file.digest);
	assert_null(strstr(print(&value), "hunter"));
	/* The step itself keeps what apply needs. */
	assert_string_equal(step.want->file.content, "hunter2");
}

static void plan_as_a_value_can_be_printed_and_read_back(void **state)
{
	struct step steps[2] = {file_step(), file_step()};
	size_t needs[] = {0};
	struct note warnings[] = {
	    {.rule = "r", .resource = "file:/a", .origin = {.reason = "because"}}};
	struct undecided undecided[] = {
	    {.item = "i", .fact = "mount:/fsx", .origin = {.reason = "timed out"}}};
	struct orphan orphans[] = {{.id = "file:/old", .made_at = 5, .run = 7}};
	struct plan plan = {
	    .basis = {.node = "compute-1",
	              .tree = "t",
	              .mode = "safe",
	              .stale_tree = true,
	              .stale_reason = "gone",
	              .stale_since = 9},
	    .steps = steps,
	    .step_count = 2,
	    .warnings = warnings,
	    .warning_count = 1,
	    .undecided = undecided,
	    .undecided_count = 1,
	    .orphans = orphans,
	    .orphan_count = 1,
	    .lock_holder = "pid 7",
	    .paused = "by hand",
	};
	const struct retry retry = {3, "no luck", 45296};
	struct value value, again;
	struct err err;

	(void)state;
	steps[1].id = "file:/etc/other";
	steps[1].outcome = OUTCOME_BLOCKED;
	steps[1].why = "needs file:/etc/secret";
	steps[1].detail = "two\nlines";
	steps[1].duration_ms = 12;
	steps[1].retry = &retry;
	steps[1].needs = needs;
	steps[1].need_count = 1;
	value = plan_to_value(arena, &plan);
	const struct value *second = &value_get(&value, "steps")->items[1];

	assert_string_equal(value_get(second, "needs")->items[0].string, "file:/etc/secret");
	assert_string_equal(value_text(second, "why"), "needs file:/etc/secret");
	assert_int_equal(value_number(second, "duration_ms", 0), 12);
	assert_int_equal(value_number(value_get(second, "retry"), "failures", 0), 3);
	assert_int_equal(value_number(value_get(second, "retry"), "next_try", 0), 45296);
	assert_string_equal(value_text(value_get(second, "retry"), "error"), "no luck");
	assert_int_equal(value_number(&value, "exit_code", 0), 2);
	/* The step, and the tree that is not used. */
	assert_int_equal(value_number(value_get(&value, "counts"), "blocked", 0), 2);
	assert_string_equal(value_text(value_get(&value, "basis"), "stale_reason"), "gone");
	assert_string_equal(value_text(&value, "paused"), "by hand");
	assert_int_equal(value_number(&value_get(&value, "orphans")->items[0], "run", 0), 7);
	const char *json = print(&value);

	assert_int_equal(json_parse(json, strlen(json), "plan", arena, &again, &err), 0);
	assert_true(value_equal(&value, &again));
	struct resource *observed;
	struct diags diags = {.arena = arena};

	observed = resource_from_value(
	    arena, value_get(&value_get(&again, "steps")->items[0], "observed"), USE_OBSERVED, &diags);
	assert_non_null(observed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_retry_says_how_often_with_what_and_when(void **state)
{
	struct retry retry = {3, "no luck", 45296};
	AUTO(str_free) struct str text = {0};

	(void)state;
	retry_text(&text, &retry, 45296 - 185);
	assert_string_equal(str_text(&text), "backing off after 3 failures: no luck; next try "
	                                     "12:34:56Z (in 3m 5s)");
	str_clear(&text);
	retry.failures = 1;
	retry_text(&text, &retry, 45296);
	assert_string_equal(str_text(&text),
	                    "backing off after 1 failure: no luck; next try 12:34:56Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(plan_names_are_complete),
	    TEST(a_retry_says_how_often_with_what_and_when),
	    TEST(plan_marks_are_named_in_order),
	    TEST(plan_exit_code_is_the_first_that_holds),
	    TEST(plan_counts_blocks_and_undecided_items_once),
	    TEST(plan_step_as_a_value_has_all_but_secrets),
	    TEST(plan_as_a_value_can_be_printed_and_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
