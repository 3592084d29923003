// SPDX-License-Identifier: MIT
/*
 * Carrying out a plan in bounded steps: look again, record the intent, change, observe, record the
 * outcome. The observation afterwards decides; what a tool said only explains. A step that was not
 * shown is not done.
 *
 * Quick steps that do not need each other go together: one look before, one commit of their
 * intents, one look after, one commit of their outcomes. With a thousand mounts, reading the mount
 * table anew for each would cost more than mounting. A crash leaves the intents of one batch open.
 */
#include "engine/inner.h"

#include "engine/pause.h"
#include "host/self.h"
#include "provider/converge.h"

#include <string.h>

static const char stopped_before[] = "the run was stopped before it";

/* The first need that did not converge, or NULL. */
static const struct step *unmet_need(const struct carry *carry, const struct step *step)
{
	for (size_t i = 0; i < step->need_count; i++) {
		const struct step *need = &carry->plan->steps[step->needs[i]];

		if (!planner_is_met(need)) {
			return need;
		}
	}
	return NULL;
}

static void set(struct step *step, enum outcome outcome, const char *why)
{
	step->outcome = outcome;
	step->why = why;
}

static bool shows(const struct step *shown, const struct difference *d)
{
	for (size_t i = 0; i < shown->differences.count; i++) {
		const struct difference *other = &shown->differences.list[i];

		if (text_equal(d->field, other->field) && text_equal(d->to, other->to)) {
			return true;
		}
	}
	return false;
}

/* Would nothing be done now but what the plan showed, and nothing graver? Less will do: an earlier
 * step may have mended a part of it. Below a mount that came up in this run nothing could be shown
 * but that. */
static bool as_shown(const struct step *shown, const struct step *now)
{
	if (shown->marks & MARK_AFTER_MOUNT) {
		return true;
	}
	for (size_t i = 0; i < now->differences.count; i++) {
		if (!shows(shown, &now->differences.list[i])) {
			return false;
		}
	}
	return shown->action == now->action && !(now->marks & ~shown->marks);
}

/* The steps that are carried out together. */
struct batch {
	struct step *steps[BATCH];
	struct applied applied[BATCH];
	const struct resource *haves[BATCH];
	struct intents intents;
	size_t count;
};

/* What takes long, waits for others or is marked goes alone. */
static bool goes_alone(const struct step *step)
{
	enum kind_id kind = step->want->kind->id;

	return (step->marks & ~(unsigned)MARK_AFTER_MOUNT) ||
	       (kind != KIND_DIRECTORY && kind != KIND_FILE && kind != KIND_MOUNT);
}

static bool needs_any(const struct carry *carry, const struct step *step, const struct batch *batch)
{
	for (size_t i = 0; i < step->need_count; i++) {
		const struct step *need = &carry->plan->steps[step->needs[i]];

		if (batch->count && need >= batch->steps[0] && need->outcome == OUTCOME_CHANGE) {
			return true;
		}
	}
	return false;
}

/* The next steps that may go together, from step number *at on, which moves behind them. */
static void gather(struct carry *carry, size_t *at, struct batch *batch)
{
	*batch = (struct batch){0};
	for (; *at < carry->plan->step_count && batch->count < BATCH; ++*at) {
		struct step *step = &carry->plan->steps[*at];

		if (step->outcome != OUTCOME_CHANGE) {
			continue;
		}
		if (batch->count && (goes_alone(step) || needs_any(carry, step, batch))) {
			return;
		}
		batch->steps[batch->count++] = step;
		if (goes_alone(step)) {
			++*at;
			return;
		}
	}
}

static int observe(struct carry *carry, struct batch *batch, struct err *err)
{
	struct worker_query queries[BATCH];

	for (size_t i = 0; i < batch->count; i++) {
		const struct resource *want = batch->steps[i]->want;

		queries[i] = (struct worker_query){.kind = want->kind, .key = want->key, .want = want};
	}
	worker_forget(carry->engine->worker);
	return worker_observe(carry->engine->worker, queries, batch->count, carry->engine->arena,
	                      batch->haves, err);
}

/* What lies on a mount of this run shows itself only now, and only now can be gated. */
static void uncover(struct carry *carry, struct step *step, struct step *now)
{
	struct gate gate = planning_gate(carry->engine);

	gate_step(carry->engine->arena, &gate, true, now);
	step->marks |= now->marks;
}

/* A job may have begun since the plan was made: packages before this one take their time. NULL: it
 * may be done. */
static const char *kept_by_jobs(struct carry *carry, const struct step *step)
{
	struct engine *engine = carry->engine;
	const struct worker_query query = {.kind = &kind_table[KIND_SCHEDULER], .key = ""};
	struct gate gate = planning_gate(engine);
	struct step alone = {
	    .id = step->id, .want = step->want, .outcome = OUTCOME_CHANGE, .marks = MARK_UNDER_JOBS};
	const struct resource *scheduler;
	struct err err = {0};

	if (gate.person || !(step->marks & MARK_UNDER_JOBS)) {
		return NULL;
	}
	if (worker_observe_fresh(engine->worker, &query, engine->arena, &scheduler, &err)) {
		return arena_strdup(engine->arena, err.text);
	}
	gate.backoff = NULL;
	gate_count_jobs(&gate, scheduler);
	gate_step(engine->arena, &gate, true, &alone);
	return alone.outcome == OUTCOME_CHANGE ? NULL : alone.why;
}

/* Compares with what is there right before acting. True when the step is still to be done. */
static bool still_to_do(struct carry *carry, struct step *step, const struct resource *have)
{
	struct step now = {.id = step->id, .want = step->want};

	planner_compare(carry->engine->arena, step->want, have, &now);
	step->have = have;
	if (now.outcome == OUTCOME_CHANGE && !as_shown(step, &now)) {
		set(step, OUTCOME_BLOCKED, "it changed since the plan was made: plan again");
		return false;
	}
	if (step->marks & MARK_AFTER_MOUNT) {
		uncover(carry, step, &now);
	}
	/* Just this is done, and recorded. */
	step->differences = now.differences;
	step->action = now.action;
	if (now.outcome != OUTCOME_CHANGE) {
		set(step, now.outcome, now.why);
		return false;
	}
	const char *kept = kept_by_jobs(carry, step);

	if (kept) {
		set(step, OUTCOME_BLOCKED, kept);
	}
	return !kept;
}

/* Drops from the batch what cannot or need not be done (any more). */
static void look_again(struct carry *carry, struct batch *batch)
{
	struct arena *arena = carry->engine->arena;
	struct err err = {0};
	size_t kept = 0;
	bool blind;

	for (size_t i = 0; i < batch->count; i++) {
		const struct step *need = unmet_need(carry, batch->steps[i]);

		if (need) {
			set(batch->steps[i], OUTCOME_BLOCKED,
			    arena_printf(arena, "needs %s, which is %s", need->id,
			                 outcome_name(need->outcome)));
		} else {
			batch->steps[kept++] = batch->steps[i];
		}
	}
	batch->count = kept;
	blind = kept && observe(carry, batch, &err);
	kept = 0;
	for (size_t i = 0; i < batch->count; i++) {
		if (blind) {
			set(batch->steps[i], OUTCOME_FAILED, arena_strdup(arena, err.text));
		} else if (still_to_do(carry, batch->steps[i], batch->haves[i])) {
			batch->steps[kept++] = batch->steps[i];
		}
	}
	batch->count = kept;
}

static void apply(struct carry *carry, struct batch *batch)
{
	const struct engine_watch *watch = carry->engine->watch;
	struct engine *engine = carry->engine;

	for (size_t i = 0; i < batch->count; i++) {
		struct step *step = batch->steps[i];
		struct change change = {
		    .kind = step->want->kind,
		    .action = step->action,
		    .want = step->want,
		    .have = step->have,
		};
		struct err err = {0};
		int64_t start = clock_ms();

		carry->stopped = carry->stopped ? carry->stopped : self_stop_signal();
		if (carry->stopped) {
			batch->applied[i] = (struct applied){OUTCOME_SKIPPED, stopped_before, NULL};
			continue;
		}
		if (watch->step_begin) {
			watch->step_begin(watch->context, step, carry->done, carry->total);
		}
		carry->done++;
		if (worker_apply(engine->worker, &change, engine->arena, &batch->applied[i], &err)) {
			batch->applied[i] =
			    (struct applied){OUTCOME_FAILED, arena_strdup(engine->arena, err.text), NULL};
		}
		step->duration_ms = clock_ms() - start;
	}
}

static const char *left_over(struct arena *arena, const struct step *after)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < after->differences.count; i++) {
		const struct difference *d = &after->differences.list[i];

		str_addf(&text, "%s%s is %s, wanted %s", i ? "; " : "", d->field,
		         d->from ? d->from : "not set", d->to ? d->to : "not set");
	}
	return arena_strdup(arena, str_text(&text));
}

/* The truth: what is there now. `applied` only explains when it is not what was wanted. */
static void judge(struct carry *carry, struct step *step, const struct applied *applied,
                  const struct resource *have)
{
	struct arena *arena = carry->engine->arena;
	struct step after = {.id = step->id, .want = step->want};

	step->detail = applied->detail;
	planner_compare(arena, step->want, have, &after);
	if (after.outcome == OUTCOME_KEPT && applied->outcome == OUTCOME_KEPT) {
		set(step, OUTCOME_KEPT, NULL); /* somebody else was quicker: it is not our doing */
	} else if (after.outcome == OUTCOME_KEPT) {
		set(step, OUTCOME_CHANGED, applied->outcome == OUTCOME_CHANGED ? NULL : applied->why);
	} else if (after.outcome == OUTCOME_PENDING || after.outcome == OUTCOME_SKIPPED) {
		set(step, after.outcome, after.why);
	} else if (after.outcome == OUTCOME_UNDETERMINED) {
		set(step, OUTCOME_UNDETERMINED, arena_printf(arena, "cannot be verified: %s", after.why));
	} else if (applied->outcome != OUTCOME_CHANGED) {
		set(step, applied->outcome, applied->why);
	} else {
		set(step, OUTCOME_FAILED,
		    arena_printf(arena, "done, but not as wanted afterwards: %s",
		                 after.why ? after.why : left_over(arena, &after)));
	}
	carry->changed += step->outcome == OUTCOME_CHANGED;
}

static void verify(struct carry *carry, struct batch *batch)
{
	struct err err = {0};
	bool blind = observe(carry, batch, &err);

	for (size_t i = 0; i < batch->count; i++) {
		struct step *step = batch->steps[i];

		if (batch->applied[i].why == stopped_before) {
			set(step, OUTCOME_SKIPPED, stopped_before);
		} else if (blind) {
			set(step, OUTCOME_UNDETERMINED,
			    arena_printf(carry->engine->arena, "cannot be verified: %s", err.text));
		} else {
			judge(carry, step, &batch->applied[i], batch->haves[i]);
		}
	}
}

/* An intent that can be stored nowhere stops what is marked; the rest goes on without. */
static void stop_unrecorded(struct batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->steps[i]->marks & ~(unsigned)MARK_AFTER_MOUNT) {
			set(batch->steps[i], OUTCOME_BLOCKED,
			    "nowhere to record the intent of a marked change");
		} else {
			batch->steps[kept++] = batch->steps[i];
		}
	}
	batch->count = kept;
}

/* Is there a reason to go no further, between two steps? Who pauses the node means now. */
static bool is_broken_off(struct carry *carry)
{
	struct engine *engine = carry->engine;
	struct pause pause = {0};
	struct err err = {0};

	if (carry->broken_off) {
		return true;
	}
	if (self_lock_keep(&engine->lock, &err)) {
		carry->broken_off = arena_strdup(engine->arena, err.text);
		carry->broken_code = EXIT_LOCKED;
		return true;
	}
	if (!engine->options->ignore_pause) {
		pause_look(engine, &pause);
	}
	if (pause.paused) {
		carry->broken_off =
		    arena_printf(engine->arena, "paused: %s", pause_text(engine->arena, &pause));
		carry->broken_code = EXIT_PAUSED;
	}
	return pause.paused;
}

static void tell_doing(struct carry *carry, const struct batch *batch)
{
	size_t first = carry->done + 1;

	if (batch->count > 1) {
		engine_doing(carry->engine, "steps %zu to %zu of %zu, from %s on,", first,
		             carry->done + batch->count, carry->total, batch->steps[0]->id);
	} else {
		engine_doing(carry->engine, "step %zu of %zu, %s,", first, carry->total,
		             batch->steps[0]->id);
	}
}

static void carry_batch(struct carry *carry, struct batch *batch)
{
	const struct engine_watch *watch = carry->engine->watch;

	tell_doing(carry, batch);
	look_again(carry, batch);
	if (!batch->count) {
		return;
	}
	batch->intents = history_intents(carry->engine, carry->run, batch->steps, batch->count);
	if (batch->intents.place == INTENT_NOWHERE) {
		stop_unrecorded(batch);
	}
	if (batch->count) {
		apply(carry, batch);
		verify(carry, batch);
		history_outcomes(carry->engine, &batch->intents, batch->steps, batch->count);
	}
	for (size_t i = 0; i < batch->count && watch->step_end; i++) {
		watch->step_end(watch->context, batch->steps[i], carry->done, carry->total);
	}
}

void carry_out(struct carry *carry)
{
	struct plan *plan = carry->plan;
	struct batch *batch = arena_alloc(carry->engine->arena, sizeof *batch);

	carry->total = plan_count(plan).of[OUTCOME_CHANGE];
	for (size_t at = 0; at < plan->step_count;) {
		carry->stopped = carry->stopped ? carry->stopped : self_stop_signal();
		gather(carry, &at, batch);
		if (batch->count && !carry->stopped && !is_broken_off(carry)) {
			carry_batch(carry, batch);
			continue;
		}
		for (size_t i = 0; i < batch->count; i++) {
			set(batch->steps[i], OUTCOME_SKIPPED,
			    carry->stopped ? stopped_before : carry->broken_off);
		}
	}
}
