// SPDX-License-Identifier: MIT
/* See planner.h. */
#include "engine/planner.h"

#include "base/path.h"
#include "base/str.h"
#include "engine/gate.h"
#include "engine/order.h"
#include "engine/reboots.h"
#include "model/compare.h"
#include "model/mount_options.h"
#include "provider/converge.h"

#include <stdlib.h>
#include <string.h>

static struct pos place(const struct origin *origin)
{
	return origin->yaml.line ? origin->yaml : origin->lua;
}

static int conflict(const struct wanted *w, const struct origin *other, const char *field,
                    struct err *err)
{
	const struct origin *first = &w->origins[0];

	return err_at(
	    err, ERR_POLICY, place(other),
	    "%s: %s is wanted with two different values: by policy %s (%s:%u) and by policy %s (%s:%u)",
	    w->id, field, first->policy, first->lua.file ? first->lua.file : "?", first->lua.line,
	    other->policy, other->lua.file ? other->lua.file : "?", other->lua.line);
}

static void add_origin(struct arena *arena, struct wanted *w, const struct proposal *p)
{
	w->origins = arena_grow(arena, w->origins, w->origin_count, &w->origin_cap, sizeof *w->origins);
	w->origins[w->origin_count++] = p->origin;
	for (size_t i = 0; i < p->after_count; i++) {
		w->after = arena_grow(arena, w->after, w->after_count, &w->after_cap, sizeof *w->after);
		w->after[w->after_count++] = p->after[i];
	}
	if (p->provides_module) {
		w->provides_module = p->provides_module;
		w->provides_kernel = p->provides_kernel;
	}
}

static int by_kind_and_key(const void *a, const void *b)
{
	const struct resource *p = ((const struct wanted *)a)->want,
	                      *q = ((const struct wanted *)b)->want;

	return p->kind->id != q->kind->id ? (p->kind->id < q->kind->id ? -1 : 1)
	                                  : strcmp(p->key, q->key);
}

/* Sorted, and the table by id made anew: sorting moved the structs. */
static void settle_places(struct arena *arena, struct wanted_set *set)
{
	if (set->count) {
		qsort(set->list, set->count, sizeof *set->list, by_kind_and_key);
	}
	set->by_id = strmap_create(arena);
	for (size_t i = 0; i < set->count; i++) {
		strmap_put(set->by_id, set->list[i].id, &set->list[i]);
	}
}

int planner_wanted(struct arena *arena, const struct decision *decision, struct wanted_set *ret_set,
                   struct err *err)
{
	struct wanted_set set = {0};
	struct strmap *numbers = strmap_create(arena);

	for (size_t i = 0; i < decision->proposal_count; i++) {
		const struct proposal *p = &decision->proposals[i];
		const char *id = resource_id(arena, p->want->kind, p->want->key);
		size_t number = (size_t)(uintptr_t)strmap_get(numbers, id);

		if (number) {
			struct wanted *w = &set.list[number - 1];
			const char *field = resource_merge(arena, w->want, p->want);

			if (field) {
				return conflict(w, &p->origin, field, err);
			}
			add_origin(arena, w, p);
			continue;
		}
		set.list = arena_grow(arena, set.list, set.count, &set.cap, sizeof *set.list);
		set.list[set.count] = (struct wanted){.id = id, .want = resource_copy(arena, p->want)};
		add_origin(arena, &set.list[set.count++], p);
		strmap_put(numbers, id, (void *)(uintptr_t)set.count);
	}
	settle_places(arena, &set);
	for (size_t i = 0; i < set.count; i++) {
		if (converge_check(set.list[i].want, err)) {
			err->at = place(&set.list[i].origins[0]);
			return -(int)err->code;
		}
	}
	*ret_set = set;
	return 0;
}

void planner_compare(struct arena *arena, const struct resource *want, const struct resource *have,
                     struct step *step)
{
	struct verdict verdict = {0};

	step->have = have;
	if (have->state == STATE_UNDETERMINED) {
		step->action = ACTION_NONE;
		step->outcome = OUTCOME_UNDETERMINED;
		step->why = have->why;
		return;
	}
	converge_diff(arena, want, have, &verdict);
	step->action = verdict.action;
	step->outcome = verdict.outcome;
	step->why = verdict.why;
	step->marks = verdict.marks;
	step->differences = verdict.differences;
	if (verdict.outcome == OUTCOME_CHANGE && (want->kind->traits & KIND_UNDER_JOBS)) {
		step->marks |= MARK_UNDER_JOBS;
	}
}

/* The wanted file system is mounted: what waits is an option of it, or what somebody else has
 * written for the next boot. Another one that is only observed shows in its source or type; of a
 * bind mount that may be told by no field. */
static bool is_usable_mount(const struct step *need)
{
	const struct mount *want = &need->want->mount, *have = &need->have->mount;

	if (need->want->kind->id != KIND_MOUNT || need->outcome != OUTCOME_PENDING ||
	    need->want->state != STATE_PRESENT || !have->live.value || have->other_source ||
	    (text_equal(want->manage, "observe") && mount_options_bind(&want->options))) {
		return false;
	}
	for (size_t i = 0; i < need->differences.count; i++) {
		if (strcmp(need->differences.list[i].field, "options") != 0) {
			return false;
		}
	}
	return true;
}

bool planner_is_met(const struct step *need)
{
	/* An index that could not be refreshed offers what it offered before, and there is the cache:
	 * whoever comes after it finds out for himself. */
	return need->outcome == OUTCOME_KEPT || need->outcome == OUTCOME_CHANGED ||
	       need->want->kind->id == KIND_PACKAGE_INDEX ||
	       /* Not as wanted in version or parameters, and there: it does what it is needed for. */
	       ((need->outcome == OUTCOME_PENDING || need->outcome == OUTCOME_BLOCKED) &&
	        need->want->kind->id == KIND_MODULE && need->have->module.loaded.value) ||
	       is_usable_mount(need);
}

struct planning {
	struct arena *arena;
	const struct wanted_set *set;
	const struct decision *decision;
	const struct order *order;
	struct gate gate;
	struct facts *facts;
	struct step *steps;     /* by position in the sequence */
	size_t *position;       /* wanted number → position */
	const bool *selected;   /* by wanted number: --only asks for it, or needs it */
	struct strmap *blocked; /* id → struct note: plan:block with a resource */
};

/* A mount that is there now, but will be hidden by one above it that comes first, is not the one
 * that will be there. */
static bool is_mounted(const struct step *mount)
{
	return mount->have->state == STATE_PRESENT && mount->have->mount.live.value &&
	       !(mount->marks & MARK_AFTER_MOUNT);
}

static bool will_be_mounted(const struct step *mount)
{
	return mount->outcome == OUTCOME_CHANGE && mount->want->state == STATE_PRESENT &&
	       !is_mounted(mount);
}

/* Does this step bring the module for the running kernel? */
static int brings_module(const struct planning *p, const struct step *need, const char *module,
                         bool *ret_brings, struct err *err)
{
	const struct wanted *w = strmap_get(p->set->by_id, need->id);
	const struct resource *kernel;

	*ret_brings = false;
	if (need->outcome != OUTCOME_CHANGE || need->want->state != STATE_PRESENT) {
		return 0;
	}
	if (need->want->kind->id == KIND_DKMS) {
		*ret_brings = true; /* whoever planned it to come first meant just that */
		return 0;
	}
	if (!text_equal(w ? w->provides_module : NULL, module)) {
		return 0;
	}
	if (facts_look(p->facts, &kind_table[KIND_KERNEL], "", &kernel, err)) {
		return -(int)err->code;
	}
	*ret_brings =
	    kernel->state == STATE_PRESENT && text_equal(kernel->kernel.running, w->provides_kernel);
	return 0;
}

/* What speaks against loading a module is just that it is not there, and an earlier step brings
 * it. */
static int load_after_bringer(struct planning *p, struct step *step, struct err *err)
{
	bool brings = false;

	if (step->have->module.loaded.value) {
		return 0;
	}
	for (size_t i = 0; i < step->need_count && !brings; i++) {
		if (brings_module(p, &p->steps[step->needs[i]], step->want->key, &brings, err)) {
			return -(int)err->code;
		}
	}
	if (brings) {
		struct resource *have = resource_copy(p->arena, step->have);

		have->state = STATE_PRESENT;
		have->module.loaded = (struct truth){.set = true};
		have->module.obstacle = NULL;
		planner_compare(p->arena, step->want, have, step);
	}
	return 0;
}

/* What speaks against building a module is just that the headers are not there, and an earlier step
 * installs them. */
static void build_after_headers(struct planning *p, struct step *step)
{
	const char *at = strchr(step->want->key, '@');
	const char *headers = at ? arena_printf(p->arena, "linux-headers-%s", at + 1) : NULL;

	for (size_t i = 0; i < step->need_count; i++) {
		const struct step *need = &p->steps[step->needs[i]];

		if (text_equal(step->have->dkms.status, "no headers") && need->outcome == OUTCOME_CHANGE &&
		    need->want->kind->id == KIND_PACKAGE && need->want->state == STATE_PRESENT &&
		    text_equal(need->want->key, headers)) {
			struct resource *have = resource_copy(p->arena, step->have);

			have->dkms.status = "added";
			have->dkms.headers = (struct truth){.set = true, .value = true};
			planner_compare(p->arena, step->want, have, step);
		}
	}
}

/* Blocked as things are, and no more once what comes before it is done. */
static int foresee(struct planning *p, struct step *step, struct err *err)
{
	if (step->outcome != OUTCOME_BLOCKED || step->want->state != STATE_PRESENT) {
		return 0;
	}
	if (step->want->kind->id == KIND_DKMS) {
		build_after_headers(p, step);
	}
	return step->want->kind->id == KIND_MODULE ? load_after_bringer(p, step, err) : 0;
}

/* What lies on a mount that is not live yet was observed on what lies beneath: it says nothing. */
static void look_through_mount(struct planning *p, struct step *step, const struct step *mount)
{
	if (is_mounted(mount)) {
		return;
	}
	if (!will_be_mounted(mount)) {
		step->action = ACTION_NONE;
		step->outcome =
		    mount->outcome == OUTCOME_UNDETERMINED ? OUTCOME_UNDETERMINED : OUTCOME_BLOCKED;
		step->why = arena_printf(p->arena, "lies on %s, which is not mounted", mount->id);
		return;
	}
	step->differences = (struct differences){0};
	if (step->want->kind->id == KIND_DATA_REPOSITORY) {
		step->action = ACTION_NONE;
		step->outcome = OUTCOME_PENDING;
		step->why = arena_printf(p->arena, "known once %s is there", mount->id);
		return;
	}
	step->marks = MARK_AFTER_MOUNT;
	step->outcome = OUTCOME_CHANGE;
	step->why = NULL;
	if (step->want->kind->id == KIND_MOUNT) {
		step->action = ACTION_CREATE;
	} else {
		step->action = ACTION_UPDATE;
	}
	differences_add(p->arena, &step->differences, "state", "known after mount",
	                state_name(step->want->state));
}

/* Something that comes before it may make the folder it is to lie in: a directory or mount of that
 * path, or whatever is no matter of paths. */
static bool folder_may_come(const struct planning *p, const struct step *step)
{
	const char *folder = path_parent(p->arena, step->want->key);

	for (size_t i = 0; i < step->need_count; i++) {
		const struct step *need = &p->steps[step->needs[i]];
		enum kind_id kind = need->want->kind->id;
		bool of_paths = kind == KIND_DIRECTORY || kind == KIND_FILE || kind == KIND_MOUNT;

		if (need->outcome == OUTCOME_CHANGE && (!of_paths || text_equal(need->want->key, folder))) {
			return true;
		}
	}
	return false;
}

/* What is to lie in a folder that is not there, and that nobody makes. */
static void ask_for_folder(const struct planning *p, struct step *step)
{
	if (step->outcome == OUTCOME_CHANGE && !(step->marks & MARK_AFTER_MOUNT) &&
	    step->have->state == STATE_ABSENT && step->have->why && !folder_may_come(p, step)) {
		step->outcome = OUTCOME_BLOCKED;
		step->why = step->have->why;
	}
}

/* A source that will change makes an index old, however young it is. */
static void refresh_after_source(struct planning *p, struct step *step)
{
	for (size_t i = 0; step->want->kind->id == KIND_PACKAGE_INDEX && i < step->need_count; i++) {
		const struct step *need = &p->steps[step->needs[i]];

		if (step->outcome == OUTCOME_KEPT && need->want->kind->id == KIND_PACKAGE_SOURCE &&
		    need->outcome == OUTCOME_CHANGE) {
			struct resource *have = resource_copy(p->arena, step->have);

			have->package_index.outdated = need->id;
			planner_compare(p->arena, step->want, have, step);
		}
	}
}

/* As it is wanted, and yet to come: an automount is armed, which hides until the first use what
 * would keep the mount away. */
static bool waits_for_use(const struct step *step)
{
	return step->outcome == OUTCOME_KEPT && step->want->kind->id == KIND_MOUNT &&
	       step->want->state == STATE_PRESENT && step->have->mount.automount.value &&
	       !step->have->mount.live.value;
}

static void block(struct planning *p, struct step *step, const char *why)
{
	if (step->outcome == OUTCOME_KEPT) {
		compare_resources(p->arena, step->want, step->have, &step->differences);
	}
	step->outcome = OUTCOME_BLOCKED;
	step->why = why;
}

/* A change waits for what it needs: when that cannot converge, neither can it. */
static void wait_for_needs(struct planning *p, struct step *step)
{
	for (size_t i = 0; i < step->need_count; i++) {
		const struct step *need = &p->steps[step->needs[i]];

		if ((step->outcome == OUTCOME_CHANGE || waits_for_use(step)) &&
		    need->outcome != OUTCOME_CHANGE && !planner_is_met(need)) {
			block(p, step,
			      arena_printf(p->arena, "needs %s, which is %s", need->id,
			                   outcome_name(need->outcome)));
		}
	}
}

static void apply_note(struct planning *p, struct step *step)
{
	const struct note *note = strmap_get(p->blocked, step->id);

	if (note && (step->outcome != OUTCOME_KEPT || waits_for_use(step))) {
		block(p, step, note->origin.reason);
	}
}

/* Jobs are counted only when a change that must wait for them is planned: looking for them is not
 * free. */
static int count_jobs(struct planning *p, const struct step *step, struct err *err)
{
	const struct resource *scheduler;

	if (p->gate.jobs != JOBS_NOT_COUNTED || p->gate.person || step->outcome != OUTCOME_CHANGE ||
	    !(step->marks & MARK_UNDER_JOBS)) {
		return 0;
	}
	if (facts_look(p->facts, &kind_table[KIND_SCHEDULER], "", &scheduler, err)) {
		return -(int)err->code;
	}
	gate_count_jobs(&p->gate, scheduler);
	return 0;
}

/* An earlier change of it that has not come to an end: no second one is begun beside it. */
static void wait_for_last(struct planning *p, struct step *step)
{
	const char *why =
	    step->outcome == OUTCOME_CHANGE && p->facts->worker
	        ? worker_held_up(p->facts->worker, step->want->kind, step->want->key, p->arena)
	        : NULL;

	if (why) {
		step->outcome = OUTCOME_BLOCKED;
		step->why = why;
	}
}

static int make_step(struct planning *p, size_t at, const struct resource *have, struct err *err)
{
	size_t number = p->order->sequence[at];
	const struct wanted *w = &p->set->list[number];
	struct step *step = &p->steps[at];
	size_t over = p->order->mount_over[number];

	*step = (struct step){
	    .id = w->id,
	    .want = w->want,
	    .origins = w->origins,
	    .origin_count = w->origin_count,
	    .needs = arena_array(p->arena, p->order->need_counts[number], sizeof *step->needs),
	    .need_count = p->order->need_counts[number],
	};
	for (size_t i = 0; i < step->need_count; i++) {
		step->needs[i] = p->position[p->order->needs[number][i]];
	}
	planner_compare(p->arena, w->want, have, step);
	refresh_after_source(p, step);
	if (foresee(p, step, err)) {
		return -(int)err->code;
	}
	wait_for_last(p, step);
	if (over) {
		look_through_mount(p, step, &p->steps[p->position[over - 1]]);
	}
	apply_note(p, step);
	if (count_jobs(p, step, err)) {
		return -(int)err->code;
	}
	gate_step(p->arena, &p->gate, p->selected[number], step);
	wait_for_needs(p, step);
	ask_for_folder(p, step);
	reboots_hold_drained(p->arena, p->decision, p->set->by_id, step);
	return reboots_hold_back(p->facts, p->steps, step, err);
}

int planner_check_only(const struct wanted_set *set, const struct gate *gate, struct err *err)
{
	for (const char *const *only = gate->only; only && *only; only++) {
		const char *const one[] = {*only, NULL};
		const struct gate alone = {.only = one};
		size_t i = 0;

		while (i < set->count && !gate_selects(&alone, set->list[i].id)) {
			i++;
		}
		if (i == set->count) {
			return err_set(err, ERR_INPUT, 0,
			               "--only %s: nothing of that name is wanted on this node", *only);
		}
	}
	return 0;
}

/* What --only names, and all that needs to come before it. */
static int select_steps(struct arena *arena, const struct wanted_set *set,
                        const struct order *order, const struct gate *gate,
                        const bool **ret_selected, struct err *err)
{
	bool *selected = arena_array(arena, set->count, sizeof *selected);

	if (planner_check_only(set, gate, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < set->count; i++) {
		selected[i] = gate_selects(gate, set->list[i].id);
	}
	for (size_t at = set->count; at-- > 0;) {
		size_t i = order->sequence[at];

		for (size_t k = 0; selected[i] && k < order->need_counts[i]; k++) {
			size_t need = order->needs[i][k];

			selected[need] |= gate_takes_along(gate, set->list[need].want);
		}
	}
	*ret_selected = selected;
	return 0;
}

static struct strmap *notes_by_resource(struct arena *arena, const struct decision *decision)
{
	struct strmap *map = strmap_create(arena);

	for (size_t i = 0; i < decision->block_count; i++) {
		if (decision->blocks[i].resource) {
			strmap_put(map, decision->blocks[i].resource, &decision->blocks[i]);
		}
	}
	return map;
}

static struct plan plan_of(const struct decision *decision, struct step *steps, size_t n)
{
	return (struct plan){
	    .steps = steps,
	    .step_count = n,
	    .blocks = decision->blocks,
	    .block_count = decision->block_count,
	    .warnings = decision->warnings,
	    .warning_count = decision->warning_count,
	    .undecided = decision->undecided,
	    .undecided_count = decision->undecided_count,
	};
}

int planner_plan(const struct wanted_set *set, const struct decision *decision, struct facts *facts,
                 const struct gate *gate, struct plan *ret_plan, struct err *err)
{
	struct arena *arena = facts->arena;
	size_t n = set->count;
	const struct resource **wants = arena_array(arena, n, sizeof *wants);
	const struct resource **haves = arena_array(arena, n, sizeof *haves);
	struct order order;

	if (order_make(arena, set, &order, err)) {
		return -(int)err->code;
	}
	const bool *selected = NULL;

	if (select_steps(arena, set, &order, gate, &selected, err)) {
		return -(int)err->code;
	}
	struct planning p = {
	    .arena = arena,
	    .selected = selected,
	    .set = set,
	    .decision = decision,
	    .order = &order,
	    .gate = *gate,
	    .facts = facts,
	    .steps = arena_array(arena, n, sizeof *p.steps),
	    .position = arena_array(arena, n, sizeof *p.position),
	    .blocked = notes_by_resource(arena, decision),
	};
	for (size_t at = 0; at < n; at++) {
		p.position[order.sequence[at]] = at;
		wants[at] = set->list[order.sequence[at]].want;
	}
	if (facts_observe(facts, wants, n, haves, err)) {
		return -(int)err->code;
	}
	for (size_t at = 0; at < n; at++) {
		if (make_step(&p, at, haves[at], err)) {
			return -(int)err->code;
		}
	}
	*ret_plan = plan_of(decision, p.steps, n);
	return 0;
}
