// SPDX-License-Identifier: MIT
/* See window.h. The zone comes from the tz database, through tzset(3). */
#include "provider/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60, SEARCHED = 8 * DAY };

static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static int day_of(const char *text)
{
	for (int i = 0; i < 7; i++) {
		if (strncmp(text, names[i], 3) == 0) {
			return i;
		}
	}
	return -1;
}

/* "Mon-Fri", "Sat,Sun", "daily"; a range may go round the end of the week. */
static bool take_days(const char *text, size_t n, struct window *window)
{
	if (n == 5 && strncmp(text, "daily", 5) == 0) {
		memset(window->days, true, sizeof window->days);
		return true;
	}
	for (const char *at = text; at < text + n; at += 4) {
		int first = day_of(at), last = first;

		if (first >= 0 && at[3] == '-') {
			at += 4;
			last = day_of(at);
		}
		if (first < 0 || last < 0) {
			return false;
		}
		for (int day = first;; day = (day + 1) % 7) {
			window->days[day] = true;
			if (day == last) {
				break;
			}
		}
	}
	return true;
}

int window_parse(struct arena *arena, const char *text, struct window *ret_window, struct err *err)
{
	struct window window = {0};
	size_t n = strcspn(text, " ");
	int hours[4], end = 0;

	if (!take_days(text, n, &window) ||
	    sscanf(text + n, " %2d:%2d-%2d:%2d %n", &hours[0], &hours[1], &hours[2], &hours[3], &end) !=
	        4 ||
	    !end || !text[n + (size_t)end]) {
		return err_set(err, ERR_INPUT, 0, "'%s' is no window", text);
	}
	window.from = hours[0] * 60 + hours[1];
	window.to = hours[2] * 60 + hours[3];
	window.zone = arena_strdup(arena, text + n + end);
	*ret_window = window;
	return 0;
}

/* By the wall clock alone: which day it began on is told by the day before. */
static bool is_within(const struct window *w, const struct tm *at)
{
	int minute = at->tm_hour * 60 + at->tm_min;
	bool today = w->days[at->tm_wday], yesterday = w->days[(at->tm_wday + 6) % 7];

	if (w->from < w->to) {
		return today && minute >= w->from && minute < w->to;
	}
	return (today && minute >= w->from) || (yesterday && minute < w->to);
}

static bool holds_at(const struct window *window, int64_t seconds)
{
	time_t now = (time_t)seconds;
	struct tm at;

	return localtime_r(&now, &at) && is_within(window, &at);
}

/* Is it in the database? UTC needs none. */
static int check_zone(struct host *host, const char *zone, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *path = arena_printf(arena, "/usr/share/zoneinfo/%s", zone);
	struct err ignored = {0};
	struct file_bytes bytes;
	struct file_look look;

	if (strcmp(zone, "UTC") == 0) {
		return 0;
	}
	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	/* Aliases are links in some distributions. What a zone file begins with: tzfile(5). */
	if (look.type == FILE_LINK || (look.type == FILE_REGULAR &&
	                               !host->ops->read(host, path, 65536, arena, &bytes, &ignored) &&
	                               bytes.length > 4 && memcmp(bytes.data, "TZif", 4) == 0)) {
		return 0;
	}
	return err_set(err, ERR_HOST, 0, "the time zone %s is not known to this machine (%s)", zone,
	               path);
}

static void set_zone(const char *zone)
{
	if (zone) {
		setenv("TZ", zone, 1);
	} else {
		unsetenv("TZ");
	}
	tzset();
}

int window_holds(struct host *host, const struct window *window, int64_t now, bool *ret_within,
                 int64_t *ret_opens, struct err *err)
{
	const char *before = getenv("TZ");
	AUTO(mem_auto) char *saved = before ? mem_strdup(before) : NULL;
	int64_t opens = now - now % 60;
	int minutes = 0;

	if (check_zone(host, window->zone, err)) {
		return -(int)err->code;
	}
	set_zone(window->zone);
	*ret_within = holds_at(window, now);
	while (ret_opens && !*ret_within && minutes <= SEARCHED && !holds_at(window, opens)) {
		opens += 60;
		minutes++;
	}
	set_zone(saved);
	if (ret_opens) {
		*ret_opens = *ret_within || minutes > SEARCHED ? 0 : opens;
	}
	return 0;
}
