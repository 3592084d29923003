// SPDX-License-Identifier: MIT
/*
 * From what the policies decided to a plan: wants of one id merged, observed, compared, ordered by
 * needs, gated by mode. Pure but for the observing. Everything lives in the arena.
 */
#ifndef ENGINE_PLANNER_H
#define ENGINE_PLANNER_H

#include "engine/facts.h"
#include "model/plan.h"

struct backoff;

/* What limits the changes of this run beside the desired state. */
struct gate {
	const char *mode;              /* observe | safe | full */
	bool person;                   /* the mode does not bind */
	bool boot;                     /* others wait for us: see gate_takes_along */
	bool apart;                    /* we are a unit with mounts of its own: nobody would see ours */
	unsigned allow;                /* marks consented to */
	const char *const *only;       /* NULL-terminated KIND:KEY or KIND, or NULL */
	int64_t jobs;                  /* on this node, or one of gate_jobs */
	const char *jobs_unknown;      /* with JOBS_UNKNOWN: why */
	const struct backoff *backoff; /* what `run` failed at lately, or NULL */
};
enum gate_jobs { JOBS_NOT_COUNTED = -1, JOBS_UNKNOWN = -2 };

/* One wanted resource, all who want it. */
struct wanted {
	const char *id;
	struct resource *want;
	struct origin *origins;
	size_t origin_count, origin_cap;
	const char **after; /* ids */
	size_t after_count, after_cap;
	const char *provides_module, *provides_kernel;
};

struct wanted_set {
	struct wanted *list; /* in the order of kind, then key */
	size_t count, cap;
	struct strmap *by_id; /* id → struct wanted */
};

/* Merges proposals of one id; different values of one field are ERR_POLICY naming both lines. Rules
 * across fields are checked. */
int planner_wanted(struct arena *arena, const struct decision *decision, struct wanted_set *ret_set,
                   struct err *err) MUST_CHECK;

/* Each word of gate->only must mean something: a name mistyped would change less than was meant.
 * ERR_INPUT. */
int planner_check_only(const struct wanted_set *set, const struct gate *gate,
                       struct err *err) MUST_CHECK;

/* The plan for a wanted set, in the facts' arena: steps in order, with outcomes. Basis, orphans and
 * pause are the caller's. */
int planner_plan(const struct wanted_set *set, const struct decision *decision, struct facts *facts,
                 const struct gate *gate, struct plan *ret_plan, struct err *err) MUST_CHECK;

/* Is a need met as it stands, so that what needs it may be changed? A loaded module that only waits
 * for a reboot to become newer serves, and so does a file system that is mounted while one of its
 * options waits for the next time. */
bool planner_is_met(const struct step *need);

/* One step again, from a fresh observation: differences, action, outcome (not gated). */
void planner_compare(struct arena *arena, const struct resource *want, const struct resource *have,
                     struct step *step);

#endif
