// SPDX-License-Identifier: MIT
/* See preflight_guard.h. */
#include "engine/preflight_guard.h"

#include <string.h>

/* How good a kernel is to fall back on: the one that runs has shown what it can do, one of which
 * all is proved comes next, and one of which nothing is known to be lost is still better than one
 * that loses something. */
enum worth { WORTH_NOTHING, WORTH_MORE, WORTH_PROVEN, WORTH_SHOWN };

static enum worth worth_of(const struct next_boot *next, bool runs, bool loses)
{
	if (next && next->lost) {
		return WORTH_NOTHING;
	}
	return runs                             ? WORTH_SHOWN
	       : !next || next->loss_count == 0 ? WORTH_PROVEN
	       : loses                          ? WORTH_MORE
	                                        : WORTH_NOTHING;
}

/* The best kernel but the new one, of equal ones the newest. `loses`: under that one something is
 * lost for certain. */
static int find_better(struct facts *facts, const struct preflight_guard_case *c,
                       const struct kernel *kernel, bool loses, const char **ret_better,
                       struct err *err)
{
	enum worth best = WORTH_NOTHING;

	*ret_better = NULL;
	for (size_t i = 0; i < kernel->installed.count; i++) {
		const char *k = kernel->installed.items[i];
		struct next_boot *next;

		if (strcmp(k, c->release) == 0) {
			continue;
		}
		if (next_boot_judge(facts->arena, &facts->source, &c->wants->wants, k, &next, err)) {
			return -(int)err->code;
		}
		enum worth worth = worth_of(next, text_equal(k, kernel->running), loses);

		if (worth != WORTH_NOTHING && worth >= best) {
			best = worth;
			*ret_better = k;
		}
	}
	return 0;
}

static int look(struct worker *worker, const struct resource *want, struct arena *arena,
                struct verdict *ret_verdict, const struct resource **ret_have, struct err *err)
{
	struct worker_query query = {.kind = want->kind, .key = "", .want = want};

	if (worker_observe_fresh(worker, &query, arena, ret_have, err)) {
		return -(int)err->code;
	}
	converge_diff(arena, want, *ret_have, ret_verdict);
	return 0;
}

/* Makes it the boot default, and looks whether it is. *ret_why: why it is not. */
static int make_default(struct worker *worker, const char *release, struct arena *arena,
                        const char **ret_why, struct err *err)
{
	struct resource *want = resource_create(arena, &kind_table[KIND_KERNEL], "");
	const struct resource *have;
	struct applied applied = {0};
	struct verdict verdict;

	want->kernel.boot_default = release;
	resource_complete(arena, want);
	if (look(worker, want, arena, &verdict, &have, err)) {
		return -(int)err->code;
	}
	if (verdict.outcome == OUTCOME_CHANGE) {
		const struct change change = {
		    .kind = want->kind, .action = verdict.action, .want = want, .have = have};

		if (worker_apply(worker, &change, arena, &applied, err) ||
		    look(worker, want, arena, &verdict, &have, err)) {
			return -(int)err->code;
		}
	}
	*ret_why = verdict.outcome == OUTCOME_KEPT ? NULL
	           : applied.why                   ? applied.why
	           : verdict.why                   ? verdict.why
	                                           : "the boot loader does not start it by default";
	return 0;
}

static int judge(struct worker *worker, struct facts *facts, const struct preflight_guard_case *c,
                 struct preflight_guard *ret, struct err *err)
{
	const struct resource *kernel;
	struct next_boot *next;

	if (facts_look(facts, &kind_table[KIND_KERNEL], "", &kernel, err)) {
		return -(int)err->code;
	}
	if (kernel->state != STATE_PRESENT || !text_equal(kernel->kernel.boot_default, c->release)) {
		return 0;
	}
	if (next_boot_judge(facts->arena, &facts->source, &c->wants->wants, c->release, &next, err)) {
		return -(int)err->code;
	}
	if (!next || !next->loss_count) {
		ret->what = next ? GUARD_PROVEN : GUARD_NOTHING;
		return 0;
	}
	ret->what = GUARD_LOST;
	ret->sentence = next->sentence;
	if (find_better(facts, c, &kernel->kernel, next->lost > 0, &ret->keep, err)) {
		return -(int)err->code;
	}
	if (!ret->keep) {
		ret->why = "no other kernel is proved to be better";
		return 0;
	}
	if (make_default(worker, ret->keep, facts->arena, &ret->why, err)) {
		return -(int)err->code;
	}
	ret->what = ret->why ? GUARD_LOST : GUARD_KEPT;
	return 0;
}

int preflight_guard(struct worker *worker, const struct preflight_guard_case *c,
                    struct arena *arena, struct preflight_guard *ret, struct err *err)
{
	const struct allowed *by = allow_find(c->allowed, c->release);
	struct preflight_guard result = {.what = GUARD_NOTHING};
	struct facts facts;

	if (by) {
		result.what = GUARD_ALLOWED;
		result.why = arena_printf(arena, "%s: %s", by->who, by->reason);
	} else if (strcmp(c->wants->mode, "off") != 0) {
		facts_init_live(&facts, arena, worker, NULL);
		if (judge(worker, &facts, c, &result, err)) {
			return -(int)err->code;
		}
	}
	*ret = result;
	return 0;
}
