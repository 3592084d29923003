// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct window parsed(const char *text)
{
	struct window window;
	struct err err;

	if (window_parse(arena, text, &window, &err)) {
		fail_msg("%s", err.text);
	}
	return window;
}

static bool holds(const struct window *window, int64_t now, int64_t *ret_opens)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct host host;
	struct err err;
	bool within = false;

	host_init(&host, &host_linux_ops, scratch);
	if (window_holds(&host, window, now, &within, ret_opens, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return within;
}

/* Seconds since 1970 of a UTC time. */
static int64_t utc(const char *text)
{
	struct tm tm = {0};

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	                        &tm.tm_hour, &tm.tm_min),
	                 5);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

static void need_zone(const char *zone)
{
	if (access(arena_printf(arena, "/usr/share/zoneinfo/%s", zone), R_OK)) {
		print_message("# skip: needs the tz database\n");
		skip();
	}
}

static void a_window_has_days_hours_and_a_zone(void **state)
{
	struct window w = parsed("Mon-Wed,Sun 02:00-05:30 Asia/Seoul");

	(void)state;
	assert_true(w.days[0] && w.days[1] && w.days[2] && w.days[3]);
	assert_false(w.days[4] || w.days[5] || w.days[6]);
	assert_int_equal(w.from, 120);
	assert_int_equal(w.to, 330);
	assert_string_equal(w.zone, "Asia/Seoul");
	w = parsed("Fri-Mon 23:00-01:00 UTC");
	assert_true(w.days[5] && w.days[6] && w.days[0] && w.days[1]);
	assert_false(w.days[2] || w.days[4]);
	w = parsed("daily 00:00-06:00 UTC");
	assert_true(w.days[0] && w.days[3] && w.days[6]);
}

static void what_is_no_window_is_refused(void **state)
{
	static const char *const texts[] = {"",
	                                    "Sun",
	                                    "Sun 02:00-05:00",
	                                    "Sunday 02:00-05:00 UTC",
	                                    "Sun 02:00 05:00 UTC",
	                                    "Sun- 02:00-05:00 UTC"};
	struct window window;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(window_parse(arena, texts[i], &window, &err), -ERR_INPUT);
	}
}

static void it_holds_by_the_clock_of_its_zone(void **state)
{
	int64_t opens;

	(void)state;
	need_zone("Asia/Seoul");
	struct window w = parsed("Sun 02:00-05:00 Asia/Seoul"); /* nine hours ahead, no summer time */

	/* 2026-11-22 is a Sunday. */
	assert_true(holds(&w, utc("2026-11-21 17:00"), NULL));
	assert_true(holds(&w, utc("2026-11-21 19:59"), NULL));
	assert_false(holds(&w, utc("2026-11-21 16:59"), &opens));
	assert_int_equal(opens, utc("2026-11-21 17:00"));
	assert_false(holds(&w, utc("2026-11-21 20:00"), &opens));
	assert_int_equal(opens, utc("2026-11-28 17:00"));
}

static void it_may_end_on_the_day_after(void **state)
{
	struct window w = parsed("Sat 23:00-02:00 UTC");

	(void)state;
	assert_true(holds(&w, utc("2026-11-21 23:30"), NULL));
	assert_true(holds(&w, utc("2026-11-22 01:59"), NULL));
	assert_false(holds(&w, utc("2026-11-22 02:00"), NULL));
	assert_false(holds(&w, utc("2026-11-22 23:30"), NULL));
	assert_false(holds(&w, utc("2026-11-21 01:00"), NULL));
}

static void an_hour_that_is_skipped_is_in_none(void **state)
{
	int64_t opens;

	(void)state;
	need_zone("Europe/Berlin");
	struct window w = parsed("Sun 02:00-03:00 Europe/Berlin");

	/* On 2026-03-29 two o'clock there is three o'clock at once. */
	assert_false(holds(&w, utc("2026-03-29 00:59"), &opens));
	assert_int_equal(opens, utc("2026-04-05 00:00"));
	assert_false(holds(&w, utc("2026-03-29 01:00"), NULL));
	/* On 2026-10-25 it comes twice. */
	assert_true(holds(&w, utc("2026-10-25 00:30"), NULL));
	assert_true(holds(&w, utc("2026-10-25 01:30"), NULL));
	assert_false(holds(&w, utc("2026-10-25 02:00"), NULL));
}

static void a_zone_that_is_not_there_is_not_taken_for_utc(void **state)
{
	struct window w = parsed("Sun 02:00-05:00 Asia/Atlantis");
	struct host host;
	struct err err;
	bool within;

	(void)state;
	host_init(&host, &host_linux_ops, arena);
	assert_int_equal(window_holds(&host, &w, 0, &within, NULL, &err), -ERR_HOST);
	assert_has(err.text, "Asia/Atlantis");
	host_done(&host);
}

/* The same question answered another way: what date(1)'s clock shows there, by strftime. */
static bool by_the_wall(const char *zone, const bool days[7], int from, int to, int64_t now)
{
	time_t t = (time_t)now;
	char text[32];
	struct tm tm;
	int day, hour, minute;

	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%w %H %M", &tm);
	unsetenv("TZ");
	tzset();
	assert_int_equal(sscanf(text, "%d %d %d", &day, &hour, &minute), 3);
	int at = day * 1440 + hour * 60 + minute;

	for (int d = 0; d < 7; d++) {
		int begins = d * 1440 + from, ends = d * 1440 + to + (to <= from ? 1440 : 0);

		if (days[d] &&
		    ((at >= begins && at < ends) || (at + 7 * 1440 >= begins && at + 7 * 1440 < ends))) {
			return true;
		}
	}
	return false;
}

static void whatever_the_zone_it_is_the_clock_on_the_wall(void **state)
{
	static const char *const zones[] = {"UTC", "Asia/Seoul", "Europe/Berlin", "America/St_Johns",
	                                    "Australia/Lord_Howe"};
	static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	uint64_t seed = 20261121;

	(void)state;
	need_zone("Australia/Lord_Howe");
	for (int i = 0; i < 3000; i++) {
		uint64_t r[6];

		for (size_t k = 0; k < ARRAY_LEN(r); k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			r[k] = seed >> 33;
		}
		int day = (int)(r[0] % 7), from = (int)(r[1] % 1440), to = (int)(r[2] % 1440);
		bool days[7] = {0};
		const char *zone = zones[r[3] % ARRAY_LEN(zones)];
		/* Around the turns of 2026: any minute of the days of March, April and October. */
		int64_t now = utc(r[5] % 2 ? "2026-03-20 00:00" : "2026-09-30 00:00") +
		              (int64_t)(r[4] % (40 * 1440)) * 60 + 7;

		if (from == to) {
			continue;
		}
		days[day] = true;
		struct window w = parsed(arena_printf(arena, "%s %02d:%02d-%02d:%02d %s", names[day],
		                                      from / 60, from % 60, to / 60, to % 60, zone));
		int64_t opens;

		if (holds(&w, now, &opens) != by_the_wall(zone, days, from, to, now)) {
			fail_msg("%s %d-%d %s at %lld", names[day], from, to, zone, (long long)now);
		}
		assert_true(!opens || holds(&w, opens, NULL));
		assert_true(!opens || !holds(&w, opens - 60, NULL) || opens - 60 < now);
	}
}

static void the_zone_of_the_process_is_left_alone(void **state)
{
	struct window w = parsed("daily 02:00-05:00 UTC");

	(void)state;
	setenv("TZ", "Asia/Seoul", 1);
	holds(&w, 0, NULL);
	assert_string_equal(getenv("TZ"), "Asia/Seoul");
	unsetenv("TZ");
	holds(&w, 0, NULL);
	assert_null(getenv("TZ"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_window_has_days_hours_and_a_zone),
	    TEST(what_is_no_window_is_refused),
	    TEST(it_holds_by_the_clock_of_its_zone),
	    TEST(it_may_end_on_the_day_after),
	    TEST(an_hour_that_is_skipped_is_in_none),
	    TEST(a_zone_that_is_not_there_is_not_taken_for_utc),
	    TEST(whatever_the_zone_it_is_the_clock_on_the_wall),
	    TEST(the_zone_of_the_process_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
