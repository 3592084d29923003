// SPDX-License-Identifier: MIT
/* The global functions of a policy: the same on every node, every time, and bounded. */
#include "unit/policy/run.h"

static void pairs_goes_by_number_then_by_byte(void **state)
{
	(void)state;
	assert_body_says(
	    "local t = {b = 1, a = 1, B = 1, [10] = 1, [-1] = 1, [2] = 1, ab = 1, ['\xc3\xa4'] = 1}\n"
	    "local s = ''\n"
	    "for k in pairs(t) do s = s .. ' ' .. k end\nsay(s)",
	    " -1 2 10 B a ab b \xc3\xa4");
}

static void pairs_gives_values_and_allows_changes(void **state)
{
	(void)state;
	assert_body_says("local t = {a = 1, b = 2, c = 3}\nlocal s = ''\n"
	                 "for k, v in pairs(t) do t.b = nil t[k] = v + 1 t.z = 9 s = s .. k .. v end\n"
	                 "say(s .. t.a .. t.c)",
	                 "a1c324");
}

static void pairs_of_nothing_ends_at_once(void **state)
{
	(void)state;
	assert_body_says("for _ in pairs({}) do say('no') end\nsay('end')", "end");
}

static void pairs_refuses_other_keys(void **state)
{
	(void)state;
	assert_body_fails("for _ in pairs({[true] = 1}) do end", 1,
	                  "policy test: a table is walked by whole numbers and texts; this one has a "
	                  "boolean as key");
	assert_body_fails(
	    "for _ in pairs({[1.5] = 1}) do end", 1,
	    "policy test: a table is walked by whole numbers and texts; this one has a number "
	    "as key");
}

static void addresses_never_show(void **state)
{
	(void)state;
	assert_body_says("say(tostring({}) .. tostring(say) .. tostring(plan) .. tostring(nil) .. "
	                 "tostring(true) .. tostring(1) .. tostring(0.5))",
	                 "tablefunctiontableniltrue10.5");
	assert_body_fails("local s = string.format('%s', {})", 1,
	                  "policy test: %s takes a text or a number, not a table");
	assert_body_fails("local s = ('%d %-5s'):format(1, say)", 1,
	                  "policy test: nothing is called 'say'");
	assert_body_fails("local s = string.format('%5p', {})", 1,
	                  "policy test: format has no %p here: an address says nothing about a node");
	assert_body_fails("local s = string.format('\\0%p', {})", 1,
	                  "policy test: format has no %p here: an address says nothing about a node");
	assert_body_fails("local s = string.format('\\0%d %s', 1, {})", 1,
	                  "policy test: %s takes a text or a number, not a table");
}

static void format_works(void **state)
{
	(void)state;
	assert_body_says("say(string.format('%d%% of %-4s|%s %s', 5, 'x', nil, true))",
	                 "5% of x   |nil true");
}

static void sort_is_stable_and_takes_an_order(void **state)
{
	(void)state;
	assert_body_says(
	    "local t = {'b', 'a', 'C', '10', '9', 'a'}\ntable.sort(t)\n"
	    "local u = {}\n"
	    "for i = 1, 300 do u[i] = {k = i % 3, i = i} end\n"
	    "table.sort(u, function(a, b) return a.k > b.k end)\n"
	    "say(table.concat(t, ' ') .. ' ' .. u[1].i .. ' ' .. u[100].i .. ' ' .. u[101].i "
	    ".. ' ' .. u[300].i)",
	    "10 9 C a a b 2 299 1 300");
}

static void sort_survives_an_order_that_is_none(void **state)
{
	(void)state;
	assert_body_says("local t = {}\nfor i = 1, 200 do t[i] = i end\n"
	                 "table.sort(t, function() return true end)\nsay('' .. #t)",
	                 "200");
	assert_body_fails("table.sort({1, 'a'})", 1,
	                  "policy test: attempt to compare string with number");
}

static void texts_have_only_our_methods(void **state)
{
	(void)state;
	assert_body_says("say(('x'):rep(3) .. ('a,b'):match('^(.-),') .. (('abc'):gsub('b', 'x')) .. "
	                 "('%d'):format(7) .. #('abc') .. ('abc'):sub(2, 2) .. ('é'):len())",
	                 "xxxaaxc73b2");
	assert_body_fails(
	    "local x = ('x') + 1", 1,
	    "policy test: attempt to perform arithmetic on a string value (constant 'x')");
	assert_body_fails("local x = ('x'):dump()", 1,
	                  "policy test: attempt to call a nil value (method 'dump')");
}

static void functions_of_lua_say_their_own_errors(void **state)
{
	(void)state;
	assert_body_fails("local x = string.rep()", 1,
	                  "policy test: bad argument #1 to 'rep' (string expected, got no value)");
	assert_body_fails("table.insert(nil, 1)", 1,
	                  "policy test: bad argument #1 to 'insert' (table expected, got nil)");
	assert_body_fails("table.sort({}, 1)", 1,
	                  "policy test: bad argument #2 to 'sort' (function expected, got number)");
	assert_body_fails("local x = ('x'):match('%')", 1,
	                  "policy test: malformed pattern (ends with '%')");
}

static void tables_work(void **state)
{
	(void)state;
	assert_body_says(
	    "local t = {1, 2}\ntable.insert(t, 3)\ntable.insert(t, 1, 0)\n"
	    "local r = table.remove(t)\nlocal p = table.pack(4, 5)\n"
	    "table.move(p, 1, 2, 4, t)\n"
	    "say(table.concat(t, '-') .. r .. select('#', table.unpack(t)) .. math.max(1, 2) .. "
	    "math.floor(2.5) .. type(t) .. tonumber('12'))",
	    "0-1-2-4-53522table12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs_goes_by_number_then_by_byte),
	    cmocka_unit_test(pairs_gives_values_and_allows_changes),
	    cmocka_unit_test(pairs_of_nothing_ends_at_once),
	    cmocka_unit_test(pairs_refuses_other_keys),
	    cmocka_unit_test(addresses_never_show),
	    cmocka_unit_test(format_works),
	    cmocka_unit_test(sort_is_stable_and_takes_an_order),
	    cmocka_unit_test(sort_survives_an_order_that_is_none),
	    cmocka_unit_test(texts_have_only_our_methods),
	    cmocka_unit_test(functions_of_lua_say_their_own_errors),
	    cmocka_unit_test(tables_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
