// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/clock.h"
#include "engine/backoff.h"
#include "host/self.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;
static struct step step;
static struct plan plan;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	struct resource *want = resource_create(arena, &kind_table[KIND_DIRECTORY], "/x");

	want->directory.mode = "0755";
	step = (struct step){.id = "directory:/x", .want = want, .outcome = OUTCOME_CHANGE};
	plan = (struct plan){.steps = &step, .step_count = 1};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static struct backoff *list_of(const char *node)
{
	struct backoff *b = backoff_read(scratch_dir(), "boot", node, arena);

	b->holds = true;
	return b;
}

/* Fails at it at that time, and forgets all but what is kept; returns how long it is put off. */
static int64_t fail_at(const char *node, int64_t now)
{
	struct backoff *b = list_of(node);
	struct err err;

	step.outcome = OUTCOME_FAILED;
	step.why = "it broke";
	backoff_learn(b, &step, true, now);
	assert_int_equal(backoff_write(b, &plan, &err), 0);
	return backoff_earliest(b, now) - now;
}

static void gate_at(int64_t now)
{
	struct backoff *b = list_of("n");

	b->now = now;
	step.outcome = OUTCOME_CHANGE;
	step.why = NULL;
	step.retry = NULL;
	backoff_gate(b, arena, &step);
}

static void without_a_failure_nothing_is_held_back(void **state)
{
	(void)state;
	gate_at(clock_ms());
	assert_int_equal(step.outcome, OUTCOME_CHANGE);
	assert_null(step.retry);
	assert_int_equal(backoff_earliest(list_of("n"), clock_ms()), 0);
}

static void what_failed_is_blocked_until_its_time_with_the_reason(void **state)
{
	(void)state;
	int64_t now = clock_ms(), wait = fail_at("n", now);

	assert_in_range(wait, 24000, 36000);
	assert_non_null(step.retry); /* already told with the failure */
	gate_at(now + wait - 1);
	assert_int_equal(step.outcome, OUTCOME_BLOCKED);
	assert_ptr_equal(strstr(step.why, "backing off after 1 failure: it broke; next try "),
	                 step.why);
	assert_int_equal(step.retry->failures, 1);
	gate_at(now + wait);
	assert_int_equal(step.outcome, OUTCOME_CHANGE);
	assert_non_null(step.retry);
}

static void it_doubles_up_to_an_hour_and_no_further(void **state)
{
	(void)state;
	int64_t now = clock_ms(), nominal = BACKOFF_BASE_MS;

	for (int i = 0; i < 40; i++) {
		int64_t wait = fail_at("n", now);

		if (nominal < BACKOFF_MOST_MS / 2) {
			assert_in_range(wait, nominal * 4 / 5, nominal * 6 / 5);
		}
		assert_true(wait <= BACKOFF_MOST_MS);
		nominal *= nominal < BACKOFF_MOST_MS ? 2 : 1;
		if (i > 10) {
			assert_true(wait >= BACKOFF_MOST_MS * 6 / 10);
		}
	}
}

static void nodes_do_not_come_back_together(void **state)
{
	(void)state;
	char names[8][16];
	int64_t waits[8], now = clock_ms();
	struct err err;

	for (int i = 0; i < 8; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		assert_int_equal(backoff_forget(scratch_dir(), &err), 0);
		waits[i] = fail_at(names[i], now);
		for (int k = 0; k < i; k++) {
			assert_int_not_equal(waits[i], waits[k]);
		}
	}
}

static void success_ends_it(void **state)
{
	(void)state;
	static const enum outcome good[] = {OUTCOME_KEPT, OUTCOME_CHANGED, OUTCOME_PENDING};
	int64_t now = clock_ms();
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		fail_at("n", now);
		struct backoff *b = list_of("n");

		step.outcome = good[i];
		backoff_learn(b, &step, true, now);
		assert_int_equal(backoff_write(b, &plan, &err), 0);
		gate_at(now + 1);
		assert_int_equal(step.outcome, OUTCOME_CHANGE);
		assert_null(step.retry);
		assert_true(access(scratch_path("backoff.json"), F_OK) != 0);
	}
}

static void what_is_blocked_or_undetermined_or_was_not_tried_is_no_failure(void **state)
{
	(void)state;
	static const enum outcome others[] = {OUTCOME_BLOCKED, OUTCOME_UNDETERMINED, OUTCOME_SKIPPED};
	int64_t now = clock_ms();

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct backoff *b = list_of("n");

		step.outcome = others[i];
		backoff_learn(b, &step, true, now);
		assert_false(b->changed);
	}
	struct backoff *b = list_of("n");

	step.outcome = OUTCOME_FAILED;
	backoff_learn(b, &step, false, now);
	assert_false(b->changed);
	/* And none of them makes one forgotten. */
	fail_at("n", now);
	b = list_of("n");
	step.outcome = OUTCOME_BLOCKED;
	backoff_learn(b, &step, true, now);
	assert_true(backoff_earliest(b, now) > now);
}

static void another_wish_is_tried_at_once(void **state)
{
	(void)state;
	int64_t now = clock_ms();

	fail_at("n", now);
	struct resource *other = resource_copy(arena, step.want);

	other->directory.mode = "0700";
	step.want = other;
	gate_at(now + 1);
	assert_int_equal(step.outcome, OUTCOME_CHANGE);
	assert_in_range(fail_at("n", now), 24000, 36000); /* counted from one again */
}

static void a_list_of_another_boot_counts_for_nothing(void **state)
{
	(void)state;
	int64_t now = clock_ms();

	fail_at("n", now);
	assert_true(backoff_earliest(list_of("n"), now) > 0);
	assert_int_equal(backoff_earliest(backoff_read(scratch_dir(), "other", "n", arena), now), 0);
}

static void a_damaged_list_counts_for_nothing_and_is_replaced(void **state)
{
	(void)state;
	static const char *const damaged[] = {
	    "",
	    "{",
	    "[]",
	    "{\"version\": 2}",
	    "\x01\x02",
	    "{\"version\":1,\"boot_id\":\"boot\"}",
	    "{\"version\":1,\"boot_id\":\"boot\",\"resources\":{\"directory:/x\":{\"failures\":-1}}}",
	    "{\"version\":1,\"boot_id\":\"boot\",\"resources\":{\"directory:/x\":{\"failures\":1,"
	    "\"error\":\"e\",\"want\":\"w\",\"next_try\":9000000000000000000}}}"};
	int64_t now = clock_ms();

	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		scratch_write(scratch_path("backoff.json"), damaged[i], 0600);
		assert_int_equal(backoff_earliest(list_of("n"), now), 0);
		assert_true(fail_at("n", now) > 0);
		assert_true(backoff_earliest(list_of("n"), now) > now);
	}
}

static void what_is_not_wanted_any_more_is_dropped(void **state)
{
	(void)state;
	struct plan empty = {0};
	struct err err;

	fail_at("n", clock_ms());
	struct backoff *b = list_of("n");

	b->changed = true;
	assert_int_equal(backoff_write(b, &empty, &err), 0);
	assert_true(access(scratch_path("backoff.json"), F_OK) != 0);
}

static void one_that_only_shows_blocks_nothing(void **state)
{
	(void)state;
	int64_t now = clock_ms();

	fail_at("n", now);
	struct backoff *b = list_of("n");

	b->holds = false;
	step.outcome = OUTCOME_CHANGE;
	step.why = NULL;
	backoff_gate(b, arena, &step);
	assert_int_equal(step.outcome, OUTCOME_CHANGE);
	assert_null(step.why);
	assert_string_equal(step.retry->error, "it broke");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_a_failure_nothing_is_held_back),
	    TEST(what_failed_is_blocked_until_its_time_with_the_reason),
	    TEST(it_doubles_up_to_an_hour_and_no_further),
	    TEST(nodes_do_not_come_back_together),
	    TEST(success_ends_it),
	    TEST(what_is_blocked_or_undetermined_or_was_not_tried_is_no_failure),
	    TEST(another_wish_is_tried_at_once),
	    TEST(a_list_of_another_boot_counts_for_nothing),
	    TEST(a_damaged_list_counts_for_nothing_and_is_replaced),
	    TEST(what_is_not_wanted_any_more_is_dropped),
	    TEST(one_that_only_shows_blocks_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
