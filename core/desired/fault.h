// SPDX-License-Identifier: MIT
/*
 * The faults of one file on their way into the caller's list: how a text of the operator is shown
 * in a message, and how many faults a file may have before the rest is left out (a file of another
 * format pasted into the tree must not bury the faults of the others). May call core/base. Texts
 * live in the arena of the list.
 */
#ifndef DESIRED_FAULT_H
#define DESIRED_FAULT_H

#include "base/diag.h"
#include "base/value.h"

#include <stdbool.h>

enum { FAULTS_MOST = 100 };

struct faults {
	struct diags *diags;
	unsigned count; /* of this file; those left out count as well */
	bool once;      /* leave out what the list holds already: several nodes share a fault */
};

/* Were there so many that looking for more is of no use? */
bool fault_is_full(const struct faults *faults);

void fault_add(struct faults *faults, struct pos at, const char *hint, const char *fmt, ...)
    PRINTF(4, 5);
void fault_add_err(struct faults *faults, const struct err *err, const char *hint);

/* The beginning of a file: the place of what is wrong with all of it. */
struct pos fault_top(const char *file);

/* 'text' in quotes, control characters spelled out, cut after 60 bytes. */
const char *fault_quote(struct faults *faults, const char *text);
/* "did you mean 'NEAREST'?", or NULL when there is no nearest. */
const char *fault_nearest(struct faults *faults, const char *nearest);

/* A value that was reported already stands in its map or list as a null that is "quoted", so that
 * whoever checks the map afterwards says nothing more about it. */
struct value fault_spoilt(struct pos at);
bool fault_is_spoilt(const struct value *value);

#endif
