// SPDX-License-Identifier: MIT
/* See worker_link.h. */
#include "provider/worker_link.h"

#include "base/clock.h"
#include "host/self.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

enum {
	OVER_MS = 2000,
	TICK_MS = 1000, /* between two words on progress */
	END_MS = 500,
};

/* ---- The child's life ---- */

/* An idle worker says nothing: something to hear means that it has died. */
static bool is_idle(const struct worker *worker)
{
	struct pollfd p = {.fd = worker->child.fd, .events = POLLIN | POLLRDHUP};

	return worker->child.pid && poll(&p, 1, 0) == 0;
}

const char *worker_record_dir(const struct worker *worker)
{
	return worker->options.read_only && worker->options.own_dir ? worker->options.own_dir
	                                                            : worker->options.run_dir;
}

int worker_ensure(struct worker *worker, struct err *err)
{
	if (!worker->loaded) {
		worker->loaded = true;
		if (worker->options.run_dir) {
			stuck_load(&worker->stuck, worker->options.run_dir);
		}
		if (worker->options.read_only && worker->options.own_dir) {
			worker->stuck.read_only = false;
			stuck_load(&worker->stuck, worker->options.own_dir);
		}
	}
	if (is_idle(worker)) {
		return 0;
	}
	if (worker->child.pid) {
		child_kill(&worker->child, NULL);
		worker->child = (struct child){.fd = -1};
	}
	return child_fork(worker_child, NULL, NULL, &worker->child, err) ? err_wrap(err, "worker") : 0;
}

/* Waits for something to hear, with a word on progress now and then. False at the deadline. */
static bool wait_for_answer(struct worker *worker, const char *what, int64_t deadline)
{
	int64_t started = clock_ms();

	for (;;) {
		struct pollfd p = {.fd = worker->child.fd, .events = POLLIN};
		int64_t left = clock_left(deadline);

		if (poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS) > 0) {
			return true;
		}
		if (!clock_left(deadline)) {
			return false;
		}
		if (worker->options.waiting && clock_ms() - started >= TICK_MS) {
			worker->options.waiting(worker->options.context, what, clock_ms() - started);
		}
	}
}

/* ERR_LIMIT: too late; ERR_GONE, ERR_INPUT: the worker is no good any more. */
int worker_receive(struct worker *worker, const char *what, int64_t deadline, struct arena *arena,
                   struct value *ret_answer, struct err *err)
{
	if (!wait_for_answer(worker, what, deadline)) {
		return err_set(err, ERR_LIMIT, 0, "no answer in time");
	}
	return wire_receive(worker->child.fd, arena, deadline, ret_answer, err);
}

/* How it ended, as a sentence; an error when it never lived. */
int worker_bury(struct worker *worker, struct arena *arena, const char **ret_why, struct err *err)
{
	int status = -1;
	bool gone = child_end(&worker->child, END_MS, &status);

	worker->child = (struct child){.fd = -1};
	if (gone && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_UNBORN) {
		return err_set(err, ERR_HOST, 0, "a worker cannot be set up");
	}
	if (gone && status >= 0 && WIFSIGNALED(status)) {
		*ret_why = arena_printf(arena, "the worker died: signal %d (%s)", WTERMSIG(status),
		                        strsignal(WTERMSIG(status)));
	} else {
		*ret_why = "the worker broke off";
	}
	return 0;
}

/* ---- One request, one answer ---- */

/* Sends to a worker that listens; its error counts as ours. */
int worker_request(struct worker *worker, const struct value *question, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		const char *why;

		if (worker_ensure(worker, err)) {
			return -(int)err->code;
		}
		if (!wire_send(worker->child.fd, question, clock_ms() + worker->options.observe_ms, err)) {
			return 0;
		}
		if (attempt == 2 || worker_bury(worker, worker->arena, &why, err)) {
			return -(int)err->code;
		}
	}
}

/* ERR_LIMIT leaves the worker as it is, for the caller to abandon; another failure of it is
 * ERR_GONE. */
int worker_hear(struct worker *worker, const char *what, int64_t deadline, struct arena *arena,
                struct value *ret_answer, struct err *err)
{
	struct err fault = {0};
	const char *why;

	if (!worker_receive(worker, what, deadline, arena, ret_answer, &fault)) {
		return worker_error_of(ret_answer, err);
	}
	if (fault.code == ERR_LIMIT) {
		return err_copy(err, &fault);
	}
	return worker_bury(worker, arena, &why, err) ? -(int)err->code
	                                             : err_set(err, ERR_GONE, 0, "%s", why);
}

/* The worker that did not answer in time goes, and what it was asked for is an error. */
int worker_give_up(struct worker *worker, const char *what, struct err *err)
{
	struct stuck stuck = {.what = arena_strdup(worker->arena, what), .since = clock_now()};

	if (!child_kill(&worker->child, NULL)) {
		stuck.pid = worker->child.pid;
		stuck.starttime = worker->child.starttime;
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
	worker->child = (struct child){.fd = -1};
	return err_set(err, ERR_LIMIT, 0, "%s: no answer in time", what);
}

/* ---- What hangs ---- */

/* Which mount is to be left alone? A fresh worker reads it from the mount table. */
static void find_mount(struct worker *worker, struct stuck *stuck, const char *path)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value request = value_map(), answer;
	int64_t deadline = clock_ms() + OVER_MS;
	struct err err = {0};

	stuck->target = arena_strdup(worker->arena, path);
	value_put(arena, &request, "op", value_string("over"));
	value_put(arena, &request, "path", value_string(path));
	value_seal(&request);
	if (worker_ensure(worker, &err) || wire_send(worker->child.fd, &request, deadline, &err) ||
	    worker_receive(worker, path, deadline, arena, &answer, &err)) {
		child_kill(&worker->child, NULL);
		worker->child = (struct child){.fd = -1};
		return;
	}
	const char *target = value_text(&answer, "target");

	/* The root holds everything: then it was this path alone. */
	if (target && strcmp(target, "/") != 0) {
		stuck->target = arena_strdup(worker->arena, target);
		stuck->mount_id = (uint64_t)value_number(&answer, "id", 0);
	}
}

static bool is_path(const struct kind *kind)
{
	return !(kind->traits & KIND_SINGLETON) && kind->key_format == FORMAT_PATH;
}

const char *worker_left_behind(struct worker *worker, const struct child *child,
                               const struct kind *kind, const char *key, int64_t waited_ms,
                               struct arena *arena)
{
	AUTO(str_free) struct str span = {0};
	struct stuck stuck = {
	    .what = resource_id(worker->arena, kind, key),
	    .since = clock_now(),
	    .pid = child ? child->pid : 0,
	    .starttime = child ? child->starttime : 0,
	};

	clock_add_span(&span, waited_ms);
	if (is_path(kind)) {
		find_mount(worker, &stuck, key);
	}
	if (stuck.target || stuck.pid) {
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
	if (stuck.pid) {
		return arena_printf(arena,
		                    "no answer within %s; process %d hangs on it and cannot be killed",
		                    str_text(&span), (int)stuck.pid);
	}
	return arena_printf(arena, "no answer within %s", str_text(&span));
}

/* Leaves the worker to itself; says in one sentence what became of it. */
const char *worker_abandon(struct worker *worker, const struct kind *kind, const char *key,
                           int64_t waited_ms, struct arena *arena)
{
	bool gone = child_kill(&worker->child, NULL);
	struct child child = worker->child;

	worker->child = (struct child){.fd = -1};
	return worker_left_behind(worker, gone ? NULL : &child, kind, key, waited_ms, arena);
}

/* Why this must not be asked or done, or NULL. A mount is told from the mount table, which never
 * hangs: to look at it only its target's folder is out of bounds. */
const char *worker_forbidden(struct worker *worker, const struct kind *kind, const char *key,
                             bool acting, struct arena *arena)
{
	bool from_table = kind->id == KIND_MOUNT && !acting;
	const struct stuck *stuck;
	char stamp[24];

	if (!is_path(kind) || !worker->stuck.count) {
		return NULL;
	}
	stuck = stuck_over(&worker->stuck, key, !from_table);
	if (stuck && stuck->pid && child_is_alive(stuck->pid, stuck->starttime)) {
		return arena_printf(arena, "%s does not answer: process %d has hung on it since %s",
		                    stuck->target, (int)stuck->pid, clock_stamp(stuck->since, stamp));
	}
	if (stuck && !stuck->pid) {
		return arena_printf(arena, "%s did not answer when %s was asked for", stuck->target,
		                    stuck->what);
	}
	if (!from_table && stuck_alive(&worker->stuck) >= STUCK_MOST) {
		return arena_printf(arena, "%d processes hang on dead file systems: no more are started",
		                    STUCK_MOST);
	}
	return NULL;
}
