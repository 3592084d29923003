// SPDX-License-Identifier: MIT
/*
 * One answer for a monitor: is this node well? With a tree by its plan, without one by what the
 * doctor finds wanted; in either case by the mounts and by what the next boot would lose. Results
 * live in the engine's arena. Prints nothing.
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "engine/doctor.h"

struct check_part {
	const char *name; /* of the figure, for monitors */
	int64_t value;
	const char *unit; /* "s", or "" */
};

struct check {
	enum doctor_health health;
	const char *text; /* one line: the worst first */
	struct check_part parts[12];
	size_t part_count;
	const struct next_boot *next_boot; /* or NULL: nothing is wanted that a kernel could lose */
	bool tree;                         /* there was one */
	/* Faults of the tree, when it does not load: then the answer is "unknown". */
	struct diags diags;
};

/* Everything. `max_age`: seconds that the last recorded run may be old; 0: it does not matter.
 * An error is one of the machine or of the tree; *ret_check->diags may hold more of it. */
int check_node(struct engine *engine, int64_t max_age, struct check *ret_check,
               struct err *err) MUST_CHECK;
/* Only: would the kernel that boots next lose a wanted module or mount? */
int check_next_boot(struct engine *engine, struct check *ret_check, struct err *err) MUST_CHECK;

struct value check_to_value(struct arena *arena, const struct check *check); /* sealed */

#endif
