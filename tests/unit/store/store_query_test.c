// SPDX-License-Identifier: MIT
/* What history and status are told. */
#include "unit/store/fixture.h"

static void a_run_says_what_why_and_from_what_to_what(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step steps[] = {
	    fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL),
	    fixture_step(f, "mount:/b", ACTION_CREATE, OUTCOME_FAILED, "mount: no such device"),
	    fixture_step(f, "mount:/c", ACTION_NONE, OUTCOME_BLOCKED, "needs mount:/b"),
	    fixture_step(f, "file:/d", ACTION_NONE, OUTCOME_KEPT, NULL)};
	struct value run;

	steps[1].detail = "mount: line one\nline two";
	steps[1].marks = MARK_DISRUPTIVE;
	int64_t id = fixture_run(f, store, steps, ARRAY_LEN(steps));

	assert_int_equal(store_run(store, f->arena, id, &run, &f->err), 0);
	assert_string_equal(value_text(&run, "command"), "apply");
	assert_string_equal(value_text(&run, "trigger"), "terminal");
	assert_string_equal(value_text(&run, "status"), "ended");
	assert_string_equal(value_text(&run, "tree"), "t1");
	assert_string_equal(value_text(&run, "facts"), "f1");
	assert_int_equal(value_number(&run, "exit_code", -1), 5);
	assert_false(value_truth(&run, "partial", true));
	const struct value *counts = value_get(&run, "counts");

	assert_int_equal(value_number(counts, "kept", -1), 1);
	assert_int_equal(value_number(counts, "changed", -1), 1);
	assert_int_equal(value_number(counts, "failed", -1), 1);
	assert_int_equal(value_number(counts, "blocked", -1), 1);
	const struct value *list = value_get(&run, "steps");

	assert_int_equal(list->count, 2);
	const struct value *failed = &list->items[1];
	const struct value *change = &value_get(failed, "differences")->items[0];

	assert_string_equal(value_text(failed, "id"), "mount:/b");
	assert_string_equal(value_text(failed, "action"), "create");
	assert_string_equal(value_text(failed, "why"), "mount: no such device");
	assert_string_equal(value_text(failed, "detail"), "mount: line one\nline two");
	assert_int_equal(value_number(failed, "duration_ms", -1), 7);
	assert_string_equal(value_text(change, "from"), "0600");
	assert_string_equal(value_text(change, "to"), "0644");
	const struct value *origin = &value_get(failed, "origins")->items[0];

	assert_string_equal(value_text(origin, "lua"), "policies/resources.lua:12");
	assert_string_equal(value_text(origin, "yaml"), "state/nodes/n1.yaml:3:5");
	const struct value *standing = value_get(&run, "standing");

	assert_int_equal(standing->count, 2);
	assert_string_equal(value_text(&standing->items[0], "id"), "mount:/b");
	assert_string_equal(value_text(&standing->items[1], "why"), "needs mount:/b");
	store_close(store);
}

static void an_old_run_shows_what_stood_then(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "mount:/c", ACTION_NONE, OUTCOME_BLOCKED, "busy");
	struct value run;

	fixture_run(f, store, &step, 1);
	fixture_run(f, store, &step, 1);
	step.outcome = OUTCOME_KEPT;
	fixture_run(f, store, &step, 1);
	for (int64_t id = 1; id <= 3; id++) {
		assert_int_equal(store_run(store, f->arena, id, &run, &f->err), 0);
		assert_int_equal(value_get(&run, "standing")->count, id < 3 ? 1 : 0);
	}
	assert_int_equal(store_run(store, f->arena, 4, &run, &f->err), 0);
	assert_int_equal(run.type, VALUE_NULL);
	store_close(store);
}

static void runs_come_newest_first_and_bounded(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct value runs;

	for (int i = 0; i < 5; i++) {
		fixture_run(f, store, NULL, 0);
	}
	assert_int_equal(store_runs(store, f->arena, 3, &runs, &f->err), 0);
	assert_int_equal(runs.count, 3);
	assert_int_equal(value_number(&runs.items[0], "run", 0), 5);
	assert_int_equal(value_number(&runs.items[2], "run", 0), 3);
	assert_int_equal(store_runs(store, f->arena, SIZE_MAX, &runs, &f->err), 0);
	assert_int_equal(runs.count, 5);
	store_close(store);
}

static void end(struct fixture *f, struct store *store, const char *tree, int code, bool partial,
                bool stale, const char *error)
{
	struct plan plan = fixture_plan(NULL, 0);
	int64_t run = fixture_begin(f, store, partial);

	snprintf(plan.basis.tree, sizeof plan.basis.tree, "%s", tree);
	plan.basis.stale_tree = stale;
	assert_int_equal(store_run_end(store, run, code, &plan, error, &f->err), 0);
}

static void the_last_good_run_is_whole_and_used_its_own_tree(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct store_last last;

	assert_int_equal(store_last_good(store, f->arena, &last, &f->err), 0);
	assert_int_equal(last.run, 0);
	assert_string_equal(last.tree, "");
	end(f, store, "old", 0, false, false, NULL);
	end(f, store, "good", 5, false, false, NULL);
	end(f, store, "partial", 0, true, false, NULL);
	end(f, store, "stale", 0, false, true, NULL);
	end(f, store, "broken", 1, false, false, "a fault");
	fixture_begin(f, store, false);
	assert_int_equal(store_last_good(store, f->arena, &last, &f->err), 0);
	assert_int_equal(last.run, 2);
	assert_string_equal(last.tree, "good");
	assert_string_equal(last.state, "s1");
	assert_int_equal(last.exit_code, 5);
	store_close(store);
}

static void what_others_wrote_there_is_shown_and_not_believed(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_UPDATE, OUTCOME_CHANGED, NULL);
	struct value run;

	fixture_run(f, store, &step, 1);
	fixture_sql(f->path, "UPDATE step SET differences = 'no json', why = CAST(x'ff' AS TEXT)");
	assert_int_equal(store_run(store, f->arena, 1, &run, &f->err), 0);
	const struct value *shown = &value_get(&run, "steps")->items[0];

	assert_string_equal(value_text(shown, "differences"), "no json");
	assert_string_equal(value_text(shown, "why"), "\\xff");
	store_close(store);
}

static void reading_works_while_another_process_writes(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f), *reader;
	struct value runs, about;

	fixture_begin(f, store, false);
	reader = fixture_open(f, STORE_READ);
	assert_non_null(reader);
	assert_int_equal(store_runs(reader, f->arena, 9, &runs, &f->err), 0);
	assert_int_equal(runs.count, 1);
	assert_int_equal(store_about(reader, f->arena, &about, &f->err), 0);
	assert_int_equal(value_number(&about, "runs", 0), 1);
	assert_int_equal(value_number(&about, "schema", 0), 2);
	assert_int_equal(value_get(&about, "set_aside")->type, VALUE_NULL);
	store_close(reader);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(a_run_says_what_why_and_from_what_to_what),
	    FIXTURE_TEST(an_old_run_shows_what_stood_then),
	    FIXTURE_TEST(runs_come_newest_first_and_bounded),
	    FIXTURE_TEST(the_last_good_run_is_whole_and_used_its_own_tree),
	    FIXTURE_TEST(what_others_wrote_there_is_shown_and_not_believed),
	    FIXTURE_TEST(reading_works_while_another_process_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
