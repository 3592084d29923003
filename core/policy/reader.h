// SPDX-License-Identifier: MIT
/*
 * What a child says it planned, checked: messages in, a decision out. The child is untrusted, so
 * everything that is not exactly what an honest child sends is an error. Inside the policy room
 * only.
 *
 * An item of a "plan" message is a map:
 *   what: want, kind: "mount", table: {target: ..., reason: ..., ...}     plan:mount{...}
 *   what: block | warn, table: {rule: ..., reason: ..., resource: ...}    plan:block, plan:warn
 *   what: undecided, item: "mounts./fsx", fact: "kernel", reason: "..."
 * each with `file` and `line` (struct spot), and the position of the desired state as the item's
 * own.
 */
#ifndef POLICY_READER_H
#define POLICY_READER_H

#include "policy/policy.h"

struct reader {
	const struct policy_set *set;
	const struct policy_source *policy; /* whose items these are */
	size_t most;                        /* of proposals and notes together */
	struct arena *arena;                /* the decision's */
	struct decision *decision;
};

/* Adds the items of a "plan" message to the decision. The message must live in the reader's
 * arena. Errors: ERR_POLICY with the position of the Lua line. */
int reader_take(struct reader *reader, const struct value *items, struct err *err) MUST_CHECK;

/* The list of sections that a policy handles: each must be one that is for policies. ERR_POLICY. */
int reader_check_handles(const struct policy_source *policy, const struct value *handles,
                         struct err *err) MUST_CHECK;

/* The place in the files of the set, line 0 when the spot is impossible. */
struct pos reader_position(const struct policy_set *set, const struct policy_source *policy,
                           int64_t file, int64_t line);

#endif
