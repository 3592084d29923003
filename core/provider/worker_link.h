// SPDX-License-Identifier: MIT
/* The supervisor's hold on its child, for the files worker*.c: starting it, asking, hearing,
 * leaving it behind. */
#ifndef PROVIDER_WORKER_LINK_H
#define PROVIDER_WORKER_LINK_H

#include "base/child.h"
#include "provider/stuck.h"
#include "provider/worker_inner.h"

/* What was asked for, or done. */
struct worker_deed {
	const struct kind *kind;
	const char *key;
	const char *act; /* "mounting /x"; NULL: it was looked at */
	bool mounts;     /* something that was not mounted */
	int64_t began;   /* clock_ms */
};

/* What is under way, for whoever comes after us should we be killed (worker_trace.c). */
struct worker_trace {
	const struct worker_deed *deed; /* NULL: it is nothing that can hang for long, */
	const char *path;               /* or no resource, but this path */
	int fd;                         /* of our file; -1: there is none yet */
	const char *file, *boot_id;
	uint64_t starttime; /* ours */
	bool is_told;       /* it stands there */
};

struct worker {
	struct worker_options options;
	struct child child;
	struct arena *arena; /* of the list of stuck ones */
	struct stuck_list stuck;
	struct child_left left; /* of the last request, not yet recorded */
	int transaction_ms;
	struct worker_trace trace;
	bool loaded;
	bool forget;       /* the next observation is fresh */
	bool kept;         /* what is under way goes on when it is no longer waited for */
	int64_t last_word; /* on progress (clock_ms) */
};

/* Where a worker that is left behind is recorded. */
const char *worker_record_dir(const struct worker *worker);
/* There is a child that listens. The first time, what earlier runs have left is read before. */
int worker_ensure(struct worker *worker, struct err *err) MUST_CHECK;
/* The fact that an answer holds. What a worker sends is checked: it may have gone wrong itself. */
int worker_read_fact(const struct worker_query *query, const struct value *answer,
                     struct arena *arena, const struct resource **ret_fact,
                     struct err *err) MUST_CHECK;
/* Starts one if need be, and sends. */
int worker_request(struct worker *worker, const struct value *question, struct err *err) MUST_CHECK;
/* One value. ERR_LIMIT: too late; ERR_GONE, ERR_INPUT: the worker is no good any more. Either way
 * it is still there. `what` is for the word on progress. */
int worker_receive(struct worker *worker, const char *what, int64_t deadline, struct arena *arena,
                   struct value *ret_answer, struct err *err) MUST_CHECK;
/* The same; an answer that is an error is one of ours, and a worker that is no good is buried:
 * ERR_GONE. */
int worker_hear(struct worker *worker, const char *what, int64_t deadline, struct arena *arena,
                struct value *ret_answer, struct err *err) MUST_CHECK;
/* Of a worker that broke off: how it ended, as a sentence; an error when it never lived. */
int worker_bury(struct worker *worker, struct arena *arena, const char **ret_why,
                struct err *err) MUST_CHECK;

/* Takes from an answer what comes along with it: processes that were left running. */
void worker_unwrap(struct worker *worker, struct value *answer);
/* Records what the last request has left running, if anything. */
void worker_note_left(struct worker *worker, const struct worker_deed *deed);
/* Ends a worker that does not answer and what it has started, and records what cannot be ended;
 * says in one sentence what became of it. Nothing below the same mount is asked any more. */
const char *worker_abandon(struct worker *worker, const struct worker_deed *deed,
                           struct arena *arena);
/* What worker_abandon does, once worker->left says what is left. */
const char *worker_left_behind(struct worker *worker, const struct worker_deed *deed,
                               struct arena *arena);
/* The same where what was asked for is no resource, `path` or NULL: ERR_LIMIT. */
int worker_give_up(struct worker *worker, const char *what, const char *path, struct err *err);
/* What earlier runs have left, before anything is asked; a fresh worker tells whether the mounts
 * are still the same. */
void worker_load_stuck(struct worker *worker);
void worker_check_stuck(struct worker *worker);

/* Writes down what is under way: a small file in the run-dir, not synced. Where it cannot be
 * written nobody will know. */
void worker_trace_tell(struct worker *worker);
/* It is over. */
void worker_trace_over(struct worker *worker);
/* The file goes. */
void worker_trace_end(struct worker *worker);
/* What is left of the workers of runs that were killed is ended; what cannot be is recorded. */
void worker_trace_load(struct worker *worker);

/* Which mount is to be left alone when this path hangs? */
void worker_find_mount(struct worker *worker, struct stuck *stuck, const char *path, bool mounting);
bool worker_is_path(const struct kind *kind);
/* The mount that the path lies on, from the mount table. False: nobody told. */
bool worker_ask_over(struct worker *worker, const char *path, struct arena *arena,
                     const char **ret_target, uint64_t *ret_id);

/* Why this must not be asked or (acting) done, or NULL. */
const char *worker_forbidden(struct worker *worker, const struct kind *kind, const char *key,
                             bool acting, struct arena *arena);
/* The same of what is no resource. ERR_LIMIT. */
int worker_refuse_path(struct worker *worker, const char *path, const char *shown,
                       struct err *err) MUST_CHECK;
int worker_refuse_what(struct worker *worker, const char *what, struct err *err) MUST_CHECK;

#endif
