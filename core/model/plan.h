// SPDX-License-Identifier: MIT
/*
 * A plan: every wanted resource with what was observed, what would be done about it, why, in
 * which order, and whether it may be done. Made by the engine, printed by cli, recorded by store.
 * All of it lives in one arena and is immutable once made, except for the outcomes that apply
 * fills in.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "base/str.h"
#include "model/compare.h"
#include "model/decision.h"
#include "model/next_boot.h"

enum action {
	ACTION_NONE,
	ACTION_CREATE,
	ACTION_UPDATE,
	ACTION_REMOVE,
	ACTION_RUN,     /* a command, a refresh of the package index */
	ACTION_REPLACE, /* cannot be changed in place: never done unasked */
};

enum outcome {
	OUTCOME_KEPT,   /* already right */
	OUTCOME_CHANGE, /* of a plan: would be changed; never in history */
	OUTCOME_CHANGED,
	OUTCOME_PENDING, /* right, but waits for a reboot or somebody else; or still under way */
	OUTCOME_BLOCKED, /* must not or cannot be done now: `why` */
	OUTCOME_SKIPPED, /* not asked for by this run, or not managed by this version */
	OUTCOME_FAILED,
	OUTCOME_UNDETERMINED,
	OUTCOME_COUNT
};

enum mark {
	MARK_DISRUPTIVE = 1 << 0,
	MARK_IRREVERSIBLE = 1 << 1,
	MARK_NEEDS_REBOOT = 1 << 2,
	MARK_UNDER_JOBS = 1 << 3,
	MARK_UNPROVEN = 1 << 4,    /* rests on a fact that an earlier change may alter unpredictably */
	MARK_AFTER_MOUNT = 1 << 5, /* lies below a mount that this plan makes: known after mount */
};

/* Of a resource that `run` failed at: how often in a row, with what, and when it is tried again
 * (seconds since 1970). */
struct retry {
	unsigned failures;
	const char *error;
	int64_t at;
};

struct step {
	const char *id; /* KIND:KEY */
	const struct resource *want, *have;
	enum action action;
	enum outcome outcome;
	const char *why; /* of what is not kept or changed: the reason, whole */
	unsigned marks;
	struct differences differences;
	const struct origin *origins; /* all who want it; at least one */
	size_t origin_count;
	size_t *needs; /* indices of steps that come first */
	size_t need_count;
	int64_t duration_ms;       /* filled in by apply */
	const struct retry *retry; /* NULL: `run` did not fail at it */
	const char *detail;        /* what the tool said, on failure or when it matters (many lines) */
};

struct plan_counts {
	size_t of[OUTCOME_COUNT];
};

/* Something reconcile made and nothing wants any more. */
struct orphan {
	const char *id;
	int64_t made_at; /* when we made it, seconds since 1970 */
	int64_t run;     /* in which run of the history */
};

/* What a plan rests on; a saved plan is refused when any of it moved. */
struct plan_basis {
	const char *node, *identity; /* and where the name came from */
	const char *tree_path;
	char tree[65], policies[65], facts[65];
	const char *boot_id;
	const char *mode; /* observe | safe | full */
	bool stale_tree;  /* the last good tree is in use ... */
	const char *stale_reason;
	int64_t stale_since;
};

struct plan {
	struct plan_basis basis;
	struct step *steps; /* in the order in which they are carried out */
	size_t step_count;
	struct note *blocks; /* with or without a resource */
	size_t block_count;
	struct note *warnings;
	size_t warning_count;
	struct undecided *undecided;
	size_t undecided_count;
	struct orphan *orphans;
	size_t orphan_count;
	const char *unproven;        /* why it cannot be proved that this plan settles, or NULL */
	size_t more;                 /* resources that a further pass will add, as far as can be told */
	const char *lock_holder;     /* somebody is applying right now, or NULL */
	const char *paused;          /* why this node is paused, or NULL */
	struct next_boot *next_boot; /* NULL: nothing is wanted that a kernel could lose */
};

/* What the program ends with (docs/exit-codes.md), and what the history tells of a run. */
enum exit_code {
	EXIT_IN_SYNC = 0,
	EXIT_ERROR = 1,
	EXIT_CHANGES = 2,
	EXIT_LOCKED = 3,
	EXIT_BLOCKED = 4,
	EXIT_FAILED = 5,
	EXIT_UNDETERMINED = 6,
	EXIT_PAUSED = 7,
	EXIT_VETO = 10, /* of preflight alone: something wanted is lost for certain */
};

const char *action_name(enum action action);    /* "create", ... */
const char *outcome_name(enum outcome outcome); /* "kept", ... */
/* The names of the marks, comma separated, in the arena; "" for none. */
const char *marks_text(struct arena *arena, unsigned marks);

/* "next try 12:34:56Z (in 3m 5s)"; and before it "backing off after 3 failures: ERROR; " */
void retry_when(struct str *s, const struct retry *retry, int64_t now);
void retry_text(struct str *s, const struct retry *retry, int64_t now);

/* How many steps have each outcome; blocks without a step, undecided items, what would be lost at
 * the next boot and is not put right by the plan, and a tree that is not used count as well. */
struct plan_counts plan_count(const struct plan *plan);
/* The exit code (docs/exit-codes.md): the first that holds of failed 5, changes 2, undetermined 6,
 * blocked or pending 4, else 0. Errors (1), lock (3) and pause (7) are the caller's. */
int plan_exit_code(const struct plan *plan);

/* The whole plan as a value, for JSON, saved plans and history; and a step alone. Sealed. */
struct value plan_to_value(struct arena *arena, const struct plan *plan);
struct value plan_step_to_value(struct arena *arena, const struct step *step);

#endif
