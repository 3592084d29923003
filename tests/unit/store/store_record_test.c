// SPDX-License-Identifier: MIT
/* Runs, intents and outcomes as they are written, and what a kill at each point leaves. */
#include "unit/store/fixture.h"

/* Where the child is killed. */
enum point { AT_START, IN_RUN, IN_STEP, AFTER_STEP, IN_SECOND, AT_END };

struct killing {
	struct fixture *f;
	enum point at;
};

static int run_until(void *context)
{
	struct killing *killing = context;
	struct fixture *f = killing->f;
	struct store *store = fixture_write(f);
	struct step steps[] = {fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL),
	                       fixture_step(f, "file:/b", ACTION_UPDATE, OUTCOME_CHANGED, NULL)};
	struct plan plan = fixture_plan(steps, 2);
	int64_t run, intent;

	if (killing->at == AT_START) {
		raise(SIGKILL);
	}
	run = fixture_begin(f, store, false);
	for (enum point at = IN_RUN; at < AT_END; at++) {
		if (killing->at == at) {
			raise(SIGKILL);
		}
		if (at == IN_RUN || at == AFTER_STEP) {
			assert_int_equal(fixture_intent(store, run, &steps[at / 2], &intent, &f->err), 0);
		} else {
			assert_int_equal(fixture_outcome(store, intent, &steps[at / 2 - 1], &f->err), 0);
		}
	}
	assert_int_equal(store_run_end(store, run, 0, &plan, NULL, &f->err), 0);
	raise(SIGKILL);
	return 0;
}

static const struct left {
	enum point at;
	size_t runs, steps, cuts;
	const char *status;
} leavings[] = {
    {AT_START, 0, 0, 0, NULL},           {IN_RUN, 1, 0, 0, "interrupted"},
    {IN_STEP, 1, 1, 1, "interrupted"},   {AFTER_STEP, 1, 1, 0, "interrupted"},
    {IN_SECOND, 1, 2, 1, "interrupted"}, {AT_END, 1, 2, 0, "ended"},
};

static void check_left(struct fixture *f, const struct left *left)
{
	struct killing killing = {f, left->at};
	struct store_cut *cuts;
	struct value runs, run;
	size_t count;

	f->path = arena_printf(f->arena, "%s/%d/history.db", f->folder, (int)left->at);
	assert_int_equal(fixture_child(run_until, &killing), 128 + SIGKILL);
	struct store *store = fixture_write(f);

	assert_int_equal(store_runs(store, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, left->runs);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, left->cuts);
	if (left->runs) {
		assert_int_equal(store_run(store, f->arena, 1, &run, &f->err), 0);
		assert_string_equal(value_text(&run, "status"), left->status);
		assert_int_equal(value_get(&run, "steps")->count, left->steps);
	}
	if (count) {
		assert_string_equal(cuts[0].id, left->at == IN_STEP ? "file:/a" : "file:/b");
		assert_string_equal(cuts[0].boot_id, "b1");
		assert_int_equal(store_cut_close(store, &cuts[0], "present", true, &f->err), 0);
		assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
		assert_int_equal(count, 0);
		assert_int_equal(store_run(store, f->arena, 1, &run, &f->err), 0);
		const struct value *steps = value_get(&run, "steps");
		const struct value *step = &steps->items[steps->count - 1];

		assert_string_equal(value_text(step, "outcome"), "interrupted");
		assert_string_equal(value_text(step, "found"), "present");
		/* The run that was cut has no end, and says so for ever. */
		assert_string_equal(value_text(&run, "status"), "interrupted");
	}
	store_close(store);
}

static void a_kill_at_each_point_leaves_the_truth(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(leavings); i++) {
		check_left(*state, &leavings[i]);
	}
}

static int begin_only(void *context)
{
	struct fixture *f = context;
	struct store *store = fixture_write(f);

	fixture_begin(f, store, false);
	store_close(store);
	return 0;
}

static int intend_and_wait(void *context)
{
	struct fixture *f = context;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	int64_t run = fixture_begin(f, store, false), intent;

	if (fixture_intent(store, run, &step, &intent, &f->err)) {
		return 1;
	}
	fixture_write_file(arena_printf(f->arena, "%s/ready", f->folder), "", 0);
	for (;;) {
		pause();
	}
}

static void what_another_process_is_at_was_not_cut_off(void **state)
{
	struct fixture *f = *state;
	struct store_cut *cuts;
	size_t count;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fixture_this_boot(f);
		_exit(intend_and_wait(f));
	}
	for (int i = 0; i < 3000 && !fixture_exists(arena_printf(f->arena, "%s/ready", f->folder));
	     i++) {
		usleep(10000);
	}
	struct store *store = fixture_write(f);
	int r = store_cut_list(store, f->arena, &cuts, &count, &f->err);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(r, 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 1);
	store_close(store);
}

static void a_run_under_way_is_running_until_its_process_is_gone(void **state)
{
	struct fixture *f = *state;
	struct value run;

	/* Of an earlier boot, with the number and start time that a process has now. */
	struct store *store = fixture_write(f);
	int64_t earlier = fixture_begin(f, store, false);

	store_close(store);
	fixture_this_boot(f);
	assert_int_equal(fixture_child(begin_only, f), 0);
	store = fixture_write(f);
	int64_t mine = fixture_begin(f, store, false);

	assert_int_equal(store_run(store, f->arena, earlier, &run, &f->err), 0);
	assert_string_equal(value_text(&run, "status"), "interrupted");

	assert_int_equal(store_run(store, f->arena, mine, &run, &f->err), 0);
	assert_string_equal(value_text(&run, "status"), "running");
	assert_int_equal(store_run(store, f->arena, mine - 1, &run, &f->err), 0);
	assert_string_equal(value_text(&run, "status"), "interrupted");
	store_close(store);
}

static void a_run_without_changes_writes_one_row(void **state)
{
	struct fixture *f = *state;
	static const char total[] =
	    "SELECT (SELECT count(*) FROM run) * 1000000 +"
	    " (SELECT count(*) FROM step) + (SELECT count(*) FROM resource)"
	    " + (SELECT count(*) FROM resource_past) + (SELECT count(*) FROM made)"
	    " + (SELECT count(*) FROM blob) + (SELECT count(*) FROM meta)";
	size_t n = 10000;
	struct step *steps = arena_array(f->arena, n, sizeof *steps);
	struct store *store = fixture_write(f);
	struct timespec from, until;

	for (size_t i = 0; i < n; i++) {
		const char *id = arena_printf(f->arena, "file:/srv/files/%zu", i);

		/* Some that are not right, and stay so. */
		steps[i] = i % 100 ? fixture_step(f, id, ACTION_NONE, OUTCOME_KEPT, NULL)
		                   : fixture_step(f, id, ACTION_NONE, OUTCOME_BLOCKED, "busy");
	}
	fixture_run(f, store, steps, n);
	store_close(store);
	int64_t before = fixture_ask(f->path, total);

	store = fixture_write(f);
	clock_gettime(CLOCK_MONOTONIC, &from);
	fixture_run(f, store, steps, n);
	clock_gettime(CLOCK_MONOTONIC, &until);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, total) - before, 1000000);
	print_message("[10000 resources, nothing to do: %.2f ms]\n",
	              (double)(until.tv_sec - from.tv_sec) * 1e3 +
	                  (double)(until.tv_nsec - from.tv_nsec) / 1e6);
	store = fixture_write(f);
	clock_gettime(CLOCK_MONOTONIC, &from);
	fixture_run(f, store, steps + 1, 13);
	clock_gettime(CLOCK_MONOTONIC, &until);
	print_message("[13 resources, nothing to do: %.2f ms (first one moves the others away)]\n",
	              (double)(until.tv_sec - from.tv_sec) * 1e3 +
	                  (double)(until.tv_nsec - from.tv_nsec) / 1e6);
	clock_gettime(CLOCK_MONOTONIC, &from);
	fixture_run(f, store, steps + 1, 13);
	clock_gettime(CLOCK_MONOTONIC, &until);
	print_message("[13 resources, nothing to do: %.3f ms]\n",
	              (double)(until.tv_sec - from.tv_sec) * 1e3 +
	                  (double)(until.tv_nsec - from.tv_nsec) / 1e6);
	store_close(store);
}

static void the_end_completes_what_single_calls_could_not_store(void **state)
{
	struct fixture *f = *state;
	struct step steps[] = {fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL),
	                       fixture_step(f, "file:/b", ACTION_UPDATE, OUTCOME_FAILED, "no"),
	                       fixture_step(f, "file:/c", ACTION_NONE, OUTCOME_KEPT, NULL)};
	struct plan plan = fixture_plan(steps, 3);
	struct store *store = fixture_write(f);
	int64_t run = fixture_begin(f, store, false), intent;
	struct store_cut *cuts;
	struct orphan *made;
	struct value shown;
	size_t count;

	/* The intent of /a without its outcome, nothing at all of /b. */
	assert_int_equal(fixture_intent(store, run, &steps[0], &intent, &f->err), 0);
	assert_int_equal(store_run_end(store, run, 5, &plan, NULL, &f->err), 0);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_run(store, f->arena, run, &shown, &f->err), 0);
	const struct value *list = value_get(&shown, "steps");

	assert_int_equal(list->count, 2);
	assert_string_equal(value_text(&list->items[0], "outcome"), "changed");
	assert_string_equal(value_text(&list->items[1], "outcome"), "failed");
	assert_string_equal(value_text(&list->items[1], "why"), "no");
	assert_null(value_get(&list->items[1], "intent_at"));
	assert_int_equal(store_made_list(store, f->arena, &made, &count, &f->err), 0);
	assert_int_equal(count, 1);
	store_close(store);
}

static void expect_made(struct fixture *f, struct store *store, const char *ids)
{
	AUTO(str_free) struct str have = {0};
	struct orphan *made;
	size_t count;

	assert_int_equal(store_made_list(store, f->arena, &made, &count, &f->err), 0);
	for (size_t i = 0; i < count; i++) {
		str_addf(&have, "%s@%lld ", made[i].id, (long long)made[i].run);
	}
	assert_string_equal(str_text(&have), ids);
}

static void what_was_made_is_ours_until_it_is_removed(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct resource absent = {.state = STATE_ABSENT};
	struct step create[] = {fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL),
	                        fixture_step(f, "file:/b", ACTION_CREATE, OUTCOME_CHANGED, NULL),
	                        fixture_step(f, "file:/c", ACTION_CREATE, OUTCOME_FAILED, "no"),
	                        fixture_step(f, "file:/d", ACTION_UPDATE, OUTCOME_CHANGED, NULL),
	                        fixture_step(f, "package:e", ACTION_CREATE, OUTCOME_PENDING, "on"),
	                        fixture_step(f, "file:/g", ACTION_CREATE, OUTCOME_CHANGED, NULL)};
	struct step later[] = {fixture_step(f, "file:/a", ACTION_REMOVE, OUTCOME_CHANGED, NULL),
	                       fixture_step(f, "file:/b", ACTION_REMOVE, OUTCOME_FAILED, "no"),
	                       fixture_step(f, "file:/g", ACTION_NONE, OUTCOME_KEPT, NULL)};

	later[2].want = &absent;
	fixture_run(f, store, create, ARRAY_LEN(create));
	expect_made(f, store, "file:/a@1 file:/b@1 file:/g@1 package:e@1 ");
	fixture_run(f, store, later, ARRAY_LEN(later));
	expect_made(f, store, "file:/b@1 package:e@1 ");
	store_close(store);
}

static void several_intents_are_one_commit(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL), b = a, c = a;
	const struct step *steps[] = {&a, &b, &c};
	int64_t run = fixture_begin(f, store, false), intents[3], wrong[] = {1, 2, 99};
	struct store_cut *cuts;
	size_t count;

	b.id = "file:/b";
	c.id = "file:/c";
	assert_int_equal(store_intents(store, run, steps, 3, intents, &f->err), 0);
	assert_int_equal(intents[0] + 2, intents[2]);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(cuts[1].intent, intents[1]);
	assert_string_equal(cuts[1].id, "file:/b");
	/* All or none. */
	assert_int_equal(store_outcomes(store, wrong, steps, 3, &f->err), -ERR_BUG);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(store_outcomes(store, intents, steps, 3, &f->err), 0);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 0);
	/* A run that is not there. */
	assert_int_equal(store_intents(store, 77, steps, 3, intents, &f->err), -ERR_STORE);
	store_close(store);
}

struct writer {
	struct fixture *f;
	int number;
};

static int write_many(void *context)
{
	struct writer *writer = context;
	struct fixture *f = writer->f;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);

	for (int i = 0; i < 15; i++) {
		fixture_run(f, store, &step, 1);
	}
	store_close(store);
	return 0;
}

static void two_connections_write_side_by_side(void **state)
{
	struct fixture *f = *state;
	struct writer writer = {f, 1};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(write_many(&writer));
	}
	write_many(&writer);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run WHERE finished IS NOT NULL"),
	                 30);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM step"), 30);
}

static void a_writer_that_never_ends_costs_a_bounded_wait(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	int64_t run = fixture_begin(f, store, false), intent;
	sqlite3 *other;

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t from = clock_ms();

	assert_int_equal(fixture_intent(store, run, &step, &intent, &f->err), -ERR_STORE);
	assert_non_null(strstr(f->err.text, "locked"));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(fixture_intent(store, run, &step, &intent, &f->err), -ERR_STORE);
	}
	/* Eleven times the full patience would be 55 s. */
	assert_true(clock_ms() - from < 30000);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(fixture_intent(store, run, &step, &intent, &f->err), 0);
	sqlite3_close(other);
	store_close(store);
}

static void texts_are_kept_once_and_fetched(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	const char *text;
	size_t n;

	bool kept = true;

	assert_int_equal(store_is_kept(store, "d1", &kept, &f->err), 0);
	assert_false(kept);
	assert_int_equal(store_keep(store, "d1", "tree", "mounts: ü\n", 11, &f->err), 0);
	assert_int_equal(store_is_kept(store, "d1", &kept, &f->err), 0);
	assert_true(kept);
	assert_int_equal(store_keep(store, "d1", "tree", "other", 5, &f->err), 0);
	assert_int_equal(store_fetch(store, "d1", f->arena, &text, &n, &f->err), 0);
	assert_string_equal(text, "mounts: ü\n");
	assert_int_equal(n, 11);
	assert_int_equal(store_fetch(store, "d2", f->arena, &text, &n, &f->err), 0);
	assert_null(text);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(a_kill_at_each_point_leaves_the_truth),
	    FIXTURE_TEST(what_another_process_is_at_was_not_cut_off),
	    FIXTURE_TEST(a_run_under_way_is_running_until_its_process_is_gone),
	    FIXTURE_TEST(a_run_without_changes_writes_one_row),
	    FIXTURE_TEST(the_end_completes_what_single_calls_could_not_store),
	    FIXTURE_TEST(what_was_made_is_ours_until_it_is_removed),
	    FIXTURE_TEST(several_intents_are_one_commit),
	    FIXTURE_TEST(two_connections_write_side_by_side),
	    FIXTURE_TEST(a_writer_that_never_ends_costs_a_bounded_wait),
	    FIXTURE_TEST(texts_are_kept_once_and_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
