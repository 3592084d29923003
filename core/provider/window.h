// SPDX-License-Identifier: MIT
/*
 * Maintenance windows: "Sun 02:00-05:00 Asia/Seoul", as FORMAT_WINDOW has it. By the clock on the
 * wall of that zone, so that a window keeps its hours when summer time begins; an hour that is
 * skipped is in no window, one that comes twice is twice in it. Sets TZ of this process for the
 * moment of the question: for a worker only.
 */
#ifndef PROVIDER_WINDOW_H
#define PROVIDER_WINDOW_H

#include "host/host.h"

struct window {
	bool days[7]; /* Sunday first; the day on which it begins */
	int from, to; /* minutes of the day; to <= from: it ends on the day after */
	const char *zone;
};

/* Of a text that the field table has accepted. ERR_INPUT: it is none. */
int window_parse(struct arena *arena, const char *text, struct window *ret_window,
                 struct err *err) MUST_CHECK;

/* Is the moment (seconds since 1970) within? When not, *ret_opens (may be NULL) is when it opens
 * next, 0 when not within eight days. ERR_HOST: the zone is not known to this machine; the C
 * library would silently take UTC. */
int window_holds(struct host *host, const struct window *window, int64_t now, bool *ret_within,
                 int64_t *ret_opens, struct err *err) MUST_CHECK;

#endif
