// SPDX-License-Identifier: MIT
/* Hostile and broken policies, through the real child: each must end in a message with its line. */
#include "unit/policy/run.h"

static void endless_loop_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("local i = 0\nwhile true do\n  i = i + 1\nend", 3,
	                  "policy test: it used more than 1 s of CPU time");
}

static void endless_loop_without_a_body_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("while true do end", 1, "policy test: it used more than 1 s of CPU time");
}

static void endless_loop_in_an_item_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("plan:each({1}, function()\n while true do end\nend)", 2,
	                  "policy test: it used more than 1 s of CPU time");
}

static void endless_loop_at_the_top_of_the_file_is_stopped(void **state)
{
	(void)state;
	assert_file_fails("local x = 1\nrepeat until false", 2,
	                  "policy test: it used more than 1 s of CPU time");
}

static void backtracking_pattern_is_killed(void **state)
{
	(void)state;
	assert_body_fails("local s = string.rep('a', 40000)\nlocal x\n"
	                  "x = string.find(s, 'a-a-a-a-a-a-a-b')",
	                  3, "policy test: it used more than 1 s of CPU time");
}

static void pattern_is_killed_as_a_method_too(void **state)
{
	(void)state;
	assert_body_fails("\n\nreturn (('a'):rep(40000):gsub('.-.-.-.-.-.-b', ''))", 3,
	                  "policy test: it used more than 1 s of CPU time");
}

static void long_pattern_is_refused(void **state)
{
	(void)state;
	assert_body_fails("return ('x'):match(('a'):rep(257))", 1,
	                  "policy test: a pattern has at most 256 bytes, this one has 257");
}

static void rep_that_never_returns_is_refused(void **state)
{
	(void)state;
	assert_body_fails("local x = (''):rep(9223372036854775807)", 1,
	                  "policy test: rep would make a text of more than 1048576 bytes");
	assert_body_fails("local x = ('x'):rep(1 << 40, 'yy')", 1,
	                  "policy test: rep would make a text of more than 1048576 bytes");
}

static void table_move_that_never_returns_is_refused(void **state)
{
	(void)state;
	assert_body_fails("table.move({}, 1, 1 << 60, 1)", 1,
	                  "policy test: move goes over at most 1000000 items");
	assert_body_fails("table.move({}, math.tointeger(-2^63), 9223372036854775807, 1)", 1,
	                  "policy test: move goes over at most 1000000 items");
}

static void table_concat_that_never_returns_is_refused(void **state)
{
	(void)state;
	assert_body_fails("table.concat({}, '', 1, 1 << 60)", 1,
	                  "policy test: concat goes over at most 1000000 items");
}

static void memory_bomb_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("local t = {}\nlocal s = ('x'):rep(1 << 20)\nfor i = 1, 1e9 do\n"
	                  "t[i] = s .. i end",
	                  4, "policy test: it used more than 64 MiB of memory");
}

static void memory_bomb_in_an_item_is_stopped(void **state)
{
	(void)state;
	assert_body_fails(
	    "local s = 'x'\nplan:each({1}, function()\nwhile true do\ns = s .. s end end)", 4,
	    "policy test: it used more than 64 MiB of memory");
}

static void deep_recursion_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("local function f(x)\nreturn 1 + f(x) end\nf(1)", 2,
	                  "policy test: stack overflow");
}

static void deep_recursion_through_items_is_stopped(void **state)
{
	(void)state;
	assert_body_fails("local function f()\nplan:each({1}, f) end\nf()", 2,
	                  "policy test: C stack overflow");
}

static void bytecode_is_refused(void **state)
{
	(void)state;
	assert_file_fails("\033Lua garbage", 1,
	                  "policy test: the file is bytecode; a policy is a text");
}

static void long_file_is_refused(void **state)
{
	struct test_case *c = case_create();
	char *text = arena_alloc(c->arena, (256 << 10) + 2);

	(void)state;
	memset(text, ' ', (256 << 10) + 1);
	case_policy(c, "test", text);
	assert_fails(c, "policies/test.lua", 1, "policy test: the file is longer than 256 KiB");
	case_done(c);
}

static void gc_metamethod_cannot_be_reached(void **state)
{
	(void)state;
	assert_body_fails(
	    "setmetatable({}, {__gc = function() while true do end end})", 1,
	    "policy test: there is no 'setmetatable' here: a policy sees what is wanted and "
	    "the facts, and nothing else of the machine");
	assert_body_fails("local t <close> = {__close = function() end}", 1,
	                  "policy test: variable 't' got a non-closable value");
}

static void what_is_not_there_is_said(void **state)
{
	static const char *const names[] = {
	    "pcall",  "xpcall", "coroutine", "load",           "loadstring", "require",
	    "dofile", "rawset", "next",      "collectgarbage", "print",      "os",
	    "io",     "debug",  "package",   "getmetatable",   "_G",         "_ENV.x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct test_case *c = case_create();

		case_body(c, arena_printf(c->arena, "\nlocal x = %s", names[i]));
		assert_int_equal(case_run(c), -ERR_POLICY);
		assert_int_equal(c->err.at.line, 3);
		case_done(c);
	}
	assert_body_fails(
	    "local x = os.time()", 1,
	    "policy test: there is no 'os' here: a policy sees what is wanted and the facts, "
	    "and nothing else of the machine");
	assert_body_fails("local x = math.random(3)", 1,
	                  "policy test: attempt to call a nil value (field 'random')");
	assert_body_fails("local x = string.dump(plan.each)", 1,
	                  "policy test: attempt to call a nil value (field 'dump')");
	assert_body_fails("helpr()", 1, "policy test: nothing is called 'helpr'");
}

static void syntax_error_has_its_line(void **state)
{
	(void)state;
	assert_file_fails("return {\n  name = = 1\n}", 2, "policy test: unexpected symbol near '='");
}

static void runtime_error_has_its_line(void **state)
{
	(void)state;
	assert_body_fails("local x\nlocal y = x.z", 2,
	                  "policy test: attempt to index a nil value (local 'x')");
	assert_body_fails("\nerror('out of ' .. 'ideas')", 2, "policy test: out of ideas");
	assert_body_fails("\nerror('no line', 0)", 2, "policy test: no line");
	assert_body_fails("\nerror({})", 2, "policy test: it raised an error that is not a text");
	assert_body_fails("\nerror()", 2, "policy test: it raised an error that is not a text");
	assert_body_fails("\nassert(false)", 2, "policy test: assertion failed!");
}

static void control_characters_of_an_error_are_shown(void **state)
{
	(void)state;
	assert_body_fails("error('a\\27[31mb')", 1, "policy test: a\\x1b[31mb");
}

static void long_error_is_cut(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_body(c, "error(('x'):rep(100000))");
	assert_int_equal(case_run(c), -ERR_POLICY);
	assert_true(strlen(c->err.text) < 450);
	assert_int_equal(c->err.at.line, 2);
	case_done(c);
}

static void file_that_returns_garbage_is_refused(void **state)
{
	(void)state;
	assert_file_fails(
	    "\nreturn 42", 2,
	    "policy test: the file must return a table with name, summary, handles and plan, "
	    "not number");
	assert_file_fails(
	    "local x = 1", 1,
	    "policy test: the file must return a table with name, summary, handles and plan, "
	    "not nil");
	assert_file_fails("return {name = 'other', summary = 's', handles = {}, plan = function() end}",
	                  1, "policy test: name must be \"test\", as the file is called");
	assert_file_fails("return {name = 'test', handles = {}, plan = function() end}", 1,
	                  "policy test: summary must be a text");
	assert_file_fails("return {name = 'test', summary = 's', handles = {}, plan = {}}", 1,
	                  "policy test: plan must be a function(want, facts, plan)");
	assert_file_fails("return {name = 'test', summary = 's', plan = function() end}", 1,
	                  "policy test: handles: a nil is not a plain value");
	assert_file_fails(
	    "return {name = 'test', summary = 's', handels = {}, plan = function() end}", 1,
	    "policy test: a policy has no 'handels'; it has name, summary, handles and plan");
	assert_file_fails("return {name = 'test', summary = 's', handles = {1}, plan = function() end}",
	                  1, "policy test: handles must be a list of texts");
}

static void plan_that_returns_something_is_refused(void **state)
{
	(void)state;
	assert_body_fails(
	    "\nreturn {kind = 'file'}", 2,
	    "policy test: plan returned a table; what is wanted is said with plan:KIND{...}");
}

static void flood_of_resources_is_refused(void **state)
{
	(void)state;
	assert_body_fails("for i = 1, 1e9 do\n"
	                  "plan:directory{path = '/d' .. i, reason = 'r'} end",
	                  2, "policy test: more than 100000 resources were planned");
}

static void flood_of_bytes_is_refused(void **state)
{
	(void)state;
	assert_body_fails("local s = ('x'):rep(1 << 20)\nfor i = 1, 1e9 do\n"
	                  "plan:file{path = '/d' .. i, content = s, reason = 'r'} end",
	                  3, "policy test: it planned more than 64 MiB");
}

static void each_policy_has_a_state_of_its_own(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_policy(c, "a",
	            "leaked = 1 string.format = nil\n"
	            "return {name = 'a', summary = 's', handles = {}, plan = function() end}");
	case_policy(c, "b",
	            "local x = string.format('%d', 1)\n"
	            "local y = leaked\n"
	            "return {name = 'b', summary = 's', handles = {}, plan = function() end}");
	assert_fails(c, "policies/b.lua", 2, "policy b: nothing is called 'leaked'");
	case_done(c);
}

static void error_in_a_library_names_the_library(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_library(c, "tool", "local t = {}\nfunction t.go(x)\n  return x.y.z\nend\nreturn t");
	case_body(c, "lib.tool.go({})");
	assert_fails(c, "policies/lib/tool.lua", 3,
	             "policy test: attempt to index a nil value (field 'y')");
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endless_loop_is_stopped),
	    cmocka_unit_test(endless_loop_without_a_body_is_stopped),
	    cmocka_unit_test(endless_loop_in_an_item_is_stopped),
	    cmocka_unit_test(endless_loop_at_the_top_of_the_file_is_stopped),
	    cmocka_unit_test(backtracking_pattern_is_killed),
	    cmocka_unit_test(pattern_is_killed_as_a_method_too),
	    cmocka_unit_test(long_pattern_is_refused),
	    cmocka_unit_test(rep_that_never_returns_is_refused),
	    cmocka_unit_test(table_move_that_never_returns_is_refused),
	    cmocka_unit_test(table_concat_that_never_returns_is_refused),
	    cmocka_unit_test(memory_bomb_is_stopped),
	    cmocka_unit_test(memory_bomb_in_an_item_is_stopped),
	    cmocka_unit_test(deep_recursion_is_stopped),
	    cmocka_unit_test(deep_recursion_through_items_is_stopped),
	    cmocka_unit_test(bytecode_is_refused),
	    cmocka_unit_test(long_file_is_refused),
	    cmocka_unit_test(gc_metamethod_cannot_be_reached),
	    cmocka_unit_test(what_is_not_there_is_said),
	    cmocka_unit_test(syntax_error_has_its_line),
	    cmocka_unit_test(runtime_error_has_its_line),
	    cmocka_unit_test(control_characters_of_an_error_are_shown),
	    cmocka_unit_test(long_error_is_cut),
	    cmocka_unit_test(file_that_returns_garbage_is_refused),
	    cmocka_unit_test(plan_that_returns_something_is_refused),
	    cmocka_unit_test(flood_of_resources_is_refused),
	    cmocka_unit_test(flood_of_bytes_is_refused),
	    cmocka_unit_test(each_policy_has_a_state_of_its_own),
	    cmocka_unit_test(error_in_a_library_names_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
