// SPDX-License-Identifier: MIT
/*
 * Laying one layer over another. Maps merge by key; a value, and so a list inside an entry,
 * replaces; an entry with state: unmanaged forgets what is below it. What is merged keeps its own
 * position, value by value, and an entry that of the topmost layer that speaks of it. Both sides
 * are borrowed. May call core/base, core/model.
 */
#ifndef DESIRED_OVERLAY_H
#define DESIRED_OVERLAY_H

#include "desired/layer.h"

/* Lays `over` (the state of a layer) over *state; both sealed, and so is the result. version,
 * nodes and roles speak of the file, not of the node, and are left out. */
void overlay_lay(struct arena *arena, struct value *state, const struct value *over,
                 struct faults *faults);

/* Drops the entries that are unmanaged in the end. */
void overlay_finish(struct arena *arena, struct value *state);

#endif
