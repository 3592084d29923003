// SPDX-License-Identifier: MIT
/* See plan.h. */
#include "model/plan.h"

#include "base/clock.h"
#include "base/strmap.h"

#include <string.h>

const char *action_name(enum action action)
{
	static const char *const names[] = {
	    [ACTION_NONE] = "none",     [ACTION_CREATE] = "create", [ACTION_UPDATE] = "update",
	    [ACTION_REMOVE] = "remove", [ACTION_RUN] = "run",       [ACTION_REPLACE] = "replace",
	};

	return names[action];
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
	    [OUTCOME_KEPT] = "kept",       [OUTCOME_CHANGE] = "change",
	    [OUTCOME_CHANGED] = "changed", [OUTCOME_PENDING] = "pending",
	    [OUTCOME_BLOCKED] = "blocked", [OUTCOME_SKIPPED] = "skipped",
	    [OUTCOME_FAILED] = "failed",   [OUTCOME_UNDETERMINED] = "undetermined",
	};

	return names[outcome];
}

static const struct {
	enum mark mark;
	const char *name;
} mark_names[] = {
    {MARK_DISRUPTIVE, "disruptive"},     {MARK_IRREVERSIBLE, "irreversible"},
    {MARK_NEEDS_REBOOT, "needs reboot"}, {MARK_UNDER_JOBS, "under jobs"},
    {MARK_UNPROVEN, "unproven"},         {MARK_AFTER_MOUNT, "known after mount"},
};

const char *marks_text(struct arena *arena, unsigned marks)
{
	AUTO(str_free) struct str out = {0};

	for (size_t i = 0; i < ARRAY_LEN(mark_names); i++) {
		if (marks & mark_names[i].mark) {
			str_add(&out, out.length ? ", " : "");
			str_add(&out, mark_names[i].name);
		}
	}
	return arena_strdup(arena, str_text(&out));
}

void retry_when(struct str *s, const struct retry *retry, int64_t now)
{
	char stamp[24];
	const char *time = strchr(clock_stamp(retry->at, stamp), 'T');

	/* The time of day alone: it is never further away than an hour or so. */
	str_addf(s, "next try %s", time ? time + 1 : stamp);
	if (retry->at > now) {
		str_add(s, " (in ");
		clock_add_span(s, (retry->at - now) * 1000);
		str_addc(s, ')');
	}
}

void retry_text(struct str *s, const struct retry *retry, int64_t now)
{
	str_addf(s, "backing off after %u %s: %s; ", retry->failures,
	         retry->failures == 1 ? "failure" : "failures", retry->error);
	retry_when(s, retry, now);
}

struct plan_counts plan_count(const struct plan *plan)
{
	struct plan_counts counts = {0};

	for (size_t i = 0; i < plan->step_count; i++) {
		counts.of[plan->steps[i].outcome]++;
	}
	counts.of[OUTCOME_UNDETERMINED] += plan->undecided_count;
	counts.of[OUTCOME_BLOCKED] +=
	    plan->next_boot && plan->next_boot->lost && !plan->next_boot->remedied;
	/* The tree as it lies there is what cannot be done. */
	counts.of[OUTCOME_BLOCKED] += plan->basis.stale_tree;
	if (!plan->block_count) {
		return counts;
	}
	/* A block that shows in a step that is itself blocked counts once. */
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct strmap *blocked = strmap_create(arena);

	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].outcome == OUTCOME_BLOCKED) {
			strmap_put(blocked, plan->steps[i].id, &plan->steps[i]);
		}
	}
	for (size_t i = 0; i < plan->block_count; i++) {
		const char *id = plan->blocks[i].resource;

		counts.of[OUTCOME_BLOCKED] += !id || !strmap_get(blocked, id);
	}
	return counts;
}

int plan_exit_code(const struct plan *plan)
{
	static const struct {
		enum outcome outcome;
		enum exit_code code;
	} codes[] = {
	    {OUTCOME_FAILED, EXIT_FAILED},
	    {OUTCOME_CHANGE, EXIT_CHANGES},
	    {OUTCOME_UNDETERMINED, EXIT_UNDETERMINED},
	    {OUTCOME_BLOCKED, EXIT_BLOCKED},
	    {OUTCOME_PENDING, EXIT_BLOCKED},
	};
	struct plan_counts counts = plan_count(plan);

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (counts.of[codes[i].outcome]) {
			return codes[i].code;
		}
	}
	return EXIT_IN_SYNC;
}

/* ---- As a value ---- */

static void put_text(struct arena *arena, struct value *map, const char *key, const char *text)
{
	if (text) {
		value_put(arena, map, key, value_string(text));
	}
}

static struct value place(struct arena *arena, struct pos at)
{
	struct value map = value_map();

	value_put(arena, &map, "file", value_string(at.file));
	value_put(arena, &map, "line", value_int(at.line));
	if (at.col) {
		value_put(arena, &map, "column", value_int(at.col));
	}
	return map;
}

static struct value origin_value(struct arena *arena, const struct origin *origin)
{
	struct value map = value_map();

	put_text(arena, &map, "policy", origin->policy);
	if (origin->lua.file) {
		value_put(arena, &map, "lua", place(arena, origin->lua));
	}
	if (origin->yaml.file) {
		value_put(arena, &map, "yaml", place(arena, origin->yaml));
	}
	put_text(arena, &map, "reason", origin->reason);
	return map;
}

/* The resource without what is secret: its digest says which content it is. */
static struct value shown(struct arena *arena, const struct resource *r)
{
	struct resource open = *r;
	struct value nothing = value_null();

	for (size_t i = 0; i < r->kind->field_count; i++) {
		if (r->kind->fields[i].flags & FIELD_SECRET) {
			field_set(&r->kind->fields[i], &open, &nothing, arena);
		}
	}
	return resource_to_value(arena, &open);
}

static struct value marks_value(struct arena *arena, unsigned marks)
{
	struct value list = value_list();

	for (size_t i = 0; i < ARRAY_LEN(mark_names); i++) {
		if (marks & mark_names[i].mark) {
			value_append(arena, &list, value_string(mark_names[i].name));
		}
	}
	return list;
}

static struct value differences_value(struct arena *arena, const struct differences *differences)
{
	struct value list = value_list();

	for (size_t i = 0; i < differences->count; i++) {
		struct value map = value_map();

		value_put(arena, &map, "field", value_string(differences->list[i].field));
		value_put(arena, &map, "from", value_string(differences->list[i].from));
		value_put(arena, &map, "to", value_string(differences->list[i].to));
		value_append(arena, &list, map);
	}
	return list;
}

static struct value retry_value(struct arena *arena, const struct retry *retry)
{
	struct value map = value_map();

	value_put(arena, &map, "failures", value_int(retry->failures));
	put_text(arena, &map, "error", retry->error);
	value_put(arena, &map, "next_try", value_int(retry->at));
	return map;
}

static struct value step_value(struct arena *arena, const struct step *step)
{
	const struct resource *r = step->want ? step->want : step->have;
	struct value map = value_map(), origins = value_list();

	for (size_t i = 0; i < step->origin_count; i++) {
		value_append(arena, &origins, origin_value(arena, &step->origins[i]));
	}
	put_text(arena, &map, "id", step->id);
	if (r) {
		put_text(arena, &map, "kind", r->kind->name);
		put_text(arena, &map, "key", r->key);
	}
	put_text(arena, &map, "action", action_name(step->action));
	put_text(arena, &map, "outcome", outcome_name(step->outcome));
	put_text(arena, &map, "why", step->why);
	value_put(arena, &map, "marks", marks_value(arena, step->marks));
	value_put(arena, &map, "differences", differences_value(arena, &step->differences));
	value_put(arena, &map, "origins", origins);
	if (step->want) {
		value_put(arena, &map, "wanted", shown(arena, step->want));
	}
	if (step->have) {
		value_put(arena, &map, "observed", shown(arena, step->have));
	}
	value_put(arena, &map, "duration_ms", value_int(step->duration_ms));
	if (step->retry) {
		value_put(arena, &map, "retry", retry_value(arena, step->retry));
	}
	put_text(arena, &map, "detail", step->detail);
	return map;
}

struct value plan_step_to_value(struct arena *arena, const struct step *step)
{
	struct value map = step_value(arena, step);

	value_seal(&map);
	return map;
}

static struct value steps_value(struct arena *arena, const struct plan *plan)
{
	struct value list = value_list();

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		struct value map = step_value(arena, step), needs = value_list();

		for (size_t k = 0; k < step->need_count; k++) {
			value_append(arena, &needs, value_string(plan->steps[step->needs[k]].id));
		}
		value_put(arena, &map, "needs", needs);
		value_append(arena, &list, map);
	}
	return list;
}

static struct value notes_value(struct arena *arena, const struct note *notes, size_t n)
{
	struct value list = value_list();

	for (size_t i = 0; i < n; i++) {
		struct value map = value_map();

		put_text(arena, &map, "rule", notes[i].rule);
		put_text(arena, &map, "resource", notes[i].resource);
		value_put(arena, &map, "origin", origin_value(arena, &notes[i].origin));
		value_append(arena, &list, map);
	}
	return list;
}

static struct value undecided_value(struct arena *arena, const struct plan *plan)
{
	struct value list = value_list();

	for (size_t i = 0; i < plan->undecided_count; i++) {
		struct value map = value_map();

		put_text(arena, &map, "item", plan->undecided[i].item);
		put_text(arena, &map, "fact", plan->undecided[i].fact);
		value_put(arena, &map, "origin", origin_value(arena, &plan->undecided[i].origin));
		value_append(arena, &list, map);
	}
	return list;
}

static struct value orphans_value(struct arena *arena, const struct plan *plan)
{
	struct value list = value_list();

	for (size_t i = 0; i < plan->orphan_count; i++) {
		struct value map = value_map();

		put_text(arena, &map, "id", plan->orphans[i].id);
		value_put(arena, &map, "made_at", value_int(plan->orphans[i].made_at));
		value_put(arena, &map, "run", value_int(plan->orphans[i].run));
		value_append(arena, &list, map);
	}
	return list;
}

static struct value basis_value(struct arena *arena, const struct plan_basis *basis)
{
	struct value map = value_map();

	put_text(arena, &map, "node", basis->node);
	put_text(arena, &map, "identity", basis->identity);
	put_text(arena, &map, "tree_path", basis->tree_path);
	put_text(arena, &map, "tree", basis->tree);
	put_text(arena, &map, "policies", basis->policies);
	put_text(arena, &map, "facts", basis->facts);
	put_text(arena, &map, "boot_id", basis->boot_id);
	put_text(arena, &map, "mode", basis->mode);
	value_put(arena, &map, "stale_tree", value_bool(basis->stale_tree));
	if (basis->stale_tree) {
		put_text(arena, &map, "stale_reason", basis->stale_reason);
		value_put(arena, &map, "stale_since", value_int(basis->stale_since));
	}
	return map;
}

static struct value counts_value(struct arena *arena, const struct plan *plan)
{
	struct plan_counts counts = plan_count(plan);
	struct value map = value_map();

	for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		value_put(arena, &map, outcome_name(outcome), value_int((int64_t)counts.of[outcome]));
	}
	return map;
}

struct value plan_to_value(struct arena *arena, const struct plan *plan)
{
	struct value map = value_map();

	value_put(arena, &map, "basis", basis_value(arena, &plan->basis));
	value_put(arena, &map, "steps", steps_value(arena, plan));
	value_put(arena, &map, "blocks", notes_value(arena, plan->blocks, plan->block_count));
	value_put(arena, &map, "warnings", notes_value(arena, plan->warnings, plan->warning_count));
	value_put(arena, &map, "undecided", undecided_value(arena, plan));
	value_put(arena, &map, "orphans", orphans_value(arena, plan));
	value_put(arena, &map, "counts", counts_value(arena, plan));
	value_put(arena, &map, "exit_code", value_int(plan_exit_code(plan)));
	put_text(arena, &map, "unproven", plan->unproven);
	value_put(arena, &map, "more", value_int((int64_t)plan->more));
	put_text(arena, &map, "lock_holder", plan->lock_holder);
	put_text(arena, &map, "paused", plan->paused);
	if (plan->next_boot) {
		value_put(arena, &map, "next_boot", next_boot_to_value(arena, plan->next_boot));
	}
	value_seal(&map);
	return map;
}
