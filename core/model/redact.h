// SPDX-License-Identifier: MIT
/*
 * The desired state as it may be shown and stored: the content of a file that not everybody may
 * read appears only as its digest. Pure.
 */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include "base/value.h"

enum redact {
	REDACT_SECRET, /* contents of files that are to be unreadable for others */
	REDACT_ALL,    /* every content: a file without a mode may be private on the node */
};

/* A copy of an effective state (a map by section) in which these contents are replaced by
 * "sha256:" and the digest. Positions stay. */
struct value redact_state(struct arena *arena, const struct value *state, enum redact which);

#endif
