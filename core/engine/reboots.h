// SPDX-License-Identifier: MIT
/* The engine's part in the ledger of reboots (provider/reboot_ledger.h): begins it, and notes at
 * the start and the end of a run what came of the last reboot. Never fails a run. */
#ifndef ENGINE_REBOOTS_H
#define ENGINE_REBOOTS_H

#include "engine/inner.h"

/* Under the lock, with the history open, before the plan; and again when something was changed. A
 * ledger is begun where reboots are wanted and the history knows of none; where it does, a missing
 * ledger stays missing, and nothing is rebooted. */
void reboots_settle(struct engine *engine);
/* The same at the start of a run, which a trial that is not decided counts. */
void reboots_begin_run(struct engine *engine);

/* A planned reboot into a kernel that neither boots next as things are nor by a step that comes
 * before it (`steps` are those of the plan) is blocked: its provider would refuse it. */
int reboots_hold_back(struct facts *facts, const struct step *steps, struct step *step,
                      struct err *err) MUST_CHECK;

/* A drained node gets no work again while something cannot be decided, or a wanted module or mount
 * is not even planned because it cannot be had: what is planned is a need of the step anyway. */
void reboots_hold_drained(struct arena *arena, const struct decision *decision,
                          const struct strmap *planned, struct step *step);

/* After a run: notes that a drain of ours is over, when `plan` found or made it so. */
void reboots_note_resumed(struct engine *engine, const struct plan *plan);

/* Begins a new one, whatever there was: an operator says that the node may be rebooted again. */
int reboots_begin(const char *state_dir, struct arena *arena, struct err *err) MUST_CHECK;

#endif
