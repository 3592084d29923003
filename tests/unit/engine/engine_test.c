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
	struct diags warnings = {0};

	node_tree("state/nodes/a.yaml", "version: 1\nnodes: [a, \"b-*\"]\nroles: [r]\n");
	node_tree("state/nodes/c.yaml", "version: 1\nnodes: [c]\n");
	node_tree("state/roles/r.yaml", "version: 1\n");
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(
	    engine_validate(node.engine, &node.diags, &warnings, &files, &nodes, &node.err), 0);
	assert_int_equal(files, 3);
	assert_int_equal(nodes, 3);
	node_close();
	assert_int_equal(unlink(node_path("tree/state/roles/r.yaml")), 0);
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(
	    engine_validate(node.engine, &node.diags, &warnings, &files, &nodes, &node.err),
	    -ERR_INPUT);
	assert_true(node.diags.count >= 1);
	assert_has(node.diags.list[0].err.text, "r");
}

static const char *warned_of(const char *owner)
{
	size_t files, nodes;
	struct diags warnings = {0};

	node_tree("state/nodes/a.yaml", "version: 1\nnodes: [head, \"c-*\"]\nroles: [r]\n");
	node_tree("state/nodes/b.yaml", "version: 1\nnodes: [login]\n");
	node_tree(
	    "state/roles/r.yaml",
	    arena_printf(node.arena,
	                 "version: 1\ndata_repositories:\n  /l/a:\n    {repository: \"s3://bucket\", "
	                 "file_system: fs-0123456789abcdef0, owner: %s}\n",
	                 owner));
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(
	    engine_validate(node.engine, &node.diags, &warnings, &files, &nodes, &node.err), 0);
	const char *text =
	    warnings.count ? arena_strdup(node.arena, warnings.list[0].err.text) : "none";

	assert_true(warnings.count <= 1);
	node_close();
	return text;
}

static void an_owner_that_no_node_is_called_is_warned_of(void **state)
{
	(void)state;
	assert_string_equal(warned_of("head"), "none");
	assert_string_equal(warned_of("c-17"), "none");
	assert_has(warned_of("ip-10-0-3-12"), "/l/a is owned by ip-10-0-3-12, and no node");
	/* It is a node, of which the entry is no part. */
	assert_has(warned_of("login"),
	           "/l/a is owned by login, and no node of the tree that is called so");
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
	    node_test(an_owner_that_no_node_is_called_is_warned_of),
	    node_test(notes_show_no_control_characters),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
