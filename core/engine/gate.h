// SPDX-License-Identifier: MIT
/* Whether a change may be made in this run: mode, consent, jobs, --only, what failed lately.
 * Pure. */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "engine/planner.h"

/* Turns a CHANGE into BLOCKED or SKIPPED, with the reason, when this run may not make it.
 * `selected`: --only names it, or something it names needs it. */
void gate_step(struct arena *arena, const struct gate *gate, bool selected, struct step *step);

/* Takes over from the scheduler fact how many jobs run on this node, or that it cannot be told. */
void gate_count_jobs(struct gate *gate, const struct resource *scheduler);

/* Is this id among those that --only names? At boot that are modules, loaded or built. */
bool gate_selects(const struct gate *gate, const char *id);

/* May what is selected bring this along, because it needs it? At boot nothing by which a unit could
 * be started that waits for us. */
bool gate_takes_along(const struct gate *gate, const struct resource *need);

#endif
