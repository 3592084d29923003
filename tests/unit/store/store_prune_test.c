// SPDX-License-Identifier: MIT
// takes: 20
/* Bounding the history by age and by size. */
#include "unit/store/fixture.h"

/* `n` runs, each with its own facts of `size` bytes. */
static void many_runs(struct fixture *f, struct store *store, int n, size_t size)
{
	char *text = arena_alloc(f->arena, size + 1);

	memset(text, 'x', size);
	for (int i = 0; i < n; i++) {
		struct step step = fixture_step(f, "file:/a", ACTION_NONE, OUTCOME_BLOCKED,
		                                arena_printf(f->arena, "reason %d", i));
		struct plan plan = fixture_plan(&step, 1);
		int64_t run = fixture_begin(f, store, false);

		snprintf(plan.basis.facts, sizeof plan.basis.facts, "facts%d", i);
		assert_int_equal(store_keep(store, plan.basis.facts, "facts", text, size, &f->err), 0);
		assert_int_equal(store_run_end(store, run, 4, &plan, NULL, &f->err), 0);
	}
}

/* Without a bound of time worth the name. */
static int prune(struct fixture *f, struct store *store, int64_t seconds, int64_t bytes)
{
	const struct store_bounds bounds = {seconds, bytes};

	return store_prune(store, &bounds, 60000, &f->err);
}

static void age(struct fixture *f, const char *which, int seconds)
{
	fixture_sql(f->path, arena_printf(f->arena,
	                                  "UPDATE run SET started = started - %d WHERE %s;"
	                                  "UPDATE blob SET kept_at = kept_at - %d",
	                                  seconds, which, seconds));
}

static void old_runs_go_with_all_that_only_they_knew(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	struct stat before, after;

	fixture_run(f, store, &step, 1);
	many_runs(f, store, 20, 20000);
	assert_int_equal(store_checkpoint(store, &f->err), 0);
	store_close(store);
	stat(f->path, &before);
	age(f, "id <= 15", 1000);
	store = fixture_write(f);
	assert_int_equal(prune(f, store, 500, 0), 0);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT min(id) FROM run"), 16);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 6);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM step"), 0);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM blob"), 6);
	assert_int_equal(fixture_ask(f->path, "SELECT min(until_run) FROM resource_past"), 17);
	/* What is still known of the resource itself stays, and the room is given back. */
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM resource"), 1);
	stat(f->path, &after);
	assert_true(after.st_size < before.st_size / 2);
}

static void nothing_to_do_is_nothing_done(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	int64_t before, after;

	many_runs(f, store, 3, 100);
	store_close(store);
	before = fixture_ask(f->path, "PRAGMA data_version");
	store = fixture_write(f);
	assert_int_equal(prune(f, store, 500, 1 << 30), 0);
	store_close(store);
	after = fixture_ask(f->path, "PRAGMA data_version");
	assert_int_equal(before, after);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 3);
}

static void an_empty_history_has_nothing_to_prune(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	assert_int_equal(prune(f, store, 1, 1), 0);
	store_close(store);
}

static void the_newest_the_last_good_and_the_open_stay(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	struct store_last last;
	int64_t intent;
	const char *text;
	size_t n;

	many_runs(f, store, 3, 100);
	assert_int_equal(store_keep(store, "t1", "tree", "tree", 4, &f->err), 0);
	fixture_run(f, store, &step, 1); /* 4: the last good one */
	int64_t open = fixture_begin(f, store, true);

	assert_int_equal(fixture_intent(store, open, &step, &intent, &f->err), 0);
	for (int i = 0; i < 3; i++) {
		int64_t run = fixture_begin(f, store, false);

		assert_int_equal(store_run_end(store, run, 1, NULL, "broken", &f->err), 0);
	}
	store_close(store);
	age(f, "1", 1000);
	store = fixture_write(f);
	assert_int_equal(prune(f, store, 500, 1), 0);
	assert_int_equal(store_last_good(store, f->arena, &last, &f->err), 0);
	assert_int_equal(last.run, 4);
	assert_int_equal(store_fetch(store, last.tree, f->arena, &text, &n, &f->err), 0);
	assert_string_equal(text, "tree");
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 3);
	assert_int_equal(fixture_ask(f->path, "SELECT sum(id) FROM run"), 4 + 5 + 8);
}

static void texts_of_a_run_under_way_stay(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	const char *text;
	size_t n;

	many_runs(f, store, 3, 100);
	store_close(store);
	age(f, "1", 1000);
	store = fixture_write(f);
	fixture_begin(f, store, false);
	assert_int_equal(store_keep(store, "later", "facts", "x", 1, &f->err), 0);
	assert_int_equal(prune(f, store, 500, 0), 0);
	assert_int_equal(store_fetch(store, "later", f->arena, &text, &n, &f->err), 0);
	assert_non_null(text);
	assert_int_equal(store_fetch(store, "facts0", f->arena, &text, &n, &f->err), 0);
	assert_null(text);
	store_close(store);
}

static void the_oldest_go_until_it_fits(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct stat st;

	many_runs(f, store, 50, 20000);
	assert_int_equal(prune(f, store, 0, 400000), 0);
	store_close(store);
	stat(f->path, &st);
	assert_true(st.st_size <= 400000);
	int64_t runs = fixture_ask(f->path, "SELECT count(*) FROM run");

	assert_true(runs > 3 && runs < 20);
	assert_int_equal(fixture_ask(f->path, "SELECT max(id) FROM run"), 50);
	assert_int_equal(fixture_ask(f->path, "SELECT min(id) FROM run"), 51 - runs);
}

/* Old runs with steps and texts of their own, some that have to stay, and then killed. */
static void fill_old(struct fixture *f)
{
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	int64_t intent;

	fixture_run(f, store, &step, 1);
	int64_t open = fixture_begin(f, store, true);

	assert_int_equal(fixture_intent(store, open, &step, &intent, &f->err), 0);
	many_runs(f, store, 60, 30000);
	assert_int_equal(store_checkpoint(store, &f->err), 0);
	store_close(store);
	age(f, "1", 1000);
	store = fixture_write(f);
	assert_int_equal(store_run_end(store, fixture_begin(f, store, false), 1, NULL, "x", &f->err),
	                 0);
	store_close(store);
}

static int prune_and_die(void *context)
{
	struct fixture *f = context;
	struct store *store = fixture_write(f);
	int r = prune(f, store, 500, 0);

	store_close(store);
	return r ? 1 : 0;
}

static void killed_at_any_instant_the_next_call_finishes(void **state)
{
	struct fixture *f = *state;

	fill_old(f);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(prune_and_die(f));
		}
		usleep((useconds_t)i * 150);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM pragma_quick_check"
		                                      " WHERE quick_check = 'ok'"),
		                 1);
		/* No step without its run, no run without its text. */
		assert_int_equal(
		    fixture_ask(f->path, "SELECT count(*) FROM step WHERE run NOT IN (SELECT id FROM run)"),
		    0);
		assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run WHERE facts LIKE 'facts%'"
		                                      " AND facts NOT IN (SELECT digest FROM blob)"),
		                 0);
	}
	assert_int_equal(fixture_child(prune_and_die, f), 0);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 3);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM step WHERE outcome IS NULL"), 1);
	assert_true(fixture_ask(f->path, "PRAGMA freelist_count") < 64);
}

static void it_stops_when_its_time_is_over_and_goes_on_the_next_time(void **state)
{
	struct fixture *f = *state;
	const struct store_bounds bounds = {500, 0};
	int64_t runs, before;
	int calls = 0;

	fill_old(f);
	fixture_sql(f->path,
	            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
	            " INSERT INTO run (command, started_by, who, version, node, boot_id, mode,"
	            " tree_path, stale_tree, partial, pid, starttime, started, started_boot_ms,"
	            " finished, exit_code) SELECT command, '', '', '', '', boot_id, '', '', 0, 0, 1, 1,"
	            " started, 0, started, 0 FROM run, n WHERE id = 3;"
	            "UPDATE run SET id = id + 100000 WHERE id = 63");
	runs = fixture_ask(f->path, "SELECT count(*) FROM run");
	do {
		struct store *store = fixture_write(f);

		before = runs;
		/* At first enough for next to nothing, and always for some. */
		assert_int_equal(store_prune(store, &bounds, calls < 10 ? 0 : calls, &f->err), 0);
		store_close(store);
		runs = fixture_ask(f->path, "SELECT count(*) FROM run");
		assert_true(runs < before);
	} while (++calls < 3000 && runs > 3);
	assert_int_equal(runs, 3);
	assert_true(calls > 10);
	for (int i = 0; i < 200 && fixture_ask(f->path, "PRAGMA freelist_count") >= 64; i++) {
		struct store *store = fixture_write(f);

		assert_int_equal(store_prune(store, &bounds, 2 + i, &f->err), 0);
		store_close(store);
	}
	assert_true(fixture_ask(f->path, "PRAGMA freelist_count") < 64);
}

static void one_run_that_is_just_too_old_is_not_worth_it(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	many_runs(f, store, 10, 100);
	store_close(store);
	age(f, "id <= 5", 6401);
	store = fixture_write(f);
	assert_int_equal(prune(f, store, 6400, 0), 0);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 10);
	store_close(store);
	age(f, "id <= 5", 200);
	store = fixture_write(f);
	assert_int_equal(prune(f, store, 6400, 0), 0);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(old_runs_go_with_all_that_only_they_knew),
	    FIXTURE_TEST(nothing_to_do_is_nothing_done),
	    FIXTURE_TEST(an_empty_history_has_nothing_to_prune),
	    FIXTURE_TEST(the_newest_the_last_good_and_the_open_stay),
	    FIXTURE_TEST(texts_of_a_run_under_way_stay),
	    FIXTURE_TEST(the_oldest_go_until_it_fits),
	    FIXTURE_TEST(killed_at_any_instant_the_next_call_finishes),
	    FIXTURE_TEST(it_stops_when_its_time_is_over_and_goes_on_the_next_time),
	    FIXTURE_TEST(one_run_that_is_just_too_old_is_not_worth_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
