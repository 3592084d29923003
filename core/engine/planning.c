// SPDX-License-Identifier: MIT
/* Making a plan: policies decide, the planner compares and orders, paper proves that it settles. */
#include "engine/inner.h"

#include "engine/next_boot.h"
#include "engine/pause.h"
#include "host/self.h"

#include <string.h>

static const char *mode_of(const struct engine *engine)
{
	const char *mode = value_text(&engine->desired.state, "mode");

	return mode ? mode : "safe";
}

struct gate planning_gate(const struct engine *engine)
{
	return (struct gate){
	    .mode = mode_of(engine),
	    .jobs = JOBS_NOT_COUNTED,
	    .person = engine->options->person,
	    .boot = engine->options->boot,
	    .apart = self_is_unit() && self_mount_namespace_is_init() == 0,
	    .allow = engine->options->allow,
	    .only = engine->only,
	    .backoff = engine->backoff,
	};
}

/* Orphans that --prune names become wants of their own: absent, because nothing wants them any
 * more. */
static void want_gone(struct engine *engine, struct decision *decision, const struct orphan *orphan)
{
	const struct kind *kind;
	const char *key;
	struct err err = {0};

	if (resource_parse_id(orphan->id, engine->arena, &kind, &key, &err) || !key ||
	    (kind->traits & (KIND_NEVER_ABSENT | KIND_FACT_ONLY))) {
		return;
	}
	struct resource *want = resource_create(engine->arena, kind, key);

	want->state = STATE_ABSENT;
	resource_complete(engine->arena, want);
	decision->proposals = arena_grow(engine->arena, decision->proposals, decision->proposal_count,
	                                 &decision->proposal_cap, sizeof *decision->proposals);
	decision->proposals[decision->proposal_count++] = (struct proposal){
	    .want = want,
	    .origin = {.policy = "--prune",
	               .reason = arena_printf(
	                   engine->arena, "made by reconcile in run %lld; nothing wants it any more",
	                   (long long)orphan->run)},
	};
}

/* What somebody wants, or would want if it could be had. */
static struct strmap *wanted_ids(struct arena *arena, const struct decision *decision)
{
	struct strmap *ids = strmap_create(arena);

	for (size_t i = 0; i < decision->block_count; i++) {
		if (decision->blocks[i].resource) {
			strmap_put(ids, decision->blocks[i].resource, &decision->blocks[i]);
		}
	}
	for (size_t i = 0; i < decision->proposal_count; i++) {
		const struct resource *want = decision->proposals[i].want;

		strmap_put(ids, resource_id(arena, want->kind, want->key), (void *)want);
	}
	return ids;
}

/* What reconcile made and nothing wants any more. While an item is undecided that cannot be told:
 * what it would want is not known, and must not be taken for unwanted. */
static size_t list_orphans(struct engine *engine, const struct decision *decision,
                           struct orphan **ret_list)
{
	struct orphan *made = NULL;
	size_t count = 0, kept = 0;
	struct err err = {0};

	*ret_list = NULL;
	if (engine->recorded || !engine->store || decision->undecided_count ||
	    store_made_list(engine->store, engine->arena, &made, &count, &err) || !count) {
		return 0;
	}
	const struct strmap *wanted = wanted_ids(engine->arena, decision);

	for (size_t i = 0; i < count; i++) {
		if (!strmap_get(wanted, made[i].id)) {
			made[kept++] = made[i];
		}
	}
	*ret_list = made;
	return kept;
}

/* Orphans that are to go become wants, the others are shown. `again`: those that went are no
 * orphans any more, and nobody is missing them. */
static int prune(struct engine *engine, bool again, struct decision *decision,
                 struct plan *ret_orphans, struct err *err)
{
	const struct engine_options *o = engine->options;
	struct orphan *list;
	size_t count = list_orphans(engine, decision, &list), kept = 0, gone = 0;

	for (size_t i = 0; i < count; i++) {
		if (o->prune && (!o->prune_id || strcmp(o->prune_id, list[i].id) == 0)) {
			want_gone(engine, decision, &list[i]);
			gone++;
		} else {
			list[kept++] = list[i];
		}
	}
	ret_orphans->orphans = list;
	ret_orphans->orphan_count = kept;
	if (!o->prune || again) {
		return 0;
	}
	if (decision->undecided_count) {
		return err_set(err, ERR_INPUT, 0,
		               "--prune: what is wanted cannot be told while %s is undecided (%s)",
		               decision->undecided[0].item, decision->undecided[0].fact);
	}
	if (o->prune_id && !gone) {
		return err_set(err, ERR_INPUT, 0,
		               "--prune-only %s: reconcile did not make it, or it is still wanted",
		               o->prune_id);
	}
	return 0;
}

static void set_basis(struct engine *engine, struct plan *plan)
{
	struct plan_basis *b = &plan->basis;

	b->node = engine->identity.name;
	b->identity = engine->identity.source;
	b->tree_path = engine->options->tree;
	b->boot_id = engine->boot_id;
	b->mode = mode_of(engine);
	b->stale_tree = engine->stale;
	b->stale_reason = engine->stale_reason;
	b->stale_since = engine->stale_since;
	memcpy(b->tree, engine->tree_digest, sizeof b->tree);
	memcpy(b->policies, engine->policies_digest, sizeof b->policies);
	memcpy(b->facts, facts_digest(&engine->facts, engine->arena), sizeof b->facts);
}

static int prove(struct engine *engine, const struct wanted_set *set, struct plan *plan,
                 struct err *err)
{
	return plan_count(plan).of[OUTCOME_CHANGE]
	           ? settle_prove(engine, set, plan, &plan->unproven, &plan->more, err)
	           : 0;
}

/* The engine's own questions: no policy has asked them. */
struct own_source {
	struct fact_source source;
	struct facts *facts;
};

static int own_get(struct fact_source *self, const struct kind *kind, const char *key,
                   const struct resource **ret_fact, struct err *err)
{
	return facts_look(((struct own_source *)self)->facts, kind, key, ret_fact, err);
}

/* What would be lost at the next boot, and whether this plan puts that right. */
static int judge_next_boot(struct engine *engine, const struct wanted_set *set, struct plan *plan,
                           struct err *err)
{
	struct own_source now = {.source = {.get = own_get}, .facts = &engine->facts};
	struct next_boot_wants wants;
	struct next_boot *after;
	struct facts paper;

	next_boot_wants_of(engine->arena, &engine->desired.state, &wants);
	if (next_boot_judge(engine->arena, &now.source, &wants, NULL, &plan->next_boot, err)) {
		return -(int)err->code;
	}
	if (!plan->next_boot || !plan->next_boot->lost || !plan_count(plan).of[OUTCOME_CHANGE]) {
		return 0;
	}
	settle_on_paper(engine, set, plan, &paper);
	struct own_source then = {.source = {.get = own_get}, .facts = &paper};

	if (next_boot_judge(engine->arena, &then.source, &wants, NULL, &after, err)) {
		return -(int)err->code;
	}
	next_boot_remedy(engine->arena, plan->next_boot, after);
	return 0;
}

int planning_make(struct engine *engine, bool again, struct plan **ret_plan, struct err *err)
{
	struct plan *plan = arena_alloc(engine->arena, sizeof *plan);
	struct decision decision = {0};
	struct plan orphans = {0};
	struct wanted_set set;
	const struct gate gate = planning_gate(engine);

	if (again) {
		facts_init_live(&engine->facts, engine->arena, engine->worker, engine->facts.pinned);
		engine->facts.node = engine->identity.name;
		worker_forget(engine->worker);
	}
	if (policy_run(&engine->policies, &engine->desired.state, &engine->facts.source,
	               &policy_default_limits, engine->arena, &decision, err)) {
		return -(int)err->code;
	}
	if (prune(engine, again, &decision, &orphans, err) ||
	    planner_wanted(engine->arena, &decision, &set, err)) {
		return -(int)err->code;
	}
	engine->misnamed = planner_check_only(&set, &gate, err) != 0;
	if (engine->misnamed || planner_plan(&set, &decision, &engine->facts, &gate, plan, err)) {
		return -(int)err->code;
	}
	plan->orphans = orphans.orphans;
	plan->orphan_count = orphans.orphan_count;
	if (prove(engine, &set, plan, err) || judge_next_boot(engine, &set, plan, err)) {
		return -(int)err->code;
	}
	set_basis(engine, plan);
	*ret_plan = plan;
	return 0;
}

int engine_plan(struct engine *engine, struct plan **ret_plan, struct err *err)
{
	struct pause pause = {0};

	if (!engine->recorded) {
		history_open(engine, STORE_READ);
	}
	if (!engine->recorded) {
		/* An apply by hand would not mind it: it is shown. */
		engine->backoff = engine_read_backoff(engine);
	}
	if (fallback_plan(engine, ret_plan, err)) {
		return -(int)err->code;
	}
	if (!engine->recorded) {
		(*ret_plan)->lock_holder = self_lock_holder(engine->options->run_dir, engine->arena);
		pause_look(engine, &pause);
		(*ret_plan)->paused = pause_text(engine->arena, &pause);
	}
	if (pause.unseen) {
		engine_note(engine, "whether this node is paused cannot be told: %s", pause.unseen);
	}
	return 0;
}
