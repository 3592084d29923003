// SPDX-License-Identifier: MIT
/* A run that may change things: lock, tidy, plan, ask, carry out, plan once more, record. */
#include "engine/inner.h"

#include "base/json.h"
#include "engine/preflight.h"
#include "engine/reboots.h"
#include "engine/saved.h"
#include "host/self.h"

#include <string.h>
#include <unistd.h>

/* What the last good run wanted and this tree does not. */
static int guard_shrink(struct engine *engine, struct err *err)
{
	struct store_last last;
	struct value before;
	const char *text;
	size_t n;
	struct err ignored = {0};

	if (!engine->store || store_last_good(engine->store, engine->arena, &last, &ignored) ||
	    !last.run || !last.state[0] ||
	    text_equal(last.state, engine->desired.digest) || /* most runs: nothing to read back */
	    store_fetch(engine->store, last.state, engine->arena, &text, &n, &ignored) || !text ||
	    json_parse(text, n, "the last state", engine->arena, &before, &ignored)) {
		return 0; /* nothing to compare with */
	}
	struct desired_shrink shrink = desired_shrink(engine->arena, &before, &engine->desired.state);
	const char *accepted = value_text(&engine->desired.state, "accept");

	if (!shrink.alarming || engine->options->accept_shrink ||
	    text_equal(accepted, engine->desired.digest)) {
		return 0;
	}
	engine->shrink_alarming = true;
	if (!engine->options->stale_ok) {
		engine_note(engine, "%s; `run` will not use this tree until `apply --accept-shrink`",
		            shrink.text);
		return 0;
	}
	return err_set(
	    err, ERR_INPUT, 0,
	    "%s. Nothing is changed. If that is meant: reconcile apply --accept-shrink, or write "
	    "`accept: %s` into the tree",
	    shrink.text, engine->desired.digest);
}

/* Of the list as it was carried out and of the one made afterwards the graver word holds. */
static int exit_code_of(const struct engine_result *result)
{
	static const int order[] = {5, 2, 6, 4};
	int now = plan_exit_code(result->plan),
	    then = result->after ? plan_exit_code(result->after) : 0;

	if (result->stopped) {
		return 1;
	}

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (now == order[i] || then == order[i]) {
			return order[i];
		}
	}
	return 0;
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
		return 1;
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

static void run_plan(struct engine *engine, engine_consent *consent, void *context,
                     struct engine_result *result)
{
	bool changes = plan_count(result->plan).of[OUTCOME_CHANGE] > 0;

	if (changes && consent && !consent(context, result->plan)) {
		result->declined = true;
		result->stopped = self_stop_signal(); /* at the question */
		result->exit_code = exit_code_of(result);
		return;
	}
	struct carry carry = {.engine = engine, .plan = result->plan};
	const char *error = NULL;

	preflight_keep(engine, result->plan);
	carry.run = result->run = history_begin(engine, result->plan);
	carry_out(&carry);
	result->stopped = carry.stopped;
	if (carry.stopped) {
		error = "stopped by a signal";
	}
	reboots_note_resumed(engine, result->plan);
	if (carry.changed) {
		reboots_settle(engine); /* a trial may have become the default */
	}
	bool again = carry.changed && !carry.stopped && !is_going_down(result->plan);

	result->exit_code = again ? plan_again(engine, result, &error) : exit_code_of(result);
	history_end(engine, carry.run, result->exit_code, result->plan, error, carry.changed > 0);
}

/* The plan, of this tree or, where that is allowed and its policies fail, of the last good one. */
static int make_plan(struct engine *engine, struct plan **ret_plan, struct err *err)
{
	struct err ignored = {0};

	if (guard_shrink(engine, err)) {
		return -(int)err->code;
	}
	if (!planning_make(engine, false, ret_plan, err)) {
		return 0;
	}
	if (err->code != ERR_POLICY || engine->stale || engine_fall_back(engine, err, &ignored)) {
		return -(int)err->code;
	}
	return planning_make(engine, false, ret_plan, err) ? err_wrap(err, "the last good tree") : 0;
}

static int locked(struct engine *engine, const struct value *saved, engine_consent *consent,
                  void *context, struct engine_result *result, struct err *err)
{
	history_open(engine, STORE_WRITE);
	history_tidy(engine);
	reboots_begin_run(engine);
	if (make_plan(engine, &result->plan, err) ||
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

int engine_apply(struct engine *engine, const struct value *saved, engine_consent *consent,
                 void *context, struct engine_result *ret_result, struct err *err)
{
	struct self_lock lock = {.fd = -1};
	struct engine_result result = {0};

	if (engine->recorded) {
		return err_set(err, ERR_INPUT, 0, "recorded facts can be planned for, not applied");
	}
	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "%s changes the node and needs root; plan does not",
		               engine->options->command);
	}
	self_catch_stop();
	if (self_lock(engine->options->run_dir, engine->options->command, engine->options->lock_wait_ms,
	              &lock, err)) {
		return self_stop_signal() ? err_set(err, ERR_HOST, 0, "stopped by a signal")
		                          : -(int)err->code;
	}
	/* Asked under the lock: who was pausing while we waited is heard. */
	const char *paused = engine_paused(engine->options, engine->arena, NULL);
	int r = 0;

	if (paused && !engine->options->ignore_pause) {
		engine_note(engine, "paused: %s", paused);
		result.exit_code = 7;
	} else {
		use_saved(engine, saved);
		r = locked(engine, saved, consent, context, &result, err);
	}
	self_unlock(&lock);
	if (!r) {
		*ret_result = result;
	}
	return r;
}
