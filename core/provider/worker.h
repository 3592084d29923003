// SPDX-License-Identifier: MIT
/*
 * The providers' door: the engine's requests are served by a forked child that may block, and be
 * abandoned.
 *
 * One worker at a time. It closes every descriptor but its socket, so that a stuck one holds
 * nothing. When a request passes its deadline the worker is killed with all that it has started,
 * and what cannot be killed is recorded (pid, start time, mount id) under RUN_DIR/stuck/; the
 * resource is undetermined, nothing below the same mount is asked again in this run, and a fresh
 * worker goes on with the rest. At most one is stuck per mount, across runs: while the recorded one
 * is alive and the mount still the same, paths on it are undetermined at once. So it is with what
 * is no path (a module that loads and loads): a second one is not started.
 */
#ifndef PROVIDER_WORKER_H
#define PROVIDER_WORKER_H

#include "provider/converge.h"

struct worker_options {
	const char *run_dir; /* NULL: nothing is known of workers left behind, and none recorded */
	bool read_only;      /* what is recorded there is heeded, and nothing written */
	const char *own_dir; /* then: what we may write of our own stands here, or NULL */
	int observe_ms;      /* per resource; default 5000. The providers are given four fifths of it,
	                      * so that they say what did not answer before the worker is given up */
	int apply_ms;        /* default 60000; a provider may ask for more */
	/* Called while waiting, for progress: what is under way and for how long. May be NULL. */
	void (*waiting)(void *context, const char *what, int64_t elapsed_ms);
	/* Asked about once a second while a change is under way that waits_at_deadline: true stops the
	 * waiting as the deadline would. May be NULL. */
	bool (*leaves)(void *context);
	void *context;
};

struct worker; /* forks lazily, at the first request */

struct worker *worker_create(const struct worker_options *options);
/* Ends the child politely; abandons it when stuck. NULL allowed. */
void worker_free(struct worker *worker);

/* How long a change may take that has no longer deadline of its own; 0: the default. */
void worker_set_apply_ms(struct worker *worker, int apply_ms);
/* How long one is waited for that waits_at_deadline; 0: the default of 30 minutes. */
void worker_set_transaction_ms(struct worker *worker, int transaction_ms);
/* What it read before is forgotten: the next look is fresh. */
void worker_forget(struct worker *worker);

struct worker_query {
	const struct kind *kind;
	const char *key;
	const struct resource *want; /* or NULL */
};

/* Observes all of them, in order, in batches; ret_facts has room for n. A fact that could not be
 * told in time is undetermined. Errors only when no worker can be started at all. */
int worker_observe(struct worker *worker, const struct worker_query *queries, size_t n,
                   struct arena *arena, const struct resource **ret_facts,
                   struct err *err) MUST_CHECK;
/* The same for what may each lie on a dead file system: every one is asked by a child of its own, a
 * few at a time, so that the dead ones are waited for together. What lies below another one of them
 * is asked after it. */
int worker_observe_apart(struct worker *worker, const struct worker_query *queries, size_t n,
                         struct arena *arena, const struct resource **ret_facts,
                         struct err *err) MUST_CHECK;
/* As observe of one, but never from what the worker has read before. */
int worker_observe_fresh(struct worker *worker, const struct worker_query *query,
                         struct arena *arena, const struct resource **ret_fact,
                         struct err *err) MUST_CHECK;
int worker_list(struct worker *worker, const struct kind *kind, struct arena *arena,
                struct keys *ret_keys, struct err *err) MUST_CHECK;

/* Carries out one change. At the deadline: *ret_applied says FAILED (or PENDING for what waits). */
int worker_apply(struct worker *worker, const struct change *change, struct arena *arena,
                 struct applied *ret_applied, struct err *err) MUST_CHECK;

/* Why worker_apply would not touch this now, or NULL: an earlier change of it has not come to an
 * end, or it lies on what does not answer. */
const char *worker_held_up(struct worker *worker, const struct kind *kind, const char *key,
                           struct arena *arena);

/* The files of a tree: what state/ and policies/ of `dir` hold, with their texts. */
struct tree_file {
	const char *name; /* as shown: dir as typed + "/state/nodes/x.yaml" */
	const char *path; /* "state/nodes/x.yaml" */
	const char *text;
	size_t length;
};
struct tree_files {
	struct tree_file *list;
	size_t count, cap;
	bool remote; /* some of it lies on a network file system: others see changes of it later */
};
/* Reads state/defaults.yaml, state/nodes/ and state/roles/ (*.yaml), policies/ and policies/lib/
 * (*.lua), sorted. With `trusted` every one of them and the folders up to / must be root's and not
 * writable by others. ERR_INPUT names the path: no tree, not trusted, larger than 16 MiB;
 * ERR_LIMIT: the tree does not answer in time. */
int worker_read_tree(struct worker *worker, const char *dir, bool trusted, struct arena *arena,
                     struct tree_files *ret_files, struct err *err) MUST_CHECK;
/* Why a file of our own must not be touched by the supervisor itself, or NULL: its file system does
 * not answer. A file that is not there, or is no file, answers. */
const char *worker_unanswered(struct worker *worker, const char *path, struct arena *arena);
/* One file by absolute path, at most `most` bytes: recorded facts, node.yaml, a saved plan. Not
 * there: ERR_INPUT with os = ENOENT. */
int worker_read_file(struct worker *worker, const char *path, bool trusted, size_t most,
                     struct arena *arena, struct tree_file *ret_file, struct err *err) MUST_CHECK;

#endif
