// SPDX-License-Identifier: MIT
#include "capture.h"

#include "base/json.h"
#include "cli/session.h"

#include <sys/stat.h>

static struct capture caught;
static struct arena *arena;
static struct cli cli;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	cli = (struct cli){
	    .arena = arena,
	    .engine = {.command = "plan",
	               .tree = arena_strdup(arena, scratch_path("tree")),
	               .node = "n"},
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void tree(const char *text)
{
	scratch_mkdir(scratch_path("tree"), 0755);
	scratch_mkdir(scratch_path("tree/state"), 0755);
	scratch_mkdir(scratch_path("tree/state/nodes"), 0755);
	scratch_write(scratch_path("tree/state/nodes/n.yaml"), text, 0644);
}

/* Loads, catching what is printed; the engine is closed again. */
static bool load(int *ret_code)
{
	struct engine *engine;

	CAPTURED(&caught, engine = session_load(&cli, ret_code));
	engine_close(engine);
	return engine != NULL;
}

static void every_fault_is_printed_with_its_source_line(void **state)
{
	(void)state;
	int code = -1;

	tree("version: 1\nnodes: [n]\nmode: safest\nfoo: 1\n");
	assert_false(load(&code));
	assert_int_equal(code, EXIT_ERROR);
	assert_string_equal(caught.out, "");
	assert_has(caught.err, "n.yaml:3:7: error: ");
	assert_has(caught.err, "     3 | mode: safest\n       |       ^\n");
	assert_has(caught.err, "n.yaml:4:1: error: ");
	assert_has(caught.err, "reconcile: error: 2 faults in the desired state\n");
}

static void faults_as_json_have_their_places(void **state)
{
	(void)state;
	struct value document;
	struct err err;
	int code = -1;

	tree("version: 1\nnodes: [n]\nmode: safest\nfoo: 1\n");
	cli.json = true;
	assert_false(load(&code));
	assert_int_equal(json_parse(caught.out, strlen(caught.out), "out", arena, &document, &err), 0);
	const struct value *errors = value_get(&document, "errors");

	assert_int_equal(errors->count, 2);
	assert_int_equal(value_number(&errors->items[0], "line", 0), 3);
	assert_int_equal(value_number(&errors->items[0], "column", 0), 7);
	assert_has(value_text(&errors->items[0], "file"), "n.yaml");
	assert_non_null(value_text(&errors->items[0], "error"));
	assert_int_equal(value_number(&document, "exit_code", 0), EXIT_ERROR);
}

static void one_error_is_json_too(void **state)
{
	(void)state;
	struct value document;
	struct err err;
	int code = -1;

	cli.json = true;
	assert_false(load(&code)); /* no tree */
	assert_int_equal(json_parse(caught.out, strlen(caught.out), "out", arena, &document, &err), 0);
	const struct value *errors = value_get(&document, "errors");

	assert_int_equal(errors->count, 1);
	assert_int_equal(value_get(&errors->items[0], "line")->type, VALUE_NULL);
}

static void a_tree_that_loads_prints_nothing(void **state)
{
	(void)state;
	int code = -1;

	tree("version: 1\nnodes: [n]\n");
	assert_true(load(&code));
	assert_string_equal(caught.out, "");
	assert_string_equal(caught.err, "");
}

static void a_held_lock_has_a_code_of_its_own(void **state)
{
	(void)state;
	struct err err;
	int code;

	assert_int_equal(err_set(&err, ERR_LOCKED, 0, "locked by process 7"), -ERR_LOCKED);
	CAPTURED(&caught, code = session_fail(&cli, NULL, &err));
	assert_int_equal(code, EXIT_LOCKED);
	assert_string_equal(caught.err, "reconcile: error: locked by process 7\n");
	cli.json = true;
	CAPTURED(&caught, code = session_fail(&cli, NULL, &err));
	assert_has(caught.out, "\"exit_code\": 3");
}

static void a_fault_without_a_place_or_hint_says_null(void **state)
{
	(void)state;
	AUTO(str_free) struct str text = {0};
	struct err err;

	assert_int_equal(err_set(&err, ERR_INPUT, 0, "x"), -ERR_INPUT);
	struct value fault = session_fault(arena, &err, NULL);

	json_print(&text, &fault, 0);
	assert_string_equal(str_text(&text),
	                    "{\"column\":null,\"error\":\"x\",\"file\":null,\"line\":null}");
	str_clear(&text);
	assert_int_equal(err_at(&err, ERR_INPUT, (struct pos){"f", 1, 2}, "x"), -ERR_INPUT);
	fault = session_fault(arena, &err, "h");
	json_print(&text, &fault, 0);
	assert_string_equal(str_text(&text),
	                    "{\"column\":2,\"error\":\"x\",\"file\":\"f\",\"hint\":\"h\",\"line\":1}");
}

static void consent_is_read_word_by_word(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(session_take_allow(&cli, "irreversible,disruptive", &err), 0);
	assert_int_equal(cli.engine.allow, MARK_IRREVERSIBLE | MARK_DISRUPTIVE);
	assert_int_equal(session_take_allow(&cli, "reboot", &err), 0);
	assert_int_equal(cli.engine.allow, MARK_IRREVERSIBLE | MARK_DISRUPTIVE | MARK_NEEDS_REBOOT);
	assert_int_equal(session_take_allow(&cli, "disrupt", &err), -ERR_INPUT);
	assert_int_equal(session_take_allow(&cli, "", &err), -ERR_INPUT);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(every_fault_is_printed_with_its_source_line),
	    test(faults_as_json_have_their_places),
	    test(one_error_is_json_too),
	    test(a_tree_that_loads_prints_nothing),
	    test(a_held_lock_has_a_code_of_its_own),
	    test(a_fault_without_a_place_or_hint_says_null),
	    test(consent_is_read_word_by_word),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
