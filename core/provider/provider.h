// SPDX-License-Identifier: MIT
/*
 * One file per kind implements this table; provider_table finds it. Everything that touches the
 * machine takes a host and runs in a worker process only; everything without a host is pure and may
 * be called anywhere.
 *
 * The observation afterwards is the truth: apply says what it did and what a tool complained about,
 * never that it worked. Dry run is enforced by the engine, which alone decides whether apply is
 * called at all.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "host/host.h"
#include "model/plan.h"

/* What a diff found: what would be done, or why not. */
struct verdict {
	enum action action;
	enum outcome outcome; /* KEPT, CHANGE, BLOCKED, PENDING, SKIPPED or UNDETERMINED */
	const char *why;      /* of all but KEPT and CHANGE */
	unsigned marks;
	struct differences differences;
};

struct change {
	const struct kind *kind;
	enum action action;
	const struct resource *want, *have;
};

/* What apply did. */
struct applied {
	/* CHANGED (to be verified), KEPT (it had become right meanwhile, nothing was done), PENDING,
	 * BLOCKED (a lock, busy), FAILED. */
	enum outcome outcome;
	const char *why;    /* one sentence, unless CHANGED or KEPT */
	const char *detail; /* output of a tool, many lines, or NULL */
};

struct keys {
	const char **list;
	size_t count, cap;
};

struct provider {
	enum kind_id kind;
	int timeout_ms; /* of apply; 0 = the default of 60 s */
	/* It runs a package manager: waited for as long as the tree says (transaction_max) in place of
	 * timeout_ms, then left alone, never killed: outcome pending. */
	bool waits_at_deadline;

	/* Rules across fields of a wanted resource. Pure. NULL: none. */
	int (*check)(const struct resource *want, struct err *);
	/* What is there. `want` may be NULL (a fact is asked for) and only hints at what to look at.
	 * Reads only. What cannot be told is a resource in STATE_UNDETERMINED and 0; an error is a
	 * defect or a dead host. */
	int (*observe)(struct host *, const char *key, const struct resource *want, struct arena *,
	               struct resource **ret_have, struct err *);
	/* All keys there are, for `facts KIND`. NULL: the kind cannot be listed. */
	int (*list)(struct host *, struct arena *, struct keys *ret_keys, struct err *);
	/* Pure. NULL: compare_resources, create/update/remove by the states. */
	void (*diff)(struct arena *, const struct resource *want, const struct resource *have,
	             struct verdict *ret_verdict);
	/* Carries out exactly this change. NULL: the kind cannot change anything in this version. */
	int (*apply)(struct host *, const struct change *, struct arena *, struct applied *ret_applied,
	             struct err *);
	/* Ids that must converge first when they are in the plan. Pure. NULL: none beside the path
	 * rules, which the engine knows (what lies below a mount or a folder comes after it). */
	void (*needs)(struct arena *, const struct resource *want, struct keys *ret_ids);
	/* What observing will say after the change. Pure. NULL: have, overlaid with want. *ret_exact is
	 * set false when it cannot be told (a version glob). */
	const struct resource *(*predict)(struct arena *, const struct change *, bool *ret_exact);
};

extern const struct provider *const provider_table[KIND_COUNT]; /* no holes */

void keys_add(struct arena *arena, struct keys *keys, const char *key);

#endif
