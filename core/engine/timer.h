// SPDX-License-Identifier: MIT
/*
 * When `run` wakes, and why: the pace (pace.h) with what it listens to. The clock is
 * CLOCK_BOOTTIME, so that neither a suspend nor a jump of the wall clock matters; a pass that a
 * suspend has missed is made once.
 */
#ifndef ENGINE_TIMER_H
#define ENGINE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer_options {
	int64_t interval_ms, splay_ms;
	const char *node;    /* for the splay; NULL: the host's name */
	const char *tree;    /* watched for changes; NULL: not */
	const char *run_dir; /* for the record of a watch that hangs */
	/* Called at least every tick_ms while waiting; NULL or 0: never. */
	void (*tick)(void *context);
	void *context;
	int64_t tick_ms;
};

enum wake {
	WAKE_STOP,    /* a signal asks to stop */
	WAKE_TIME,    /* the interval is over */
	WAKE_MOUNTS,  /* the mount table is another one */
	WAKE_TREE,    /* somebody changed the tree, or who this node is */
	WAKE_HANG_UP, /* SIGHUP */
	WAKE_RETRY,   /* something that failed is due again */
	WAKE_MORE,    /* timer_more was called */
};

struct timer;

/* Watches from now on, and catches SIGINT, SIGTERM and SIGHUP. */
struct timer *timer_create(const struct timer_options *options);
/* NULL allowed. */
void timer_free(struct timer *timer);

/* What the mount table is like now is our own doing, and wakes nobody. To be called between a
 * change and the look at what came of it, so that no change by others is taken for ours. `silent`:
 * it may have been a remount, which need not be an event (self_watch.h); else the table is only
 * read when there was one. */
void timer_settle(struct timer *timer, bool silent);
/* A pass has ended with more to do: the next is soon, and later each time it happens in a row. */
void timer_more(struct timer *timer);
/* It is worth trying again by then (clock_ms), whatever the interval. */
void timer_by(struct timer *timer, int64_t when);

/* After a pass: sleeps until there is a reason for the next. `retry`: when something that failed
 * is tried again (clock_ms), 0: nothing is. */
enum wake timer_wait(struct timer *timer, int64_t retry);

/* When timer_wait would return if nothing happened (clock_ms). */
int64_t timer_next(const struct timer *timer);
/* Why changes of the tree are not noticed, or NULL. */
const char *timer_trouble(const struct timer *timer);

/* "the mount table changed", ... */
const char *wake_text(enum wake wake);
/* In a word, for the history: "mounts", "tree", "timer", ... */
const char *wake_word(enum wake wake);

#endif
