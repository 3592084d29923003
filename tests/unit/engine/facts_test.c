// SPDX-License-Identifier: MIT
#include "node.h"

static struct facts live, recorded, paper;

/* Live facts through a worker of its own. */
static struct worker *start(void)
{
	struct worker_options options = {0};
	struct worker *worker = worker_create(&options);

	facts_init_live(&live, node.arena, worker, NULL);
	return worker;
}

static const struct resource *get(struct facts *facts, enum kind_id kind, const char *key)
{
	const struct resource *fact;

	if (facts->source.get(&facts->source, &kind_table[kind], key, &fact, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return fact;
}

static struct strmap *parse(const char *text)
{
	struct strmap *map;

	if (facts_parse(text, strlen(text), "f.json", node.arena, &map, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return map;
}

static void record(const char *facts)
{
	facts_init_recorded(
	    &recorded, node.arena,
	    parse(arena_printf(node.arena, "{\"reconcile_facts\": 1, \"facts\": [%s]}", facts)), NULL);
}

static void a_live_fact_is_observed_once(void **state)
{
	(void)state;
	struct worker *worker = start();
	const char *path = node_path("f");

	scratch_write(path, "one", 0644);
	const struct resource *first = get(&live, KIND_FILE, path);

	assert_string_equal(first->file.content, "one");
	scratch_write(path, "other", 0600);
	assert_ptr_equal(get(&live, KIND_FILE, path), first);
	assert_int_equal(strmap_count(live.log), 1);
	worker_free(worker);
}

static void what_was_observed_with_the_want_replaces_what_was_read(void **state)
{
	(void)state;
	struct worker *worker = start();
	const char *path = node_path("f");
	struct resource *want = resource_create(node.arena, &kind_table[KIND_FILE], path);
	const struct resource *wants[] = {want}, *have[1];

	assert_int_equal(get(&live, KIND_FILE, path)->state, STATE_ABSENT);
	worker_forget(worker);
	scratch_write(path, "one", 0644);
	assert_int_equal(facts_observe(&live, wants, 1, have, &node.err), 0);
	assert_int_equal(have[0]->state, STATE_PRESENT);
	assert_ptr_equal(get(&live, KIND_FILE, path), have[0]);
	assert_int_equal(facts_observe(&live, NULL, 0, NULL, &node.err), 0);
	worker_free(worker);
}

static void what_was_not_recorded_is_undetermined_never_absent(void **state)
{
	(void)state;
	record("{\"kind\": \"file\", \"key\": \"/a\", \"state\": \"absent\"}");
	assert_int_equal(get(&recorded, KIND_FILE, "/a")->state, STATE_ABSENT);
	assert_int_equal(get(&recorded, KIND_FILE, "/b")->state, STATE_UNDETERMINED);
	assert_string_equal(get(&recorded, KIND_FILE, "/b")->why, "not in the recorded facts");
	struct resource *want = resource_create(node.arena, &kind_table[KIND_FILE], "/c");
	const struct resource *wants[] = {want}, *have[1];

	assert_int_equal(facts_observe(&recorded, wants, 1, have, &node.err), 0);
	assert_int_equal(have[0]->state, STATE_UNDETERMINED);
}

static void the_kernels_that_matter_follow_from_three(void **state)
{
	(void)state;
	record("{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"present\", \"running\": \"6.8\","
	       "\"boot_default\": \"6.9\", \"boot_next\": \"6.8\"}");
	recorded.pinned = "6.7";
	const struct list *list = &get(&recorded, KIND_KERNEL, "")->kernel.that_matter;

	assert_int_equal(list->count, 2); /* the one-shot entry goes before the default */
	assert_string_equal(list->items[0], "6.8");
	assert_string_equal(list->items[1], "6.7");
	record("{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"present\", \"running\": \"6.8\","
	       "\"boot_default\": \"6.9\"}");
	list = &get(&recorded, KIND_KERNEL, "")->kernel.that_matter;
	assert_int_equal(list->count, 2);
	assert_string_equal(list->items[1], "6.9");
}

static void paper_answers_first_and_leaves_the_node_alone(void **state)
{
	(void)state;
	struct strmap *overlay = strmap_create(node.arena);
	struct resource *after = resource_create(node.arena, &kind_table[KIND_FILE], "/a");

	record("{\"kind\": \"file\", \"key\": \"/a\", \"state\": \"absent\"},"
	       "{\"kind\": \"file\", \"key\": \"/b\", \"state\": \"absent\"}");
	get(&recorded, KIND_FILE, "/a");
	get(&recorded, KIND_FILE, "/b");
	const char *digest = facts_digest(&recorded, node.arena);

	strmap_put(overlay, "file:/a", after);
	facts_init_paper(&paper, node.arena, &recorded, overlay);
	assert_ptr_equal(get(&paper, KIND_FILE, "/a"), after);
	assert_int_equal(get(&paper, KIND_FILE, "/b")->state, STATE_ABSENT);
	assert_int_equal(get(&paper, KIND_FILE, "/c")->state, STATE_UNDETERMINED);
	assert_int_equal(get(&recorded, KIND_FILE, "/a")->state, STATE_ABSENT);
	assert_string_equal(facts_digest(&recorded, node.arena), digest);
	assert_int_equal(strmap_count(recorded.log), 2);
}

static const char *digest_of(const char *facts, enum kind_id kind, const char *key, bool by_policy)
{
	const struct resource *fact;

	record(facts);
	if (by_policy) {
		get(&recorded, kind, key);
	} else {
		assert_int_equal(facts_look(&recorded, &kind_table[kind], key, &fact, &node.err), 0);
	}
	return facts_digest(&recorded, node.arena);
}

static void ages_do_not_count_and_versions_do(void **state)
{
	(void)state;
	static const char form[] = "{\"kind\": \"candidate\", \"key\": \"p\", \"state\": \"present\","
	                           "\"version\": \"%d\", \"index_age\": %d}";
	const char *one = digest_of(arena_printf(node.arena, form, 1, 10), KIND_CANDIDATE, "p", true);
	const char *older = digest_of(arena_printf(node.arena, form, 1, 99), KIND_CANDIDATE, "p", true);
	const char *other = digest_of(arena_printf(node.arena, form, 2, 10), KIND_CANDIDATE, "p", true);

	assert_string_equal(one, older);
	assert_string_not_equal(one, other);
	static const char index[] = "{\"kind\": \"package_index\", \"key\": \"all\","
	                            "\"state\": \"present\", \"age\": %d}";

	one = digest_of(arena_printf(node.arena, index, 1), KIND_PACKAGE_INDEX, "all", true);
	older = digest_of(arena_printf(node.arena, index, 2), KIND_PACKAGE_INDEX, "all", true);
	assert_string_equal(one, older);
}

static void jobs_count_only_when_a_policy_asked(void **state)
{
	(void)state;
	static const char form[] = "{\"kind\": \"scheduler\", \"key\": \"\", \"state\": \"present\","
	                           "\"name\": \"slurm\", \"jobs\": %d}";
	const char *none = arena_printf(node.arena, form, 0), *some = arena_printf(node.arena, form, 3);

	assert_string_equal(digest_of(none, KIND_SCHEDULER, "", false),
	                    digest_of(some, KIND_SCHEDULER, "", false));
	assert_string_not_equal(digest_of(none, KIND_SCHEDULER, "", true),
	                        digest_of(some, KIND_SCHEDULER, "", true));
}

static void the_digest_does_not_depend_on_the_order_of_reading(void **state)
{
	(void)state;
	static const char facts[] = "{\"kind\": \"file\", \"key\": \"/a\", \"state\": \"absent\"},"
	                            "{\"kind\": \"file\", \"key\": \"/b\", \"state\": \"absent\"}";

	record(facts);
	get(&recorded, KIND_FILE, "/a");
	get(&recorded, KIND_FILE, "/b");
	const char *one = facts_digest(&recorded, node.arena);

	record(facts);
	get(&recorded, KIND_FILE, "/b");
	get(&recorded, KIND_FILE, "/a");
	assert_string_equal(facts_digest(&recorded, node.arena), one);
}

static void a_document_reads_back_as_it_was(void **state)
{
	(void)state;
	AUTO(str_free) struct str text = {0};
	const struct resource *facts[3];

	record("{\"kind\": \"file\", \"key\": \"/a\", \"state\": \"present\", \"mode\": \"0644\"}");
	facts[0] = get(&recorded, KIND_FILE, "/a");
	facts[1] = get(&recorded, KIND_MOUNT, "/gone");
	facts[2] = resource_undetermined(node.arena, &kind_table[KIND_NODE], "", "it hangs");
	struct value document = facts_document(node.arena, facts, 3);

	json_print(&text, &document, 0);
	struct strmap *map = parse(str_text(&text));

	assert_int_equal(strmap_count(map), 3);
	const struct resource *file = strmap_get(map, "file:/a"), *node_fact = strmap_get(map, "node");

	assert_string_equal(file->file.mode, "0644");
	assert_string_equal(node_fact->why, "it hangs");
}

static void what_is_no_recording_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"", "f.json"},
	    {"{\"facts\": []}", "not a recording of facts"},
	    {"{\"reconcile_facts\": 2, \"facts\": []}", "not a recording of facts"},
	    {"{\"reconcile_facts\": 1, \"facts\": {}}", "not a recording of facts"},
	    {"[1]", "not a recording of facts"},
	    {"{\"reconcile_facts\": 1, \"facts\": [7]}", "facts[0]"},
	    {"{\"reconcile_facts\": 1, \"facts\": [{\"kind\": \"fil\", \"key\": \"/a\"}]}", "facts[0]"},
	    {"{\"reconcile_facts\": 1, \"facts\": [{\"kind\": \"file\", \"key\": \"/a\","
	     " \"state\": \"absent\"}, {\"kind\": \"file\", \"key\": \"/a\", \"state\": \"absent\"}]}",
	     "facts[1]: file:/a was recorded twice"},
	    {"{\"reconcile_facts\": 1, \"facts\": [{\"kind\": \"file\", \"key\": \"/a\","
	     " \"state\": \"present\", \"mode\": 7}]}",
	     "mode"},
	    {"{\"reconcile_facts\": 1, \"facts\": [", NULL},
	};
	struct strmap *map;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(facts_parse(cases[i].text, strlen(cases[i].text), "f.json", node.arena,
		                             &map, &node.err),
		                 -ERR_INPUT);
		assert_string_equal(node.err.at.file, "f.json");
		if (i && cases[i].says) {
			assert_has(node.err.text, cases[i].says);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_live_fact_is_observed_once),
	    node_test(what_was_observed_with_the_want_replaces_what_was_read),
	    node_test(what_was_not_recorded_is_undetermined_never_absent),
	    node_test(the_kernels_that_matter_follow_from_three),
	    node_test(paper_answers_first_and_leaves_the_node_alone),
	    node_test(ages_do_not_count_and_versions_do),
	    node_test(jobs_count_only_when_a_policy_asked),
	    node_test(the_digest_does_not_depend_on_the_order_of_reading),
	    node_test(a_document_reads_back_as_it_was),
	    node_test(what_is_no_recording_is_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
