// SPDX-License-Identifier: MIT
/* Messages of a child that may have been taken over: nothing gets through that no policy says. */
#include "policy/reader.h"
#include "unit/policy/run.h"

struct reading {
	struct test_case *c;
	struct reader reader;
};

static struct reading start(void)
{
	struct reading r = {.c = case_create()};

	case_policy(r.c, "test", "");
	r.reader = (struct reader){
	    .set = &r.c->set,
	    .policy = &r.c->policies[0],
	    .most = 10,
	    .arena = r.c->arena,
	    .decision = &r.c->decision,
	};
	return r;
}

static void assert_refused(const char *json, const char *text)
{
	struct reading r = start();
	struct value items = case_json(r.c, json);

	assert_int_equal(reader_take(&r.reader, &items, &r.c->err), -ERR_POLICY);
	assert_string_equal(r.c->err.text, text);
	assert_string_equal(r.c->err.at.file, "policies/test.lua");
	case_done(r.c);
}

static const char broken[] = "policy test: its process sent a broken message";

static void right_message_is_taken(void **state)
{
	struct reading r = start();
	struct value items =
	    case_json(r.c, "[{\"what\": \"want\", \"kind\": \"hold\", \"file\": 0, \"line\": 7, "
	                   "\"table\": {\"package\": \"vim\", \"reason\": \"because\"}},"
	                   "{\"what\": \"undecided\", \"item\": \"holds.x\", \"fact\": \"kernel\", "
	                   "\"reason\": \"so\", \"file\": 0, \"line\": 8}]");

	(void)state;
	assert_int_equal(reader_take(&r.reader, &items, &r.c->err), 0);
	assert_int_equal(r.c->decision.proposal_count, 1);
	assert_int_equal(r.c->decision.proposals[0].origin.lua.line, 7);
	assert_int_equal(r.c->decision.undecided_count, 1);
	case_done(r.c);
}

static void garbage_is_refused(void **state)
{
	(void)state;
	assert_refused("{}", broken);
	assert_refused("[1]", broken);
	assert_refused("[[]]", broken);
	assert_refused("[{}]", broken);
	assert_refused("[{\"what\": 1}]", broken);
	assert_refused("[{\"what\": \"want\"}]", broken);
	assert_refused("[{\"what\": \"destroy\", \"table\": {}}]", broken);
	assert_refused("[{\"what\": \"want\", \"table\": {}}]", broken);
	assert_refused("[{\"what\": \"want\", \"kind\": \"node\", \"table\": {}}]", broken);
	assert_refused("[{\"what\": \"want\", \"kind\": \"nonsense\", \"table\": {}}]", broken);
	assert_refused("[{\"what\": \"undecided\"}]", broken);
	assert_refused("[{\"what\": \"undecided\", \"item\": \"a\\u001b[2J\", \"fact\": \"kernel\", "
	               "\"reason\": \"r\"}]",
	               broken);
	assert_refused(
	    "[{\"what\": \"undecided\", \"item\": \"a\", \"fact\": \"x:y\", \"reason\": \"r\"}]",
	    broken);
	assert_refused("[{\"what\": \"want\", \"kind\": \"hold\", \"table\": 1}]",
	               "policy test: plan:hold: it takes fields by name, not a list");
}

static void position_of_a_made_up_file_is_refused(void **state)
{
	struct reading r = start();
	struct value items = case_json(r.c, "[{\"what\": \"warn\", \"table\": {}}]");

	(void)state;
	items.items[0].at = (struct pos){"state\033[2J", 1, 1};
	assert_int_equal(reader_take(&r.reader, &items, &r.c->err), -ERR_POLICY);
	assert_string_equal(r.c->err.text, broken);
	case_done(r.c);
}

static void impossible_lines_are_left_out(void **state)
{
	struct reading r = start();
	const struct policy_source *p = &r.c->policies[0];

	(void)state;
	assert_int_equal(reader_position(&r.c->set, p, 0, 3).line, 3);
	assert_int_equal(reader_position(&r.c->set, p, 1, 3).line, 0);
	assert_int_equal(reader_position(&r.c->set, p, -1, 3).line, 0);
	assert_int_equal(reader_position(&r.c->set, p, INT64_MAX, 3).line, 0);
	assert_int_equal(reader_position(&r.c->set, p, 0, INT64_MAX).line, 0);
	case_done(r.c);
}

static void faults_of_a_resource_name_the_call(void **state)
{
	(void)state;
	assert_body_fails(
	    "\nplan:mount{target = '/x', sorce = 'y', type = 'nfs', reason = 'r'}", 2,
	    "policy test: plan:mount: sorce: a mount has no such field; did you mean source?");
	assert_body_fails("plan:command{name = 'x', run = 'y', reason = 'r'}", 1,
	                  "policy test: plan:command: run: a command has no such field, expected name, "
	                  "state, argv, unless or creates");
	assert_body_fails(
	    "plan:mount{target = 'x', source = 'y', type = 'nfs', reason = 'r'}", 1,
	    "policy test: plan:mount: target: \"x\" is relative, expected an absolute path");
	assert_body_fails("plan:module{name = 'x', loaded = 'yes', reason = 'r'}", 1,
	                  "policy test: plan:module: loaded: expected true or false, found \"yes\"");
	assert_body_fails("plan:module{name = 'x', builtin = true, reason = 'r'}", 1,
	                  "policy test: plan:module: builtin: is only observed, it cannot be wanted");
	assert_body_fails(
	    "plan:mount{target = '/x', reason = 'r'}", 1,
	    "policy test: plan:mount: source is missing: what is mounted: a device, LABEL=, "
	    "UUID=, host:/path, NID:/name, a folder to bind");
	assert_body_fails(
	    "plan:command{name = 'x', argv = {'/bin/true'}, reason = 'r'}", 1,
	    "policy test: plan:command: a command needs a guard: unless or creates says when "
	    "there is nothing to do");
	assert_body_fails("plan:hold{reason = 'r'}", 1,
	                  "policy test: plan:hold: package is missing: which hold");
	assert_body_fails("plan:hold{kind = 'package', package = 'x', reason = 'r'}", 1,
	                  "policy test: plan:hold: kind: is another than that of the call");
}

static void faults_beside_the_resource_are_found(void **state)
{
	(void)state;
	assert_body_fails("plan:hold{package = 'x'}", 1,
	                  "policy test: plan:hold: reason is missing: reason = \"...\"");
	assert_body_fails("plan:hold{package = 'x', reason = ''}", 1,
	                  "policy test: plan:hold: reason: expected text, found an empty one");
	assert_body_fails("plan:hold{package = 'x', reason = {}}", 1,
	                  "policy test: plan:hold: reason: expected text, found a list");
	assert_body_fails("plan:hold{package = 'x', reason = 'r', after = 'y'}", 1,
	                  "policy test: plan:hold: after: expected a list of KIND:KEY, found text");
	assert_body_fails("plan:hold{package = 'x', reason = 'r', after = {'mount'}}", 1,
	                  "policy test: plan:hold: after: mount needs a key: mount:KEY");
	assert_body_fails(
	    "plan:hold{package = 'x', reason = 'r', after = {'mout:/x'}}", 1,
	    "policy test: plan:hold: after: mout:/x: there is no such kind, did you mean mount");
	assert_body_fails("plan:hold{package = 'x', reason = 'r', provides = {}}", 1,
	                  "policy test: plan:hold: provides: only a package brings a module");
	assert_body_fails(
	    "plan:package{name = 'xx', reason = 'r', provides = {module = 'm', kernl = 'k'}}", 1,
	    "policy test: plan:package: kernl: provides has no such field; did you mean kernel?");
	assert_body_fails(
	    "plan:package{name = 'xx', reason = 'r', provides = {module = 'm', zzzzzzzz = 'k'}}", 1,
	    "policy test: plan:package: zzzzzzzz: provides has no such field, expected module or "
	    "kernel");
	assert_body_fails("plan:package{name = 'xx', reason = 'r', provides = {module = 'm'}}", 1,
	                  "policy test: plan:package: kernel is missing: kernel = \"...\"");
	assert_body_fails("plan:block{reason = 'r'}", 1,
	                  "policy test: plan:block: rule is missing: rule = \"...\"");
	assert_body_fails(
	    "plan:warn{rule = 'r', resaon = 'r'}", 1,
	    "policy test: plan:warn: resaon: plan:warn has no such field; did you mean reason?");
	assert_body_fails("plan:warn{rule = 'r', reason = 'r', resource = 'fsx'}", 1,
	                  "policy test: plan:warn: resource: fsx: there is no such kind");
	assert_body_fails("plan:warn{}", 1, "policy test: plan:warn: rule is missing: rule = \"...\"");
}

static void handles_are_checked(void **state)
{
	(void)state;
	assert_file_fails(
	    "return {name = 'test', summary = 's', handles = {'mouns'}, plan = function() end}", 1,
	    "policy test: handles: there is no section mouns; did you mean mounts?");
	assert_file_fails(
	    "return {name = 'test', summary = 's', handles = {'mode'}, plan = function() end}", 1,
	    "policy test: handles: mode is not for policies");
}

static void more_than_allowed_is_refused_here_too(void **state)
{
	struct reading r = start();
	struct value items =
	    case_json(r.c, "[{\"what\": \"warn\", \"table\": {\"rule\": \"r\", \"reason\": \"r\"}}]");

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(reader_take(&r.reader, &items, &r.c->err), 0);
	}
	assert_int_equal(reader_take(&r.reader, &items, &r.c->err), -ERR_POLICY);
	assert_string_equal(r.c->err.text, "policy test: plan: more than 10 resources were planned");
	case_done(r.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(right_message_is_taken),
	    cmocka_unit_test(garbage_is_refused),
	    cmocka_unit_test(position_of_a_made_up_file_is_refused),
	    cmocka_unit_test(impossible_lines_are_left_out),
	    cmocka_unit_test(faults_of_a_resource_name_the_call),
	    cmocka_unit_test(faults_beside_the_resource_are_found),
	    cmocka_unit_test(handles_are_checked),
	    cmocka_unit_test(more_than_allowed_is_refused_here_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
