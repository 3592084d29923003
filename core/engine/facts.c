// SPDX-License-Identifier: MIT
/* See facts.h. */
#include "engine/facts.h"

#include "base/digest.h"
#include "base/json.h"
#include "engine/recording.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_VERSION = 1 };

/* Adds a release to the list unless it is unset or already there. */
static void add_release(const char **list, size_t *count, const char *release)
{
	for (size_t i = 0; release && i < *count; i++) {
		if (strcmp(list[i], release) == 0) {
			return;
		}
	}
	if (release) {
		list[(*count)++] = release;
	}
}

/* A pinned glob is the newest installed kernel that fits it, as policies/lib/kernels.lua has it. */
static const char *pinned_of(const struct facts *facts, const struct kernel *kernel)
{
	const char *found = NULL;

	if (!facts->pinned || !strpbrk(facts->pinned, "*?")) {
		return facts->pinned;
	}
	for (size_t i = 0; i < kernel->installed.count; i++) {
		if (fnmatch(facts->pinned, kernel->installed.items[i], 0) == 0) {
			found = kernel->installed.items[i];
		}
	}
	return found;
}

/* Which kernels matter is not observed but follows: running, what boots next, pinned. */
static const struct resource *with_kernels(struct facts *facts, const struct resource *fact)
{
	if (fact->kind->id != KIND_KERNEL || fact->state != STATE_PRESENT) {
		return fact;
	}
	struct resource *kernel = resource_copy(facts->arena, fact);
	const char **list = arena_array(facts->arena, 4, sizeof *list);
	size_t count = 0;

	add_release(list, &count, kernel->kernel.running);
	add_release(list, &count,
	            kernel->kernel.boot_next ? kernel->kernel.boot_next : kernel->kernel.boot_default);
	add_release(list, &count, pinned_of(facts, &kernel->kernel));
	kernel->kernel.that_matter = (struct list){.set = true, .count = count, .items = list};
	return kernel;
}

/* The node itself knows only its host name. */
static const struct resource *with_name(struct facts *facts, const struct resource *fact)
{
	if (fact->kind->id != KIND_NODE || fact->state != STATE_PRESENT || !facts->node) {
		return fact;
	}
	struct resource *node = resource_copy(facts->arena, fact);

	node->node.name = facts->node;
	return node;
}

static const struct resource *log_fact(struct facts *facts, const char *id,
                                       const struct resource *fact)
{
	fact = with_name(facts, with_kernels(facts, fact));
	strmap_put(facts->log, id, (void *)fact);
	return fact;
}

static const struct resource *from_recording(struct facts *facts, const struct kind *kind,
                                             const char *key, const char *id)
{
	const struct resource *fact = strmap_get(facts->recorded, id);

	/* Of a node one kernel runs at least: all that is decided about kernels rests on that. */
	if (fact && kind->id == KIND_KERNEL && fact->state != STATE_UNDETERMINED &&
	    (fact->state != STATE_PRESENT || !fact->kernel.running)) {
		return resource_undetermined(facts->arena, kind, key,
		                             "the recorded facts do not say which kernel runs");
	}
	return fact ? fact
	            : resource_undetermined(facts->arena, kind, key, "not in the recorded facts");
}

/* The answer before logging: overlay, recording, or the node. */
static int look(struct facts *facts, const struct kind *kind, const char *key, const char *id,
                const struct resource **ret_fact, struct err *err)
{
	const struct resource *fact = facts->overlay ? strmap_get(facts->overlay, id) : NULL;

	if (!fact && facts->below) {
		fact = strmap_get(facts->below->log, id);
	}
	if (!fact && facts->recorded) {
		fact = from_recording(facts, kind, key, id);
	}
	if (fact) {
		*ret_fact = fact;
		return 0;
	}
	struct worker_query query = {.kind = kind, .key = key};

	return worker_observe(facts->worker, &query, 1, facts->arena, ret_fact, err);
}

int facts_look(struct facts *facts, const struct kind *kind, const char *key,
               const struct resource **ret_fact, struct err *err)
{
	const char *id = resource_id(facts->arena, kind, key);
	const struct resource *fact = strmap_get(facts->log, id);

	if (!fact) {
		if (look(facts, kind, key, id, &fact, err)) {
			return -(int)err->code;
		}
		fact = log_fact(facts, id, fact);
	}
	*ret_fact = fact;
	return 0;
}

static int get(struct fact_source *self, const struct kind *kind, const char *key,
               const struct resource **ret_fact, struct err *err)
{
	struct facts *facts = (struct facts *)self;
	const char *id = resource_id(facts->arena, kind, key);

	strmap_put(facts->asked, id, (void *)id);
	return facts_look(facts, kind, key, ret_fact, err);
}

static void init(struct facts *facts, struct arena *arena)
{
	*facts = (struct facts){
	    .source = {.get = get},
	    .arena = arena,
	    .log = strmap_create(arena),
	    .asked = strmap_create(arena),
	};
}

void facts_init_live(struct facts *facts, struct arena *arena, struct worker *worker,
                     const char *pinned)
{
	init(facts, arena);
	facts->worker = worker;
	facts->pinned = pinned;
}

void facts_init_recorded(struct facts *facts, struct arena *arena, struct strmap *recorded,
                         const char *pinned)
{
	init(facts, arena);
	facts->recorded = recorded;
	facts->pinned = pinned;
}

void facts_init_paper(struct facts *facts, struct arena *arena, struct facts *below,
                      struct strmap *overlay)
{
	init(facts, arena);
	facts->worker = below->worker;
	facts->recorded = below->recorded;
	facts->pinned = below->pinned;
	facts->node = below->node;
	facts->below = below;
	facts->overlay = overlay;
}

static int observe_live(struct facts *facts, const struct resource *const *wants, size_t n,
                        const struct resource **ret_have, struct err *err)
{
	struct worker_query *queries = arena_array(facts->arena, n, sizeof *queries);

	for (size_t i = 0; i < n; i++) {
		queries[i] =
		    (struct worker_query){.kind = wants[i]->kind, .key = wants[i]->key, .want = wants[i]};
	}
	return worker_observe(facts->worker, queries, n, facts->arena, ret_have, err);
}

int facts_observe(struct facts *facts, const struct resource *const *wants, size_t n,
                  const struct resource **ret_have, struct err *err)
{
	if (!facts->recorded && n && observe_live(facts, wants, n, ret_have, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < n; i++) {
		const char *id = resource_id(facts->arena, wants[i]->kind, wants[i]->key);

		if (facts->recorded) {
			ret_have[i] = from_recording(facts, wants[i]->kind, wants[i]->key, id);
		}
		/* What was observed with the want in hand knows more than what a policy read before. */
		ret_have[i] = log_fact(facts, id, ret_have[i]);
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *facts_digest(const struct facts *facts, struct arena *arena)
{
	size_t n = strmap_count(facts->log);
	const char **ids = arena_array(arena, n, sizeof *ids);
	struct value all = value_list();

	for (size_t i = 0; i < n; i++) {
		ids[i] = strmap_key(facts->log, i);
	}
	qsort(ids, n, sizeof *ids, by_id);
	for (size_t i = 0; i < n; i++) {
		struct resource fact = *(const struct resource *)strmap_get(facts->log, ids[i]);

		if (fact.kind->id == KIND_SCHEDULER && !strmap_get(facts->asked, ids[i])) {
			continue;
		}
		/* Ages move with the clock, not with the node. */
		if (fact.kind->id == KIND_PACKAGE_INDEX) {
			fact.package_index.age = (struct number){0};
		} else if (fact.kind->id == KIND_CANDIDATE) {
			fact.candidate.index_age = (struct number){0};
		}
		value_append(arena, &all, resource_to_value(arena, &fact));
	}
	return arena_strdup(arena, digest_value(&all).hex);
}

struct value facts_document(struct arena *arena, const struct resource *const *facts, size_t n)
{
	struct value document = value_map(), list = value_list();

	for (size_t i = 0; i < n; i++) {
		value_append(arena, &list, resource_to_value(arena, facts[i]));
	}
	value_put(arena, &document, "reconcile_facts", value_int(DOCUMENT_VERSION));
	value_put(arena, &document, "facts", list);
	value_seal(&document);
	return document;
}

int facts_parse(const char *text, size_t n, const char *file, struct arena *arena,
                struct strmap **ret_recorded, struct err *err)
{
	struct value document;

	if (json_parse(text, n, file, arena, &document, err)) {
		return -(int)err->code;
	}
	const struct value *list = value_get(&document, "facts");

	if (value_number(&document, "reconcile_facts", 0) != DOCUMENT_VERSION || !list ||
	    list->type != VALUE_LIST) {
		return err_at(
		    err, ERR_INPUT, (struct pos){.file = file},
		    "not a recording of facts: expected {\"reconcile_facts\": %d, \"facts\": [...]}",
		    DOCUMENT_VERSION);
	}
	struct strmap *recorded = strmap_create(arena);
	struct diags diags = {.arena = arena};

	for (size_t i = 0; i < list->count; i++) {
		struct resource *fact = resource_from_value(arena, &list->items[i], USE_OBSERVED, &diags);

		if (!fact) {
			err_copy(err, &diags.list[0].err);
			err->at = (struct pos){.file = file};
			return err_wrap(err, "facts[%zu]", i);
		}
		if (strmap_put(recorded, resource_id(arena, fact->kind, fact->key),
		               (void *)recording_checked(arena, fact))) {
			return err_at(err, ERR_INPUT, (struct pos){.file = file},
			              "facts[%zu]: %s was recorded twice", i,
			              resource_id(arena, fact->kind, fact->key));
		}
	}
	*ret_recorded = recorded;
	return 0;
}
