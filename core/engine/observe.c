// SPDX-License-Identifier: MIT
/* Facts for whoever asks: one, all of a kind, or everything that planning for this node reads. */
#include "engine/inner.h"

#include <stdlib.h>
#include <string.h>

struct fact_list {
	const struct resource **list;
	size_t count, cap;
};

static void add(struct engine *engine, struct fact_list *facts, const struct resource *fact)
{
	facts->list =
	    arena_grow(engine->arena, facts->list, facts->count, &facts->cap, sizeof *facts->list);
	facts->list[facts->count++] = fact;
}

static int get(struct engine *engine, struct fact_list *facts, const struct kind *kind,
               const char *key, struct err *err)
{
	struct fact_source *source = &engine->facts.source;
	const struct resource *fact;

	if (source->get(source, kind, key, &fact, err)) {
		return -(int)err->code;
	}
	add(engine, facts, fact);
	return 0;
}

static int get_all(struct engine *engine, struct fact_list *facts, const struct kind *kind,
                   struct err *err)
{
	struct keys keys = {0};

	if (kind->traits & KIND_SINGLETON) {
		return get(engine, facts, kind, "", err);
	}
	if (engine->recorded) {
		for (size_t i = 0; i < strmap_count(engine->recorded); i++) {
			const struct resource *fact = strmap_value(engine->recorded, i);

			if (fact->kind == kind) {
				add(engine, facts, fact);
			}
		}
		return 0;
	}
	if (worker_list(engine->worker, kind, engine->arena, &keys, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < keys.count; i++) {
		if (get(engine, facts, kind, keys.list[i], err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int by_kind_and_key(const void *a, const void *b)
{
	const struct resource *p = *(const struct resource *const *)a,
	                      *q = *(const struct resource *const *)b;

	return p->kind->id != q->kind->id ? (p->kind->id < q->kind->id ? -1 : 1)
	                                  : strcmp(p->key, q->key);
}

/* What a plan reads, and in any case what one made by somebody else or later may ask first. */
static int get_planned(struct engine *engine, struct fact_list *facts, struct err *err)
{
	static const enum kind_id always[] = {KIND_NODE, KIND_KERNEL, KIND_SCHEDULER};
	struct fact_source *source = &engine->facts.source;
	const struct resource *fact;
	struct plan *plan;

	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (source->get(source, &kind_table[always[i]], "", &fact, err)) {
			return -(int)err->code;
		}
	}
	if (engine->tree && planning_make(engine, false, &plan, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < strmap_count(engine->facts.log); i++) {
		add(engine, facts, strmap_value(engine->facts.log, i));
	}
	if (facts->count) {
		qsort(facts->list, facts->count, sizeof *facts->list, by_kind_and_key);
	}
	return 0;
}

int engine_facts(struct engine *engine, const struct kind *kind, const char *key,
                 const struct resource ***ret_facts, size_t *ret_count, struct err *err)
{
	struct fact_list facts = {0};
	int r;

	/* Without a tree. */
	if (!engine->facts.log && engine_read_recording(engine, err)) {
		return -(int)err->code;
	}
	if (!engine->facts.log && engine->recorded) {
		facts_init_recorded(&engine->facts, engine->arena, engine->recorded, NULL);
	} else if (!engine->facts.log) {
		facts_init_live(&engine->facts, engine->arena, engine->worker, NULL);
	}
	if (!kind) {
		r = get_planned(engine, &facts, err);
	} else if (key) {
		r = get(engine, &facts, kind, key, err);
	} else {
		r = get_all(engine, &facts, kind, err);
	}
	if (!r) {
		*ret_facts = facts.list;
		*ret_count = facts.count;
	}
	return r;
}

struct value engine_facts_document(struct engine *engine, const struct resource *const *facts,
                                   size_t n)
{
	return facts_document(engine->arena, facts, n);
}
