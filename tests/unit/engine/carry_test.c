// SPDX-License-Identifier: MIT
#include "node.h"

#include "host/self.h"

#include <signal.h>

static const char folder_and_file[] =
    "resources:\n"
    "  - {kind: directory, path: $/d, mode: \"0750\"}\n"
    "  - {kind: file, path: $/d/f, content: \"hello\", mode: \"0644\"}\n"
    "  - {kind: file, path: $/other, content: \"x\"}\n";

static void put_a_file_in_its_place(void)
{
	scratch_write(node_path("d"), "in the way", 0644);
}

static void what_changed_since_it_was_shown_is_not_done(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(folder_and_file);
	node.disturb = put_a_file_in_its_place;
	assert_int_not_equal(node_apply(NULL), 0);
	const struct step *folder = node_step(node.result.plan, "directory", "d");

	assert_int_equal(folder->outcome, OUTCOME_BLOCKED);
	assert_string_equal(scratch_read(node_path("d")), "in the way");
	/* What needs it waits; what does not goes on. */
	assert_int_equal(node_step(node.result.plan, "file", "d/f")->outcome, OUTCOME_BLOCKED);
	assert_has(node_step(node.result.plan, "file", "d/f")->why, "/d, which is blocked");
	assert_int_equal(node_step(node.result.plan, "file", "other")->outcome, OUTCOME_CHANGED);
}

static void make_it_with_another_mode(void)
{
	scratch_mkdir(node_path("d"), 0700);
}

static void a_create_that_became_a_change_is_planned_again(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(folder_and_file);
	node.disturb = make_it_with_another_mode;
	assert_int_equal(node_apply(NULL), 2); /* the plan made afterwards has it */
	const struct step *folder = node_step(node.result.plan, "directory", "d");
	struct stat st;

	assert_int_equal(folder->outcome, OUTCOME_BLOCKED);
	assert_string_equal(folder->why, "it changed since the plan was made: plan again");
	assert_int_equal(stat(node_path("d"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void make_it_right(void)
{
	scratch_mkdir(node_path("d"), 0750);
}

static void what_became_right_meanwhile_is_kept_and_not_ours(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(folder_and_file);
	node.disturb = make_it_right;
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(node_step(node.result.plan, "directory", "d")->outcome, OUTCOME_KEPT);
	assert_int_equal(node_step(node.result.plan, "file", "d/f")->outcome, OUTCOME_CHANGED);
	node_close();
	struct store *store = node_history();
	struct orphan *made;
	size_t count;

	assert_int_equal(store_made_list(store, node.arena, &made, &count, &node.err), 0);
	assert_int_equal(count, 2); /* the files; never the folder that somebody else made */
	store_close(store);
}

static void what_lies_on_a_mount_of_this_run_is_done_after_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("mounts:\n"
	           "  $/m: {source: tmpfs, type: tmpfs, manage: live}\n"
	           "resources:\n"
	           "  - {kind: directory, path: $/m/d, mode: \"0700\"}\n"
	           "  - {kind: file, path: $/m/d/f, content: \"on the mount\"}\n");
	assert_int_equal(node_apply(NULL), 0);
	const struct step *folder = node_step(node.result.plan, "directory", "m/d");

	assert_true(folder->marks & MARK_AFTER_MOUNT);
	assert_int_equal(folder->outcome, OUTCOME_CHANGED);
	assert_int_equal(folder->action, ACTION_CREATE); /* what it turned out to be */
	assert_string_equal(scratch_read(node_path("m/d/f")), "on the mount");
	assert_int_equal(umount(node_path("m")), 0);
	assert_false(node_has("m/d")); /* nothing was made underneath */
}

static void nothing_is_made_below_a_mount_that_failed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("mounts:\n"
	           "  $/m: {source: $/no-such-device, type: ext4, manage: live}\n"
	           "resources:\n"
	           "  - {kind: directory, path: $/m/d}\n");
	assert_int_not_equal(node_apply(NULL), 0);
	assert_int_not_equal(node_step(node.result.plan, "mount", "m")->outcome, OUTCOME_CHANGED);
	assert_int_equal(node_step(node.result.plan, "directory", "m/d")->outcome, OUTCOME_BLOCKED);
	assert_false(node_has("m/d"));
}

static void the_observation_afterwards_decides_not_the_exit_status(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("resources:\n"
	           "  - {kind: command, name: c, argv: [/bin/true], creates: $/never}\n");
	assert_int_equal(node_apply(NULL), 5);
	const struct step *step = &node.result.plan->steps[0];

	assert_int_equal(step->outcome, OUTCOME_FAILED);
	assert_has(step->why, "done, but not as wanted afterwards");
	assert_null(node.result.after); /* nothing was changed, as far as can be seen */
}

static void a_tool_that_complains_about_what_is_right_afterwards_has_changed_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("resources:\n"
	           "  - {kind: command, name: c, creates: $/made,\n"
	           "     argv: [/bin/sh, -c, \"echo sorry >&2; : >$/made; exit 3\"]}\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(node.result.plan->steps[0].outcome, OUTCOME_CHANGED);
}

static void what_needs_a_failed_step_is_blocked_and_the_rest_goes_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("");
	node_tree(
	    "policies/p.lua",
	    "return { name = 'p', summary = 's', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:command{name = 'c', argv = {'/bin/false'}, creates = '$/x', reason = 'r'}\n"
	    "plan:file{path = '$/f', content = '', reason = 'r', after = {'command:c'}}\n"
	    "plan:file{path = '$/g', content = '', reason = 'r'}\n"
	    "end }\n");
	assert_int_equal(node_apply(NULL), 5);
	assert_string_equal(node_step(node.result.plan, "file", "f")->why,
	                    "needs command:c, which is failed");
	assert_false(node_has("f"));
	assert_true(node_has("g"));
}

static void each_step_has_its_intent_before_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	/* The command copies the history as it is while the command runs. */
	node_wants("resources:\n"
	           "  - {kind: command, name: c, creates: $/copy/done, argv: [/bin/sh, -c,\n"
	           "     \"mkdir $/copy; cp $/var/* $/copy; : >$/copy/done\"]}\n");
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	node.options.history = node_path("copy/history.db");
	assert_has(node_run(1), "\"id\":\"command:c\"");
	assert_null(strstr(node_run(1), "\"outcome\"")); /* not yet: it was under way */
}

static void more_steps_than_fit_into_one_batch_are_all_done(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	enum { FILES = 3 * BATCH + 5 };
	AUTO(str_free) struct str text = {0};

	str_add(&text, "resources:\n");
	for (int i = 0; i < FILES; i++) {
		str_addf(&text, "  - {kind: directory, path: $/d%03d}\n", i);
		str_addf(&text, "  - {kind: file, path: $/d%03d/f, content: \"%d\"}\n", i, i);
	}
	node_wants(str_text(&text));
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(plan_count(node.result.plan).of[OUTCOME_CHANGED], 2 * FILES);
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(plan_count(node.result.plan).of[OUTCOME_KEPT], 2 * FILES);
}

static void stop_us(void)
{
	assert_int_equal(kill(getpid(), SIGTERM), 0);
}

/* The last one: a stop is not taken back. */
static void a_stop_leaves_the_rest_undone_and_is_recorded(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(folder_and_file);
	node.disturb = stop_us;
	assert_int_equal(node_apply(NULL), 1);
	assert_int_equal(node.result.stopped, SIGTERM);
	assert_int_equal(plan_count(node.result.plan).of[OUTCOME_SKIPPED], 3);
	assert_false(node_has("d") || node_has("other"));
	node_close();
	assert_has(node_run(1), "\"exit_code\":1");
	assert_has(node_run(1), "stopped by a signal");
	/* At the question it is no answer: exit 1, nothing changed, no run. */
	node.refuse = true;
	assert_int_equal(node_apply(NULL), 1);
	assert_true(node.result.declined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(what_changed_since_it_was_shown_is_not_done),
	    node_test(a_create_that_became_a_change_is_planned_again),
	    node_test(what_became_right_meanwhile_is_kept_and_not_ours),
	    node_test(what_lies_on_a_mount_of_this_run_is_done_after_it),
	    node_test(nothing_is_made_below_a_mount_that_failed),
	    node_test(the_observation_afterwards_decides_not_the_exit_status),
	    node_test(a_tool_that_complains_about_what_is_right_afterwards_has_changed_it),
	    node_test(what_needs_a_failed_step_is_blocked_and_the_rest_goes_on),
	    node_test(each_step_has_its_intent_before_it),
	    node_test(more_steps_than_fit_into_one_batch_are_all_done),
	    node_test(a_stop_leaves_the_rest_undone_and_is_recorded),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
