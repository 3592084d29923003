// SPDX-License-Identifier: MIT
/* What policies see of the node. */
#include "unit/policy/run.h"

static struct test_case *with_facts(const char *body)
{
	struct test_case *c = case_create();

	case_facts(
	    c,
	    "[{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", "
	    "\"that_matter\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"]},"
	    "{\"kind\": \"package\", \"key\": \"vim\", \"version\": \"9.0\"},"
	    "{\"kind\": \"package\", \"key\": \"ed\", \"state\": \"absent\"},"
	    "{\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true, \"parameters\": [\"a=1\"]},"
	    "{\"kind\": \"candidate\", \"key\": \"vim\", \"state\": \"undetermined\", "
	    "\"why\": \"the index is missing\"}]");
	case_body(c, body);
	return c;
}

static void facts_come_by_value(void **state)
{
	struct test_case *c = with_facts(
	    "local p, m = facts.package.vim, facts.module.lustre\n"
	    "local s = p.state .. p.version .. tostring(p.architecture) .. facts.package.ed.state .. "
	    "tostring(m.loaded) .. tostring(m.builtin) .. m.parameters[1]\n"
	    "for _, r in ipairs(facts.kernel.that_matter) do s = s .. ' ' .. r end\n"
	    "for k in pairs(p) do s = s .. ' ' .. k end\n"
	    "plan:warn{rule = 'r', reason = s .. facts.kernel.running}");

	(void)state;
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason,
	                    "present9.0nilabsenttruenila=1 6.8.0-1039-aws 6.8.0-1042-aws "
	                    "key kind state version6.8.0-1039-aws");
	assert_int_equal(c->asked, 4);
	case_done(c);
}

static void facts_are_asked_once_for_all_policies(void **state)
{
	struct test_case *c = with_facts("local x = facts.package.vim.version .. facts.kernel.running");

	(void)state;
	case_policy(
	    c, "zest",
	    "return {name = 'zest', summary = 's', handles = {}, plan = function(want, facts, plan)\n"
	    "local x = facts.package.vim.version .. facts.kernel.running end}");
	assert_runs(c);
	assert_int_equal(c->asked, 2);
	case_done(c);
}

static void misspelt_kind_is_an_error(void **state)
{
	(void)state;
	assert_body_fails("local x = facts.packge.vim", 1,
	                  "policy test: there are no facts of a kind 'packge'; did you mean 'package'");
	assert_body_fails("local x = facts:known('packge', 'vim')", 1,
	                  "policy test: there are no facts of a kind 'packge'; did you mean 'package'");
	assert_body_fails("local x = facts.known('package', 'vim')", 1,
	                  "policy test: call it with a colon: facts:known(kind, key)");
}

static void misspelt_field_is_an_error(void **state)
{
	struct test_case *c = with_facts("local x = facts.package.vim.verson");

	(void)state;
	assert_fails(c, "policies/test.lua", 2,
	             "policy test: the fact package has no field 'verson'; did you mean 'version'");
	case_done(c);
}

static void impossible_key_is_an_error(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(c, "local x = facts.mount['not/a/path'].live");
	assert_int_equal(case_run(c), -ERR_POLICY);
	assert_int_equal(c->err.at.line, 2);
	assert_non_null(strstr(c->err.text, "mount:not/a/path"));
	assert_int_equal(c->asked, 0);
	case_done(c);
	assert_body_fails("local x = facts.mount[1]", 1,
	                  "policy test: facts.mount takes a text as key, not a number");
	assert_body_fails("local x = facts.mount[('/x'):rep(100000)]", 1,
	                  "policy test: facts.mount: a key that is too long, or not UTF-8");
}

static void facts_cannot_be_listed(void **state)
{
	(void)state;
	assert_body_fails(
	    "for k in pairs(facts.package) do end", 1,
	    "policy test: facts are asked for one by one, by kind and key; they cannot be "
	    "listed");
	assert_body_fails(
	    "plan:each(facts, function() end)", 1,
	    "policy test: facts are asked for one by one, by kind and key; they cannot be "
	    "listed");
}

static void known_asks_first(void **state)
{
	struct test_case *c =
	    with_facts("plan:warn{rule = 'r', reason = tostring(facts:known('candidate', 'vim')) .. "
	               "tostring(facts:known('package', 'vim')) .. tostring(facts:known('kernel')) .. "
	               "tostring(facts:known('node'))}");

	(void)state;
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason, "falsetruetruefalse");
	assert_int_equal(c->decision.undecided_count, 0);
	case_done(c);
}

static void assert_unknown(const char *body)
{
	char whole[256];

	snprintf(whole, sizeof whole,
	         "plan:warn{rule = 'r', reason = 'gone'}\n%s\nplan:warn{rule = 'r', reason = 'never'}",
	         body);
	struct test_case *c = with_facts(whole);

	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 0);
	assert_int_equal(c->decision.undecided_count, 1);
	const struct undecided *u = &c->decision.undecided[0];

	assert_string_equal(u->item, "test");
	assert_string_equal(u->fact, "candidate:vim");
	assert_string_equal(u->origin.reason, "the index is missing");
	assert_string_equal(u->origin.lua.file, "policies/test.lua");
	assert_int_equal(u->origin.lua.line, 3);
	case_done(c);
}

static void undetermined_fact_ends_the_policy_however_it_is_read(void **state)
{
	(void)state;
	assert_unknown("local x = facts.candidate.vim.state");
	assert_unknown("local x = facts.candidate.vim.version");
	assert_unknown("local x = facts.candidate.vim.misspelt");
	assert_unknown("local x = #facts.candidate.vim");
	assert_unknown("local x = facts.candidate.vim[1]");
	assert_unknown("for k in pairs(facts.candidate.vim) do end");
	assert_unknown("for k in ipairs(facts.candidate.vim) do end");
	assert_unknown("plan:each(facts.candidate.vim, function() end)");
	assert_unknown("table.concat(facts.candidate.vim)");
	assert_unknown("local x = lib.has(facts.candidate.vim, 1)");
	assert_unknown("local x = lib.with(facts.candidate.vim, {})");
	assert_unknown("plan:file{path = facts.candidate.vim, reason = 'r'}");
}

static void undetermined_fact_may_be_held(void **state)
{
	struct test_case *c = with_facts("local x = facts.candidate.vim local y = x ~= nil");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.undecided_count, 0);
	case_done(c);
}

static void fact_source_that_fails_ends_the_run(void **state)
{
	struct test_case *c = with_facts("local x = facts.kernel.running");

	(void)state;
	c->fail = 1;
	assert_int_equal(case_run(c), -ERR_HOST);
	assert_string_equal(c->err.text, "no worker can be started");
	case_done(c);
}

static void flood_of_facts_is_refused(void **state)
{
	struct test_case *c = with_facts("for i = 1, 1e9 do\nlocal x = facts.file['/' .. i] end");

	(void)state;
	c->limits.resources = 1000;
	assert_fails(c, "policies/test.lua", 3, "policy test: more than 1000 facts were asked for");
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_come_by_value),
	    cmocka_unit_test(facts_are_asked_once_for_all_policies),
	    cmocka_unit_test(misspelt_kind_is_an_error),
	    cmocka_unit_test(misspelt_field_is_an_error),
	    cmocka_unit_test(impossible_key_is_an_error),
	    cmocka_unit_test(facts_cannot_be_listed),
	    cmocka_unit_test(known_asks_first),
	    cmocka_unit_test(undetermined_fact_ends_the_policy_however_it_is_read),
	    cmocka_unit_test(undetermined_fact_may_be_held),
	    cmocka_unit_test(fact_source_that_fails_ends_the_run),
	    cmocka_unit_test(flood_of_facts_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
