// SPDX-License-Identifier: MIT
/* Taking over the journal. */
#include "unit/store/fixture.h"

#include "store/journal.h"

static const char *journal_path(struct fixture *f)
{
	return arena_printf(f->arena, "%s/intents", f->folder);
}

/* A journal of one create that ended and one that did not, of run `run`. */
static void write_journal(struct fixture *f, int64_t run)
{
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct step b = fixture_step(f, "file:/b", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	int64_t number;

	assert_int_equal(journal_intent(journal_path(f), run, "b1", &a, &number, &f->err), 0);
	assert_int_equal(journal_outcome(journal_path(f), number, &a, &f->err), 0);
	assert_int_equal(journal_intent(journal_path(f), run, "b1", &b, &number, &f->err), 0);
}

static void no_journal_is_nothing_to_do(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct value runs;

	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(store_runs(store, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, 0);
	store_close(store);
}

static void steps_join_the_run_they_belong_to(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	int64_t run = fixture_begin(f, store, false);
	struct store_cut *cuts;
	struct orphan *made;
	struct value shown;
	size_t count;

	write_journal(f, run);
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_false(fixture_exists(journal_path(f)));
	assert_int_equal(store_run(store, f->arena, run, &shown, &f->err), 0);
	assert_int_equal(value_get(&shown, "steps")->count, 2);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(cuts[0].id, "file:/b");
	assert_int_equal(store_made_list(store, f->arena, &made, &count, &f->err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(made[0].run, run);
	store_close(store);
}

static void a_run_that_only_the_journal_knew_gets_a_row(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct value runs;

	/* Run 1 of this history is another one: the number alone says nothing. */
	fixture_sql(f->path,
	            "INSERT INTO run (command, started_by, who, version, node, boot_id, mode,"
	            " tree_path, stale_tree, partial, pid, starttime, started, started_boot_ms)"
	            " VALUES ('', '', '', '', '', 'b0', '', '', 0, 0, 1, 1, 1, 1)");
	write_journal(f, 1);
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(store_runs(store, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, 2);
	assert_string_equal(value_text(&runs.items[0], "boot_id"), "b1");
	assert_non_null(value_text(&runs.items[0], "error"));
	/* One step is open: it did not end, as far as anybody knows. */
	assert_int_equal(value_get(&runs.items[0], "finished")->type, VALUE_NULL);
	store_close(store);
}

static void taking_over_again_takes_nothing_twice(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step b = fixture_step(f, "file:/b", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	const char *copy = arena_printf(f->arena, "%s/copy", f->folder);
	struct journal journal;
	struct value runs, run;

	write_journal(f, 0);
	/* Cut off after the commit: the journal is still there. */
	assert_int_equal(link(journal_path(f), copy), 0);
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(rename(copy, journal_path(f)), 0);
	assert_int_equal(journal_list(journal_path(f), f->arena, &journal, &f->err), 0);
	assert_int_equal(journal_outcome(journal_path(f), journal.entries[1].number, &b, &f->err), 0);
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(store_runs(store, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, 1);
	assert_int_equal(store_run(store, f->arena, 1, &run, &f->err), 0);
	assert_int_equal(value_get(&run, "steps")->count, 2);
	assert_string_equal(value_text(&value_get(&run, "steps")->items[1], "outcome"), "changed");
	assert_string_equal(value_text(&run, "status"), "ended");
	store_close(store);
}

static void a_run_that_lost_its_history_on_the_way_ends_as_the_journal_says(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	int64_t run = fixture_begin(f, store, false);
	struct value map;

	assert_int_equal(journal_end(journal_path(f), run, "b1", 5, NULL, &f->err), 0);
	/* Of another boot, and of a number that somebody else has. */
	int64_t other = fixture_begin(f, store, false);

	assert_int_equal(journal_end(journal_path(f), other, "b0", 0, NULL, &f->err), 0);
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(store_run(store, f->arena, run, &map, &f->err), 0);
	assert_string_equal(value_text(&map, "status"), "ended");
	assert_int_equal(value_number(&map, "exit_code", -1), 5);
	assert_non_null(strstr(value_text(&map, "error"), "could not be written"));
	assert_int_equal(store_run(store, f->arena, other, &map, &f->err), 0);
	assert_string_not_equal(value_text(&map, "status"), "ended");
	store_close(store);
}

static void passes_of_one_process_are_runs_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct value runs;

	write_journal(f, 0);
	assert_int_equal(journal_end(journal_path(f), 0, "b1", 5, NULL, &f->err), 0);
	write_journal(f, 0);
	assert_int_equal(journal_end(journal_path(f), 0, "b1", 2, "stopped", &f->err), 0);
	write_journal(f, 0); /* killed */
	assert_int_equal(store_import(store, journal_path(f), &f->err), 0);
	assert_int_equal(store_runs(store, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, 3);
	assert_int_equal(value_number(&runs.items[2], "exit_code", -1), 5);
	assert_int_equal(value_number(&runs.items[1], "exit_code", -1), 2);
	assert_string_equal(value_text(&runs.items[1], "error"), "stopped");
	assert_int_equal(value_get(&runs.items[0], "finished")->type, VALUE_NULL);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM step"), 6);
	assert_int_equal(fixture_ask(f->path, "SELECT count(DISTINCT run) FROM step"), 3);
	store_close(store);
}

static void a_journal_that_cannot_be_taken_stays(void **state)
{
	struct fixture *f = *state;
	struct store *store;

	store_close(fixture_write(f));
	write_journal(f, 0);
	store = fixture_open(f, STORE_READ);
	assert_int_equal(store_import(store, journal_path(f), &f->err), -ERR_STORE);
	assert_true(fixture_exists(journal_path(f)));
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(no_journal_is_nothing_to_do),
	    FIXTURE_TEST(steps_join_the_run_they_belong_to),
	    FIXTURE_TEST(a_run_that_only_the_journal_knew_gets_a_row),
	    FIXTURE_TEST(taking_over_again_takes_nothing_twice),
	    FIXTURE_TEST(a_run_that_lost_its_history_on_the_way_ends_as_the_journal_says),
	    FIXTURE_TEST(passes_of_one_process_are_runs_of_their_own),
	    FIXTURE_TEST(a_journal_that_cannot_be_taken_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
