// SPDX-License-Identifier: MIT
/*
 * Which step comes before which: needs of kinds, paths that lie below others, `provides`, `after`.
 * The result is the same for the same input, and as near to the order of kinds and keys as the
 * needs allow.
 */
#ifndef ENGINE_ORDER_H
#define ENGINE_ORDER_H

#include "engine/planner.h"

struct order {
	size_t *sequence; /* numbers of wanted resources, needs first */
	size_t **needs;   /* per wanted resource: the numbers it needs */
	size_t *need_counts;
	/* Per wanted resource: the wanted mount it lies on or is the root of, + 1; 0 = none. */
	size_t *mount_over;
};

/* ERR_POLICY prints the cycle, or the contradiction (a folder wanted absent with something wanted
 * in it). */
int order_make(struct arena *arena, const struct wanted_set *set, struct order *ret_order,
               struct err *err) MUST_CHECK;

#endif
