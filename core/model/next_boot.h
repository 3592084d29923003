// SPDX-License-Identifier: MIT
/*
 * The next-boot invariant: which kernel will boot next, and which wanted modules and mounts would
 * be lost under it. Made by the engine from facts alone (engine/next_boot.c), shown by plan,
 * status, check and doctor, decided by in preflight. No I/O here.
 */
#ifndef MODEL_NEXT_BOOT_H
#define MODEL_NEXT_BOOT_H

#include "base/mem.h"
#include "base/value.h"

struct next_boot_loss {
	const char *id;      /* "mount:/fsx", "module:lustre" */
	const char *verdict; /* "no": it is lost; "unproven": it cannot be told */
	const char *cause;   /* short stable word, of loadable, or "no-helper", "incomplete" */
	const char *reason;  /* a sentence */
};

struct next_boot {
	const char *release; /* NULL: it cannot be told, `why` says why not */
	const char *why;
	const char *running;
	bool once;             /* a one-shot entry, not the default */
	const char *installed; /* when it came, or NULL */
	const char *brought;   /* who brought it, or NULL */
	struct next_boot_loss *losses;
	size_t loss_count; /* both verdicts */
	size_t lost;       /* of them those with verdict no */
	bool remedied;     /* lost as things are, and not once the plan that shows it is carried out */
	const char *sentence; /* all of it, for people: one line */
};

/* As JSON and history show it. Sealed. */
struct value next_boot_to_value(struct arena *arena, const struct next_boot *next);

#endif
