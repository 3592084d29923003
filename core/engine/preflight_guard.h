// SPDX-License-Identifier: MIT
/*
 * The guard: a kernel has been installed, and the boot default moved to it. Is it proved that what
 * is wanted comes up under it? If not, the default goes back to a kernel of which it is, by the
 * same code as a wanted kernel's. Called by the package manager's hook, under its locks and perhaps
 * within a run of ours, so it takes no lock.
 */
#ifndef ENGINE_PREFLIGHT_GUARD_H
#define ENGINE_PREFLIGHT_GUARD_H

#include "engine/allow.h"
#include "engine/preflight.h"

struct preflight_guard {
	enum {
		GUARD_NOTHING, /* nothing is wanted, or another kernel boots anyway */
		GUARD_PROVEN,  /* it may boot */
		GUARD_ALLOWED, /* an operator lets it */
		GUARD_KEPT,    /* the default was put back to `keep` */
		GUARD_LOST,    /* it could not be: `why` */
	} what;
	const char *sentence; /* of what is not proved */
	const char *keep;
	const char *why;
};

struct preflight_guard_case {
	const struct preflight_wants *wants;
	const struct allowed_list *allowed;
	const char *release; /* of the new kernel */
};

int preflight_guard(struct worker *worker, const struct preflight_guard_case *c,
                    struct arena *arena, struct preflight_guard *ret, struct err *err) MUST_CHECK;

#endif
