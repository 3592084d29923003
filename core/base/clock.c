// SPDX-License-Identifier: MIT
/* See clock.h. */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

int64_t clock_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left > 0 ? left : 0;
}

const char *clock_stamp(int64_t seconds, char text[24])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		snprintf(text, 24, "?");
	}
	return text;
}

int64_t clock_duration(const char *text)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end;

	if (!isdigit((unsigned char)text[0])) {
		return -1;
	}
	errno = 0;
	long n = strtol(text, &end, 10);

	if (errno || n > INT32_MAX) {
		return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (text_equal(end, units[i].unit)) {
			return n * units[i].seconds;
		}
	}
	return -1;
}

/* "Z", "+09:00" or "-0330" to seconds east of Greenwich; false when it is no zone. */
static bool parse_zone(const char *text, int64_t *ret_east)
{
	unsigned hours, minutes;
	int end = 0;

	if (text_equal(text, "Z")) {
		*ret_east = 0;
		return true;
	}
	if ((text[0] != '+' && text[0] != '-') ||
	    (sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &end) != 2 &&
	     sscanf(text + 1, "%2u%2u%n", &hours, &minutes, &end) != 2) ||
	    text[1 + end] || hours > 23 || minutes > 59) {
		return false;
	}
	*ret_east = ((int64_t)hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
	return true;
}

static int64_t next_time_of_day(const struct tm *time, int64_t now)
{
	time_t start = (time_t)now;
	struct tm tm;

	for (int day = 0; day < 3; day++) {
		if (!localtime_r(&start, &tm)) {
			return -1;
		}
		tm.tm_mday += day;
		tm.tm_hour = time->tm_hour;
		tm.tm_min = time->tm_min;
		tm.tm_sec = time->tm_sec;
		tm.tm_isdst = -1;
		time_t at = mktime(&tm);

		if (at > start) {
			return (int64_t)at;
		}
	}
	return -1;
}

/* strptime(3) takes the 31st of any month, and mktime(3) would make another day of it. */
static bool is_in_calendar(const struct tm *tm)
{
	struct tm normal = *tm;

	timegm(&normal);
	return normal.tm_mon == tm->tm_mon && normal.tm_mday == tm->tm_mday;
}

int64_t clock_moment(const char *text, int64_t now)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
	                                    "%Y-%m-%d %H:%M"};
	const char *rest = NULL;
	int64_t east;
	struct tm tm = {0};

	if (!isdigit((unsigned char)text[0])) {
		return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(forms) && !rest; i++) {
		tm = (struct tm){.tm_isdst = -1};
		rest = strptime(text, forms[i], &tm);
	}
	if (!rest) {
		tm = (struct tm){0};
		rest = strptime(text, "%H:%M", &tm);
		return rest && !*rest ? next_time_of_day(&tm, now) : -1;
	}
	if (!is_in_calendar(&tm)) {
		return -1;
	}
	if (!*rest) {
		return (int64_t)mktime(&tm);
	}
	return parse_zone(rest, &east) ? (int64_t)timegm(&tm) - east : -1;
}

void clock_add_span(struct str *s, int64_t milliseconds)
{
	milliseconds = milliseconds > 0 ? milliseconds : 0;
	int64_t seconds = milliseconds / 1000;

	if (seconds < 10) {
		str_addf(s, "%lld.%llds", (long long)seconds, (long long)(milliseconds % 1000 / 100));
	} else if (seconds < 60) {
		str_addf(s, "%llds", (long long)seconds);
	} else if (seconds < 3600) {
		str_addf(s, "%lldm %llds", (long long)(seconds / 60), (long long)(seconds % 60));
	} else if (seconds < 86400) {
		str_addf(s, "%lldh %lldm", (long long)(seconds / 3600), (long long)(seconds % 3600 / 60));
	} else {
		str_addf(s, "%lldd %lldh", (long long)(seconds / 86400),
		         (long long)(seconds % 86400 / 3600));
	}
}
