// SPDX-License-Identifier: MIT
#include "node.h"

static const char both[] = "resources:\n"
                           "  - {kind: directory, path: $/d}\n"
                           "  - {kind: file, path: $/d/f, content: \"x\"}\n"
                           "  - {kind: file, path: $/g, content: \"x\"}\n";
static const char fewer[] = "resources:\n"
                            "  - {kind: directory, path: $/d}\n";

static void make_orphans(void)
{
	node_wants(both);
	assert_int_equal(node_apply(NULL), 0);
	node_wants(fewer);
}

static void what_nothing_wants_any_more_is_shown_and_stays(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	make_orphans();
	const struct plan *plan = node_plan();

	assert_int_equal(plan->orphan_count, 2);
	assert_has(plan->orphans[0].id, "/d/f");
	assert_int_equal(plan->orphans[0].run, 1);
	assert_int_equal(plan_exit_code(plan), 0);
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d/f") && node_has("g"));
}

static void prune_takes_it_away(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	make_orphans();
	node.options.prune = true;
	node.options.allow = ~0u;
	assert_int_equal(node_apply(NULL), 0);
	assert_false(node_has("d/f") || node_has("g"));
	assert_true(node_has("d"));
	assert_int_equal(node_step(node.result.plan, "file", "g")->outcome, OUTCOME_CHANGED);
	assert_string_equal(node_step(node.result.plan, "file", "g")->origins[0].policy, "--prune");
	assert_int_equal(node_plan()->orphan_count, 0);
	assert_int_equal(node_apply(NULL), 0); /* nothing left to prune is fine */
}

static void prune_of_one_leaves_the_others(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	make_orphans();
	node.options.prune = true;
	node.options.allow = ~0u;
	node.options.prune_id = arena_printf(node.arena, "file:%s", node_path("g"));
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d/f"));
	assert_false(node_has("g"));
	/* A name that is none is a mistake, and so is one that is wanted. */
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	node.options.prune_id = arena_printf(node.arena, "directory:%s", node_path("d"));
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_has(node.err.text, "reconcile did not make it, or it is still wanted");
}

/* A policy that cannot decide about the folder: what it would want is not known. */
static const char undecided[] =
    "return { name = 'resources', summary = 's', handles = {'resources'},\n"
    "plan = function(want, facts, plan)\n"
    "plan:each(want.resources, function(id, r)\n"
    "if facts.file['$/loop/x'].mode == '0644' then end\n"
    "plan:directory{path = '$/d', reason = 'r'} end) end }\n";

static void what_is_undecided_is_no_orphan_and_never_pruned(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	make_orphans();
	node_tree("policies/resources.lua", undecided);
	assert_int_equal(symlink("loop", node_path("loop")), 0);
	const struct plan *plan = node_plan();

	assert_int_equal(plan->undecided_count, 1);
	assert_int_equal(plan->orphan_count, 0);
	assert_int_equal(plan_exit_code(plan), 6);
	node.options.prune = true;
	node.options.allow = ~0u;
	assert_int_equal(node_apply(NULL), 100 + ERR_INPUT);
	assert_has(node.err.text, "what is wanted cannot be told while");
	assert_true(node_has("d") && node_has("d/f") && node_has("g"));
}

static void what_a_policy_blocks_is_no_orphan(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	make_orphans();
	node_tree("policies/resources.lua",
	          "return { name = 'resources', summary = 's', handles = {'resources'},\n"
	          "plan = function(want, facts, plan)\n"
	          "plan:directory{path = '$/d', reason = 'r'}\n"
	          "plan:block{rule = 'x', resource = 'file:$/g', reason = 'not now'}\n"
	          "end }\n");
	const struct plan *plan = node_plan();

	assert_int_equal(plan->orphan_count, 1);
	assert_has(plan->orphans[0].id, "/d/f");
	assert_int_equal(plan_exit_code(plan), 4);
}

static void the_same_inputs_give_the_same_plan(void **state)
{
	(void)state;
	AUTO(str_free) struct str first = {0}, second = {0};

	node_wants(both);
	struct value value = plan_to_value(node.arena, node_plan());

	json_print(&first, &value, 0);
	value = plan_to_value(node.arena, node_plan());
	json_print(&second, &value, 0);
	assert_string_equal(str_text(&first), str_text(&second));
}

static void a_plan_says_what_it_rests_on(void **state)
{
	(void)state;
	node_wants("mode: full\n");
	const struct plan *plan = node_plan();

	assert_string_equal(plan->basis.node, "n");
	assert_string_equal(plan->basis.identity, "--node");
	assert_string_equal(plan->basis.mode, "full");
	assert_string_equal(plan->basis.tree_path, node_path("tree"));
	assert_int_equal(strlen(plan->basis.tree), 64);
	assert_int_equal(strlen(plan->basis.policies), 64);
	assert_int_equal(strlen(plan->basis.facts), 64);
	assert_false(plan->basis.stale_tree);
	assert_null(plan->lock_holder);
	assert_null(plan->paused);
}

static void a_section_that_no_policy_handles_is_an_error_with_its_line(void **state)
{
	(void)state;
	node_wants("holds: [linux-aws]\n");
	node_tree("policies/holds.lua",
	          "return {name = 'holds', summary = '', handles = {}, plan = function() end}\n");
	node_plan_fails(ERR_POLICY);
	assert_has(node.err.text, "holds");
	assert_int_equal(node.err.at.line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(what_nothing_wants_any_more_is_shown_and_stays),
	    node_test(prune_takes_it_away),
	    node_test(prune_of_one_leaves_the_others),
	    node_test(what_is_undecided_is_no_orphan_and_never_pruned),
	    node_test(what_a_policy_blocks_is_no_orphan),
	    node_test(the_same_inputs_give_the_same_plan),
	    node_test(a_plan_says_what_it_rests_on),
	    node_test(a_section_that_no_policy_handles_is_an_error_with_its_line),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
