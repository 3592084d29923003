// SPDX-License-Identifier: MIT
/*
 * Does the plan settle? Its changes are laid over the facts on paper and the policies decide again.
 * Wanting the same field with another value then would flip for ever: refused. What a change may
 * alter in a way that nobody can predict, and a policy has read, leaves the plan unproven, which is
 * said and not refused.
 */
#include "engine/inner.h"

#include "provider/converge.h"

#include <string.h>

/* Which kinds of facts a change of a kind may alter beyond its own. */
static bool may_alter(enum kind_id changed, enum kind_id fact)
{
	switch (changed) {
	case KIND_PACKAGE:
		return fact == KIND_PACKAGE || fact == KIND_MODULE || fact == KIND_FILESYSTEM ||
		       fact == KIND_KERNEL || fact == KIND_SERVICE || fact == KIND_BOOT_ENTRY ||
		       fact == KIND_LOADABLE || fact == KIND_DKMS || fact == KIND_PACKAGE_FILES;
	case KIND_PACKAGE_SOURCE:
		return fact == KIND_PACKAGE_INDEX || fact == KIND_CANDIDATE;
	case KIND_PACKAGE_INDEX:
		return fact == KIND_CANDIDATE || fact == KIND_CACHED_PACKAGE;
	case KIND_DKMS:
		return fact == KIND_MODULE || fact == KIND_LOADABLE;
	case KIND_MODULE:
		return fact == KIND_FILESYSTEM || fact == KIND_MODULE || fact == KIND_LOADABLE;
	case KIND_MOUNT:
		return fact == KIND_FILESYSTEM || fact == KIND_MODULE || fact == KIND_DATA_REPOSITORY ||
		       fact == KIND_SERVICE;
	case KIND_SERVICE:
		return fact == KIND_SERVICE || fact == KIND_MOUNT || fact == KIND_MODULE;
	case KIND_REBOOT:
		return fact == KIND_KERNEL || fact == KIND_MODULE || fact == KIND_FILESYSTEM ||
		       fact == KIND_MOUNT || fact == KIND_SERVICE;
	case KIND_COMMAND:
		return fact != KIND_NODE && fact != KIND_SCHEDULER;
	default:
		return false;
	}
}

struct proof {
	struct engine *engine;
	const struct wanted_set *set;
	const struct plan *plan;
	struct strmap *overlay; /* id → what observing will say afterwards */
	struct strmap *vague;   /* those of them that cannot be told exactly */
	const char *unproven;
};

/* A module that a package brings, or DKMS builds, for a kernel will load under it: that is what it
 * is planned for. Whether it does is looked at afterwards. */
static void predict_module(struct proof *proof, const struct step *step)
{
	struct arena *arena = proof->engine->arena;
	const struct wanted *wanted = strmap_get(proof->set->by_id, step->id);
	const char *key = NULL;

	if (step->want->state != STATE_PRESENT) {
		return;
	}
	if (step->want->kind->id == KIND_DKMS) {
		key = step->want->key;
	} else if (wanted && wanted->provides_module) {
		key = arena_printf(arena, "%s@%s", wanted->provides_module, wanted->provides_kernel);
	}
	if (key) {
		struct resource *loadable = resource_create(arena, &kind_table[KIND_LOADABLE], key);

		loadable->loadable.verdict = "yes";
		strmap_put(proof->overlay, resource_id(arena, loadable->kind, key), loadable);
	}
}

static void predict_changes(struct proof *proof)
{
	const struct plan *plan = proof->plan;

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		struct change change = {
		    .kind = step->want->kind,
		    .action = step->action,
		    .want = step->want,
		    .have = step->have,
		};
		bool exact = true;

		if (step->outcome == OUTCOME_CHANGE) {
			const struct resource *after = converge_predict(proof->engine->arena, &change, &exact);

			strmap_put(proof->overlay, step->id, (void *)after);
			predict_module(proof, step);
			if (!exact) {
				strmap_put(proof->vague, step->id, (void *)after);
			}
		}
	}
}

/* The first fact a policy has read that a change may alter unpredictably. */
static void find_unpredictable(struct proof *proof, const struct strmap *asked)
{
	bool changes[KIND_COUNT] = {0};

	for (size_t i = 0; i < proof->plan->step_count; i++) {
		const struct step *step = &proof->plan->steps[i];

		changes[step->want->kind->id] |= step->outcome == OUTCOME_CHANGE;
	}
	for (size_t i = 0; i < strmap_count(asked) && !proof->unproven; i++) {
		const char *id = strmap_key(asked, i), *key;
		const struct kind *kind;
		struct err err = {0};

		if (strmap_get(proof->vague, id)) {
			proof->unproven = arena_printf(
			    proof->engine->arena,
			    "a policy read %s, and what it will be after its change cannot be told", id);
		}
		if (strmap_get(proof->overlay, id) ||
		    resource_parse_id(id, proof->engine->arena, &kind, &key, &err)) {
			continue;
		}
		for (size_t k = 0; k < KIND_COUNT && !proof->unproven; k++) {
			if (changes[k] && may_alter((enum kind_id)k, kind->id)) {
				proof->unproven = arena_printf(
				    proof->engine->arena, "a policy read %s, which a change of a %s here may alter",
				    id, kind_table[k].name);
			}
		}
	}
}

static int report_flip(const struct wanted *first, const struct wanted *second, const char *field,
                       struct err *err)
{
	const struct origin *a = &first->origins[0], *b = &second->origins[0];

	return err_at(
	    err, ERR_POLICY, a->lua,
	    "the plan does not settle: %s of %s is wanted one way now (policy %s, %s:%u) and another "
	    "way once this plan is carried out (policy %s, %s:%u)",
	    field, first->id, a->policy, a->lua.file ? a->lua.file : "?", a->lua.line, b->policy,
	    b->lua.file ? b->lua.file : "?", b->lua.line);
}

static int compare_sets(struct engine *engine, const struct wanted_set *first,
                        const struct wanted_set *second, size_t *ret_more, struct err *err)
{
	*ret_more = 0;
	for (size_t i = 0; i < second->count; i++) {
		const struct wanted *again = &second->list[i];
		const struct wanted *before = strmap_get(first->by_id, again->id);

		if (!before) {
			++*ret_more;
			continue;
		}
		struct resource *merged = resource_copy(engine->arena, before->want);
		const char *field = resource_merge(engine->arena, merged, again->want);

		if (field) {
			return report_flip(before, again, field, err);
		}
	}
	return 0;
}

int settle_prove(struct engine *engine, const struct wanted_set *set, const struct plan *plan,
                 const char **ret_unproven, size_t *ret_more, struct err *err)
{
	struct proof proof = {
	    .engine = engine,
	    .set = set,
	    .plan = plan,
	    .overlay = strmap_create(engine->arena),
	    .vague = strmap_create(engine->arena),
	};
	struct decision decision = {0};
	struct wanted_set again;
	struct facts paper;

	predict_changes(&proof);
	find_unpredictable(&proof, engine->facts.asked);
	facts_init_paper(&paper, engine->arena, &engine->facts, proof.overlay);
	if (policy_run(&engine->policies, &engine->desired.state, &paper.source, &policy_default_limits,
	               engine->arena, &decision, err) ||
	    planner_wanted(engine->arena, &decision, &again, err)) {
		return err_wrap(err, "planning once more, as if this plan were carried out");
	}
	find_unpredictable(&proof, paper.asked);
	*ret_unproven = proof.unproven;
	return compare_sets(engine, set, &again, ret_more, err);
}

void settle_on_paper(struct engine *engine, const struct wanted_set *set, const struct plan *plan,
                     struct facts *ret_paper)
{
	struct proof proof = {
	    .engine = engine,
	    .set = set,
	    .plan = plan,
	    .overlay = strmap_create(engine->arena),
	    .vague = strmap_create(engine->arena),
	};

	predict_changes(&proof);
	facts_init_paper(ret_paper, engine->arena, &engine->facts, proof.overlay);
}
