// SPDX-License-Identifier: MIT
/* See converge.h. */
#include "provider/converge.h"

#include "base/clock.h"

#include <string.h>

static const struct provider *provider_of(const struct kind *kind)
{
	return provider_table[kind->id];
}

static const char *id_of(struct arena *arena, const struct resource *r)
{
	return resource_id(arena, r->kind, r->key);
}

/* ---- Pure ---- */

int converge_check(const struct resource *want, struct err *err)
{
	const struct provider *provider = provider_of(want->kind);
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *id = id_of(arena, want);

	if (want->kind->traits & KIND_FACT_ONLY) {
		return err_set(err, ERR_INPUT, 0, "%s: a %s can only be observed", id, want->kind->name);
	}
	if (want->state == STATE_UNDETERMINED ||
	    (want->state == STATE_ABSENT && (want->kind->traits & KIND_NEVER_ABSENT))) {
		return err_set(err, ERR_INPUT, 0, "%s: cannot be wanted %s", id, state_name(want->state));
	}
	if (provider->check && provider->check(want, err)) {
		return err_wrap(err, "%s", id);
	}
	return 0;
}

static enum action action_for(const struct resource *want, const struct resource *have)
{
	if (want->state == STATE_ABSENT) {
		return ACTION_REMOVE;
	}
	return have->state == STATE_ABSENT ? ACTION_CREATE : ACTION_UPDATE;
}

void converge_diff_fields(struct arena *arena, const struct resource *want,
                          const struct resource *have, struct verdict *verdict)
{
	compare_resources(arena, want, have, &verdict->differences);
	if (verdict->differences.count) {
		verdict->action = action_for(want, have);
		verdict->outcome = OUTCOME_CHANGE;
	}
}

void converge_diff(struct arena *arena, const struct resource *want, const struct resource *have,
                   struct verdict *ret_verdict)
{
	const struct provider *provider = provider_of(want->kind);
	struct verdict verdict = {.action = ACTION_NONE, .outcome = OUTCOME_KEPT};

	if (have->state == STATE_UNDETERMINED) {
		verdict.outcome = OUTCOME_UNDETERMINED;
		verdict.why = have->why;
	} else if (provider->diff) {
		provider->diff(arena, want, have, &verdict);
	} else {
		converge_diff_fields(arena, want, have, &verdict);
	}
	if (verdict.outcome == OUTCOME_CHANGE) {
		if (!provider->apply) {
			verdict.outcome = OUTCOME_BLOCKED;
			verdict.why = "not in this version";
		} else if (want->kind->traits & KIND_UNDER_JOBS) {
			verdict.marks |= MARK_UNDER_JOBS;
		}
	}
	if (verdict.outcome != OUTCOME_CHANGE) {
		verdict.action = ACTION_NONE;
	}
	*ret_verdict = verdict;
}

void converge_needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	const struct provider *provider = provider_of(want->kind);

	*ret_ids = (struct keys){0};
	if (provider->needs) {
		provider->needs(arena, want, ret_ids);
	}
}

/* What is wanted, and of what nobody wanted anything, what is there. */
static const struct resource *overlay(struct arena *arena, const struct change *change)
{
	struct resource *after = resource_copy(arena, change->want);

	if (after->state != STATE_PRESENT || change->have->state != STATE_PRESENT) {
		return after;
	}
	for (size_t i = 0; i < after->kind->field_count; i++) {
		const struct field *field = &after->kind->fields[i];

		if (!field_is_set(field, after) && field_is_set(field, change->have)) {
			struct value value = field_get(field, change->have, arena);

			field_set(field, after, &value, arena);
		}
	}
	return after;
}

const struct resource *converge_predict(struct arena *arena, const struct change *change,
                                        bool *ret_exact)
{
	const struct provider *provider = provider_of(change->kind);

	*ret_exact = true;
	if (change->action == ACTION_NONE) {
		return change->have;
	}
	return provider->predict ? provider->predict(arena, change, ret_exact) : overlay(arena, change);
}

/* ---- In a worker ---- */

enum { OBSERVE_MS = 4000 }; /* where nobody has said how long a look may take */

/* One parameter more than others have, as converge.h says. NOLINTNEXTLINE(*-function-size) */
static int observe(struct host *host, const struct kind *kind, const char *key,
                   const struct resource *want, struct arena *arena, struct resource **ret_have,
                   struct err *err)
{
	struct resource *have = NULL;
	struct err fault = {0};

	if (provider_of(kind)->observe(host, key, want, arena, &have, &fault)) {
		if (fault.code == ERR_BUG) {
			err_copy(err, &fault);
			return err_wrap(err, "%s", resource_id(arena, kind, key));
		}
		/* What the machine did not tell is not known; it is never absent. */
		have = resource_undetermined(arena, kind, key, "%s", fault.text);
	}
	if (!have || have->kind != kind || strcmp(have->key, key) != 0 ||
	    (have->state == STATE_UNDETERMINED && !have->why)) {
		return err_set(err, ERR_BUG, 0, "%s: the provider broke its contract",
		               resource_id(arena, kind, key));
	}
	*ret_have = have;
	return 0;
}

/* One parameter more than others have, as converge.h says. NOLINTNEXTLINE(*-function-size) */
int converge_observe(struct host *host, const struct kind *kind, const char *key,
                     const struct resource *want, struct arena *arena, struct resource **ret_have,
                     struct err *err)
{
	host->deadline = clock_ms() + (host->look_ms > 0 ? host->look_ms : OBSERVE_MS);
	int r = observe(host, kind, key, want, arena, ret_have, err);

	host->deadline = 0;
	return r;
}

int converge_list(struct host *host, const struct kind *kind, struct arena *arena,
                  struct keys *ret_keys, struct err *err)
{
	const struct provider *provider = provider_of(kind);

	*ret_keys = (struct keys){0};
	if (kind->traits & KIND_SINGLETON) {
		keys_add(arena, ret_keys, "");
		return 0;
	}
	if (!provider->list) {
		return err_set(err, ERR_INPUT, 0, "%s: cannot be listed, name one as %s:%s", kind->name,
		               kind->name, kind->id == KIND_LOADABLE ? "MODULE@RELEASE" : kind->key_name);
	}
	return provider->list(host, arena, ret_keys, err) ? err_wrap(err, "%s", kind->name) : 0;
}

/* What was planned, does it still make sense on what is there now? An update may stand for what
 * nobody could see yet, below a mount; what is wanted absent can only be removed. */
static bool is_as_planned(const struct change *change, enum action now)
{
	return change->action == now || change->action == ACTION_UPDATE ||
	       change->want->state == STATE_ABSENT;
}

/* Looks again right before acting. True when there is something to do, with what is there now in
 * *change; else *applied says why not. */
static bool check_again(struct host *host, struct change *change, struct arena *arena,
                        struct applied *applied, struct err *err)
{
	struct verdict verdict;
	struct resource *have;

	if (change->action == ACTION_RUN) {
		return true; /* its guard is a program as well: not asked a second time */
	}
	host_forget(host);
	/* Whoever waits for a change waits longer. */
	if (observe(host, change->kind, change->want->key, change->want, arena, &have, err)) {
		*applied =
		    (struct applied){.outcome = OUTCOME_FAILED, .why = arena_strdup(arena, err->text)};
		return false;
	}
	converge_diff(arena, change->want, have, &verdict);
	if (verdict.outcome != OUTCOME_CHANGE) {
		*applied = (struct applied){.outcome = verdict.outcome, .why = verdict.why};
		return false;
	}
	if (!is_as_planned(change, verdict.action)) {
		*applied = (struct applied){
		    .outcome = OUTCOME_BLOCKED,
		    .why =
		        arena_printf(arena, "it changed since this was planned: now it would be %s, not %s",
		                     action_name(verdict.action), action_name(change->action)),
		};
		return false;
	}
	change->action = verdict.action;
	change->have = have;
	return true;
}

int converge_apply(struct host *host, const struct change *change, struct arena *arena,
                   struct applied *ret_applied, struct err *err)
{
	const struct provider *provider = provider_of(change->kind);
	struct applied applied = {.outcome = OUTCOME_CHANGED};
	struct change now = *change;
	struct err fault = {0};

	if (!provider->apply) {
		return err_set(err, ERR_BUG, 0, "%s: nothing can change it", id_of(arena, change->want));
	}
	if (!check_again(host, &now, arena, &applied, &fault)) {
		*ret_applied = applied;
		return 0;
	}
	if (provider->apply(host, &now, arena, &applied, &fault)) {
		bool later = fault.code == ERR_BUSY || fault.code == ERR_LOCKED;

		applied.outcome = later ? OUTCOME_BLOCKED : OUTCOME_FAILED;
		applied.why = arena_strdup(arena, fault.text);
	}
	host_forget(host);
	*ret_applied = applied;
	return 0;
}
