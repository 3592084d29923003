// SPDX-License-Identifier: MIT
/* Time: deadlines on CLOCK_BOOTTIME (counts suspend, never jumps), stamps in UTC, durations. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <stdint.h>

/* Milliseconds since boot. */
int64_t clock_ms(void);
/* Seconds since 1970, UTC. */
int64_t clock_now(void);
/* Milliseconds that are left until `deadline` (of clock_ms), never negative. */
int64_t clock_left(int64_t deadline);

/* "2026-11-21T06:12:00Z" in the caller's buffer of at least 24 bytes; returns it. */
const char *clock_stamp(int64_t seconds, char text[24]);

/* Seconds of "90", "30s", "5m", "2h", "7d"; -1 when the text is no duration. */
int64_t clock_duration(const char *text);
/* The moment that a text names, in seconds since 1970: "2026-11-21T08:00:00Z", "...+09:00", seconds
 * and the T may be left out; without a zone it is local time; "18:30" is the next such time after
 * `now`. -1 when the text is no moment, or of a day that no calendar
 * has. */
int64_t clock_moment(const char *text, int64_t now);
/* "5m 3s", "2h 10m", "0.4s" from milliseconds (negative: 0): for people. */
void clock_add_span(struct str *s, int64_t milliseconds);

#endif
