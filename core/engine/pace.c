// SPDX-License-Identifier: MIT
/* See pace.h. */
#include "engine/pace.h"

#include "base/digest.h"
#include "base/str.h"

#include <string.h>

enum {
	QUIET_LEAST_MS = 3000, /* events this far apart are no storm */
	ASK_GAP_MS = 1000,     /* who asks in a loop is served once a second */
	WAIT_LEAST_MS = 1000,  /* whatever the splay */
};

/* The first holds after a quiet time: at once. */
static const int64_t floors[] = {0, 100, 1000, 5000, PACE_FLOOR_MOST_MS};

/* 0 to 65535, by seed and how many were drawn before. */
static int64_t draw(struct pace *pace)
{
	AUTO(str_free) struct str text = {0};
	int64_t part = 0;

	str_addf(&text, "%s %llu", pace->seed, (unsigned long long)pace->waits++);
	struct digest digest = digest_bytes(str_text(&text), text.length);

	for (size_t i = 0; i < 4; i++) {
		char c = digest.hex[i];

		part = part * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return part;
}

static int64_t draw_wait(struct pace *pace)
{
	bool first = pace->waits == 0;
	int64_t part = draw(pace);

	if (first && pace->splay) {
		return pace->interval / 10 + pace->interval * 9 / 10 * part / 65535;
	}
	int64_t wait = pace->interval - pace->splay + 2 * pace->splay * part / 65535;

	return wait > WAIT_LEAST_MS ? wait : WAIT_LEAST_MS;
}

struct pace pace_begin(int64_t interval_ms, int64_t splay_ms, const char *seed, int64_t now)
{
	return (struct pace){
	    .interval = interval_ms,
	    .splay = splay_ms < interval_ms ? splay_ms : interval_ms,
	    .seed = seed,
	    .due = now,
	};
}

static int64_t quiet(const struct pace *pace)
{
	int64_t quiet = 3 * floors[pace->floor];

	return quiet > QUIET_LEAST_MS ? quiet : QUIET_LEAST_MS;
}

void pace_event(struct pace *pace, int64_t now)
{
	if (pace->last_event && now - pace->last_event > quiet(pace)) {
		pace->floor = 0;
	}
	pace->last_event = now;
	if (pace->event) {
		return; /* it is served with the one that is waiting */
	}
	int64_t allowed = pace->last_pass ? pace->last_pass + floors[pace->floor] : 0;

	pace->event = now + PACE_MOMENT_MS > allowed ? now + PACE_MOMENT_MS : allowed;
}

void pace_drop_event(struct pace *pace)
{
	pace->event = 0;
}

void pace_ask(struct pace *pace, int64_t now)
{
	int64_t allowed = pace->last_pass ? pace->last_pass + ASK_GAP_MS : 0;

	pace->floor = 0;
	pace->event = now > allowed ? now : allowed;
}

void pace_passed(struct pace *pace, bool by_event, int64_t now)
{
	if (by_event) {
		pace->last_pass = now;
		pace->floor += pace->floor + 1 < ARRAY_LEN(floors);
	}
	pace->event = 0;
	pace->due = now + draw_wait(pace);
}

int64_t pace_next(const struct pace *pace, int64_t retry)
{
	int64_t next = pace->due;

	if (pace->event && pace->event < next) {
		next = pace->event;
	}
	return retry && retry < next ? retry : next;
}
