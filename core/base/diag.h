// SPDX-License-Identifier: MIT
/*
 * A list of faults found in one pass over what an operator wrote. Each fault is an error with a
 * position and, if there is one, a hint (the nearest known key, what was expected).
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/mem.h"

struct diag {
	struct err err;
	const char *hint; /* in the list's arena, or NULL */
};

struct diags {
	struct arena *arena; /* owns the list; set by the caller, who frees it */
	struct diag *list;
	size_t count, cap;
};

/* Adds a fault; the text of `hint` (may be NULL) is copied. */
void diag_add(struct diags *diags, struct pos at, const char *hint, const char *fmt, ...)
    PRINTF(4, 5);
void diag_add_err(struct diags *diags, const struct err *err, const char *hint);
/* Sorts by file, line, column; faults of one place keep their order. Pointers into the list go
 * stale. */
void diag_sort(struct diags *diags);

#endif
