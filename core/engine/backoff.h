// SPDX-License-Identifier: MIT
/*
 * What `run` failed at lately, and when it tries again: after the n-th failure in a row a resource
 * is left alone for about BASE * 2^(n-1), at most MOST. The list is a small file in the run-dir, so
 * that it outlives the process (also where a timer starts `run --once`) and not the boot.
 *
 * A resource is tried at once again when it was right meanwhile, when something else is wanted of
 * it, or when backoff_forget was called because the operator did something. What is blocked,
 * pending or undetermined is no failure. Times are those of clock_ms: a jump of the wall clock
 * makes nothing wait.
 */
#ifndef ENGINE_BACKOFF_H
#define ENGINE_BACKOFF_H

#include "base/strmap.h"
#include "model/plan.h"

enum { BACKOFF_BASE_MS = 30 * 1000, BACKOFF_MOST_MS = 3600 * 1000 };

struct backoff {
	struct arena *arena;
	const char *path, *boot_id;
	const char *node;         /* part of the jitter */
	int64_t base_ms, most_ms; /* BACKOFF_... unless the caller has others */
	int64_t now;              /* of clock_ms, when it was read: what a plan is made by */
	bool holds;               /* what is not due is not done; else it is only shown */
	struct strmap *entries;   /* id → struct backoff_entry */
	bool changed;             /* since it was read */
};

struct backoff_entry {
	const char *id, *want; /* KIND:KEY, and the digest of what was wanted of it */
	unsigned failures;     /* in a row; 0: it is right again */
	const char *error;     /* the last one's */
	int64_t next_try;      /* clock_ms */
};

/* The list as `run_dir` holds it. One that is missing, damaged, unreadable or of another boot is
 * empty: then everything is tried. */
struct backoff *backoff_read(const char *run_dir, const char *boot_id, const char *node,
                             struct arena *arena);

/* Of a step that would be carried out: notes in it when it is tried again, and, if the list holds,
 * blocks it until then. */
void backoff_gate(const struct backoff *backoff, struct arena *arena, struct step *step);

/* What came of a step that was carried out. Only failures of one that was `tried` count: then it
 * notes in it when it is tried again. */
void backoff_learn(struct backoff *backoff, struct step *step, bool tried, int64_t now);

/* Writes it if it changed; resources that are not in the plan are dropped. ERR_HOST. */
int backoff_write(struct backoff *backoff, const struct plan *plan, struct err *err) MUST_CHECK;

/* The earliest try to come, of clock_ms; 0: none. */
int64_t backoff_earliest(const struct backoff *backoff, int64_t now);

/* All of them are tried at once again. */
int backoff_forget(const char *run_dir, struct err *err) MUST_CHECK;

#endif
