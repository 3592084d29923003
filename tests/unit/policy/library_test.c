// SPDX-License-Identifier: MIT
/* lib: what is built in, and files of policies/lib. */
#include "unit/policy/run.h"

static void template_fills_in(void **state)
{
	(void)state;
	assert_body_says("say(lib.template('a-{kernel}-{n}{', {kernel = '6.8', n = 1}))", "a-6.8-1{");
	assert_body_says(
	    "say(lib.template(('x'):rep(5000) .. '{a}', {a = ('y'):rep(5000)}):sub(4999, 5002))",
	    "xxyy");
	assert_body_fails("return lib.template('a-{kernal}', {kernel = '6.8'})", 1,
	                  "policy test: template: there is no value for {kernal}");
}

static void glob_matches_as_the_state_does(void **state)
{
	(void)state;
	assert_body_says(
	    "say(tostring(lib.glob('2.15.*', '2.15.6-1')) .. tostring(lib.glob('2.15', '2.15.6')) "
	    ".. tostring(lib.glob('6.8.0-*-aws', '6.8.0-1042-aws')))",
	    "truefalsetrue");
	assert_body_fails("lib.glob(('*a'):rep(200), 'x')", 1,
	                  "policy test: glob: the pattern has at most 256 bytes and the text 65536");
}

static void has_and_with_help_with_tables(void **state)
{
	(void)state;
	assert_body_says(
	    "local t = {a = 1, b = 2}\nlocal u = lib.with(t, {b = 3, c = 4})\n"
	    "say(tostring(lib.has({'x', 'y'}, 'y')) .. tostring(lib.has(nil, 'y')) .. u.a .. u.b "
	    ".. u.c .. t.b)",
	    "truefalse1342");
}

static void file_is_loaded_once_per_policy(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_library(c, "count", "count_of_loads = 1\nreturn {n = 0}");
	case_body(c, "lib.count.n = lib.count.n + 1\nlib.count.n = lib.count.n + 1\n"
	             "plan:warn{rule = 'r', reason = tostring(lib.count.n)}");
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason, "2");
	case_done(c);
}

static void library_may_use_another(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_library(c, "a", "return {x = lib.b.y .. 'a'}");
	case_library(c, "b", "return {y = 'b'}");
	case_body(c, "plan:warn{rule = 'r', reason = lib.a.x}");
	assert_runs(c);
	assert_string_equal(c->decision.warnings[0].origin.reason, "ba");
	case_done(c);
}

static void library_that_needs_itself_is_refused(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_library(c, "a", "return {x = lib.b.y}");
	case_library(c, "b", "local a = 1\nreturn {y = lib.a.x}");
	case_body(c, "local x = lib.a");
	assert_fails(c, "policies/lib/b.lua", 2,
	             "policy test: lib.a needs itself while it is being loaded");
	case_done(c);
}

static void missing_and_broken_libraries_are_errors(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	assert_body_fails(
	    "lib.templat('x', {})", 1,
	    "policy test: lib.templat: there is no such helper, and no policies/lib/templat.lua");
	case_library(c, "a", "return 1");
	case_body(c, "local x = lib.a");
	assert_fails(c, "policies/test.lua", 2,
	             "policy test: lib.a: the file must return a table, not number");
	case_done(c);
	c = case_create();
	case_library(c, "a", "\nreturn (");
	case_body(c, "local x = lib.a");
	assert_fails(c, "policies/lib/a.lua", 2, "policy test: unexpected symbol near <eof>");
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(template_fills_in),
	    cmocka_unit_test(glob_matches_as_the_state_does),
	    cmocka_unit_test(has_and_with_help_with_tables),
	    cmocka_unit_test(file_is_loaded_once_per_policy),
	    cmocka_unit_test(library_may_use_another),
	    cmocka_unit_test(library_that_needs_itself_is_refused),
	    cmocka_unit_test(missing_and_broken_libraries_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
