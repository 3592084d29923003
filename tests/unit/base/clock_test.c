// SPDX-License-Identifier: MIT
/* Deadlines, stamps and durations. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

static void clock_goes_forward(void **state)
{
	(void)state;
	int64_t before = clock_ms();

	usleep(3000);
	assert_true(clock_ms() >= before + 2);
	int64_t now = (int64_t)time(NULL);

	assert_in_range(clock_now(), now, now + 60);
}

static void clock_left_is_never_negative(void **state)
{
	(void)state;
	assert_int_equal(clock_left(clock_ms() - 1000), 0);
	assert_int_equal(clock_left(0), 0);
	assert_in_range(clock_left(clock_ms() + 60000), 1, 60000);
	assert_true(clock_left(INT64_MAX) > INT64_MAX / 2);
}

static void clock_stamp_is_utc(void **state)
{
	(void)state;
	char text[24];

	assert_string_equal(clock_stamp(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_stamp(1795241520, text), "2026-11-21T06:12:00Z");
	assert_string_equal(clock_stamp(-1, text), "1969-12-31T23:59:59Z");
	assert_string_equal(clock_stamp(INT64_MAX, text), "?");
	assert_string_equal(clock_stamp(INT64_MIN, text), "?");
}

static void durations_are_read_with_their_unit(void **state)
{
	(void)state;
	assert_int_equal(clock_duration("0"), 0);
	assert_int_equal(clock_duration("90"), 90);
	assert_int_equal(clock_duration("30s"), 30);
	assert_int_equal(clock_duration("5m"), 300);
	assert_int_equal(clock_duration("2h"), 7200);
	assert_int_equal(clock_duration("7d"), 604800);
	assert_int_equal(clock_duration("2147483647d"), INT64_C(2147483647) * 86400);
}

static void what_is_no_duration_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
	                                    "s",
	                                    "-1",
	                                    "+1",
	                                    " 1",
	                                    "1 s",
	                                    "1.5h",
	                                    "5M",
	                                    "1h30m",
	                                    "1w",
	                                    "0x10",
	                                    "2147483648",
	                                    "99999999999999999999"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(clock_duration(texts[i]), -1);
	}
}

static void spans_are_told_in_two_units(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
	    {0, "0.0s"},         {99, "0.0s"},         {430, "0.4s"},     {9999, "9.9s"},
	    {10000, "10s"},      {59999, "59s"},       {303000, "5m 3s"}, {7800000, "2h 10m"},
	    {86400000, "1d 0h"}, {694800000, "8d 1h"}, {-5000, "0.0s"},   {INT64_MIN, "0.0s"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(str_free) struct str s = {0};

		clock_add_span(&s, cases[i].ms);
		assert_string_equal(str_text(&s), cases[i].text);
	}
}

static void moments_are_read_with_their_zone(void **state)
{
	(void)state;
	const struct {
		const char *text;
		int64_t at;
	} cases[] = {
	    {"2026-11-21T08:00:00Z", 1795248000},
	    {"2026-11-21T08:00Z", 1795248000},
	    {"2026-11-21 08:00:30Z", 1795248030},
	    {"2026-11-21T17:00:00+09:00", 1795248000},
	    {"2026-11-21 04:30-0330", 1795248000},
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-21 17:00", 1795248000},
	    {"2026-11-21T17:00:00", 1795248000},
	    {"17:01", 1795248060},
	    {"17:00", 1795248000 + 86400},
	    {"00:00", 1795248000 + 7 * 3600},
	};

	assert_int_equal(setenv("TZ", "KST-9", 1), 0);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (clock_moment(cases[i].text, 1795248000) != cases[i].at) {
			fail_msg("%s: %lld", cases[i].text, (long long)clock_moment(cases[i].text, 1795248000));
		}
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

static void what_is_no_moment_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "",
	    "tomorrow",
	    "-1",
	    "2026-11-21",
	    "2026-11-21T08:00:00+25:00",
	    "25:00",
	    "12:60",
	    "12:00:00",
	    "2026-13-01 00:00Z",
	    "2026-02-30T00:00Z",
	    "2026-02-29 12:00",
	    "2026-04-31 12:00",
	    "2026-11-00 12:00",
	    "2026-11-21T08:00ZZ",
	    "2026-11-21T08:00:00 CET",
	    "1h",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (clock_moment(texts[i], 1795248000) != -1) {
			fail_msg("%s", texts[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clock_goes_forward),
	    cmocka_unit_test(clock_left_is_never_negative),
	    cmocka_unit_test(clock_stamp_is_utc),
	    cmocka_unit_test(durations_are_read_with_their_unit),
	    cmocka_unit_test(what_is_no_duration_is_refused),
	    cmocka_unit_test(spans_are_told_in_two_units),
	    cmocka_unit_test(moments_are_read_with_their_zone),
	    cmocka_unit_test(what_is_no_moment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
