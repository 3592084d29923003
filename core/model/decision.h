// SPDX-License-Identifier: MIT
/*
 * What the policies decided: resources wanted, each with who wants it and why, blocks, warnings
 * and items that an undetermined fact left undecided. Made by the policy room from checked
 * messages, read by the engine. All of it lives in one arena.
 */
#ifndef MODEL_DECISION_H
#define MODEL_DECISION_H

#include "model/resource.h"

/* Who wants something, to the line. */
struct origin {
	const char *policy; /* name of the policy */
	struct pos lua;     /* the line in its file */
	struct pos yaml;    /* the entry of the desired state it was planned for, if known */
	const char *reason; /* why, in the policy's words */
};

struct proposal {
	struct resource *want; /* complete (resource_complete) */
	struct origin origin;
	const char *const *after; /* ids that must converge first */
	size_t after_count;
	const char *provides_module; /* of a package: it brings this module ... */
	const char *provides_kernel; /* ... for this kernel release */
};

/* plan:block and plan:warn. */
struct note {
	const char *rule;     /* short stable word, "no-module-package" */
	const char *resource; /* KIND:KEY, or NULL */
	struct origin origin; /* with the reason */
};

/* An item that could not be decided: what it planned was withdrawn. */
struct undecided {
	const char *item;     /* "mounts./fsx", or the policy's name */
	const char *fact;     /* KIND:KEY that was read */
	struct origin origin; /* reason: the fact's */
};

struct decision {
	struct proposal *proposals;
	size_t proposal_count, proposal_cap;
	struct note *blocks;
	size_t block_count, block_cap;
	struct note *warnings;
	size_t warning_count, warning_cap;
	struct undecided *undecided;
	size_t undecided_count, undecided_cap;
};

#endif
