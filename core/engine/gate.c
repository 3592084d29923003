// SPDX-License-Identifier: MIT
/* See gate.h. */
#include "engine/gate.h"

#include "base/str.h"
#include "engine/backoff.h"

#include <string.h>

bool gate_takes_along(const struct gate *gate, const struct resource *need)
{
	switch (need->kind->id) {
	case KIND_PACKAGE_SOURCE:
	case KIND_PACKAGE_INDEX:
	case KIND_PACKAGE:
	case KIND_HOLD:
	case KIND_DKMS:
	case KIND_MODULE:
	case KIND_DIRECTORY:
	case KIND_FILE:
		return true;
	default:
		return !gate->boot;
	}
}

bool gate_selects(const struct gate *gate, const char *id)
{
	if (gate->boot && !text_starts(id, "module:") && !text_starts(id, "dkms:")) {
		return false;
	}
	if (!gate->only) {
		return true;
	}
	for (const char *const *only = gate->only; *only; only++) {
		size_t n = strlen(*only);

		if (strcmp(*only, id) == 0 ||
		    (!strchr(*only, ':') && strncmp(*only, id, n) == 0 && id[n] == ':')) {
			return true;
		}
	}
	return false;
}

/* `reboot.when` is consent in so many words, for the reboot alone; its provider holds to when and
 * how. */
static bool tree_consents(const struct step *step)
{
	return step->want && step->want->kind->id == KIND_REBOOT && step->want->reboot.when &&
	       strcmp(step->want->reboot.when, "never") != 0;
}

/* Why the mode forbids it, or NULL. Marks that a person must agree to bind whoever is not one; work
 * under jobs waits in mode safe only (docs/running.md, "Modes"). */
static const char *forbidden(struct arena *arena, const struct gate *gate, const struct step *step)
{
	const unsigned grave = MARK_DISRUPTIVE | MARK_IRREVERSIBLE | MARK_NEEDS_REBOOT;
	unsigned missing = step->marks & grave & ~gate->allow;
	bool full = text_equal(gate->mode, "full");

	if (gate->apart && step->want && step->want->kind->id == KIND_MOUNT) {
		return "this unit has a mount namespace of its own, and nobody else would see what it "
		       "mounts (systemd.exec(5): PrivateTmp=, ProtectSystem= and their like make one)";
	}
	if (gate->person) {
		return NULL;
	}
	if (text_equal(gate->mode, "observe")) {
		return "mode: observe makes no changes";
	}
	if (full) {
		missing &= ~(unsigned)MARK_DISRUPTIVE;
	}
	if (tree_consents(step)) {
		missing &= ~(unsigned)(MARK_DISRUPTIVE | MARK_NEEDS_REBOOT);
	}
	if (missing) {
		return arena_printf(arena, "%s: not done unattended in mode %s without --allow %s",
		                    marks_text(arena, missing), gate->mode, marks_text(arena, missing));
	}
	if ((step->marks & MARK_UNDER_JOBS) && !full && gate->jobs == JOBS_UNKNOWN) {
		return arena_printf(arena, "cannot tell whether a job runs on this node: %s",
		                    gate->jobs_unknown);
	}
	if ((step->marks & MARK_UNDER_JOBS) && !full && gate->jobs > 0) {
		return arena_printf(arena, "waits until no job runs on this node (%lld now)",
		                    (long long)gate->jobs);
	}
	return NULL;
}

static bool takes_away(const struct resource *want)
{
	return want->state == STATE_ABSENT ||
	       (want->kind->id == KIND_MODULE && want->module.loaded.set && !want->module.loaded.value);
}

void gate_count_jobs(struct gate *gate, const struct resource *scheduler)
{
	gate->jobs = scheduler->state == STATE_PRESENT && scheduler->scheduler.jobs.set
	                 ? scheduler->scheduler.jobs.value
	                 : 0;
	if (scheduler->state == STATE_UNDETERMINED) {
		gate->jobs = JOBS_UNKNOWN;
		gate->jobs_unknown = scheduler->why;
	}
}

void gate_step(struct arena *arena, const struct gate *gate, bool selected, struct step *step)
{
	/* At boot it does not count what others could not be told, or are waiting for. */
	if (step->outcome != OUTCOME_CHANGE &&
	    (!gate->boot || selected || step->outcome == OUTCOME_KEPT)) {
		return;
	}
	if (!selected || (gate->boot && takes_away(step->want))) {
		step->outcome = OUTCOME_SKIPPED;
		step->why = gate->boot ? "not before the boot is done" : "not selected by --only";
		return;
	}
	const char *why = forbidden(arena, gate, step);

	if (why) {
		step->outcome = OUTCOME_BLOCKED;
		step->why = why;
	} else if (gate->backoff) {
		backoff_gate(gate->backoff, arena, step);
	}
}
