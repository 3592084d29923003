// SPDX-License-Identifier: MIT
/* Runs that the history could not record. */
#include "node.h"

static const char one[] = "resources: [{kind: directory, path: $/d}]\n";

static const struct value *gaps(struct store *store)
{
	static struct value about;

	assert_int_equal(store_about(store, node.arena, &about, &node.err), 0);
	return value_get(&about, "gaps");
}

static void runs_without_a_history_are_counted_and_told_to_it_later(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(one);
	assert_int_equal(node_apply(NULL), 0);
	node.options.history = "/proc/history.db";
	for (int i = 0; i < 3; i++) {
		assert_int_equal(node_apply(NULL), 0);
	}
	assert_true(node_has("run/history-gap.json"));
	node.options.history = node_path("var/history.db");
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	assert_false(node_has("run/history-gap.json"));
	struct store *store = node_history();
	const struct value *list = gaps(store);

	assert_int_equal(list->count, 1);
	assert_int_equal(value_number(&list->items[0], "runs", 0), 3);
	assert_true(value_number(&list->items[0], "since", 0) > 1000000000);
	assert_true(value_number(&list->items[0], "until", 0) >=
	            value_number(&list->items[0], "since", 0));
	assert_non_null(value_text(&list->items[0], "why"));
	store_close(store);
}

static void a_run_that_the_journal_tells_of_is_no_gap(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(one);
	node.options.history = "/proc/history.db";
	assert_int_equal(node_apply(NULL), 0); /* makes the directory */
	assert_false(node_has("run/history-gap.json"));
	node.options.history = node_path("var/history.db");
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	struct store *store = node_history();
	struct value runs;

	assert_int_equal(gaps(store)->count, 0);
	assert_int_equal(store_runs(store, node.arena, 9, &runs, &node.err), 0);
	assert_int_equal(runs.count, 2);
	assert_string_equal(value_text(&runs.items[1], "status"), "ended");
	assert_int_equal(value_number(&runs.items[1], "exit_code", -1), 0);
	store_close(store);
}

static void a_note_that_cannot_be_read_says_nothing(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(one);
	assert_int_equal(mkdir(node_path("run"), 0755), 0);
	scratch_write(node_path("run/history-gap.json"), "not json", 0600);
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	assert_false(node_has("run/history-gap.json"));
	struct store *store = node_history();

	assert_int_equal(gaps(store)->count, 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(runs_without_a_history_are_counted_and_told_to_it_later),
	    node_test(a_run_that_the_journal_tells_of_is_no_gap),
	    node_test(a_note_that_cannot_be_read_says_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
