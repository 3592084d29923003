// SPDX-License-Identifier: MIT
/* See converging.h. */
#include "unit/support/scratch.h"

#include "unit/support/converging.h"

#include "base/json.h"

#include <string.h>

enum { CALLS_MOST = 200 };

struct resource *converging_want(struct arena *arena, const char *json)
{
	struct diags diags = {.arena = arena};
	struct value value;
	struct err err;

	if (json_parse(json, strlen(json), "test", arena, &value, &err)) {
		fail_msg("%s", err.text);
	}
	struct resource *want = resource_from_value(arena, &value, USE_WANTED, &diags);

	if (!want) {
		fail_msg("%s", diags.list[0].err.text);
	}
	resource_complete(arena, want);
	if (converge_check(want, &err)) {
		fail_msg("%s", err.text);
	}
	return want;
}

static const struct resource *look(struct arena *arena, const struct host_ops *ops,
                                   const struct resource *want)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct resource *have = NULL;
	struct host host;
	struct err err;

	host_init(&host, ops, scratch);
	if (converge_observe(&host, want->kind, want->key, want, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return have;
}

const struct resource *converging_observe(struct arena *arena, const struct resource *want)
{
	return look(arena, &host_linux_ops, want);
}

struct verdict converging_diff(struct arena *arena, const struct resource *want)
{
	struct verdict verdict;

	converge_diff(arena, want, converging_observe(arena, want), &verdict);
	return verdict;
}

enum outcome converging_apply(struct arena *arena, const struct host_ops *ops,
                              const struct resource *want, const char **ret_why)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct change change = {.kind = want->kind, .want = want, .have = look(arena, ops, want)};
	struct applied applied;
	struct verdict verdict;
	struct host host;
	const char *why;
	struct err err;

	ret_why = ret_why ? ret_why : &why;
	converge_diff(arena, want, change.have, &verdict);
	*ret_why = verdict.why;
	if (verdict.outcome != OUTCOME_CHANGE) {
		return verdict.outcome;
	}
	change.action = verdict.action;
	host_init(&host, ops, scratch);
	if (converge_apply(&host, &change, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	*ret_why = applied.why;
	if (applied.outcome != OUTCOME_CHANGED) {
		return applied.outcome;
	}
	converge_diff(arena, want, look(arena, ops, want), &verdict);
	*ret_why = verdict.why;
	return verdict.outcome == OUTCOME_KEPT ? OUTCOME_CHANGED : OUTCOME_FAILED;
}

void converging_twice(struct arena *arena, const struct resource *want, const char *path)
{
	const char *why = NULL;
	enum outcome outcome = converging_apply(arena, &host_linux_ops, want, &why);

	if (outcome != OUTCOME_CHANGED) {
		fail_msg("%s: %s: %s", want->key, outcome_name(outcome), why ? why : "");
	}
	uint64_t stamp = path ? scratch_stamp(path) : 0;

	assert_int_equal(converging_apply(arena, &host_linux_ops, want, NULL), OUTCOME_KEPT);
	if (path) {
		assert_true(scratch_stamp(path) == stamp);
	}
}

/* False when there is no n-th call; `ret_reads`: it is one that only reads. */
static bool sweep_one(const char *json, const char *path, unsigned n, enum fault_when when,
                      bool *ret_reads)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct resource *want = converging_want(arena, json);
	const struct host_ops *ops = fault_host_table(n, when);
	const char *why = NULL;
	enum outcome outcome = converging_apply(arena, ops, want, &why);
	const char *hit = fault_host_hit();

	*ret_reads = fault_host_reads();
	if (!hit) {
		assert_int_equal(outcome, OUTCOME_CHANGED);
		return false;
	}
	outcome = converging_apply(arena, &host_linux_ops, want, &why);
	if (outcome != OUTCOME_CHANGED && outcome != OUTCOME_KEPT) {
		fail_msg("after a fault in call %u (%s) a rerun is %s: %s", n, hit, outcome_name(outcome),
		         why ? why : "");
	}
	uint64_t stamp = path ? scratch_stamp(path) : 0;

	assert_int_equal(converging_apply(arena, &host_linux_ops, want, NULL), OUTCOME_KEPT);
	assert_true(!path || scratch_stamp(path) == stamp);
	return true;
}

void converging_sweep(const char *json, void (*reset)(void), const char *path)
{
	bool reads[CALLS_MOST];
	unsigned most = 0;

	do {
		assert_true(++most < CALLS_MOST);
		reset();
	} while (sweep_one(json, path, most, FAULT_BEFORE, &reads[most]));
	assert_true(most > 2);
	/* A call that only reads leaves nothing behind: failing when it is done is the same again. */
	for (unsigned n = 1; n < most; n++) {
		if (!reads[n]) {
			reset();
			sweep_one(json, path, n, FAULT_AFTER, &reads[n]);
		}
	}
}
