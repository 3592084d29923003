// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/pause.h"

#include "host/self.h"

static const char two[] = "resources:\n"
                          "  - {kind: directory, path: $/d, mode: \"0750\"}\n"
                          "  - {kind: file, path: $/d/f, content: \"hello\", mode: \"0644\"}\n";

static void an_apply_converges_and_a_second_one_touches_nothing(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(two);
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(plan_count(node.result.plan).of[OUTCOME_CHANGED], 2);
	assert_non_null(node.result.after);
	assert_int_equal(node.result.run, 1);
	assert_string_equal(scratch_read(node_path("d/f")), "hello");
	uint64_t directory = scratch_stamp(node_path("d")), file = scratch_stamp(node_path("d/f"));

	node.shown = 99;
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(node.shown, 99); /* nothing to ask about */
	assert_null(node.result.after);
	assert_int_equal(node.result.run, 2);
	assert_true(scratch_stamp(node_path("d")) == directory);
	assert_true(scratch_stamp(node_path("d/f")) == file);
}

static void a_plan_writes_nothing_at_all(void **state)
{
	(void)state;
	node_wants(two);
	node.options.command = "plan";
	node.options.write_state = false;
	uint64_t before = scratch_stamp(scratch_dir());

	assert_int_equal(plan_exit_code(node_plan()), 2);
	assert_true(scratch_stamp(scratch_dir()) == before);
	assert_false(node_has("var") || node_has("run") || node_has("state") || node_has("d"));
}

static void who_declines_changes_nothing_and_leaves_no_run(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(two);
	node.refuse = true;
	assert_int_equal(node_apply(NULL), 2);
	assert_true(node.result.declined);
	assert_int_equal(node.shown, 2);
	assert_int_equal(node.result.run, 0);
	assert_false(node_has("d"));
}

static void a_lock_that_is_held_is_an_error_that_names_the_holder(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct self_lock_wish other = {.run_dir = node.options.run_dir, .command = "other"};
	struct self_lock lock = {.fd = -1};
	struct err err;

	node_wants(two);
	assert_int_equal(self_lock(&other, &lock, &err), 0);
	/* Paused, too: that another run holds the lock comes before it. */
	const struct pause_wish maintenance = {.reason = "maintenance"};

	assert_int_equal(pause_begin(&node.options, &maintenance, node.arena, &err), 0);
	assert_int_equal(node_apply(NULL), 100 + ERR_LOCKED);
	assert_has(node.err.text, "(other) since");
	assert_has(node_plan()->lock_holder, "(other) since");
	self_unlock(&lock);
	assert_int_equal(node_apply(NULL), 7);
	assert_true(node_noted("paused: maintenance"));
	assert_false(node_has("d"));
	node.options.ignore_pause = true;
	assert_int_equal(node_apply(NULL), 0);
}

static void the_lock_is_free_after_an_error(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct self_lock_wish other = {.run_dir = node.options.run_dir, .command = "other"};
	struct self_lock lock = {.fd = -1};
	struct err err;

	node_wants("resources:\n"
	           "  - {kind: directory, path: $/d, state: absent}\n"
	           "  - {kind: file, path: $/d/f, content: \"\"}\n");
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_int_equal(self_lock(&other, &lock, &err), 0);
	self_unlock(&lock);
	node_close();
	assert_has(node_run(1), "lies in it and is wanted present"); /* it was tried: history knows */
	assert_has(node_run(1), "\"exit_code\":1");
}

static void recorded_facts_cannot_be_applied(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(two);
	scratch_write(node_path("facts.json"), "{\"reconcile_facts\": 1, \"facts\": []}", 0644);
	node.options.facts = node_path("facts.json");
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_string_equal(node.err.text, "recorded facts can be planned for, not applied");
}

static void the_exit_code_is_the_gravest_of_both_lists(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	/* The command fails to do what its guard asks for; the file is made nevertheless. */
	node_wants("resources:\n"
	           "  - {kind: command, name: c, argv: [/bin/true], creates: $/never}\n"
	           "  - {kind: file, path: $/f, content: \"x\"}\n");
	assert_int_equal(node_apply(NULL), 5);
	assert_true(node_has("f"));
}

static void what_was_blocked_and_came_right_through_another_step_is_in_sync(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mkdir(node_path("made"), 0755), 0);
	scratch_write(node_path("made/f"), "x", 0644);
	/* The file's folder is not there until the command has moved one into its place. */
	node_wants("resources:\n"
	           "  - {kind: command, name: c, argv: [/bin/mv, $/made, $/d], creates: $/d}\n"
	           "  - {kind: file, path: $/d/f, content: \"x\"}\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(plan_count(node.result.plan).of[OUTCOME_BLOCKED], 0);
}

static void mode_observe_changes_nothing_where_no_person_is(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(arena_printf(node.arena, "mode: observe\n%s", two));
	assert_int_equal(node_apply(NULL), 4);
	assert_false(node_has("d"));
	node.options.person = true;
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(an_apply_converges_and_a_second_one_touches_nothing),
	    node_test(a_plan_writes_nothing_at_all),
	    node_test(who_declines_changes_nothing_and_leaves_no_run),
	    node_test(a_lock_that_is_held_is_an_error_that_names_the_holder),
	    node_test(the_lock_is_free_after_an_error),
	    node_test(recorded_facts_cannot_be_applied),
	    node_test(the_exit_code_is_the_gravest_of_both_lists),
	    node_test(what_was_blocked_and_came_right_through_another_step_is_in_sync),
	    node_test(mode_observe_changes_nothing_where_no_person_is),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
