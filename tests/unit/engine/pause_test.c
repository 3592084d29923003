// SPDX-License-Identifier: MIT
#include "node.h"

static const char *paused(void)
{
	return engine_paused(&node.options, node.arena, NULL);
}

static void a_pause_holds_until_somebody_resumes(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	assert_null(paused());
	assert_int_equal(engine_pause(&node.options, "maintenance", node.arena, &err), 0);
	assert_has(paused(), "maintenance (root");
	assert_int_equal(engine_resume(&node.options, node.arena, &err), 0);
	assert_null(paused());
	assert_int_equal(engine_resume(&node.options, node.arena, &err), 0); /* once more is fine */
}

static void a_touched_file_pauses_as_well_and_is_not_resumed_by_us(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	assert_int_equal(mkdir("/etc/reconcile", 0755), 0);
	scratch_write("/etc/reconcile/PAUSE", "", 0644);
	assert_string_equal(paused(), "/etc/reconcile/PAUSE is there");
	assert_int_equal(engine_resume(&node.options, node.arena, &err), -ERR_INPUT);
	assert_has(err.text, "remove it first");
	assert_int_equal(unlink("/etc/reconcile/PAUSE"), 0);
	assert_int_equal(rmdir("/etc/reconcile"), 0);
	assert_null(paused());
}

static void a_pause_that_cannot_be_read_is_a_pause(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();

	scratch_mkdir(node_path("state"), 0700);
	scratch_mkdir(node_path("state/pause"), 0700);
	assert_non_null(paused());
}

static void an_empty_pause_file_is_a_pause(void **state)
{
	(void)state;
	scratch_mkdir(node_path("state"), 0700);
	scratch_write(node_path("state/pause"), "", 0600);
	assert_string_equal(paused(), "no reason was given");
}

static void without_permission_it_is_said_that_it_cannot_be_seen(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;
	bool unseen = false;

	assert_int_equal(engine_pause(&node.options, "maintenance", node.arena, &err), 0);
	assert_int_equal(seteuid(1234), 0);
	const char *why = engine_paused(&node.options, node.arena, &unseen);
	int refused = engine_pause(&node.options, "x", node.arena, &err);

	assert_int_equal(seteuid(0), 0);
	assert_null(why);
	assert_true(unseen);
	assert_int_equal(refused, -ERR_INPUT);
	assert_string_equal(err.text, "pause needs root");
}

static void a_plan_says_that_the_node_is_paused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	node_wants("resources:\n  - {kind: directory, path: $/d}\n");
	assert_int_equal(engine_pause(&node.options, "maintenance", node.arena, &err), 0);
	assert_has(node_plan()->paused, "maintenance");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_pause_holds_until_somebody_resumes),
	    node_test(a_touched_file_pauses_as_well_and_is_not_resumed_by_us),
	    node_test(a_pause_that_cannot_be_read_is_a_pause),
	    node_test(an_empty_pause_file_is_a_pause),
	    node_test(without_permission_it_is_said_that_it_cannot_be_seen),
	    node_test(a_plan_says_that_the_node_is_paused),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
