// SPDX-License-Identifier: MIT
/*
 * When `run` makes its next pass: arithmetic alone, on a clock that is handed in (milliseconds,
 * clock_ms in the program), so that it can be tried without waiting.
 *
 * By the clock: every interval, give or take the splay, drawn anew each time from the node's seed.
 * The first pass is at once, whoever starts it wants it; the wait after it is anything between a
 * tenth of the interval and the whole of it, so that nodes that were started together (cloned from
 * one image, or after a power cut) are apart from their second pass on.
 *
 * By an event: a moment after it (what comes in that moment is served too), and no sooner after
 * the last pass that an event caused than a floor, which rises while events keep coming and falls
 * back when they have ceased for a while. A storm of events costs a pass every half minute.
 *
 * To try again what failed: when that is due.
 */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PACE_MOMENT_MS = 40,        /* from an event to its pass: together with it under 100 */
	PACE_FLOOR_MOST_MS = 30000, /* between two passes by events, at most */
};

struct pace {
	int64_t interval, splay; /* ms */
	const char *seed;        /* borrowed: the node and its boot */
	uint64_t waits;          /* how many were drawn */
	int64_t due;             /* by the clock */
	int64_t event;           /* by an event; 0: none is waiting */
	int64_t last_event;      /* when the last one came; 0: never */
	int64_t last_pass;       /* end of the last pass by an event; 0: never */
	unsigned floor;          /* which floor holds */
};

/* The next pass is due at once. */
struct pace pace_begin(int64_t interval_ms, int64_t splay_ms, const char *seed, int64_t now);

/* Something happened. */
void pace_event(struct pace *pace, int64_t now);
/* It was nothing. */
void pace_drop_event(struct pace *pace);
/* A person asks: the floor is the lowest again. */
void pace_ask(struct pace *pace, int64_t now);

/* A pass has ended that began for an event, or not; the next is drawn. */
void pace_passed(struct pace *pace, bool by_event, int64_t now);

/* When the next pass is to begin; `retry`: when something that failed is tried again, 0: nothing
 * is. */
int64_t pace_next(const struct pace *pace, int64_t retry);

#endif
