// SPDX-License-Identifier: MIT
/* plan:each, plan:KIND, plan:block and plan:warn: what they plan, for which line. */
#include "unit/policy/run.h"

static const char want[] =
    "{\"holds\": {\"linux-aws\": {}, \"vim\": {}},"                         /* lines 1 to 3 */
    "\"mounts\": {\"/a\": {\"options\": [\"ro\", \"soft\"]}, \"/b\": {}}}"; /* 4: 5 (6), 7 */

static struct test_case *with_want(const char *handles, const char *body)
{
	struct test_case *c = case_create();

	case_want(c, want);
	case_facts(c, "[{\"kind\": \"package\", \"key\": \"vim\", \"state\": \"undetermined\", "
	              "\"why\": \"dpkg is locked\"},"
	              "{\"kind\": \"package\", \"key\": \"linux-aws\"}]");
	case_policy(c, "test",
	            arena_printf(c->arena,
	                         "return {name = \"test\", summary = \"s\", handles = {%s}, "
	                         "plan = function(want, facts, plan)\n%s\nend}",
	                         handles, body));
	case_policy(c, "zest",
	            "return {name = 'zest', summary = 's', handles = {'holds', 'mounts'}, "
	            "plan = function() end}");
	return c;
}

static void call_becomes_a_proposal(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(
	    c,
	    "plan:package{name = 'lustre', version = '2.*', reason = 'the kernel needs it',\n"
	    "  after = {'hold:lustre', 'mount:/a'}, provides = {module = 'lustre', kernel = '6.8'}}\n"
	    "plan:directory{path = '/x', state = 'absent', reason = 'old'}");
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 2);
	const struct proposal *p = &c->decision.proposals[0];

	assert_string_equal(p->want->key, "lustre");
	assert_string_equal(p->want->package.version, "2.*");
	assert_int_equal(p->after_count, 2);
	assert_string_equal(p->after[1], "mount:/a");
	assert_string_equal(p->provides_module, "lustre");
	assert_string_equal(p->provides_kernel, "6.8");
	assert_string_equal(p->origin.policy, "test");
	assert_string_equal(p->origin.reason, "the kernel needs it");
	assert_string_equal(p->origin.lua.file, "policies/test.lua");
	assert_int_equal(p->origin.lua.line, 2);
	assert_int_equal(p->origin.yaml.line, 0);
	assert_int_equal(p[1].want->state, STATE_ABSENT);
	assert_int_equal(p[1].origin.lua.line, 4);
	case_done(c);
}

static void resource_comes_out_complete(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(c, "plan:file{path = '/x', content = 'hello', reason = 'r'}");
	assert_runs(c);
	assert_string_equal(c->decision.proposals[0].want->file.digest,
	                    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	case_done(c);
}

static void blocks_and_warnings_are_notes(void **state)
{
	struct test_case *c =
	    with_want("'holds'", "plan:block{rule = 'no-thing', reason = 'it is not there', "
	                         "resource = 'hold:vim'}\n"
	                         "plan:warn{rule = 'odd', reason = 'it is odd'}");

	(void)state;
	assert_runs(c);
	assert_string_equal(c->decision.blocks[0].rule, "no-thing");
	assert_string_equal(c->decision.blocks[0].resource, "hold:vim");
	assert_string_equal(c->decision.blocks[0].origin.reason, "it is not there");
	assert_int_equal(c->decision.blocks[0].origin.yaml.line, 1);
	assert_null(c->decision.warnings[0].resource);
	assert_int_equal(c->decision.warnings[0].origin.lua.line, 3);
	case_done(c);
}

static void each_goes_in_order_and_knows_the_line(void **state)
{
	struct test_case *c = with_want(
	    "'holds'",
	    "plan:each(want.holds, function(name)\nplan:hold{package = name, reason = 'r'} end)\n"
	    "plan:hold{package = 'zz', reason = 'r'}");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 3);
	assert_string_equal(c->decision.proposals[0].want->key, "linux-aws");
	assert_int_equal(c->decision.proposals[0].origin.yaml.line, 2);
	assert_string_equal(c->decision.proposals[0].origin.yaml.file, "state.yaml");
	assert_int_equal(c->decision.proposals[0].origin.yaml.col, 3);
	assert_int_equal(c->decision.proposals[1].origin.yaml.line, 3);
	assert_int_equal(c->decision.proposals[2].origin.yaml.line, 1); /* the section it handles */
	case_done(c);
}

static void innermost_known_line_counts(void **state)
{
	struct test_case *c = with_want(
	    "'holds', 'mounts'",
	    "plan:each(want.mounts, function(target, m)\n"
	    "  plan:each(m.options, function(_, o) plan:warn{rule = o, reason = target} end)\n"
	    "  plan:each({1}, function() plan:warn{rule = 'own', reason = target} end)\n"
	    "end)\nplan:warn{rule = 'outside', reason = 'r'}");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 5);
	const struct note *w = c->decision.warnings;

	assert_string_equal(w[1].rule, "soft");
	assert_int_equal(w[1].origin.yaml.line, 6);
	assert_int_equal(w[1].origin.yaml.col, 9);
	assert_int_equal(w[2].origin.yaml.line, 5);
	assert_int_equal(w[3].origin.yaml.line, 7);
	assert_int_equal(w[4].origin.yaml.line, 0); /* it handles two sections */
	case_done(c);
}

static void each_of_nothing_does_nothing(void **state)
{
	struct test_case *c =
	    with_want("'holds'", "plan:each(want.packages, function() error('no') end)\n"
	                         "plan:each({}, function() error('no') end)");

	(void)state;
	assert_runs(c);
	case_done(c);
}

static void undetermined_fact_withdraws_the_item(void **state)
{
	struct test_case *c =
	    with_want("'holds'", "plan:each(want.holds, function(name)\n"
	                         "  plan:hold{package = name, reason = 'r'}\n"
	                         "  plan:block{rule = 'b', reason = 'r'}\n"
	                         "  plan:warn{rule = 'w', reason = facts.package[name].state}\n"
	                         "end)");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 1);
	assert_string_equal(c->decision.proposals[0].want->key, "linux-aws");
	assert_int_equal(c->decision.block_count, 1);
	assert_int_equal(c->decision.undecided_count, 1);
	const struct undecided *u = &c->decision.undecided[0];

	assert_string_equal(u->item, "holds.vim");
	assert_string_equal(u->fact, "package:vim");
	assert_string_equal(u->origin.reason, "dpkg is locked");
	assert_int_equal(u->origin.yaml.line, 3);
	assert_int_equal(u->origin.lua.line, 5);
	case_done(c);
}

/* A table of the policy's own may have any text as a key; the parent takes what can be shown. */
static void undecided_item_of_any_key_is_told(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(c, "plan:each({['a\\n\\255'] = 1}, function()\n"
	             "  local x = facts.package.vim.state\n"
	             "end)");
	assert_runs(c);
	assert_int_equal(c->decision.undecided_count, 1);
	assert_string_equal(c->decision.undecided[0].item, "test.a\\x0a\\xff");
	case_done(c);
}

static void only_the_innermost_item_is_withdrawn(void **state)
{
	struct test_case *c =
	    with_want("'holds'", "plan:each(want.holds, function(name)\n"
	                         "  plan:each({'a', 'b'}, function(i)\n"
	                         "    plan:warn{rule = 'inner', reason = facts.package.vim.state}\n"
	                         "  end)\n"
	                         "  plan:warn{rule = 'outer', reason = name}\n"
	                         "end)");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 2);
	assert_int_equal(c->decision.undecided_count, 4);
	assert_string_equal(c->decision.undecided[0].item, "holds.linux-aws.1");
	assert_string_equal(c->decision.undecided[3].item, "holds.vim.2");
	case_done(c);
}

static void outer_item_takes_its_inner_ones_along(void **state)
{
	struct test_case *c = with_want(
	    "'holds'", "plan:each({1}, function()\n"
	               "  plan:each({1}, function() local x = facts.package.vim.state end)\n"
	               "  plan:each({1}, function() plan:warn{rule = 'w', reason = 'r'} end)\n"
	               "  local x = facts.package.vim.state\nend)");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 0);
	assert_int_equal(c->decision.undecided_count, 1);
	assert_string_equal(c->decision.undecided[0].item, "test.1");
	case_done(c);
}

static void error_in_an_item_ends_all(void **state)
{
	(void)state;
	assert_body_fails("plan:each({1, 2}, function(i)\n\n  local x = i.y.z\nend)", 3,
	                  "policy test: attempt to index a number value (local 'i')");
	assert_body_fails("plan:each({1, 2}, function(i)\n\n  error('bad')\nend)", 3,
	                  "policy test: bad");
}

static void wrong_calls_are_errors(void **state)
{
	(void)state;
	assert_body_fails("plan:mout{target = '/x'}", 1,
	                  "policy test: plan:mout: there is no such kind; did you mean plan:mount");
	assert_body_fails(
	    "plan:frobnicate{}", 1,
	    "policy test: plan:frobnicate: there is no such kind; plan also has each, block "
	    "and warn");
	assert_body_fails("plan:loadable{}", 1,
	                  "policy test: plan:loadable: a loadable can be observed, not planned");
	assert_body_fails("plan.mount{target = '/x'}", 1,
	                  "policy test: call it with a colon: plan:mount");
	assert_body_fails(
	    "plan.each({}, function() end)", 1,
	    "policy test: call it with a colon: plan:each(table, function(key, value) ... "
	    "end)");
	assert_body_fails("plan:mount('/x')", 1,
	                  "policy test: plan:mount takes a table: plan:mount{...}");
	assert_body_fails("plan:each({})", 1,
	                  "policy test: bad argument #2 to 'each' (function expected, got no value)");
	assert_body_fails("plan:each('x', function() end)", 1,
	                  "policy test: bad argument #1 to 'each' (table expected, got string)");
}

static void limit_counts_all_policies(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	c->limits.resources = 3;
	case_policy(c, "a",
	            "return {name = 'a', summary = 's', handles = {}, plan = function(w, f, plan)\n"
	            "plan:warn{rule = 'r', reason = 'r'} plan:warn{rule = 'r', reason = 'r'} end}");
	case_policy(c, "b",
	            "return {name = 'b', summary = 's', handles = {}, plan = function(w, f, plan)\n"
	            "plan:warn{rule = 'r', reason = 'r'}\nplan:warn{rule = 'r', reason = 'r'} end}");
	assert_fails(c, "policies/b.lua", 3, "policy b: more than 3 resources were planned");
	case_done(c);
}

static void many_resources_arrive_in_order(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(c, "local s = ('x'):rep(1000)\nfor i = 1, 20000 do\n"
	             "plan:file{path = '/f' .. i, content = s, reason = 'r'} end");
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 20000);
	assert_string_equal(c->decision.proposals[19999].want->key, "/f20000");
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(call_becomes_a_proposal),
	    cmocka_unit_test(resource_comes_out_complete),
	    cmocka_unit_test(blocks_and_warnings_are_notes),
	    cmocka_unit_test(each_goes_in_order_and_knows_the_line),
	    cmocka_unit_test(innermost_known_line_counts),
	    cmocka_unit_test(each_of_nothing_does_nothing),
	    cmocka_unit_test(undetermined_fact_withdraws_the_item),
	    cmocka_unit_test(undecided_item_of_any_key_is_told),
	    cmocka_unit_test(only_the_innermost_item_is_withdrawn),
	    cmocka_unit_test(outer_item_takes_its_inner_ones_along),
	    cmocka_unit_test(error_in_an_item_ends_all),
	    cmocka_unit_test(wrong_calls_are_errors),
	    cmocka_unit_test(limit_counts_all_policies),
	    cmocka_unit_test(many_resources_arrive_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
