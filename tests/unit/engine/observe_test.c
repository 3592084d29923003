// SPDX-License-Identifier: MIT
#include "node.h"

static const struct resource **facts;
static size_t count;

static void ask(enum kind_id kind, const char *key)
{
	if (engine_facts(node.engine, &kind_table[kind], key, &facts, &count, &node.err)) {
		fail_msg("%s", node.err.text);
	}
}

static const struct resource *find(const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(resource_id(node.arena, facts[i]->kind, facts[i]->key), id) == 0) {
			return facts[i];
		}
	}
	fail_msg("no %s", id);
	return NULL;
}

static void one_fact_needs_no_tree(void **state)
{
	(void)state;
	scratch_write(node_path("f"), "text", 0640);
	node.engine = engine_open(&node.options, NULL);
	ask(KIND_FILE, node_path("f"));
	assert_int_equal(count, 1);
	assert_string_equal(facts[0]->file.mode, "0640");
	ask(KIND_FILE, node_path("none"));
	assert_int_equal(facts[0]->state, STATE_ABSENT);
}

static void a_kind_lists_all_there_are(void **state)
{
	(void)state;
	node.engine = engine_open(&node.options, NULL);
	ask(KIND_FILESYSTEM, NULL);
	assert_true(count > 1);
	assert_int_equal(find("filesystem:proc")->state, STATE_PRESENT);
	ask(KIND_NODE, "");
	assert_int_equal(count, 1);
	assert_non_null(facts[0]->node.boot_id);
}

static void a_kind_that_cannot_be_listed_says_so(void **state)
{
	(void)state;
	node.engine = engine_open(&node.options, NULL);
	assert_int_equal(
	    engine_facts(node.engine, &kind_table[KIND_FILE], NULL, &facts, &count, &node.err),
	    -ERR_INPUT);
	assert_has(node.err.text, "cannot be listed");
}

static void without_a_kind_it_is_what_a_plan_reads(void **state)
{
	(void)state;
	node_wants("resources:\n"
	           "  - {kind: file, path: $/b, content: \"x\"}\n"
	           "  - {kind: directory, path: $/a}\n");
	node_must_load();
	assert_int_equal(engine_facts(node.engine, NULL, NULL, &facts, &count, &node.err), 0);
	find("node");
	find("kernel");
	find("scheduler");
	find(arena_printf(node.arena, "file:%s", node_path("b")));
	for (size_t i = 1; i < count; i++) {
		assert_true(facts[i - 1]->kind->id <= facts[i]->kind->id);
	}
}

/* What was recorded here plans there, and to the same effect. */
static void a_recording_plans_as_the_node_itself(void **state)
{
	(void)state;
	AUTO(str_free) struct str text = {0};

	node_wants("resources:\n"
	           "  - {kind: file, path: $/b, content: \"x\"}\n"
	           "  - {kind: directory, path: $/a}\n");
	scratch_mkdir(node_path("a"), 0755);
	node_must_load();
	assert_int_equal(engine_facts(node.engine, NULL, NULL, &facts, &count, &node.err), 0);
	struct value document = engine_facts_document(node.engine, facts, count);

	json_print(&text, &document, 1);
	scratch_write(node_path("facts.json"), str_text(&text), 0600);
	assert_int_equal(rmdir(node_path("a")), 0);
	node.options.facts = node_path("facts.json");
	const struct plan *plan = node_plan();

	assert_int_equal(node_step(plan, "directory", "a")->outcome, OUTCOME_KEPT);
	assert_int_equal(node_step(plan, "file", "b")->outcome, OUTCOME_CHANGE);
	ask(KIND_DIRECTORY, NULL);
	assert_int_equal(count, 1);
	ask(KIND_FILE, "/not/recorded");
	assert_int_equal(facts[0]->state, STATE_UNDETERMINED);
	assert_string_equal(facts[0]->why, "not in the recorded facts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(one_fact_needs_no_tree),
	    node_test(a_kind_lists_all_there_are),
	    node_test(a_kind_that_cannot_be_listed_says_so),
	    node_test(without_a_kind_it_is_what_a_plan_reads),
	    node_test(a_recording_plans_as_the_node_itself),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
