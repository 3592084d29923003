// SPDX-License-Identifier: MIT
/*
 * What apt-get would do, by its own simulation: read from the "Inst" and "Remv" lines of apt-get
 * -s. Pure; only the provider of packages and tests use it.
 */
#ifndef PROVIDER_SIMULATE_H
#define PROVIDER_SIMULATE_H

#include "base/list.h"
#include "base/mem.h"

struct simulated {
	const char *name;    /* with :ARCH when it is a foreign one */
	const char *version; /* that would be there, NULL when it is removed */
	const char *before;  /* what is installed, NULL when it is new */
};

struct simulation {
	struct simulated *list;
	size_t count, cap;
	bool cut_short; /* part of the output was not kept: nothing may rest on this */
};

/* Cuts the text up in place and borrows from it. */
void simulate_parse(struct arena *arena, char *text, struct simulation *ret_simulation);

/* A dependency that cannot be had, from what apt-get printed when it refused. */
struct unmet {
	const char *name;       /* of the package that has it */
	const char *dependency; /* "part (>= 2.0)" */
	const char *needed;     /* "part" */
	bool unknown;           /* no version of it can be had at all */
	const char *there;      /* what would be installed instead, or NULL */
};

/* The first one; false when there is none. Cuts the text up in place and borrows from it. */
bool simulate_unmet(struct arena *arena, char *text, struct unmet *ret_unmet);

/* Is it the package of a kernel (its image or its modules)? */
bool simulate_is_kernel(const char *name);
/* Does wanting `name` mean wanting the kernel package `kernel`: is it of the same release? */
bool simulate_is_asked(const char *name, const char *kernel);

#endif
