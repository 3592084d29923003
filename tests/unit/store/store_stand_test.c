// SPDX-License-Identifier: MIT
/* Since when each resource is as it is. */
#include "unit/store/fixture.h"

static const struct value *stand(struct fixture *f, struct store *store, const char *id)
{
	struct value *map = arena_alloc(f->arena, sizeof *map);

	assert_int_equal(store_since(store, f->arena, map, &f->err), 0);
	return value_get(map, id);
}

static void expect(struct fixture *f, struct store *store, const char *id, const char *outcome,
                   int64_t since_run, int64_t times)
{
	const struct value *one = stand(f, store, id);

	assert_non_null(one);
	assert_string_equal(value_text(one, "outcome"), outcome);
	assert_int_equal(value_number(one, "since_run", 0), since_run);
	assert_int_equal(value_number(one, "times", 0), times);
	assert_true(value_number(one, "since", 0) > 0);
}

static void run_with(struct fixture *f, struct store *store, enum outcome outcome, const char *why)
{
	bool acts = outcome == OUTCOME_CHANGED || outcome == OUTCOME_FAILED;
	struct step step = fixture_step(f, "file:/a", acts ? ACTION_UPDATE : ACTION_NONE, outcome, why);

	fixture_run(f, store, &step, 1);
}

static void since_follows_the_outcome_across_runs(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	run_with(f, store, OUTCOME_KEPT, NULL);
	run_with(f, store, OUTCOME_KEPT, NULL);
	expect(f, store, "file:/a", "kept", 1, 2);
	run_with(f, store, OUTCOME_FAILED, "no room");
	run_with(f, store, OUTCOME_FAILED, "no room");
	/* Another reason, the same trouble. */
	run_with(f, store, OUTCOME_FAILED, "no rights");
	expect(f, store, "file:/a", "failed", 3, 3);
	assert_string_equal(value_text(stand(f, store, "file:/a"), "why"), "no rights");
	/* What was changed is right from then on. */
	run_with(f, store, OUTCOME_CHANGED, NULL);
	run_with(f, store, OUTCOME_KEPT, NULL);
	expect(f, store, "file:/a", "kept", 6, 2);
	assert_null(value_text(stand(f, store, "file:/a"), "why"));
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM resource_past"), 3);
}

static void a_run_that_skipped_it_learned_nothing(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	run_with(f, store, OUTCOME_BLOCKED, "busy");
	run_with(f, store, OUTCOME_SKIPPED, "not asked for");
	expect(f, store, "file:/a", "blocked", 1, 2);
	store_close(store);
}

static void what_was_always_skipped_stands_as_skipped(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	run_with(f, store, OUTCOME_SKIPPED, "not in this version");
	run_with(f, store, OUTCOME_SKIPPED, "not in this version");
	expect(f, store, "file:/a", "skipped", 1, 2);
	run_with(f, store, OUTCOME_KEPT, NULL);
	expect(f, store, "file:/a", "kept", 3, 1);
	store_close(store);
}

static void end(struct fixture *f, struct store *store, bool partial, const char *error)
{
	struct step step = fixture_step(f, "file:/b", ACTION_NONE, OUTCOME_KEPT, NULL);
	struct plan plan = fixture_plan(&step, 1);
	int64_t run = fixture_begin(f, store, partial);

	assert_int_equal(store_run_end(store, run, 0, &plan, error, &f->err), 0);
}

static void only_a_whole_run_says_that_something_is_not_wanted(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	run_with(f, store, OUTCOME_KEPT, NULL);
	end(f, store, true, NULL);
	assert_non_null(stand(f, store, "file:/a"));
	end(f, store, false, "stopped by a signal");
	assert_non_null(stand(f, store, "file:/a"));
	end(f, store, false, NULL);
	assert_null(stand(f, store, "file:/a"));
	assert_non_null(stand(f, store, "file:/b"));
	store_close(store);
}

static void a_run_without_a_plan_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);

	run_with(f, store, OUTCOME_KEPT, NULL);
	int64_t run = fixture_begin(f, store, false);

	assert_int_equal(store_run_end(store, run, 1, NULL, "state/a.yaml:1:1: no", &f->err), 0);
	expect(f, store, "file:/a", "kept", 1, 2);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(since_follows_the_outcome_across_runs),
	    FIXTURE_TEST(a_run_that_skipped_it_learned_nothing),
	    FIXTURE_TEST(what_was_always_skipped_stands_as_skipped),
	    FIXTURE_TEST(only_a_whole_run_says_that_something_is_not_wanted),
	    FIXTURE_TEST(a_run_without_a_plan_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
