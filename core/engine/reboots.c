// SPDX-License-Identifier: MIT
/* See reboots.h. */
#include "engine/reboots.h"

#include "base/clock.h"
#include "base/path.h"
#include "host/self.h"
#include "provider/reboot_ledger.h"

#include <string.h>
#include <sys/utsname.h>

static int write_ledger(const char *path, struct arena *arena, const struct reboot_ledger *ledger,
                        struct err *err)
{
	const char *text = reboot_ledger_text(arena, ledger);

	return self_state_write(path, text, strlen(text), err);
}

int reboots_begin(const char *state_dir, struct arena *arena, struct err *err)
{
	const struct reboot_ledger empty = {0};

	return write_ledger(path_join(arena, state_dir, REBOOT_LEDGER_NAME), arena, &empty, err);
}

/* May one come to be planned, if only to wait for consent? The ledger is there before the history
 * knows of it: with `when: never` of today and another word tomorrow nothing would tell it from one
 * that was lost. */
static bool are_possible(const struct engine *engine)
{
	static const char *const sections[] = {"reboot", "kernel", "modules"};

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (value_get(&engine->desired.state, sections[i])) {
			return true;
		}
	}
	return false;
}

/* Does the history show that a reboot was ever planned here? What cannot be told counts as yes. */
static bool are_known(struct engine *engine)
{
	struct err ignored = {0};
	struct value since;

	return !engine->store || store_since(engine->store, engine->arena, &since, &ignored) ||
	       value_get(&since, "reboot");
}

static const char *boot_default(struct engine *engine)
{
	struct worker_query query = {.kind = &kind_table[KIND_KERNEL], .key = ""};
	const struct resource *kernel;
	struct err ignored = {0};

	return !worker_observe_fresh(engine->worker, &query, engine->arena, &kernel, &ignored) &&
	               kernel->state == STATE_PRESENT
	           ? kernel->kernel.boot_default
	           : NULL;
}

static bool note_results(struct engine *engine, struct reboot_ledger *ledger)
{
	struct utsname names;

	if (uname(&names)) {
		return false;
	}
	struct reboot_boot boot = {
	    .id = engine->boot_id,
	    .running = arena_strdup(engine->arena, names.release),
	    .began = clock_now() - clock_ms() / 1000,
	};
	bool noted = reboot_ledger_settle(ledger, &boot);
	const struct reboot_entry *open = reboot_ledger_open(ledger);

	if (open && open->trial && text_equal(open->result, REBOOT_ARRIVED)) {
		boot.boot_default = boot_default(engine);
		noted |= reboot_ledger_settle(ledger, &boot);
	}
	return noted;
}

static void settle(struct engine *engine, bool begins)
{
	const char *path = path_join(engine->arena, engine->options->state_dir, REBOOT_LEDGER_NAME);
	struct reboot_ledger ledger;
	const char *text;
	struct err err = {0};
	const char *unanswered = worker_unanswered(engine->worker, path, engine->arena);

	if (unanswered) {
		engine_note(engine, "the ledger of reboots: %s", unanswered);
		return;
	}
	if (self_state_read(path, engine->arena, &text, &err)) {
		engine_note(engine, "the ledger of reboots: %s", err.text);
		return;
	}
	if (!text) {
		if (are_possible(engine) && !are_known(engine) &&
		    reboots_begin(engine->options->state_dir, engine->arena, &err)) {
			engine_note(engine, "the ledger of reboots cannot be begun: %s", err.text);
		}
		return;
	}
	if (reboot_ledger_parse(text, strlen(text), engine->arena, &ledger, &err)) {
		engine_note(engine, "%s: %s; nothing is rebooted", path, err.text);
		return;
	}
	bool noted = note_results(engine, &ledger);

	noted |= begins && reboot_ledger_count_run(&ledger);
	if (noted && write_ledger(path, engine->arena, &ledger, &err)) {
		engine_note(engine, "the ledger of reboots: %s", err.text);
	}
}

void reboots_settle(struct engine *engine)
{
	settle(engine, false);
}

void reboots_begin_run(struct engine *engine)
{
	settle(engine, true);
}

void reboots_hold_drained(struct arena *arena, const struct decision *decision,
                          const struct strmap *planned, struct step *step)
{
	const char *why = NULL;

	if (step->outcome != OUTCOME_CHANGE || step->want->kind->id != KIND_SCHEDULER) {
		return;
	}
	if (decision->undecided_count) {
		why = arena_printf(arena, "%s is undecided: %s cannot be told", decision->undecided[0].item,
		                   decision->undecided[0].fact);
	}
	for (size_t i = 0; i < decision->block_count && !why; i++) {
		const char *id = decision->blocks[i].resource;

		if (id && (text_starts(id, "module:") || text_starts(id, "mount:")) &&
		    !strmap_get(planned, id)) {
			why = arena_printf(arena, "needs %s, which is blocked", id);
		}
	}
	if (why) {
		step->outcome = OUTCOME_BLOCKED;
		step->why = why;
	}
}

static bool is_resumed(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->want->kind->id == KIND_SCHEDULER) {
			return step->outcome == OUTCOME_KEPT || step->outcome == OUTCOME_CHANGED;
		}
	}
	return false;
}

void reboots_note_resumed(struct engine *engine, const struct plan *plan)
{
	const char *path = path_join(engine->arena, engine->options->state_dir, REBOOT_LEDGER_NAME);
	struct reboot_ledger ledger;
	struct utsname names;
	const char *text;
	struct err err = {0};

	if (!is_resumed(plan) || uname(&names) ||
	    worker_unanswered(engine->worker, path, engine->arena)) {
		return;
	}
	/* A ledger that cannot be read was told of before. */
	if (self_state_read(path, engine->arena, &text, &err) || !text ||
	    reboot_ledger_parse(text, strlen(text), engine->arena, &ledger, &err) ||
	    !reboot_ledger_drained(&ledger, names.release)) {
		return;
	}
	reboot_ledger_resume(&ledger);
	if (write_ledger(path, engine->arena, &ledger, &err)) {
		engine_note(engine, "the ledger of reboots: %s", err.text);
	}
}

static const char *next_of(const struct kernel *kernel)
{
	return kernel->boot_next && *kernel->boot_next && strcmp(kernel->boot_next, "none") != 0
	           ? kernel->boot_next
	           : kernel->boot_default;
}

int reboots_hold_back(struct facts *facts, const struct step *steps, struct step *step,
                      struct err *err)
{
	const struct resource *kernel;

	if (step->outcome != OUTCOME_CHANGE || step->want->kind->id != KIND_REBOOT) {
		return 0;
	}
	for (size_t i = 0; i < step->need_count; i++) {
		const struct resource *want = steps[step->needs[i]].want;

		if (want->kind->id == KIND_KERNEL &&
		    text_equal(next_of(&want->kernel), step->want->reboot.into)) {
			return 0;
		}
	}
	if (facts_look(facts, &kind_table[KIND_KERNEL], "", &kernel, err)) {
		return -(int)err->code;
	}
	const char *boots = kernel->state == STATE_PRESENT ? next_of(&kernel->kernel) : NULL;

	if (!text_equal(boots, step->want->reboot.into)) {
		step->outcome = OUTCOME_BLOCKED;
		step->why = boots ? arena_printf(facts->arena, "%s would boot, not %s", boots,
		                                 step->want->reboot.into)
		                  : "what will boot next cannot be told";
	}
	return 0;
}
