// SPDX-License-Identifier: MIT
#include "node.h"

/* A policy of the tree: what stands in its plan function. */
static void policy(const char *body)
{
	node_wants("");
	node_tree("policies/p.lua", arena_printf(node.arena,
	                                         "return { name = 'p', summary = 's', handles = {},\n"
	                                         "plan = function(want, facts, plan)\n"
	                                         "%s\n"
	                                         "end }\n",
	                                         body));
}

static void a_field_wanted_another_way_afterwards_is_refused_with_both_lines(void **state)
{
	(void)state;
	policy("if facts.file['$/f'].state == 'absent' then\n"
	       "plan:file{path = '$/f', content = 'a', reason = 'r'}\n"
	       "else\n"
	       "plan:file{path = '$/f', content = 'b', reason = 'r'} end");
	node_plan_fails(ERR_POLICY);
	assert_has(node.err.text, "the plan does not settle");
	assert_has(node.err.text, "p.lua:4");
	assert_has(node.err.text, "p.lua:6");
	assert_int_equal(node.err.at.line, 4);
}

static void present_now_and_absent_afterwards_is_refused(void **state)
{
	(void)state;
	policy("if facts.file['$/f'].state == 'absent' then\n"
	       "plan:file{path = '$/f', content = 'a', reason = 'r'}\n"
	       "else\n"
	       "plan:file{path = '$/f', state = 'absent', reason = 'r'} end");
	node_plan_fails(ERR_POLICY);
	assert_has(node.err.text, "state of file:");
}

static void what_only_afterwards_is_wanted_is_counted(void **state)
{
	(void)state;
	policy("plan:directory{path = '$/d', reason = 'r'}\n"
	       "if facts.directory['$/d'].state == 'present' then\n"
	       "plan:file{path = '$/d/f', content = 'a', reason = 'r'}\n"
	       "plan:file{path = '$/d/g', content = 'a', reason = 'r'} end");
	struct plan *plan = node_plan();

	assert_int_equal(plan->step_count, 1);
	assert_int_equal(plan->more, 2);
	assert_null(plan->unproven);
}

static void an_apply_that_leaves_more_to_do_says_so(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	policy("plan:directory{path = '$/d', reason = 'r'}\n"
	       "if facts.directory['$/d'].state == 'present' then\n"
	       "plan:file{path = '$/d/f', content = 'a', reason = 'r'} end");
	assert_int_equal(node_apply(NULL), 2);
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(node_apply(NULL), 0);
	assert_null(node.result.after);
}

static void a_fact_that_a_command_may_alter_leaves_the_plan_unproven(void **state)
{
	(void)state;
	policy("plan:command{name = 'c', argv = {'/bin/true'}, creates = '$/x', reason = 'r'}\n"
	       "if facts.file['$/y'].state == 'present' then\n"
	       "plan:file{path = '$/z', content = 'a', reason = 'r'} end");
	struct plan *plan = node_plan();

	assert_non_null(plan->unproven);
	assert_has(plan->unproven, "a policy read file:");
	assert_has(plan->unproven, "/y, which a change of a command here may alter");
	assert_int_equal(plan_exit_code(plan), 2);
}

static void a_plan_that_reads_nothing_it_changes_is_proven(void **state)
{
	(void)state;
	policy("plan:directory{path = '$/d', reason = facts.file['$/f'].state}");
	struct plan *plan = node_plan();

	assert_null(plan->unproven);
	assert_int_equal(plan->more, 0);
}

static void paper_changes_nothing_of_what_was_read(void **state)
{
	(void)state;
	policy("plan:directory{path = '$/d', reason = facts.directory['$/d'].state}");
	struct plan *plan = node_plan();

	assert_string_equal(plan->steps[0].origins[0].reason, "absent");
	const struct resource *fact = strmap_get(
	    node.engine->facts.log, arena_printf(node.arena, "directory:%s", node_path("d")));

	assert_int_equal(fact->state, STATE_ABSENT);
	assert_false(node_has("d"));
}

static void what_is_in_sync_needs_no_proof(void **state)
{
	(void)state;
	policy("if facts.file['$/f'].state == 'absent' then\n"
	       "plan:file{path = '$/g', state = 'absent', reason = 'r'} end");
	assert_int_equal(plan_exit_code(node_plan()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_field_wanted_another_way_afterwards_is_refused_with_both_lines),
	    node_test(present_now_and_absent_afterwards_is_refused),
	    node_test(what_only_afterwards_is_wanted_is_counted),
	    node_test(an_apply_that_leaves_more_to_do_says_so),
	    node_test(a_fact_that_a_command_may_alter_leaves_the_plan_unproven),
	    node_test(a_plan_that_reads_nothing_it_changes_is_proven),
	    node_test(paper_changes_nothing_of_what_was_read),
	    node_test(what_is_in_sync_needs_no_proof),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
