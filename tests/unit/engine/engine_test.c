// SPDX-License-Identifier: MIT
#include "node.h"

#include <time.h>

static const char wants[] = "resources:\n  - {kind: directory, path: $/d}\n";

static void all_faults_of_a_tree_come_with_their_places(void **state)
{
	(void)state;
	node_wants("mode: safest\nresourcess: []\n");
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 2);
	assert_int_equal(node.diags.list[0].err.at.line, 3);
	assert_int_equal(node.diags.list[1].err.at.line, 4);
	assert_string_equal(node.err.text, "2 faults in the desired state");
	size_t n;
	const char *line = engine_source_line(node.engine, node.diags.list[0].err.at, &n);

	assert_memory_equal(line, "mode: safest", 12);
}

static void no_tree_is_an_error_that_names_it(void **state)
{
	(void)state;
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 0);
	assert_has(node.err.text, "tree");
}

static void a_node_that_the_tree_does_not_know_is_an_error(void **state)
{
	(void)state;
	node_wants(wants);
	node.options.node = "unknown";
	assert_int_equal(node_load(), -ERR_INPUT);
	assert_int_equal(node.diags.count, 1);
	assert_has(node.diags.list[0].err.text, "unknown");
}

static void validate_checks_every_node_of_the_tree(void **state)
{
	(void)state;
	size_t files, nodes;

	node_tree("state/nodes/a.yaml", "version: 1\nnodes: [a, \"b-*\"]\nroles: [r]\n");
	node_tree("state/nodes/c.yaml", "version: 1\nnodes: [c]\n");
	node_tree("state/roles/r.yaml", "version: 1\n");
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(engine_validate(node.engine, &node.diags, &files, &nodes, &node.err), 0);
	assert_int_equal(files, 3);
	assert_int_equal(nodes, 3);
	node_close();
	assert_int_equal(unlink(node_path("tree/state/roles/r.yaml")), 0);
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(engine_validate(node.engine, &node.diags, &files, &nodes, &node.err),
	                 -ERR_INPUT);
	assert_true(node.diags.count >= 1);
	assert_has(node.diags.list[0].err.text, "r");
}

static void notes_show_no_control_characters(void **state)
{
	(void)state;
	node.engine = engine_open(&node.options, &node.watch);
	engine_note(node.engine, "a\033[31mb");
	assert_string_equal(str_text(&node.notes), "a\\x1b[31mb\n");
	node_close();
	node.engine = engine_open(&node.options, NULL);
	engine_note(node.engine, "to nobody");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(all_faults_of_a_tree_come_with_their_places),
	    node_test(no_tree_is_an_error_that_names_it),
	    node_test(a_node_that_the_tree_does_not_know_is_an_error),
	    node_test(validate_checks_every_node_of_the_tree),
	    node_test(notes_show_no_control_characters),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
