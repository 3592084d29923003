// SPDX-License-Identifier: MIT
#include "engine/pace.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { INTERVAL = 300000, SPLAY = 30000 };

static struct pace started(const char *seed)
{
	return pace_begin(INTERVAL, SPLAY, seed, 1000);
}

/* One that has made its first pass, at `now`. */
static struct pace running(int64_t now)
{
	struct pace pace = started("n");

	pace_passed(&pace, false, now);
	return pace;
}

static void the_first_pass_is_at_once(void **state)
{
	(void)state;
	struct pace pace = started("n");

	assert_int_equal(pace_next(&pace, 0), 1000);
}

static void the_first_wait_is_part_of_the_interval_and_differs_by_node(void **state)
{
	(void)state;
	static const char *const seeds[] = {"a boot1", "b boot1", "a boot2", "c boot1"};
	int64_t waits[4];

	for (size_t i = 0; i < 4; i++) {
		struct pace pace = started(seeds[i]);

		pace_passed(&pace, false, 1000);
		waits[i] = pace_next(&pace, 0) - 1000;
		assert_in_range(waits[i], INTERVAL / 10, INTERVAL);
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(waits[i], waits[k]);
		}
	}
}

static void later_waits_are_the_interval_give_or_take_the_splay_and_are_drawn_anew(void **state)
{
	(void)state;
	struct pace pace = running(1000);
	int64_t now = 1000, least = INTERVAL, most = 0;

	for (int i = 0; i < 200; i++) {
		pace_passed(&pace, false, now);
		int64_t wait = pace_next(&pace, 0) - now;

		assert_in_range(wait, INTERVAL - SPLAY, INTERVAL + SPLAY);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		now += wait;
	}
	assert_true(least < INTERVAL - SPLAY / 2);
	assert_true(most > INTERVAL + SPLAY / 2);
}

static void without_splay_each_wait_is_the_interval(void **state)
{
	(void)state;
	struct pace pace = pace_begin(INTERVAL, 0, "n", 0);

	pace_passed(&pace, false, 5000);
	assert_int_equal(pace_next(&pace, 0), 5000 + INTERVAL);
}

static void a_splay_as_long_as_the_interval_never_makes_a_loop(void **state)
{
	(void)state;
	struct pace pace = pace_begin(2000, 100000, "n", 0);

	for (int i = 0; i < 100; i++) {
		pace_passed(&pace, false, 0);
		assert_in_range(pace_next(&pace, 0), i ? 1000 : 200, 4000);
	}
}

static void an_event_is_served_within_a_tenth_of_a_second(void **state)
{
	(void)state;
	struct pace pace = running(1000);

	pace_event(&pace, 20000);
	assert_in_range(pace_next(&pace, 0), 20000, 20090);
}

static void events_of_one_moment_are_served_together(void **state)
{
	(void)state;
	struct pace pace = running(1000);

	pace_event(&pace, 20000);
	int64_t next = pace_next(&pace, 0);

	for (int64_t at = 20001; at < next; at++) {
		pace_event(&pace, at);
	}
	assert_int_equal(pace_next(&pace, 0), next);
	pace_passed(&pace, true, next + 50);
	assert_true(pace_next(&pace, 0) > next + 10000);
}

/* 50 events a second for ten minutes, a pass takes 50 ms. */
static void a_storm_costs_a_pass_every_half_minute(void **state)
{
	(void)state;
	struct pace pace = running(1000);
	int passes = 0, in_first_minute = 0;

	for (int64_t now = 20000; now < 620000; now += 20) {
		pace_event(&pace, now);
		if (pace_next(&pace, 0) <= now) {
			passes++;
			in_first_minute += now < 80000;
			now += 50;
			pace_passed(&pace, true, now);
		}
	}
	assert_in_range(in_first_minute, 4, 8);
	assert_in_range(passes, 20, 26);
	/* The last of it is not lost. */
	pace_event(&pace, 620000);
	assert_true(pace_next(&pace, 0) <= 620000 + PACE_FLOOR_MOST_MS + 100);
	/* Once it is quiet, an event is served at once again. */
	pace_passed(&pace, true, 650000);
	pace_event(&pace, 900000);
	assert_in_range(pace_next(&pace, 0), 900000, 900090);
}

static void events_some_seconds_apart_are_no_storm(void **state)
{
	(void)state;
	struct pace pace = running(1000);

	for (int64_t now = 20000; now < 120000; now += 5000) {
		pace_event(&pace, now);
		assert_in_range(pace_next(&pace, 0), now, now + 90);
		pace_passed(&pace, true, now + 100);
	}
}

static void who_asks_is_served_at_once_also_in_a_storm_but_once_a_second(void **state)
{
	(void)state;
	struct pace pace = running(1000);
	int64_t now = 20000;

	for (int i = 0; i < 10; i++) {
		pace_event(&pace, now);
		now = pace_next(&pace, 0);
		pace_passed(&pace, true, now);
	}
	pace_event(&pace, now + 2000);
	assert_true(pace_next(&pace, 0) > now + 20000);
	pace_ask(&pace, now + 2000);
	assert_int_equal(pace_next(&pace, 0), now + 2000);
	pace_passed(&pace, true, now + 2010);
	pace_ask(&pace, now + 2020);
	assert_int_equal(pace_next(&pace, 0), now + 3010);
}

static void an_event_that_was_nothing_is_dropped(void **state)
{
	(void)state;
	struct pace pace = running(1000);
	int64_t due = pace_next(&pace, 0);

	pace_event(&pace, 20000);
	pace_drop_event(&pace);
	assert_int_equal(pace_next(&pace, 0), due);
}

static void what_failed_is_due_at_its_own_time(void **state)
{
	(void)state;
	struct pace pace = running(1000);

	assert_int_equal(pace_next(&pace, 12345), 12345);
	assert_int_equal(pace_next(&pace, INT64_MAX), pace_next(&pace, 0));
}

/* A suspend of days: CLOCK_BOOTTIME has gone on. */
static void a_clock_that_leapt_ahead_costs_one_pass(void **state)
{
	(void)state;
	struct pace pace = running(1000);
	int64_t after = 1000 + 3 * 86400000LL;

	assert_true(pace_next(&pace, 0) <= after);
	pace_passed(&pace, false, after);
	assert_true(pace_next(&pace, 0) >= after + INTERVAL - SPLAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_pass_is_at_once),
	    cmocka_unit_test(the_first_wait_is_part_of_the_interval_and_differs_by_node),
	    cmocka_unit_test(later_waits_are_the_interval_give_or_take_the_splay_and_are_drawn_anew),
	    cmocka_unit_test(without_splay_each_wait_is_the_interval),
	    cmocka_unit_test(a_splay_as_long_as_the_interval_never_makes_a_loop),
	    cmocka_unit_test(an_event_is_served_within_a_tenth_of_a_second),
	    cmocka_unit_test(events_of_one_moment_are_served_together),
	    cmocka_unit_test(a_storm_costs_a_pass_every_half_minute),
	    cmocka_unit_test(events_some_seconds_apart_are_no_storm),
	    cmocka_unit_test(who_asks_is_served_at_once_also_in_a_storm_but_once_a_second),
	    cmocka_unit_test(an_event_that_was_nothing_is_dropped),
	    cmocka_unit_test(what_failed_is_due_at_its_own_time),
	    cmocka_unit_test(a_clock_that_leapt_ahead_costs_one_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
