// SPDX-License-Identifier: MIT
#include "capture.h"

#include "base/json.h"
#include "cli/applying.h"
#include "cli/session.h"
#include "engine/pause.h"
#include "host/self.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static struct capture caught;
static struct arena *arena;
static struct cli cli;

static const char *path(const char *name)
{
	return arena_strdup(arena, scratch_path(name));
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(scratch_path(name), &st) == 0;
}

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	cli = (struct cli){
	    .arena = arena,
	    .engine =
	        {
	            .command = "apply",
	            .version = "test",
	            .tree = path("tree"),
	            .node = "n",
	            .history = path("var/history.db"),
	            .run_dir = path("run"),
	            .state_dir = path("state"),
	            .write_state = true,
	            .person = true,
	        },
	};
	scratch_mkdir(scratch_path("tree"), 0755);
	scratch_mkdir(scratch_path("tree/state"), 0755);
	scratch_mkdir(scratch_path("tree/state/nodes"), 0755);
	scratch_write(scratch_path("tree/state/nodes/n.yaml"),
	              arena_printf(arena,
	                           "version: 1\nnodes: [n]\nresources:\n"
	                           "  - {kind: directory, path: %s/d}\n",
	                           scratch_dir()),
	              0644);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

/* Applies with that typed on standard input. */
static int apply(const char *typed)
{
	int before = dup(STDIN_FILENO), code;

	scratch_write(scratch_path("typed"), typed, 0600);
	int fd = open(scratch_path("typed"), O_RDONLY | O_CLOEXEC);

	assert_true(before >= 0 && fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);
	clearerr(stdin);
	CAPTURED(&caught, {
		struct engine *engine = session_load(&cli, &code);

		code = engine ? applying_run(&cli, engine, NULL) : code;
		engine_close(engine);
	});
	fflush(stdin);
	dup2(before, STDIN_FILENO);
	close(before);
	return code;
}

static void only_a_whole_yes_goes_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	static const char *const noes[] = {"", "\n", "no\n", "y\n", "YES\n", "yes please\n", "yes"};

	for (size_t i = 0; i < ARRAY_LEN(noes); i++) {
		assert_int_equal(apply(noes[i]), EXIT_CHANGES);
		assert_false(is_there("d"));
		assert_has(caught.err, "Carry this out? Type yes: ");
		assert_has(caught.out, "Plan: 1 to change.\n");
		assert_has(caught.out, "Nothing was changed.\n");
	}
	assert_int_equal(apply("yes\n"), EXIT_IN_SYNC);
	assert_true(is_there("d"));
	assert_has(caught.out, "  ✓ directory ");
	assert_has(caught.out, "Applied: 1 changed (run 1).\n");
}

static void what_the_plan_said_is_not_said_twice(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_mkdir(scratch_path("tree/policies"), 0755);
	scratch_write(
	    scratch_path("tree/policies/w.lua"),
	    "return {name = 'w', summary = '', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:warn{rule = 'told', reason = 'once'} end}\n",
	    0644);
	cli.yes = true;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	const char *first = strstr(caught.out, "warning: told");

	assert_non_null(first);
	assert_null(strstr(first + 1, "warning: told"));
	/* In sync no plan is shown, and the result says it. */
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_has(caught.out, "warning: told");
}

static void with_yes_or_nobody_there_it_is_not_asked(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	cli.yes = true;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_string_equal(caught.err, "");
	assert_int_equal(rmdir(scratch_path("d")), 0);
	cli.yes = false;
	cli.engine.person = false;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_string_equal(caught.err, "");
	assert_true(is_there("d"));
}

static void in_sync_there_is_nothing_to_ask(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	cli.yes = true;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	cli.yes = false;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_string_equal(caught.err, "");
	assert_string_equal(caught.out, "\nApplied: 1 in sync (run 2).\n");
}

static void a_pass_of_run_that_changes_nothing_says_nothing_where_nobody_watches(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	char supervisor;

	cli.supervisor = &supervisor;
	cli.engine.person = false;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_has(caught.out, "Applied: 1 changed (run 1).\n");
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_string_equal(caught.out, "");
	assert_string_equal(caught.err, "");
	/* What is not as it should be is told each time. */
	scratch_mkdir(scratch_path("tree/policies"), 0755);
	scratch_write(
	    scratch_path("tree/policies/w.lua"),
	    "return {name = 'w', summary = '', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:warn{rule = 'told', reason = 'each time'} end}\n",
	    0644);
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_has(caught.out, "warning: told");
	scratch_write(
	    scratch_path("tree/policies/w.lua"),
	    "return {name = 'w', summary = '', handles = {}, plan = function(want, facts, plan)\n"
	    "plan:block{rule = 'held', reason = 'not now'} end}\n",
	    0644);
	assert_int_equal(apply(""), EXIT_BLOCKED);
	assert_has(caught.out, "! held");
	assert_string_equal(str_text(&cli.pass.left), "held (blocked: not now)");
	cli.json = true;
	assert_int_equal(unlink(scratch_path("tree/policies/w.lua")), 0);
	assert_int_equal(rmdir(scratch_path("tree/policies")), 0);
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_has(caught.out, "\"exit_code\": 0");
	str_free(&cli.pass.left);
}

static void what_is_left_is_listed_with_a_tree_that_is_not_used(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	char supervisor;

	cli.supervisor = &supervisor;
	cli.engine.person = false;
	cli.engine.stale_ok = true;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	scratch_write(scratch_path("tree/state/nodes/n.yaml"), "version: 1\nnodes: [n]\nfoo: 1\n",
	              0644);
	assert_int_equal(apply(""), EXIT_BLOCKED);
	assert_has(caught.out, "  ! The tree is not used (");
	assert_has(str_text(&cli.pass.left), "tree (blocked: ");
	assert_has(str_text(&cli.pass.left), "foo");
	str_free(&cli.pass.left);
}

static void the_result_as_json_is_one_document(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct value document;
	struct err err;

	cli.json = true;
	cli.yes = true;
	assert_int_equal(apply(""), EXIT_IN_SYNC);
	assert_string_equal(caught.err, "");
	assert_int_equal(json_parse(caught.out, strlen(caught.out), "out", arena, &document, &err), 0);
	assert_int_equal(value_number(&document, "exit_code", -1), 0);
	assert_int_equal(value_number(&document, "run", -1), 1);
	assert_false(value_truth(&document, "declined", true));
	assert_int_equal(value_get(&document, "stopped")->type, VALUE_NULL);
	assert_int_equal(value_get(&document, "after")->type, VALUE_MAP);
	assert_int_equal(value_number(value_get(&document, "counts"), "changed", -1), 1);
}

static void nobody_is_asked_about_what_was_not_shown(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct value document;
	struct err err;

	cli.json = true;
	assert_int_equal(apply("no\n"), EXIT_CHANGES);
	assert_has(caught.err, "Plan: 1 to change.\n");
	assert_has(caught.err, "Carry this out?");
	assert_int_equal(json_parse(caught.out, strlen(caught.out), "out", arena, &document, &err), 0);
	assert_true(value_truth(&document, "declined", false));
	assert_int_equal(value_number(&document, "exit_code", -1), EXIT_CHANGES);
}

static void a_paused_node_says_so_and_exits_with_its_code(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	const struct pause_wish maintenance = {.reason = "maintenance"};

	assert_int_equal(pause_begin(&cli.engine, &maintenance, arena, &err), 0);
	assert_int_equal(apply("yes\n"), EXIT_PAUSED);
	assert_has(caught.err, "reconcile: paused: maintenance (root");
	cli.json = true;
	assert_int_equal(apply("yes\n"), EXIT_PAUSED);
	assert_has(caught.out, "\"exit_code\": 7");
	assert_has(caught.out, "\"paused\": \"maintenance (root");
	assert_false(is_there("d"));
}

/* The last one: a stop is not taken back. */
static void a_stop_at_the_question_is_an_error_and_changes_nothing(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	/* It arrives before the answer is read. */
	self_catch_stop();
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(apply("no\n"), EXIT_ERROR);
	assert_has(caught.err, "stopped by signal 2");
	assert_false(is_there("d"));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(only_a_whole_yes_goes_on),
	    test(what_the_plan_said_is_not_said_twice),
	    test(with_yes_or_nobody_there_it_is_not_asked),
	    test(in_sync_there_is_nothing_to_ask),
	    test(a_pass_of_run_that_changes_nothing_says_nothing_where_nobody_watches),
	    test(what_is_left_is_listed_with_a_tree_that_is_not_used),
	    test(the_result_as_json_is_one_document),
	    test(nobody_is_asked_about_what_was_not_shown),
	    test(a_paused_node_says_so_and_exits_with_its_code),
	    test(a_stop_at_the_question_is_an_error_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
