// SPDX-License-Identifier: MIT
#include "node.h"

#include "base/child.h"
#include "store/journal.h"

#include <sys/wait.h>

static const char two[] = "resources:\n"
                          "  - {kind: directory, path: $/d, mode: \"0750\"}\n"
                          "  - {kind: file, path: $/d/f, content: \"hello\"}\n";

static size_t journal_count(const char **ret_ids)
{
	struct journal journal;
	struct err err;
	AUTO(str_free) struct str ids = {0};

	assert_int_equal(journal_list(node_path("run/intents.json"), node.arena, &journal, &err), 0);
	for (size_t i = 0; i < journal.entry_count; i++) {
		const struct journal_entry *entry = &journal.entries[i];

		str_addf(&ids, "%s=%s ", entry->id, entry->outcome ? entry->outcome : "none");
	}
	*ret_ids = arena_strdup(node.arena, str_text(&ids));
	return journal.entry_count;
}

static void a_run_is_recorded_with_what_it_rests_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(two);
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	const char *run = node_run(1);
	struct store *store = node_history();
	struct store_last last;
	const char *text;
	size_t n;

	assert_has(run, "\"command\":\"apply\"");
	assert_has(run, "\"version\":\"test\"");
	assert_has(run, "\"trigger\":\"script\"");
	assert_has(run, "\"node\":\"n\"");
	assert_has(run, "\"from\":\"absent\"");
	assert_has(run, "n.yaml:4:5");
	assert_int_equal(store_last_good(store, node.arena, &last, &node.err), 0);
	assert_int_equal(last.run, 1);
	const char *digests[] = {last.tree, last.policies, last.state};

	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		assert_int_equal(store_fetch(store, digests[i], node.arena, &text, &n, &node.err), 0);
		assert_non_null(text);
	}
	store_close(store);
}

static void without_a_history_a_run_goes_on_and_journals(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *ids;

	node_wants(two);
	node.options.history = "/proc/history.db";
	assert_int_equal(node_apply(NULL), 0);
	assert_int_equal(node.result.run, 0);
	assert_true(node_noted("history: "));
	assert_true(node_has("d/f"));
	assert_int_equal(journal_count(&ids), 2);
	assert_has(ids, "/d/f=changed ");

	/* The next run that can write the history takes it over. */
	node.options.history = node_path("var/history.db");
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	assert_int_equal(journal_count(&ids), 0);
	struct store *store = node_history();
	struct orphan *made;
	size_t count;

	assert_int_equal(store_made_list(store, node.arena, &made, &count, &node.err), 0);
	assert_int_equal(count, 2);
	store_close(store);
}

static void where_no_intent_can_be_stored_what_is_not_marked_goes_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants(two);
	node.options.history = "/proc/history.db";
	assert_int_equal(mkdir(node_path("run"), 0755), 0);
	/* A folder in the journal's place: it cannot be written. */
	assert_int_equal(mkdir(node_path("run/intents.json"), 0755), 0);
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d/f"));
}

/* A history that fills up in the middle: its own small file system, filled by the first step. */
static void trouble_in_the_middle_of_a_run_goes_to_the_journal(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *ids;

	assert_int_equal(mkdir(node_path("var"), 0755), 0);
	assert_int_equal(mount("small", node_path("var"), "tmpfs", 0, "size=256k"), 0);
	node_wants("resources:\n"
	           "  - {kind: file, path: $/f, content: \"x\"}\n"
	           "  - {kind: command, name: a, creates: $/filled,\n"
	           "     argv: [/bin/sh, -c, \"cat /dev/zero >$/var/fill; : >$/filled\"]}\n"
	           "  - {kind: command, name: b, creates: $/b, argv: [/bin/touch, $/b]}\n");
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_noted("history: "));
	assert_true(node_noted("full"));
	assert_true(node_has("b"));
	journal_count(&ids);
	assert_has(ids, "command:b=changed ");
	node_close();
	assert_int_equal(umount(node_path("var")), 0);
}

/* What a run leaves that was killed right after an intent. */
static int child_that_dies(int fd, void *context)
{
	struct store_condition condition;
	struct store *store = NULL;
	struct err err;
	int64_t run, intent;
	struct resource *want = resource_create(node.arena, &kind_table[KIND_FILE], context);
	const struct origin origin = {.policy = "test", .reason = "r"};
	struct step step = {
	    .id = resource_id(node.arena, want->kind, want->key),
	    .want = want,
	    .action = ACTION_CREATE,
	    .outcome = OUTCOME_CHANGE,
	    .origins = &origin,
	    .origin_count = 1,
	};
	const struct store_run_start start = {.command = "apply", .node = "n"};

	(void)fd;
	if (store_open(node.options.history, STORE_WRITE, node.arena, &store, &condition, &err) ||
	    !store || store_run_begin(store, &start, &run, &err) ||
	    store_intents(store, run, &(const struct step *){&step}, 1, &intent, &err)) {
		return 1;
	}
	_exit(0); /* as if killed: nothing is closed */
}

static void leave_a_cut(const char *path)
{
	struct child child;
	struct err err;
	int status = -1;

	assert_int_equal(child_fork(child_that_dies, (void *)path, NULL, &child, &err), 0);
	assert_true(child_end(&child, 5000, &status));
	assert_int_equal(status, 0);
}

static void what_a_killed_run_left_is_observed_and_closed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	leave_a_cut(node_path("done"));
	leave_a_cut(node_path("not-done"));
	scratch_write(node_path("done"), "", 0644);
	node_wants(two);
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_noted("run 1 was cut off while it was to create file:"));
	assert_true(node_noted("run 2 was cut off while it was to create file:"));
	assert_int_equal(node.result.run, 3);
	node_close();
	assert_has(node_run(1), "\"outcome\":\"interrupted\"");
	assert_has(node_run(1), "\\\"state\\\":\\\"present\\\"");
	assert_has(node_run(2), "\\\"state\\\":\\\"absent\\\"");
	/* What got through is ours: nothing wants it, so it is an orphan. The other one is not there.
	 * */
	struct plan *plan = node_plan();

	assert_int_equal(plan->orphan_count, 1);
	assert_has(plan->orphans[0].id, "/done");
	/* And it is said once. */
	assert_int_equal(node_apply(NULL), 0);
	assert_false(node_noted("cut off"));
}

static void a_plan_only_reads_the_history(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct store_condition *condition;

	node_wants(two);
	assert_int_equal(node_apply(NULL), 0);
	node_close();
	uint64_t before = scratch_stamp(node_path("var/history.db"));

	node.options.write_state = false;
	node_plan();
	assert_non_null(engine_history(node.engine, &condition));
	assert_null(condition->problem);
	node_close();
	assert_true(scratch_stamp(node_path("var/history.db")) == before);
}

static void no_history_yet_is_said_to_who_asks(void **state)
{
	(void)state;
	const struct store_condition *condition;

	node_wants(two);
	node_plan();
	assert_null(engine_history(node.engine, &condition));
	assert_has(condition->problem, "no history yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_run_is_recorded_with_what_it_rests_on),
	    node_test(without_a_history_a_run_goes_on_and_journals),
	    node_test(where_no_intent_can_be_stored_what_is_not_marked_goes_on),
	    node_test(trouble_in_the_middle_of_a_run_goes_to_the_journal),
	    node_test(what_a_killed_run_left_is_observed_and_closed),
	    node_test(a_plan_only_reads_the_history),
	    node_test(no_history_yet_is_said_to_who_asks),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
