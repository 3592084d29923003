// SPDX-License-Identifier: MIT
/* See tree_watch.h: the supervisor's side, which touches nothing but the socket and the run-dir. */
#include "provider/tree_watch_inner.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/wire.h"
#include "host/self.h"
#include "provider/worker_link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	AGAIN_MS = 15000,
	PATIENCE_MS = 10000,
	FIRST_MS = 5000,     /* for the first look, before the first pass */
	WORD_MS = 1000,      /* for the rest of a message that has begun */
	REST_MS = 60000,     /* after one that hung and could be killed */
	STUCK_LOOK_MS = 5000 /* between two looks whether it still hangs */
};

struct tree_watch {
	struct tree_watch_options options;
	struct arena *arena;
	struct tree_watch_task task;
	struct child child; /* pid 0: none */
	const char *trace;  /* the file that says so, should we be killed; NULL: there is none */
	pid_t stuck;        /* one that hangs on the tree, ours or somebody else's; 0: none */
	uint64_t stuck_starttime;
	bool watches;      /* it has looked once */
	bool missed;       /* there was a time when nobody watched */
	int64_t due;       /* when it must have spoken, or is to be started */
	char *over;        /* the mount it is on, or NULL */
	uint64_t mount_id; /* and its number */
	char trouble[256];
};

int tree_watch_fd(const struct tree_watch *watch)
{
	return watch->child.fd;
}

int64_t tree_watch_due(const struct tree_watch *watch)
{
	return watch->due;
}

const char *tree_watch_trouble(const struct tree_watch *watch)
{
	return watch->trouble[0] ? watch->trouble : NULL;
}

static void say_trouble(struct tree_watch *watch, const char *fmt, ...) PRINTF(2, 3);

static void say_trouble(struct tree_watch *watch, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(watch->trouble, sizeof watch->trouble, fmt, ap);
	va_end(ap);
}

/* ---- One that hangs ---- */

/* No other is started while it is there. */
static void wait_for_stuck(struct tree_watch *watch, pid_t pid, uint64_t starttime)
{
	watch->stuck = pid;
	watch->stuck_starttime = starttime;
	watch->missed = true;
	watch->due = clock_ms() + STUCK_LOOK_MS;
	say_trouble(watch, "changes of the tree are not noticed: process %d hangs on it", (int)pid);
}

/* Where a link of the tree may lead, and nobody needs to hang a second time. */
static void avoid(struct tree_watch *watch, const struct stuck_list *stuck)
{
	const char **list = arena_array(watch->arena, stuck->count + 1, sizeof *list);

	for (size_t i = 0, n = 0; i < stuck->count; i++) {
		if (stuck->list[i].target) {
			list[n++] = arena_strdup(watch->arena, stuck->list[i].target);
		}
	}
	watch->task.avoid = list;
}

/* Somebody hangs on that file system already, perhaps left by an earlier run: one is enough. */
static bool is_taken(struct tree_watch *watch)
{
	const struct worker_options options = {.run_dir = watch->options.run_dir};
	struct err ignored;

	if (!watch->options.run_dir) {
		return false;
	}
	/* Its beginning takes over what runs that were killed have left, and knows which mounts are
	 * still the same. */
	struct worker *worker = worker_create(&options);
	const struct stuck *stuck =
	    worker_ensure(worker, &ignored) ? NULL : stuck_over(&worker->stuck, watch->task.tree, true);

	if (stuck) {
		wait_for_stuck(watch, stuck->pid, stuck->starttime);
	}
	avoid(watch, &worker->stuck);
	worker_free(worker);
	return watch->stuck != 0;
}

/* Before it looks at anything: should we be killed while it hangs, whoever comes next finds it
 * (worker_trace.c), and starts none beside it. */
static void tell(struct tree_watch *watch)
{
	struct worker worker = {
	    .options.run_dir = watch->options.run_dir,
	    .child = watch->child,
	    .arena = watch->arena,
	    .trace = {.path = watch->task.tree, .fd = -1},
	};

	if (!watch->options.run_dir) {
		return;
	}
	worker.trace.file = watch->trace =
	    arena_printf(watch->arena, "%s/stuck/%d-tree.at", watch->options.run_dir, (int)getpid());
	worker_trace_tell(&worker);
	if (worker.trace.fd >= 0) {
		close(worker.trace.fd);
	}
}

static void untell(struct tree_watch *watch)
{
	if (watch->trace) {
		unlink(watch->trace);
	}
}

static void record(struct tree_watch *watch)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct stuck_list list = {.arena = arena};
	/* The root holds everything: then it was the tree alone. */
	bool mount = watch->over && strcmp(watch->over, "/") != 0;
	struct stuck stuck = {
	    .target = mount ? watch->over : watch->task.tree,
	    .mount_id = mount ? watch->mount_id : 0,
	    .what = "watching the tree",
	    .since = clock_now(),
	    .pid = watch->child.pid,
	    .starttime = watch->child.starttime,
	};

	stuck_add(&list, &stuck, watch->options.run_dir);
}

static void give_up(struct tree_watch *watch)
{
	watch->watches = false;
	watch->missed = true;
	if (child_kill(&watch->child, NULL)) {
		untell(watch);
		watch->child = (struct child){.fd = -1};
		watch->due = clock_ms() + REST_MS;
		say_trouble(watch, "changes of the tree are not noticed: its folder does not answer");
		return;
	}
	record(watch);
	untell(watch);
	wait_for_stuck(watch, watch->child.pid, watch->child.starttime);
	child_abandon(&watch->child);
	watch->child = (struct child){.fd = -1};
}

/* ---- Its life ---- */

static void start(struct tree_watch *watch)
{
	struct err err = {0};

	if (is_taken(watch)) {
		return;
	}
	if (child_fork(tree_watch_child, &watch->task, NULL, &watch->child, &err)) {
		watch->child = (struct child){.fd = -1};
		watch->due = clock_ms() + REST_MS;
		say_trouble(watch, "changes of the tree are not noticed: %s", err.text);
		return;
	}
	tell(watch);
	watch->due = clock_ms() + watch->options.patience_ms;
	if (send(watch->child.fd, "g", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
		give_up(watch);
	}
}

/* One message; false: there is none (any more), or it broke off. */
static bool hear_one(struct tree_watch *watch, bool *ret_changed)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct pollfd p = {.fd = watch->child.fd, .events = POLLIN};
	const struct value *changed;
	struct value v;
	struct err err;

	if (!watch->child.pid || poll(&p, 1, 0) <= 0) {
		return false;
	}
	if (wire_receive(watch->child.fd, arena, clock_ms() + WORD_MS, &v, &err)) {
		/* It died: somebody killed it, or memory ran out. */
		give_up(watch);
		return false;
	}
	changed = value_get(&v, "changed");
	if (changed) {
		*ret_changed |= value_truth(&v, "changed", false) || watch->missed;
		watch->watches = true;
		watch->missed = false;
		watch->trouble[0] = '\0';
		watch->due = clock_ms() + watch->options.again_ms + watch->options.patience_ms;
		return true;
	}
	const char *over = value_text(&v, "over");

	watch->mount_id = (uint64_t)value_number(&v, "id", 0);
	if (!text_equal(over, watch->over)) {
		free(watch->over);
		watch->over = over ? mem_strdup(over) : NULL;
	}
	watch->due = clock_ms() + watch->options.patience_ms;
	return true;
}

static bool still_stuck(struct tree_watch *watch)
{
	if (child_is_alive(watch->stuck, watch->stuck_starttime)) {
		watch->due = clock_ms() + STUCK_LOOK_MS;
		return true;
	}
	watch->stuck = 0;
	return false;
}

bool tree_watch_turn(struct tree_watch *watch)
{
	bool changed = false;

	if (watch->stuck) {
		if (clock_left(watch->due) || still_stuck(watch)) {
			return false;
		}
		watch->due = 0;
	}
	while (hear_one(watch, &changed)) {
	}
	if (!watch->stuck && !clock_left(watch->due)) {
		if (watch->child.pid) {
			give_up(watch);
		} else {
			start(watch);
		}
	}
	return changed;
}

void tree_watch_look_again(struct tree_watch *watch)
{
	int64_t soon = clock_ms() + watch->options.patience_ms;

	if (!watch->child.pid || send(watch->child.fd, "a", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
		return; /* one that does not read has its deadline already */
	}
	watch->due = soon < watch->due ? soon : watch->due;
}

/* From "/" on, since the child stands there. */
static const char *absolute(struct arena *arena, const char *path)
{
	AUTO(mem_auto) char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);

	return folder ? path_join(arena, arena_strdup(arena, folder), path) : path;
}

struct tree_watch *tree_watch_create(const struct tree_watch_options *options)
{
	struct tree_watch *watch = mem_alloc(sizeof *watch);
	bool changed = false;

	*watch = (struct tree_watch){
	    .options = *options,
	    .arena = arena_create(),
	    .child = {.fd = -1},
	};
	if (!watch->options.again_ms) {
		watch->options.again_ms = AGAIN_MS;
	}
	if (!watch->options.patience_ms) {
		watch->options.patience_ms = PATIENCE_MS;
	}
	watch->task = (struct tree_watch_task){
	    .tree = absolute(watch->arena, options->tree),
	    .run_dir = options->run_dir ? absolute(watch->arena, options->run_dir) : NULL,
	    .again_ms = watch->options.again_ms,
	};
	start(watch);
	for (int64_t until = clock_ms() + FIRST_MS; !watch->watches && watch->child.pid;) {
		struct pollfd p = {.fd = tree_watch_fd(watch), .events = POLLIN};

		if (poll(&p, 1, (int)clock_left(until)) > 0) {
			hear_one(watch, &changed);
		} else if (!clock_left(until)) {
			give_up(watch); /* the first pass must not hang beside it */
		} else if (self_stop_signal()) {
			break;
		}
	}
	return watch;
}

void tree_watch_free(struct tree_watch *watch)
{
	enum { GRACE_MS = 200 };

	if (!watch) {
		return;
	}
	if (watch->child.pid && !child_end(&watch->child, GRACE_MS, NULL)) {
		record(watch);
		child_abandon(&watch->child);
	}
	untell(watch);
	free(watch->over);
	arena_free(watch->arena);
	free(watch);
}
