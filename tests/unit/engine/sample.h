// SPDX-License-Identifier: MIT
/* Small wanted sets for the engine's tests: a line each. */
#ifndef TEST_SAMPLE_H
#define TEST_SAMPLE_H

#include "engine/planner.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

struct sample {
	struct arena *arena;
	struct decision decision;
	struct strmap *facts; /* recorded: id → resource */
};

static inline struct sample sample_create(void)
{
	struct arena *arena = arena_create();

	return (struct sample){.arena = arena, .facts = strmap_create(arena)};
}

/* A present resource proposed by policy "test" at test.lua:N, where N counts up. */
static inline struct proposal *sample_want(struct sample *s, enum kind_id kind, const char *key)
{
	struct decision *d = &s->decision;

	d->proposals = arena_grow(s->arena, d->proposals, d->proposal_count, &d->proposal_cap,
	                          sizeof *d->proposals);
	struct proposal *p = &d->proposals[d->proposal_count++];

	*p = (struct proposal){
	    .want = resource_create(s->arena, &kind_table[kind], key),
	    .origin = {.policy = "test",
	               .lua = {"test.lua", (unsigned)d->proposal_count, 0},
	               .yaml = {"test.yaml", (unsigned)d->proposal_count, 3},
	               .reason = "the test wants it"},
	};
	return p;
}

static inline struct resource *sample_fact(struct sample *s, enum kind_id kind, const char *key,
                                           enum state state)
{
	struct resource *r = resource_create(s->arena, &kind_table[kind], key);

	r->state = state;
	strmap_put(s->facts, resource_id(s->arena, r->kind, key), r);
	return r;
}

/* Plans from the recorded facts; fails the test on an error. */
static inline struct plan sample_plan(struct sample *s, const struct gate *gate)
{
	struct facts facts;
	struct wanted_set set;
	struct plan plan;
	struct err err = {0};

	for (size_t i = 0; i < s->decision.proposal_count; i++) {
		resource_complete(s->arena, s->decision.proposals[i].want);
	}
	facts_init_recorded(&facts, s->arena, s->facts, NULL);
	if (planner_wanted(s->arena, &s->decision, &set, &err) ||
	    planner_plan(&set, &s->decision, &facts, gate, &plan, &err)) {
		fail_msg("%s", err.text);
	}
	return plan;
}

static inline const struct step *sample_step(const struct plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		if (strcmp(plan->steps[i].id, id) == 0) {
			return &plan->steps[i];
		}
	}
	fail_msg("no step %s", id);
	return NULL;
}

static inline size_t sample_position(const struct plan *plan, const char *id)
{
	return (size_t)(sample_step(plan, id) - plan->steps);
}

static const struct gate sample_open_gate = {.mode = "full", .person = true, .jobs = 0};

#endif
