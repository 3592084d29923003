// SPDX-License-Identifier: MIT
/* A run that may change things: lock, tidy, plan, ask, carry out, plan once more, record. */
#include "engine/inner.h"

#include "engine/pause.h"
#include "engine/preflight.h"
#include "engine/reboots.h"
#include "engine/saved.h"
#include "host/self.h"

#include <string.h>
#include <unistd.h>

/* Of the list as it was carried out and of the one made afterwards the graver word holds. */
static int exit_code_of(const struct engine_result *result)
{
	static const int order[] = {EXIT_FAILED, EXIT_CHANGES, EXIT_UNDETERMINED, EXIT_BLOCKED};
	int now = plan_exit_code(result->plan),
	    then = result->after ? plan_exit_code(result->after) : EXIT_IN_SYNC;

	if (result->stopped) {
		return EXIT_ERROR;
	}

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (now == order[i] || then == order[i]) {
			return order[i];
		}
	}
	return EXIT_IN_SYNC;
}

static bool says(const struct plan *plan, const struct note *block)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		if (text_equal(plan->blocks[i].rule, block->rule) &&
		    text_equal(plan->blocks[i].resource, block->resource)) {
			return true;
		}
	}
	return false;
}

/* What could not be done, and came right through what was: a module that a mount has loaded. And of
 * what the policies held back, what they do not hold back any more. */
static void take_over(struct arena *arena, struct plan *plan, const struct plan *after)
{
	struct strmap *right = strmap_create(arena);

	for (size_t i = 0; i < after->step_count; i++) {
		if (after->steps[i].outcome == OUTCOME_KEPT) {
			strmap_put(right, after->steps[i].id, &after->steps[i]);
		}
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		struct step *step = &plan->steps[i];
		bool waits = step->outcome == OUTCOME_BLOCKED || step->outcome == OUTCOME_PENDING ||
		             step->outcome == OUTCOME_UNDETERMINED;

		if (waits && strmap_get(right, step->id)) {
			step->outcome = OUTCOME_KEPT;
			step->why = NULL;
		}
	}
	size_t left = 0;

	for (size_t i = 0; i < plan->block_count; i++) {
		if (says(after, &plan->blocks[i])) {
			plan->blocks[left++] = plan->blocks[i];
		}
	}
	plan->block_count = left;
}

/* Once more, when something was changed: 0 only if nothing is left. *ret_error: why that cannot be
 * told. */
static int plan_again(struct engine *engine, struct engine_result *result, const char **ret_error)
{
	struct err err = {0};

	if (planning_make(engine, true, &result->after, &err)) {
		*ret_error = arena_printf(engine->arena, "planning once more afterwards: %s", err.text);
		engine_note(engine, "%s", *ret_error);
		result->after = NULL;
		return EXIT_ERROR;
	}
	take_over(engine->arena, result->plan, result->after);
	return exit_code_of(result);
}

/* The node goes down: whatever would still be looked at is being ended. */
static bool is_going_down(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->want->kind->id == KIND_REBOOT && step->outcome == OUTCOME_PENDING &&
		    step->action != ACTION_NONE) {
			return true;
		}
	}
	return false;
}

/* What was to be done, by number of the step: only of those can it be said that they failed. */
static const bool *what_is_tried(struct engine *engine, const struct plan *plan)
{
	bool *tried = arena_array(engine->arena, plan->step_count, sizeof *tried);

	for (size_t i = 0; i < plan->step_count; i++) {
		tried[i] = plan->steps[i].outcome == OUTCOME_CHANGE;
	}
	return tried;
}

/* Who did it does not matter to what is right now; only `run` counts failures, for it alone minds
 * them. Returns when something is tried again. */
static int64_t learn(struct engine *engine, const struct plan *plan, const bool *tried)
{
	const bool counts = engine->options->backs_off;
	struct backoff *backoff = counts ? engine->backoff : engine_read_backoff(engine);
	int64_t now = clock_ms();
	struct err err = {0};

	for (size_t i = 0; i < plan->step_count; i++) {
		backoff_learn(backoff, &plan->steps[i], counts && tried[i], now);
	}
	/* With --only as well: the plan holds all that is wanted, and nothing else is dropped. */
	if (backoff_write(backoff, plan, &err)) {
		engine_note(engine, "what failed is not kept in mind: %s", err.text);
	}
	return counts ? backoff_earliest(backoff, now) : 0;
}

static void run_plan(struct engine *engine, engine_consent *consent, void *context,
                     struct engine_result *result)
{
	bool changes = plan_count(result->plan).of[OUTCOME_CHANGE] > 0;

	if (changes && engine->options->person) {
		engine_doing(engine, "waiting for an answer to its plan");
	}
	if (changes && consent && !consent(context, result->plan)) {
		result->declined = true;
		result->stopped = self_stop_signal(); /* at the question */
		result->exit_code = exit_code_of(result);
		return;
	}
	struct carry carry = {.engine = engine, .plan = result->plan};
	const char *error = NULL;

	const bool *tried = what_is_tried(engine, result->plan);

	preflight_keep(engine, result->plan);
	carry.run = result->run = history_begin(engine, result->plan);
	if (carry.run && engine->watch->begun) {
		engine->watch->begun(engine->watch->context, carry.run);
	}
	carry_out(&carry);
	result->next_try = learn(engine, result->plan, tried);
	result->stopped = carry.stopped;
	if (carry.stopped) {
		error = "stopped by a signal";
	} else if (carry.broken_off) {
		error = carry.broken_off;
		engine_note(engine, "broken off: %s", carry.broken_off);
	} else if (engine->stale) {
		error = arena_printf(engine->arena, "the last good tree, for this one was not used: %s",
		                     engine->stale_reason);
	}
	reboots_note_resumed(engine, result->plan);
	if (carry.changed) {
		reboots_settle(engine); /* a trial may have become the default */
	}
	bool again =
	    carry.changed && !carry.stopped && !carry.broken_off && !is_going_down(result->plan);

	engine_doing(engine, "looking at what came of it");
	result->exit_code = carry.broken_off ? carry.broken_code
	                    : again          ? plan_again(engine, result, &error)
	                                     : exit_code_of(result);
	history_end(engine, carry.run, result->exit_code, result->plan, error, carry.changed > 0);
}

static int locked(struct engine *engine, const struct value *saved, engine_consent *consent,
                  void *context, struct engine_result *result, struct err *err)
{
	history_open(engine, STORE_WRITE);
	history_tidy(engine);
	reboots_begin_run(engine);
	if (engine->options->backs_off) {
		engine->backoff = engine_read_backoff(engine);
	}
	engine_doing(engine, "planning");
	if (fallback_plan(engine, &result->plan, err) ||
	    (saved && saved_check(engine, saved, result->plan, err))) {
		/* That it was tried and did not come to anything is history as well. */
		history_end(engine, history_begin(engine, NULL), 1, NULL, err->text, false);
		return -(int)err->code;
	}
	run_plan(engine, consent, context, result);
	return 0;
}

/* A saved plan of `plan --only` is carried out with what it named. */
static void use_saved(struct engine *engine, const struct value *saved)
{
	const struct value *list = saved ? value_get(saved, "only") : NULL;

	if (engine->only || !list || list->type != VALUE_LIST || !list->count) {
		return;
	}
	const char **only = arena_array(engine->arena, list->count + 1, sizeof *only);

	for (size_t i = 0, n = 0; i < list->count; i++) {
		if (list->items[i].type == VALUE_STRING) {
			only[n++] = list->items[i].string;
		}
	}
	engine->only = only;
}

/* For struct self_lock_wish. */
static void tell_waiting(void *context, const char *holder, int64_t elapsed_ms)
{
	struct engine *engine = context;
	const char *what = arena_printf(engine->arena, "waiting for the lock, held by %s", holder);

	if (!engine->waited) {
		engine->waited = true;
		engine_note(engine, "%s", what);
	}
	if (engine->watch->waiting) {
		engine->watch->waiting(engine->watch->context, what, elapsed_ms);
	}
}

/* What was read before the wait may have been changed by whoever held the lock, or for them. */
static int load_again(struct engine *engine, struct err *err)
{
	struct diags diags = {0};

	engine->stale = false;
	engine->kept_node = NULL;
	if (!engine_load(engine, &diags, err)) {
		return 0;
	}
	return diags.count ? err_copy(err, &diags.list[0].err) : -(int)err->code;
}

static int take_lock(struct engine *engine, struct err *err)
{
	const struct engine_options *o = engine->options;
	const struct self_lock_wish wish = {
	    .run_dir = o->run_dir,
	    .command = o->command,
	    .tree = o->tree,
	    .wait_ms = o->lock_wait_ms,
	    .waiting = tell_waiting,
	    .context = engine,
	};

	if (self_lock(&wish, &engine->lock, err)) {
		return self_stop_signal() ? err_set(err, ERR_HOST, 0, "stopped by a signal")
		                          : -(int)err->code;
	}
	if (engine->waited && load_again(engine, err)) {
		self_unlock(&engine->lock);
		return -(int)err->code;
	}
	return 0;
}

/* Is this node left alone? Asked under the lock: who was pausing while we waited is heard.
 * *ret_ends: of clock_ms, when that is over by itself; 0: not by itself. */
static const char *is_paused(struct engine *engine, int64_t *ret_ends)
{
	struct pause pause;

	if (engine->options->ignore_pause) {
		return NULL;
	}
	pause_look(engine, &pause);
	if (pause.is_over) {
		pause_forget(engine, &pause);
	}
	if (pause.unseen) {
		engine_note(engine, "whether this node is paused cannot be told (%s); going on",
		            pause.unseen);
	}
	if (pause.paused && pause.until) {
		int64_t left = pause.until - clock_now() + 1;

		/* Whole seconds: the last of them has to be over. A span outlasts a clock that was set
		 * forward a little (pause_parse): then it is asked again each second. */
		*ret_ends = clock_ms() + (left > 0 ? left : 1) * 1000;
	}
	return pause_text(engine->arena, &pause);
}

int engine_apply(struct engine *engine, const struct value *saved, engine_consent *consent,
                 void *context, struct engine_result *ret_result, struct err *err)
{
	struct engine_result result = {0};

	if (engine->recorded) {
		return err_set(err, ERR_INPUT, 0, "recorded facts can be planned for, not applied");
	}
	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "%s changes the node and needs root; plan does not",
		               engine->options->command);
	}
	self_catch_stop();
	if (take_lock(engine, err)) {
		return -(int)err->code;
	}
	int r = 0;

	result.paused = is_paused(engine, &result.next_try);
	pause_tell(engine);
	if (result.paused) {
		engine_note(engine, "paused: %s", result.paused);
		result.exit_code = EXIT_PAUSED;
	} else {
		use_saved(engine, saved);
		r = locked(engine, saved, consent, context, &result, err);
	}
	self_unlock(&engine->lock);
	result.no_history = !result.paused && !engine->store;
	result.tree_not_kept = engine->tree_not_kept;
	if (!r) {
		*ret_result = result;
	}
	return r;
}
