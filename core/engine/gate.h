// SPDX-License-Identifier: MIT
/* Whether a change may be made in this run: mode, consent, jobs, --only. Pure. */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "engine/planner.h"

/* Turns a CHANGE into BLOCKED or SKIPPED, with the reason, when this run may not make it.
 * `selected`: --only names it, or something it names needs it. */
void gate_step(struct arena *arena, const struct gate *gate, bool selected, struct step *step);

/* Is this id among those that --only names? */
bool gate_selects(const struct gate *gate, const char *id);

#endif
