// SPDX-License-Identifier: MIT
/* Values into Lua and back. */
#include "unit/policy/run.h"

static struct test_case *with_mounts(const char *body)
{
	struct test_case *c = case_create();

	case_want(c,
	          "{\"mode\": \"safe\", \"mounts\": {\"/a\": {\"source\": \"s\", \"type\": \"nfs\", "
	          "\"options\": [\"ro\", \"soft\"]}, \"/b\": {\"source\": \"t\", \"type\": \"xfs\"}}}");
	case_policy(c, "test",
	            arena_printf(c->arena,
	                         "return {name = \"test\", summary = \"s\", handles = {\"mounts\"}, "
	                         "plan = function(want, facts, plan)\n%s\nend}",
	                         body));
	return c;
}

static void want_comes_as_plain_tables(void **state)
{
	struct test_case *c = with_mounts(
	    "local m = want.mounts['/a']\nlocal n = 0 for _ in pairs(want) do n = n + 1 end\n"
	    "local k = '' for key in pairs(m) do k = k .. key end\n"
	    "plan:warn{rule = 'r', reason = m.source .. m.type .. table.concat(m.options, ',') "
	    ".. want.mode .. n .. k .. tostring(want.mounts['/c']) .. "
	    "tostring(want.packages) .. tostring(m.manage)}");

	(void)state;
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason,
	                    "snfsro,softsafe2optionssourcetypenilnilnil");
	case_done(c);
}

static void section_that_cannot_be_is_an_error(void **state)
{
	struct test_case *c = with_mounts("local x = want.mount");

	(void)state;
	assert_fails(c, "policies/test.lua", 2,
	             "policy test: the desired state has no section 'mount'; did you mean 'mounts'");
	case_done(c);
}

static void field_that_cannot_be_is_an_error(void **state)
{
	struct test_case *c = with_mounts("local x = want.mounts['/a'].sorce");

	(void)state;
	assert_fails(c, "policies/test.lua", 2,
	             "policy test: mounts has no field 'sorce'; did you mean 'source'");
	case_done(c);
}

static void policy_may_write_to_its_copy(void **state)
{
	struct test_case *c =
	    with_mounts("want.mounts['/a'].source = 'mine' want.mounts['/b'] = nil want.mode = nil");

	(void)state;
	case_policy(
	    c, "zest",
	    "return {name = 'zest', summary = 's', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:warn{rule = 'r', reason = want.mounts['/a'].source .. want.mounts['/b'].type .. "
	    "want.mode} end}");
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason, "sxfssafe");
	case_done(c);
}

static void plain_values_go_back(void **state)
{
	struct test_case *c =
	    with_mounts("plan:mount{target = '/a', source = 's', type = 'nfs', "
	                "options = want.mounts['/a'].options, reason = 'r'}\n"
	                "plan:module{name = 'x', loaded = 4 > 3, parameters = {}, reason = 'r'}");

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 2);
	const struct mount *mount = &c->decision.proposals[0].want->mount;

	assert_int_equal(mount->options.count, 2);
	assert_string_equal(mount->options.items[1], "soft");
	assert_true(c->decision.proposals[1].want->module.loaded.value);
	assert_true(c->decision.proposals[1].want->module.parameters.set);
	case_done(c);
}

static void other_values_do_not(void **state)
{
	(void)state;
	assert_body_fails("plan:file{path = '/x', content = print_ and 1 or function() end}", 1,
	                  "policy test: nothing is called 'print_'");
	assert_body_fails("plan:file{path = '/x', content = function() end, reason = 'r'}", 1,
	                  "policy test: content: a function is not a plain value");
	assert_body_fails("plan:file{path = '/x', content = 1.5, reason = 'r'}", 1,
	                  "policy test: content: not a whole number");
	assert_body_fails("plan:file{path = '/x', content = 'a\\0b', reason = 'r'}", 1,
	                  "policy test: content: the text is not UTF-8 or holds a NUL");
	assert_body_fails("plan:file{path = '/x', content = '\\xff', reason = 'r'}", 1,
	                  "policy test: content: the text is not UTF-8 or holds a NUL");
	assert_body_fails("plan:file{path = '/x', [true] = 'x', reason = 'r'}", 1,
	                  "policy test: file: a boolean as key of a table");
	assert_body_fails("plan:file{path = '/x', 'y', reason = 'r'}", 1,
	                  "policy test: file: a table is either a list without gaps or a map of texts");
	assert_body_fails(
	    "plan:module{name = 'x', parameters = {'a=1', [3] = 'b=1'}, reason = 'r'}", 1,
	    "policy test: parameters: a table is either a list without gaps or a map of texts");
	assert_body_fails("plan:file{path = '/x', content = ('x'):rep(1 << 20) .. 'y', reason = 'r'}",
	                  1, "policy test: content: a text of 1048577 bytes, 1048576 are the limit");
	assert_body_fails("plan:file{'/x'}", 1,
	                  "policy test: plan:file: it takes fields by name, not a list");
}

static void loop_of_tables_is_refused(void **state)
{
	(void)state;
	assert_body_fails("local t = {} t.t = t\nplan:file{path = t, reason = 'r'}", 2,
	                  "policy test: t: tables nested deeper than 8 levels");
}

static void large_call_is_refused(void **state)
{
	(void)state;
	assert_body_fails("local s = ('x'):rep(1 << 20)\n"
	                  "plan:module{name = 'x', parameters = {s, s, s, s, s}, reason = 'r'}",
	                  2, "policy test: plan:module: more than 4 MiB in one call");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(want_comes_as_plain_tables),
	    cmocka_unit_test(section_that_cannot_be_is_an_error),
	    cmocka_unit_test(field_that_cannot_be_is_an_error),
	    cmocka_unit_test(policy_may_write_to_its_copy),
	    cmocka_unit_test(plain_values_go_back),
	    cmocka_unit_test(other_values_do_not),
	    cmocka_unit_test(loop_of_tables_is_refused),
	    cmocka_unit_test(large_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
