// SPDX-License-Identifier: MIT
/* See timer.h. */
#include "engine/timer.h"

#include "base/clock.h"
#include "base/str.h"
#include "engine/pace.h"
#include "host/self.h"
#include "host/self_watch.h"
#include "provider/tree_watch.h"

#include <stdlib.h>

struct timer {
	struct timer_options options;
	struct arena *arena;
	struct pace pace;
	struct self_watch watch;
	struct tree_watch *tree;
	bool mounts, tree_moved, asked, more; /* what the event that waits is about */
	bool waited;                          /* the pass that ends now began with timer_wait ... */
	enum wake reason;                     /* ... for this */
	int64_t retry, by;
};

const char *wake_text(enum wake wake)
{
	static const char *const texts[] = {
	    [WAKE_STOP] = "asked to stop",
	    [WAKE_TIME] = "the interval is over",
	    [WAKE_MOUNTS] = "the mount table changed",
	    [WAKE_TREE] = "the tree changed",
	    [WAKE_HANG_UP] = "SIGHUP",
	    [WAKE_RETRY] = "something that failed is tried again",
	    [WAKE_MORE] = "there is more to do",
	};

	return texts[wake];
}

const char *wake_word(enum wake wake)
{
	static const char *const words[] = {
	    [WAKE_STOP] = "stop", [WAKE_TIME] = "timer",     [WAKE_MOUNTS] = "mounts",
	    [WAKE_TREE] = "tree", [WAKE_HANG_UP] = "SIGHUP", [WAKE_RETRY] = "retry",
	    [WAKE_MORE] = "more",
	};

	return words[wake];
}

struct timer *timer_create(const struct timer_options *options)
{
	struct timer *timer = mem_alloc(sizeof *timer);
	struct arena *arena = arena_create();
	const char *name = options->node ? options->node : self_host_name(arena);
	const struct tree_watch_options tree = {.tree = options->tree, .run_dir = options->run_dir};

	self_catch_hang_up();
	self_catch_stop();
	*timer = (struct timer){
	    .options = *options,
	    .arena = arena,
	    .pace = pace_begin(options->interval_ms, options->splay_ms,
	                       arena_printf(arena, "%s %s", name, self_boot_id(arena)), clock_ms()),
	    .tree = options->tree ? tree_watch_create(&tree) : NULL,
	};
	self_watch_open(&timer->watch);
	return timer;
}

void timer_free(struct timer *timer)
{
	if (!timer) {
		return;
	}
	tree_watch_free(timer->tree);
	self_watch_close(&timer->watch);
	arena_free(timer->arena);
	free(timer);
}

void timer_settle(struct timer *timer, bool silent)
{
	timer->watch.heard |= silent;
	if (self_watch_moved(&timer->watch)) {
		timer->mounts = false;
	}
}

void timer_more(struct timer *timer)
{
	timer->more = true;
}

void timer_by(struct timer *timer, int64_t when)
{
	timer->by = when;
}

int64_t timer_next(const struct timer *timer)
{
	int64_t next = pace_next(&timer->pace, timer->retry);

	return timer->by && timer->by < next ? timer->by : next;
}

const char *timer_trouble(const struct timer *timer)
{
	return timer->tree ? tree_watch_trouble(timer->tree) : NULL;
}

/* The pass ended: what it was for is done, and the next is drawn. */
static void note_pass(struct timer *timer)
{
	bool by_event = timer->waited && timer->reason != WAKE_TIME && timer->reason != WAKE_RETRY;

	pace_passed(&timer->pace, by_event, clock_ms());
	timer->mounts = timer->tree_moved = timer->asked = false;
	if (timer->more) {
		pace_event(&timer->pace, clock_ms());
	}
}

static void hear(struct timer *timer, unsigned events)
{
	int64_t now = clock_ms();

	if (self_hung_up()) {
		self_forget_hang_up();
		timer->asked = true;
		pace_ask(&timer->pace, now);
	}
	if (events & SELF_EVENT_MOUNTS) {
		timer->mounts = true;
		pace_event(&timer->pace, now);
		if (timer->tree) {
			tree_watch_look_again(timer->tree);
		}
	}
	if (timer->tree && tree_watch_turn(timer->tree)) {
		timer->tree_moved = true;
		pace_event(&timer->pace, now);
	}
}

/* Something is due. What? False: it was nothing, the mount table is as it was. */
static bool find_reason(struct timer *timer, int64_t now)
{
	bool event = timer->pace.event && timer->pace.event <= now;
	bool moved = event && timer->mounts && self_watch_moved(&timer->watch);

	if (event && timer->asked) {
		timer->reason = WAKE_HANG_UP;
	} else if (event && timer->tree_moved) {
		timer->reason = WAKE_TREE;
	} else if (moved) {
		timer->reason = WAKE_MOUNTS;
	} else if (event && timer->more) {
		timer->reason = WAKE_MORE;
	} else if (timer->pace.due <= now) {
		timer->reason = WAKE_TIME;
	} else if ((timer->retry && timer->retry <= now) || (timer->by && timer->by <= now)) {
		timer->reason = WAKE_RETRY;
	} else {
		timer->mounts = false;
		pace_drop_event(&timer->pace);
		return false;
	}
	return true;
}

static int64_t wake_by(const struct timer *timer, int64_t now)
{
	int64_t by = timer_next(timer);
	int64_t tick = timer->options.tick ? now + timer->options.tick_ms : by;
	int64_t tree = timer->tree ? tree_watch_due(timer->tree) : by;

	by = tick < by ? tick : by;
	/* One that has passed is seen to at once, and then lies ahead. */
	return tree < by ? tree : by;
}

enum wake timer_wait(struct timer *timer, int64_t retry)
{
	note_pass(timer);
	timer->retry = retry;
	for (unsigned events = 0;;) {
		int64_t now = clock_ms();

		hear(timer, events);
		if (self_stop_signal()) {
			timer->reason = WAKE_STOP;
			break;
		}
		if (timer_next(timer) <= now && find_reason(timer, now)) {
			break;
		}
		if (timer->options.tick) {
			timer->options.tick(timer->options.context);
		}
		events = self_watch_wait(&timer->watch, wake_by(timer, now),
		                         timer->tree ? tree_watch_fd(timer->tree) : -1);
	}
	timer->waited = true;
	timer->more = false;
	timer->by = 0;
	return timer->reason;
}
