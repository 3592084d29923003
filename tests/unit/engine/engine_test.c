// SPDX-License-Identifier: MIT
#include "node.h"

#include <time.h>

static const char wants[] = "resources:\n  - {kind: directory, path: $/d}\n";

static void all_faults_of_a_tree_come_with_their_places(void **state)
{
	(void)state;
	node_wants("mode: safest\nresourcess: []\n");
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 2);
	assert_int_equal(node.diags.list[0].err.at.line, 3);
	assert_int_equal(node.diags.list[1].err.at.line, 4);
	assert_string_equal(node.err.text, "2 faults in the desired state");
	size_t n;
	const char *line = engine_source_line(node.engine, node.diags.list[0].err.at, &n);

	assert_memory_equal(line, "mode: safest", 12);
}

static void no_tree_is_an_error_that_names_it(void **state)
{
	(void)state;
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 0);
	assert_has(node.err.text, "tree");
}

static void a_node_that_the_tree_does_not_know_is_an_error(void **state)
{
	(void)state;
	node_wants(wants);
	node.options.node = "unknown";
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 1);
	assert_has(node.diags.list[0].err.text, "unknown");
}

static void validate_checks_every_node_of_the_tree(void **state)
{
	(void)state;
	size_t files, nodes;

	node_tree("state/nodes/a.yaml", "version: 1\nnodes: [a, \"b-*\"]\nroles: [r]\n");
	node_tree("state/nodes/c.yaml", "version: 1\nnodes: [c]\n");
	node_tree("state/roles/r.yaml", "version: 1\n");
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(engine_validate(node.engine, &node.diags, &files, &nodes, &node.err), 0);
	assert_int_equal(files, 3);
	assert_int_equal(nodes, 3);
	node_close();
	assert_int_equal(unlink(node_path("tree/state/roles/r.yaml")), 0);
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(engine_validate(node.engine, &node.diags, &files, &nodes, &node.err),
	                 -ERR_INPUT);
	assert_true(node.diags.count >= 1);
	assert_has(node.diags.list[0].err.text, "r");
}

/* Applied once by `run`, so that there is a last good tree. */
static void run_once(void)
{
	node.options.command = "run";
	node.options.stale_ok = true;
	node_wants(wants);
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(rmdir(node_path("d")), 0);
}

static void a_tree_that_does_not_load_leaves_run_with_the_last_good_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	node_wants("resources: [\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d"));
	assert_true(node.result.plan->basis.stale_tree);
	assert_true(node_noted("going on with the last good tree: "));
	assert_int_equal(node.diags.count, 0);
	node_close();
	assert_has(node_run(2), "\"stale_tree\":true");
	/* By hand that is an error. */
	node.options.stale_ok = false;
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_true(node.diags.count >= 1);
}

static void a_tree_that_is_gone_leaves_run_with_the_last_good_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	assert_int_equal(rename(node_path("tree"), node_path("away")), 0);
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d"));
}

static void a_policy_that_fails_leaves_run_with_the_last_good_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	node_tree("policies/broken.lua", "this is no Lua\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d"));
	assert_true(node.result.plan->basis.stale_tree);
	assert_has(node.result.plan->basis.stale_reason, "broken");
	node.options.stale_ok = false;
	assert_int_equal(node_apply(NULL), 100 + ERR_POLICY);
}

static void a_last_good_tree_that_fails_as_well_is_an_error(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	/* A policy that works until the file is there. */
	node.options.command = "run";
	node.options.stale_ok = true;
	node_wants(wants);
	node_tree("policies/moody.lua",
	          "return {name = 'moody', summary = '', handles = {}, plan = function(want, facts)\n"
	          "if facts.file['$/f'].state == 'present' then error('moody') end end}\n");
	assert_int_equal(node_apply(NULL), 0);
	scratch_write(node_path("f"), "", 0644);
	assert_int_equal(node_apply(NULL), 100 + ERR_POLICY);
	assert_has(node.err.text, "moody");
	assert_true(node_noted("the last good tree is this one"));
}

static void a_last_good_tree_that_is_too_old_is_not_used(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node.options.command = "run";
	node.options.stale_ok = true;
	node_wants(arena_printf(node.arena, "stale_max: 1s\n%s", wants));
	assert_int_equal(node_apply(NULL), 0);
	node_wants("mode: safest\n");
	struct timespec t = {.tv_sec = 2, .tv_nsec = 100000000};

	nanosleep(&t, NULL);
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_true(node_noted("older than stale_max"));
	assert_true(node.diags.count >= 1);
	size_t n;

	/* What is shown is the tree that fails, not the one that was tried instead. */
	assert_non_null(engine_source_line(node.engine, node.diags.list[0].err.at, &n));
}

static void without_a_last_good_tree_the_fault_is_the_error(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node.options.command = "run";
	node.options.stale_ok = true;
	node_wants("resources: [\n");
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_has(node.err.text, "in the desired state");
	assert_true(node_noted("not going on with the last good tree"));
	assert_false(node_has("var")); /* looking for it creates nothing */
}

static void notes_show_no_control_characters(void **state)
{
	(void)state;
	node.engine = engine_open(&node.options, &node.watch);
	engine_note(node.engine, "a\033[31mb");
	assert_string_equal(str_text(&node.notes), "a\\x1b[31mb\n");
	node_close();
	node.engine = engine_open(&node.options, NULL);
	engine_note(node.engine, "to nobody");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(all_faults_of_a_tree_come_with_their_places),
	    node_test(no_tree_is_an_error_that_names_it),
	    node_test(a_node_that_the_tree_does_not_know_is_an_error),
	    node_test(validate_checks_every_node_of_the_tree),
	    node_test(a_tree_that_does_not_load_leaves_run_with_the_last_good_one),
	    node_test(a_tree_that_is_gone_leaves_run_with_the_last_good_one),
	    node_test(a_policy_that_fails_leaves_run_with_the_last_good_one),
	    node_test(a_last_good_tree_that_fails_as_well_is_an_error),
	    node_test(a_last_good_tree_that_is_too_old_is_not_used),
	    node_test(without_a_last_good_tree_the_fault_is_the_error),
	    node_test(notes_show_no_control_characters),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
