// SPDX-License-Identifier: MIT
/*
 * The facts of a run: live from the node, from a recording, or on paper after predicted changes.
 * Each is observed at most once and logged; what was read is what a plan rests on.
 */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "base/strmap.h"
#include "model/fact_source.h"
#include "provider/worker.h"

struct facts {
	struct fact_source source; /* first: handed to the policies */
	struct arena *arena;
	struct worker *worker;     /* live, or NULL */
	struct strmap *recorded;   /* id → struct resource, or NULL */
	struct strmap *log;        /* id → struct resource: what was read, in order */
	struct strmap *asked;      /* id → non-NULL: read by a policy */
	const struct facts *below; /* paper: what the overlay lies on */
	struct strmap *overlay;    /* id → predicted struct resource */
	const char *node;          /* the name under which the state describes it, or NULL */
	const char *pinned;        /* release or glob that the desired state pins, for that_matter */
};

void facts_init_live(struct facts *facts, struct arena *arena, struct worker *worker,
                     const char *pinned);
void facts_init_recorded(struct facts *facts, struct arena *arena, struct strmap *recorded,
                         const char *pinned);
/* Reads go to `overlay` first, then to what `below` would answer; nothing is logged in below but
 * new reads. */
void facts_init_paper(struct facts *facts, struct arena *arena, struct facts *below,
                      struct strmap *overlay);

/* One fact that the engine itself needs: logged, but not counted as read by a policy. */
int facts_look(struct facts *facts, const struct kind *kind, const char *key,
               const struct resource **ret_fact, struct err *err) MUST_CHECK;

/* Observes wanted resources in one batch; ret_have has room for n. */
int facts_observe(struct facts *facts, const struct resource *const *wants, size_t n,
                  const struct resource **ret_have, struct err *err) MUST_CHECK;

/* SHA-256 over everything that was read, without ages, and without the jobs on the node unless a
 * policy asked for them: whether a change may be made now is no fact that it rests on. */
const char *facts_digest(const struct facts *facts, struct arena *arena);

/* A recording: {"reconcile_facts": 1, "facts": [...]}. */
struct value facts_document(struct arena *arena, const struct resource *const *facts, size_t n);
int facts_parse(const char *text, size_t n, const char *file, struct arena *arena,
                struct strmap **ret_recorded, struct err *err) MUST_CHECK;

#endif
