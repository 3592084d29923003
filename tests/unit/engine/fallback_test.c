// SPDX-License-Identifier: MIT
#include "node.h"

#include <time.h>

static const char wants[] = "resources:\n  - {kind: directory, path: $/d}\n";

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
	assert_int_equal(node_apply(NULL), 4); /* that tree is blocked */
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
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node_has("d"));
}

static void a_policy_that_fails_leaves_run_with_the_last_good_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	node_tree("policies/broken.lua", "this is no Lua\n");
	assert_int_equal(node_apply(NULL), 4);
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
	assert_true(node_noted("not going on with the last good tree: it is this one"));
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
	assert_true(node_noted("and stale_max is 1.0s"));
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

static void a_tree_that_lost_much_is_not_used_by_run_until_it_is_accepted(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("packages:\n  no-such-package: {state: absent}\n"
	           "resources:\n  - {kind: directory, path: $/d}\n");
	assert_int_equal(node_apply(NULL), 0);
	node_wants("resources:\n  - {kind: directory, path: $/d, mode: \"0700\"}\n");
	node.options.command = "run";
	node.options.stale_ok = true;
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node.result.plan->basis.stale_tree);
	const char *reason = node.result.plan->basis.stale_reason;

	assert_has(reason, "1 section of the last applied state is gone (packages)");
	const char *accept = strstr(reason, "`accept: ");

	assert_non_null(accept);
	accept = arena_strndup(node.arena, accept + 1, strlen("accept: ") + 64);
	/* By hand it works, but does not count as accepted ... */
	node.options.command = "apply";
	node.options.stale_ok = false;
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_noted("`run` will not use this tree until"));
	node.options.command = "run";
	node.options.stale_ok = true;
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node.result.plan->basis.stale_tree);
	/* ... the digest in the tree does. */
	node_wants(arena_printf(node.arena, "%s\n%s", accept,
	                        "resources:\n  - {kind: directory, path: $/d, mode: \"0700\"}\n"));
	assert_int_equal(node_apply(NULL), 0);
}

static void accepting_a_shrink_by_hand_makes_run_go_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("packages:\n  no-such-package: {state: absent}\n"
	           "resources:\n  - {kind: directory, path: $/d}\n");
	assert_int_equal(node_apply(NULL), 0);
	node_wants("resources:\n  - {kind: directory, path: $/d}\n");
	node.options.accept_shrink = true;
	assert_int_equal(node_apply(NULL), 0);
	node.options.accept_shrink = false;
	node.options.command = "run";
	node.options.stale_ok = true;
	assert_int_equal(node_apply(NULL), 0);
}

static void a_tree_that_lost_much_is_an_error_where_there_is_nothing_to_go_on_with(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("packages:\n  no-such-package: {state: absent}\n"
	           "resources:\n  - {kind: directory, path: $/d}\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(unlink(node_path("var/last-good.json")), 0);
	node_wants("resources:\n  - {kind: directory, path: $/d, mode: \"0700\"}\n");
	node.options.command = "run";
	node.options.stale_ok = true;
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_has(node.err.text, "1 section of the last applied state is gone (packages)");
	assert_true(node_noted("no tree was ever kept"));
}

static void policies_that_are_gone_all_at_once_are_a_loss(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_tree(
	    "policies/own.lua",
	    "return {name = 'own', summary = '', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:directory{path = '$/own', reason = 'r'} end}\n");
	run_once();
	assert_true(node_has("own"));
	assert_int_equal(rmdir(node_path("own")), 0);
	assert_int_equal(unlink(node_path("tree/policies/own.lua")), 0);
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node_has("own"));
	assert_has(node.result.plan->basis.stale_reason, "there is no policy in the tree any more");
	node.options.accept_shrink = true;
	node.options.stale_ok = false;
	node.options.command = "apply";
	assert_int_equal(node_apply(NULL), 0);
	node.options.accept_shrink = false;
	node.options.stale_ok = true;
	node.options.command = "run";
	assert_int_equal(node_apply(NULL), 0);
}

static void a_plan_that_cannot_be_ordered_leaves_run_with_the_last_good_tree(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	node_wants("resources:\n"
	           "  - {kind: directory, path: $/d, state: absent}\n"
	           "  - {kind: file, path: $/d/f, content: \"\"}\n");
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node_has("d"));
	assert_has(node.result.plan->basis.stale_reason, "lies in it");
}

static void what_would_serve_is_what_a_look_by_status_shows(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	node.options.command = "status";
	node.options.write_state = false;
	node_wants("resources: [\n");
	struct plan *plan = node_plan();

	assert_true(plan->basis.stale_tree);
	assert_int_equal(plan_exit_code(plan), 2);
	assert_non_null(node_step(plan, "directory", "d"));
}

/* The tree is on a file system that is not mounted, and node.yaml with it. */
static void a_node_stays_who_it_was_while_its_name_is_gone(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mkdir("/etc/reconcile", 0755), 0);
	scratch_write("/etc/reconcile/node.yaml", "name: n\n", 0644);
	node.options.node = NULL;
	run_once();
	assert_int_equal(unlink("/etc/reconcile/node.yaml"), 0);
	assert_int_equal(rmdir("/etc/reconcile"), 0);
	assert_int_equal(rename(node_path("tree"), node_path("away")), 0);
	assert_int_equal(node_apply(NULL), 4);
	assert_string_equal(node.result.plan->basis.node, "n");
	assert_true(node_has("d"));
}

static void a_damaged_last_good_tree_is_no_help_and_is_replaced(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_once();
	scratch_write(node_path("var/last-good.json"), "{}", 0600);
	node_wants("resources: [\n");
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_true(node_noted("last-good.json is damaged"));
	node_wants(wants);
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(rmdir(node_path("d")), 0);
	node_wants("resources: [\n");
	assert_int_equal(node_apply(NULL), 4);
	assert_true(node_has("d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_tree_that_does_not_load_leaves_run_with_the_last_good_one),
	    node_test(a_tree_that_is_gone_leaves_run_with_the_last_good_one),
	    node_test(a_policy_that_fails_leaves_run_with_the_last_good_one),
	    node_test(a_last_good_tree_that_fails_as_well_is_an_error),
	    node_test(a_last_good_tree_that_is_too_old_is_not_used),
	    node_test(without_a_last_good_tree_the_fault_is_the_error),
	    node_test(a_tree_that_lost_much_is_not_used_by_run_until_it_is_accepted),
	    node_test(accepting_a_shrink_by_hand_makes_run_go_on),
	    node_test(a_tree_that_lost_much_is_an_error_where_there_is_nothing_to_go_on_with),
	    node_test(policies_that_are_gone_all_at_once_are_a_loss),
	    node_test(a_plan_that_cannot_be_ordered_leaves_run_with_the_last_good_tree),
	    node_test(what_would_serve_is_what_a_look_by_status_shows),
	    node_test(a_node_stays_who_it_was_while_its_name_is_gone),
	    node_test(a_damaged_last_good_tree_is_no_help_and_is_replaced),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
