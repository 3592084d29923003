// SPDX-License-Identifier: MIT
/* See check.h. */
#include "engine/check.h"

#include "base/clock.h"
#include "engine/doctor_inner.h"
#include "engine/next_boot.h"

#include <string.h>

enum { RUNS_MOST = 500 };

/* What is wrong, by how bad it is. */
struct finding {
	enum doctor_health health;
	const char *text;
};

struct checking {
	struct engine *engine;
	struct check *check;
	struct finding *list;
	size_t count, cap;
};

static void find(struct checking *c, enum doctor_health health, const char *text)
{
	c->list = arena_grow(c->engine->arena, c->list, c->count, &c->cap, sizeof *c->list);
	c->list[c->count++] = (struct finding){health, text};
	c->check->health = doctor_worse(c->check->health, health);
}

static void measure(struct checking *c, const char *name, size_t value, const char *unit)
{
	if (c->check->part_count < ARRAY_LEN(c->check->parts)) {
		c->check->parts[c->check->part_count++] = (struct check_part){name, (int64_t)value, unit};
	}
}

/* ---- What the tree wants ---- */

static bool is_missing_mount(const struct step *step)
{
	return step->want->kind->id == KIND_MOUNT && step->want->state == STATE_PRESENT && step->have &&
	       step->have->state != STATE_UNDETERMINED && !step->have->mount.live.value;
}

static void judge_step(struct checking *c, const struct step *step)
{
	const char *why = step->why ? step->why : "";
	const char *text =
	    arena_printf(c->engine->arena, "%s %s%s%s", step->id,
	                 step->outcome == OUTCOME_CHANGE ? "to change" : outcome_name(step->outcome),
	                 *why ? ": " : "", why);

	switch (step->outcome) {
	case OUTCOME_FAILED:
	case OUTCOME_BLOCKED:
		find(c, DOCTOR_CRITICAL, text);
		break;
	case OUTCOME_CHANGE:
	case OUTCOME_PENDING:
		find(c, is_missing_mount(step) ? DOCTOR_CRITICAL : DOCTOR_WARNING, text);
		break;
	case OUTCOME_UNDETERMINED:
		find(c, DOCTOR_UNKNOWN, text);
		break;
	default:
		break;
	}
}

static void judge_notes(struct checking *c, const struct plan *plan)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct note *block = &plan->blocks[i];

		/* What the next boot would lose is judged by itself, and not blocked now. */
		if (!block->resource && !text_equal(block->rule, "no-module-next-boot")) {
			find(c, DOCTOR_CRITICAL, block->origin.reason);
		}
	}
	for (size_t i = 0; i < plan->undecided_count; i++) {
		find(c, DOCTOR_UNKNOWN,
		     arena_printf(c->engine->arena, "%s undetermined: %s", plan->undecided[i].item,
		                  plan->undecided[i].origin.reason));
	}
	if (plan->paused) {
		find(c, DOCTOR_WARNING, arena_printf(c->engine->arena, "paused: %s", plan->paused));
	}
}

static int judge_tree(struct checking *c, struct err *err)
{
	struct plan_counts counts;
	struct plan *plan;

	if (engine_plan(c->engine, &plan, err)) {
		return -(int)err->code;
	}
	counts = plan_count(plan);
	for (size_t i = 0; i < plan->step_count; i++) {
		judge_step(c, &plan->steps[i]);
	}
	judge_notes(c, plan);
	measure(c, "in_sync", counts.of[OUTCOME_KEPT], "");
	measure(c, "to_change", counts.of[OUTCOME_CHANGE], "");
	measure(c, "blocked", counts.of[OUTCOME_BLOCKED], "");
	measure(c, "pending", counts.of[OUTCOME_PENDING], "");
	measure(c, "undetermined", counts.of[OUTCOME_UNDETERMINED], "");
	return 0;
}

/* ---- Mounts, the next boot, the last run ---- */

static void judge_mounts(struct checking *c, const struct doctor *doctor)
{
	size_t hung = 0, missing = 0;

	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_mount *m = &doctor->list[i];

		hung += m->standing == DOCTOR_HUNG || m->standing == DOCTOR_BROKEN;
		missing += m->standing == DOCTOR_NOT_MOUNTED && m->health != DOCTOR_OK;
		if (m->health != DOCTOR_OK) {
			find(c, m->health,
			     arena_printf(c->engine->arena, "%s %s%s%s", m->target,
			                  doctor_standing_name(m->standing), m->why ? ": " : "",
			                  m->why ? m->why : ""));
		}
	}
	if (doctor->fstab_why) {
		find(c, DOCTOR_UNKNOWN, doctor->fstab_why);
	}
	measure(c, "mounts", doctor->count, "");
	measure(c, "not_mounted", missing, "");
	measure(c, "hung", hung, "");
}

/* What is wanted is not known then, and so not what could be lost. */
static void judge_untold(struct checking *c, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_mount *m = &doctor->list[i];

		if (m->standing == DOCTOR_UNTOLD) {
			find(c, DOCTOR_UNKNOWN,
			     arena_printf(c->engine->arena, "%s %s: %s", m->target,
			                  doctor_standing_name(m->standing), m->why));
		}
	}
	if (doctor->fstab_why) {
		find(c, DOCTOR_UNKNOWN, doctor->fstab_why);
	}
}

/* A loss to come is a warning to those who watch, and critical to those who ask for it. */
static void judge_next_boot(struct checking *c, const struct next_boot *next,
                            enum doctor_health loss)
{
	c->check->next_boot = next;
	if (next && next->lost) {
		find(c, loss, next->sentence);
	} else if (next && (!next->release || next->loss_count)) {
		find(c, DOCTOR_UNKNOWN, next->sentence ? next->sentence : next->why);
	}
	measure(c, "next_boot_lost", next ? next->lost : 0, "");
	measure(c, "next_boot_unproven", next ? next->loss_count - next->lost : 0, "");
}

static int ask_next_boot(struct checking *c, const struct next_boot **ret_next, struct err *err)
{
	struct next_boot_wants wants = {0};
	struct next_boot *next;

	next_boot_wants_of(c->engine->arena, &c->engine->desired.state, &wants);
	wants.kernel = true;
	if (next_boot_judge(c->engine->arena, &c->engine->facts.source, &wants, NULL, &next, err)) {
		return -(int)err->code;
	}
	*ret_next = next;
	return 0;
}

/* The last run that has looked at the node; what an operator allowed is recorded as well. NULL:
 * there is none. */
static const struct value *last_run(struct checking *c,
                                    const struct store_condition **ret_condition)
{
	struct store *store = engine_history(c->engine, ret_condition);
	struct err fault = {0};
	struct value runs;

	if (!store || store_runs(store, c->engine->arena, RUNS_MOST, &runs, &fault)) {
		return NULL;
	}
	for (size_t i = 0; i < runs.count; i++) {
		if (value_text(&runs.items[i], "facts")) {
			return runs.items + i;
		}
	}
	return NULL;
}

static void judge_last_run(struct checking *c, int64_t max_age)
{
	const struct store_condition *condition;
	const struct value *run = last_run(c, &condition);

	if (!run) {
		if (max_age) {
			find(c, DOCTOR_UNKNOWN, condition->problem ? condition->problem : "no run is recorded");
		}
		return;
	}
	int64_t age = clock_now() - value_number(run, "started", 0);

	age = age > 0 ? age : 0;
	measure(c, "last_run", (size_t)age, "s");
	if (max_age && age > max_age) {
		AUTO(str_free) struct str text = {0};

		str_add(&text, "the last run was ");
		clock_add_span(&text, age * 1000);
		str_add(&text, " ago");
		find(c, DOCTOR_WARNING, arena_strdup(c->engine->arena, str_text(&text)));
	}
}

/* ---- All of it ---- */

/* The worst first, each once. */
static void put_together(struct checking *c, const char *well)
{
	static const enum doctor_health order[] = {DOCTOR_CRITICAL, DOCTOR_WARNING, DOCTOR_UNKNOWN};
	AUTO(str_free) struct str text = {0};

	for (size_t o = 0; o < ARRAY_LEN(order); o++) {
		for (size_t i = 0; i < c->count; i++) {
			if (c->list[i].health == order[o] && !strstr(str_text(&text), c->list[i].text)) {
				str_add(&text, text.length ? "; " : "");
				str_add(&text, c->list[i].text);
			}
		}
	}
	c->check->text = text.length ? arena_strdup(c->engine->arena, str_text(&text)) : well;
}

static int load(struct checking *c, struct err *err)
{
	if (doctor_begin(c->engine, err) || doctor_has_tree(c->engine, &c->check->tree, err)) {
		return -(int)err->code;
	}
	/* A tree that was asked for in so many words and is not there is a fault, not a reason to judge
	 * by something else. */
	c->check->tree |= c->engine->options->tree_named ||
	                  strcmp(c->engine->options->tree, doctor_default_tree) != 0;
	return c->check->tree ? engine_load(c->engine, &c->check->diags, err) : 0;
}

int check_node(struct engine *engine, int64_t max_age, struct check *ret_check, struct err *err)
{
	struct checking c = {.engine = engine, .check = ret_check};
	struct doctor *doctor;
	const struct next_boot *next;

	*ret_check = (struct check){.diags = {.arena = engine->arena}};
	if (load(&c, err)) {
		return -(int)err->code;
	}
	if (!ret_check->tree) {
		if (doctor_look(engine, NULL, &doctor, err)) {
			return -(int)err->code;
		}
		judge_mounts(&c, doctor);
		judge_next_boot(&c, doctor->next_boot, DOCTOR_WARNING);
		if (max_age) {
			judge_last_run(&c, max_age);
		}
		put_together(&c, doctor->count ? "all wanted file systems are mounted and answer"
		                               : "no file system is wanted, and none of a storage "
		                                 "client is mounted");
		return 0;
	}
	if (doctor_look_at_mounts(engine, NULL, &doctor, err) || judge_tree(&c, err) ||
	    ask_next_boot(&c, &next, err)) {
		return -(int)err->code;
	}
	judge_mounts(&c, doctor);
	judge_next_boot(&c, next, DOCTOR_WARNING);
	judge_last_run(&c, max_age);
	put_together(&c, "in sync, all wanted file systems are mounted and answer");
	return 0;
}

int check_next_boot(struct engine *engine, struct check *ret_check, struct err *err)
{
	struct checking c = {.engine = engine, .check = ret_check};
	const struct next_boot *next;
	struct doctor *doctor;

	*ret_check = (struct check){.diags = {.arena = engine->arena}};
	if (load(&c, err)) {
		return -(int)err->code;
	}
	if (ret_check->tree ? ask_next_boot(&c, &next, err) : doctor_look(engine, NULL, &doctor, err)) {
		return -(int)err->code;
	}
	judge_next_boot(&c, ret_check->tree ? next : doctor->next_boot, DOCTOR_CRITICAL);
	if (!ret_check->tree) {
		judge_untold(&c, doctor);
	}
	put_together(&c, ret_check->next_boot && ret_check->next_boot->sentence
	                     ? ret_check->next_boot->sentence
	                     : "nothing is wanted that a kernel could lose");
	return 0;
}

struct value check_to_value(struct arena *arena, const struct check *check)
{
	struct value v = value_map(), figures = value_map();

	for (size_t i = 0; i < check->part_count; i++) {
		value_put(arena, &figures, check->parts[i].name, value_int(check->parts[i].value));
	}
	value_put(arena, &v, "health", value_string(doctor_health_name(check->health)));
	value_put(arena, &v, "exit_code", value_int((int64_t)check->health));
	value_put(arena, &v, "text", value_string(check->text));
	value_put(arena, &v, "tree", value_bool(check->tree));
	value_put(arena, &v, "figures", figures);
	value_put(arena, &v, "next_boot",
	          check->next_boot ? next_boot_to_value(arena, check->next_boot) : value_null());
	value_seal(&v);
	return v;
}
