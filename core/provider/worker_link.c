// SPDX-License-Identifier: MIT
/* See worker_link.h. */
#include "provider/worker_link.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

enum {
	TICK_MS = 1000, /* between two words on progress */
	TELL_MS = 100,  /* until it is written down what is waited for */
	END_MS = 500,
};

/* ---- The child's life ---- */

/* An idle worker says nothing: something to hear means that it has died. */
static bool is_idle(const struct worker *worker)
{
	struct pollfd p = {.fd = worker->child.fd, .events = POLLIN | POLLRDHUP};

	return worker->child.pid && poll(&p, 1, 0) == 0;
}

int worker_ensure(struct worker *worker, struct err *err)
{
	bool first = !worker->loaded;
	struct child_left left;

	if (first) {
		worker->loaded = true;
		worker_load_stuck(worker);
	}
	if (is_idle(worker)) {
		return 0;
	}
	if (worker->child.pid) {
		child_end_all(&worker->child, 0, NULL, &left);
		child_abandon(&worker->child);
	}
	if (child_fork(worker_child, &worker->options, NULL, &worker->child, err)) {
		return err_wrap(err, "worker");
	}
	if (first) {
		worker_trace_load(worker);
		worker_check_stuck(worker);
	}
	return 0;
}

/* Waits for something to hear, with a word on progress now and then. False at the deadline. */
static bool wait_for_answer(struct worker *worker, const char *what, int64_t deadline)
{
	int64_t started = clock_ms();

	for (int tick = TELL_MS;; tick = TICK_MS) {
		struct pollfd p = {.fd = worker->child.fd, .events = POLLIN};
		int64_t left = clock_left(deadline);
		bool heard = poll(&p, 1, left < tick ? (int)left : tick) > 0;

		if (!heard) {
			worker_trace_tell(worker);
		}

		/* Also while many answers come that take a little less each. */
		if (worker->options.waiting && clock_ms() - worker->last_word >= TICK_MS) {
			worker->last_word = clock_ms();
			worker->options.waiting(worker->options.context, what, clock_ms() - started);
		}
		if (heard) {
			return true;
		}
		if (!clock_left(deadline) || (worker->kept && worker->options.leaves &&
		                              worker->options.leaves(worker->options.context))) {
			return false;
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
	if (wire_receive(worker->child.fd, arena, deadline, ret_answer, err)) {
		return -(int)err->code;
	}
	worker_unwrap(worker, ret_answer);
	return 0;
}

/* How it ended, as a sentence; an error when it never lived. */
int worker_bury(struct worker *worker, struct arena *arena, const char **ret_why, struct err *err)
{
	int status = -1;
	bool gone = child_end_all(&worker->child, END_MS, &status, &worker->left);

	child_abandon(&worker->child);
	if (gone && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_UNBORN) {
		return err_set(err, ERR_HOST, 0,
		               "a worker cannot be set up (a limit of descriptors, memory or processes?)");
	}
	if (gone && status >= 0 && WIFSIGNALED(status)) {
		*ret_why = arena_printf(arena, "the worker died: signal %d (%s)", WTERMSIG(status),
		                        strsignal(WTERMSIG(status)));
	} else if (gone && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STARVED) {
		*ret_why = "the worker ran out of memory";
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
