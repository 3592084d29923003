// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/saved.h"

static const char wants[] = "resources:\n"
                            "  - {kind: directory, path: $/d, mode: \"0750\"}\n"
                            "  - {kind: file, path: $/f, content: \"x\"}\n";

static const char *save_as(const char *text)
{
	scratch_write(node_path("plan.json"), text, 0600);
	return node_path("plan.json");
}

/* Plans and returns the text of the saved plan. */
static const char *saved_text(void)
{
	AUTO(str_free) struct str text = {0};
	struct plan *plan = node_plan();

	engine_plan_save(node.engine, plan, &text);
	return arena_strdup(node.arena, str_text(&text));
}

static int read_plan(const char *text, struct value *ret_saved)
{
	node_must_load();
	return engine_plan_read(node.engine, save_as(text), ret_saved, &node.err);
}

/* Reads it with an engine of its own, since values die with theirs, and applies it. */
static int apply_text(const char *text)
{
	struct value saved;

	if (read_plan(text, &saved)) {
		fail_msg("%s", node.err.text);
	}
	saved = value_copy(node.arena, &saved);
	return node_apply(&saved);
}

static void assert_stale(const char *text, const char *what)
{
	assert_int_equal(apply_text(text), 100 + ERR_INPUT);
	assert_has(node.err.text, what);
	assert_has(node.err.text, "plan again");
	assert_false(node_has("d"));
}

static void a_saved_plan_is_carried_out_when_nothing_moved(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(wants);
	assert_int_equal(apply_text(saved_text()), 0);
	assert_true(node_has("d") && node_has("f"));
}

static void a_plan_for_some_is_carried_out_for_just_those(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *const only[] = {"file", NULL};

	node_wants(wants);
	node.options.only = only;
	const char *text = saved_text();

	node.options.only = NULL;
	assert_int_equal(apply_text(text), 0);
	assert_true(node_has("f"));
	assert_false(node_has("d"));
	node_close();
	assert_has(node_run(1), "\"partial\":true");
}

static void a_changed_tree_makes_it_stale(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(wants);
	const char *text = saved_text();

	node_wants(arena_printf(node.arena, "%s# a word more\n", wants));
	assert_stale(text, "the desired state moved");
}

static void a_changed_policy_makes_it_stale(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(wants);
	const char *text = saved_text();

	node_tree("policies/more.lua", "return {name = 'more', summary = 'nothing', handles = {},\n"
	                               "plan = function() end}\n");
	assert_stale(text, "a policy moved");
}

static void a_changed_node_makes_it_stale(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(wants);
	const char *text = saved_text();

	scratch_write(node_path("f"), "y", 0644);
	assert_stale(text, "the node's state moved");
}

static void another_boot_or_node_makes_it_stale(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct plan *plan;
	struct value saved;

	node_wants(wants);
	const char *text = saved_text();

	assert_int_equal(read_plan(text, &saved), 0);
	plan = NULL;
	assert_int_equal(engine_plan(node.engine, &plan, &node.err), 0);
	assert_int_equal(saved_check(node.engine, &saved, plan, &node.err), 0);
	plan->basis.boot_id = "another";
	assert_int_equal(saved_check(node.engine, &saved, plan, &node.err), -ERR_INPUT);
	assert_has(node.err.text, "the node was rebooted");
	plan->basis.node = "m";
	assert_int_equal(saved_check(node.engine, &saved, plan, &node.err), -ERR_INPUT);
	assert_has(node.err.text, "the node moved");
}

static void what_would_not_be_done_any_more_is_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *const only[] = {"directory", NULL};

	node_wants(wants);
	const char *text = saved_text();

	node.options.only = only;
	assert_stale(text, "file:");
}

static void what_is_no_whole_saved_plan_is_refused(void **state)
{
	(void)state;
	struct value saved;

	node_wants(wants);
	const char *text = saved_text();
	char *touched = arena_strdup(node.arena, text);

	/* Cut short anywhere. */
	for (size_t n = 0; n < strlen(text) - 2; n += 97) {
		assert_int_equal(read_plan(arena_strndup(node.arena, text, n), &saved), -ERR_INPUT);
	}
	char *mode = strstr(touched, "0750");

	assert_non_null(mode);
	mode[1] = '6';
	assert_int_equal(read_plan(touched, &saved), -ERR_INPUT);
	assert_has(node.err.text, "touched or damaged");
	assert_int_equal(read_plan("{}", &saved), -ERR_INPUT);
	assert_has(node.err.text, "not a saved plan of this version");
	assert_int_equal(
	    read_plan("{\"reconcile_plan\": 2, \"content\": {}, \"digest\": \"\"}", &saved),
	    -ERR_INPUT);
	assert_int_equal(engine_plan_read(node.engine, node_path("no such"), &saved, &node.err),
	                 -ERR_INPUT);
	assert_int_equal(node.err.os, ENOENT);
}

static void a_plan_that_others_could_have_written_is_refused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct value saved;

	node_wants(wants);
	save_as(saved_text());
	assert_int_equal(chmod(node_path("plan.json"), 0666), 0);
	assert_int_equal(engine_plan_read(node.engine, node_path("plan.json"), &saved, &node.err),
	                 -ERR_INPUT);
	assert_int_equal(chmod(node_path("plan.json"), 0600), 0);
	assert_int_equal(chown(node_path("plan.json"), 1234, 1234), 0);
	assert_int_equal(engine_plan_read(node.engine, node_path("plan.json"), &saved, &node.err),
	                 -ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_saved_plan_is_carried_out_when_nothing_moved),
	    node_test(a_plan_for_some_is_carried_out_for_just_those),
	    node_test(a_changed_tree_makes_it_stale),
	    node_test(a_changed_policy_makes_it_stale),
	    node_test(a_changed_node_makes_it_stale),
	    node_test(another_boot_or_node_makes_it_stale),
	    node_test(what_would_not_be_done_any_more_is_named),
	    node_test(what_is_no_whole_saved_plan_is_refused),
	    node_test(a_plan_that_others_could_have_written_is_refused),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
