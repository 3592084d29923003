// SPDX-License-Identifier: MIT
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
	assert_int_equal(store_prune(store, 500, 0, &f->err), 0);
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
	assert_int_equal(store_prune(store, 500, 1 << 30, &f->err), 0);
	store_close(store);
	after = fixture_ask(f->path, "PRAGMA data_version");
	assert_int_equal(before, after);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 3);
}

static void an_empty_history_has_nothing_to_prune(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	assert_int_equal(store_prune(store, 1, 1, &f->err), 0);
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

	assert_int_equal(store_intent(store, open, &step, &intent, &f->err), 0);
	for (int i = 0; i < 3; i++) {
		int64_t run = fixture_begin(f, store, false);

		assert_int_equal(store_run_end(store, run, 1, NULL, "broken", &f->err), 0);
	}
	store_close(store);
	age(f, "1", 1000);
	store = fixture_write(f);
	assert_int_equal(store_prune(store, 500, 1, &f->err), 0);
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
	assert_int_equal(store_prune(store, 500, 0, &f->err), 0);
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
	assert_int_equal(store_prune(store, 0, 400000, &f->err), 0);
	store_close(store);
	stat(f->path, &st);
	assert_true(st.st_size <= 400000);
	int64_t runs = fixture_ask(f->path, "SELECT count(*) FROM run");

	assert_true(runs > 3 && runs < 20);
	assert_int_equal(fixture_ask(f->path, "SELECT max(id) FROM run"), 50);
	assert_int_equal(fixture_ask(f->path, "SELECT min(id) FROM run"), 51 - runs);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
