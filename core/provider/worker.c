// SPDX-License-Identifier: MIT
/* See worker.h: the supervisor's side, observing and applying. Nothing here touches a managed path;
 * what may hang does so in the child, and is left behind. */
#include "base/clock.h"
#include "provider/transaction.h"
#include "provider/worker_link.h"

#include <stdlib.h>
#include <string.h>

enum {
	OBSERVE_MS = 5000,
	APPLY_MS = 60000,
	GRACE_MS = 5000,   /* beyond a provider's own deadline for what it runs */
	AROUND_MS = 65000, /* what a provider does before and after the package manager */
	END_MS = 500,
	SILENCE_MS = 10000, /* to explain one that was not heard of again */
	CHUNK = 256,        /* queries in one request: some 64 KiB */
};

struct worker *worker_create(const struct worker_options *options)
{
	struct worker *worker = mem_alloc(sizeof *worker);

	*worker = (struct worker){.child = {.fd = -1}, .trace = {.fd = -1}, .arena = arena_create()};
	if (options) {
		worker->options = *options;
	}
	worker->stuck.arena = worker->arena;
	worker->stuck.read_only = worker->options.read_only;
	if (worker->options.observe_ms <= 0) {
		worker->options.observe_ms = OBSERVE_MS;
	}
	worker_set_apply_ms(worker, worker->options.apply_ms);
	worker_set_transaction_ms(worker, 0);
	return worker;
}

void worker_set_apply_ms(struct worker *worker, int apply_ms)
{
	worker->options.apply_ms = apply_ms > 0 ? apply_ms : APPLY_MS;
}

void worker_set_transaction_ms(struct worker *worker, int transaction_ms)
{
	worker->transaction_ms = transaction_ms > 0 ? transaction_ms : TRANSACTION_MS;
}

void worker_forget(struct worker *worker)
{
	worker->forget = true;
}

/* ---- Observing ---- */

/* What a provider may want to see of the wish before it looks; false: nothing. Of files and
 * directories that is whose they should be; contents stay here, they may be large. */
static bool find_hint(const struct worker_query *query, struct resource *ret_hint)
{
	if (!query->want) {
		return false;
	}
	*ret_hint = *query->want;
	switch (query->kind->id) {
	case KIND_FILE:
		ret_hint->file.content = NULL;
		return ret_hint->file.owner || ret_hint->file.group;
	case KIND_DIRECTORY:
		return ret_hint->directory.owner || ret_hint->directory.group;
	default:
		return true;
	}
}

struct batch {
	const struct worker_query *queries;
	const size_t *numbers; /* of the queries to ask, in order */
	size_t count;
	bool fresh;
	struct arena *arena;
	const struct resource **facts;
};

static int send_batch(struct worker *worker, const struct batch *b, size_t first, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value request = value_map(), items = value_list();

	for (size_t i = first; i < b->count; i++) {
		const struct worker_query *query = &b->queries[b->numbers[i]];
		struct value item = value_map();
		struct resource hint;

		value_put(scratch, &item, "kind", value_string(query->kind->name));
		value_put(scratch, &item, "key", value_string(query->key));
		if (find_hint(query, &hint)) {
			value_put(scratch, &item, "want", resource_to_value(scratch, &hint));
		}
		value_append(scratch, &items, item);
	}
	value_put(scratch, &request, "op", value_string("observe"));
	value_put(scratch, &request, "fresh", value_bool(b->fresh));
	value_put(scratch, &request, "items", items);
	value_seal(&request);
	return wire_send(worker->child.fd, &request, clock_ms() + worker->options.observe_ms, err);
}

int worker_read_fact(const struct worker_query *query, const struct value *answer,
                     struct arena *arena, const struct resource **ret_fact, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct diags diags = {.arena = scratch};
	struct err fault;

	if (worker_error_of(answer, &fault)) {
		*ret_fact = resource_undetermined(arena, query->kind, query->key, "%s", fault.text);
		return 0;
	}
	const struct resource *fact = resource_from_value(arena, answer, USE_OBSERVED, &diags);

	if (!fact || fact->kind != query->kind || strcmp(fact->key, query->key) != 0) {
		return err_set(err, ERR_INPUT, 0, "an answer that makes no sense");
	}
	*ret_fact = fact;
	return 0;
}

/* A look has left something running. The worker itself is well, but the rest must be judged anew:
 * it begins with a fresh one, for this one still has their answers to give. */
static int leave_some(struct worker *worker, const struct worker_deed *deed)
{
	struct child_left found = worker->left, more;

	child_end_all(&worker->child, 0, NULL, &more);
	child_abandon(&worker->child);
	worker->left = found;
	worker_note_left(worker, deed);
	return 0;
}

/* Receives answers until all are there or the worker fails; *at is how many are done. A failure
 * settles the one that was under way. */
static int receive_batch(struct worker *worker, const struct batch *b, size_t *at, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();

	while (*at < b->count) {
		const struct worker_query *query = &b->queries[b->numbers[*at]];
		const struct resource **fact = &b->facts[b->numbers[*at]];
		int64_t started = clock_ms(), deadline = started + worker->options.observe_ms;
		const char *why;
		struct worker_deed deed = {.kind = query->kind, .key = query->key, .began = started};
		struct value answer;
		struct err fault = {0};

		worker->trace.deed = &deed;
		int r = worker_receive(worker, query->key, deadline, scratch, &answer, &fault);

		if (!r && !worker_read_fact(query, &answer, b->arena, fact, &fault)) {
			worker_trace_over(worker);
			++*at;
			if (worker->left.count) {
				return leave_some(worker, &deed);
			}
			continue;
		}
		if (fault.code == ERR_LIMIT) {
			why = worker_abandon(worker, &deed, b->arena);
		} else if (worker_bury(worker, b->arena, &why, err)) {
			worker_trace_over(worker);
			return -(int)err->code;
		} else {
			worker_note_left(worker, &deed);
		}
		worker_trace_over(worker);
		*fact = resource_undetermined(b->arena, query->kind, query->key, "%s", why);
		++*at;
		return 0;
	}
	return 0;
}

/* Sends what is still to be asked. A worker that dies before it has heard anything is no answer. */
static int ask(struct worker *worker, const struct batch *b, size_t first, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		const char *why;

		if (worker_ensure(worker, err)) {
			return -(int)err->code;
		}
		if (!send_batch(worker, b, first, err)) {
			return 0;
		}
		if (attempt == 2) {
			return err_wrap(err, "worker");
		}
		if (worker_bury(worker, worker->arena, &why, err)) {
			return -(int)err->code;
		}
	}
}

static int observe_chunk(struct worker *worker, struct batch *b, struct err *err)
{
	for (size_t at = 0; at < b->count;) {
		const struct worker_query *query = &b->queries[b->numbers[at]];
		const char *why = worker_forbidden(worker, query->kind, query->key, false, b->arena);

		if (why) {
			/* What hung came up only now: those behind it may lie on the same mount. */
			b->facts[b->numbers[at]] =
			    resource_undetermined(b->arena, query->kind, query->key, "%s", why);
			at++;
			continue;
		}
		struct batch rest = *b;
		size_t done = at;

		for (rest.count = at; rest.count < b->count; rest.count++) {
			query = &b->queries[b->numbers[rest.count]];
			if (worker_forbidden(worker, query->kind, query->key, false, worker->arena)) {
				break;
			}
		}
		if (ask(worker, &rest, at, err) || receive_batch(worker, &rest, &done, err)) {
			return -(int)err->code;
		}
		at = done;
	}
	return 0;
}

/* Asks for all of them, chunk by chunk; which ones of `what` are asked at a time is set here. */
static int observe(struct worker *worker, const struct batch *what, size_t n, struct err *err)
{
	size_t numbers[CHUNK];
	struct batch chunk = *what;

	/* Loads what earlier runs have left, before anything is asked. */
	if (n && worker_ensure(worker, err)) {
		return -(int)err->code;
	}
	chunk.numbers = numbers;
	chunk.fresh |= worker->forget;
	worker->forget = false;
	for (size_t i = 0; i < n;) {
		for (chunk.count = 0; i < n && chunk.count < CHUNK; i++) {
			numbers[chunk.count++] = i;
		}
		if (observe_chunk(worker, &chunk, err)) {
			return -(int)err->code;
		}
		chunk.fresh = false; /* once is enough: the later chunks are of the same moment */
	}
	return 0;
}

int worker_observe(struct worker *worker, const struct worker_query *queries, size_t n,
                   struct arena *arena, const struct resource **ret_facts, struct err *err)
{
	struct batch all = {.queries = queries, .arena = arena, .facts = ret_facts};

	return observe(worker, &all, n, err);
}

int worker_observe_fresh(struct worker *worker, const struct worker_query *query,
                         struct arena *arena, const struct resource **ret_fact, struct err *err)
{
	struct batch one = {.queries = query, .arena = arena, .facts = ret_fact, .fresh = true};

	return observe(worker, &one, 1, err);
}

/* ---- Applying ---- */

static struct value change_question(const struct worker *worker, struct arena *arena,
                                    const struct change *change)
{
	struct value question = value_map();

	value_put(arena, &question, "op", value_string("apply"));
	value_put(arena, &question, "action", value_int((int64_t)change->action));
	value_put(arena, &question, "want", resource_to_value(arena, change->want));
	value_put(arena, &question, "have", resource_to_value(arena, change->have));
	value_put(arena, &question, "patience_ms", value_int(worker->transaction_ms));
	value_seal(&question);
	return question;
}

/* In words for whoever finds it still going on in a later run. */
static const char *name_act(struct arena *arena, const struct change *change, const char *id)
{
	const char *verb = change->action == ACTION_REMOVE   ? "unmounting"
	                   : change->action == ACTION_UPDATE ? "remounting"
	                                                     : "mounting";

	return change->kind->id == KIND_MOUNT ? arena_printf(arena, "%s %s", verb, change->want->key)
	                                      : arena_printf(arena, "the last change of %s", id);
}

static struct applied read_applied(const struct value *answer, struct arena *arena)
{
	int64_t outcome = value_number(answer, "outcome", OUTCOME_FAILED);
	const char *why = value_text(answer, "why"), *detail = value_text(answer, "detail");

	return (struct applied){
	    .outcome = outcome >= 0 && outcome < OUTCOME_COUNT ? (enum outcome)outcome : OUTCOME_FAILED,
	    .why = why ? arena_strdup(arena, why) : NULL,
	    .detail = detail ? arena_strdup(arena, detail) : NULL,
	};
}

static int64_t longest(const struct worker *worker, const struct provider *provider)
{
	int64_t own = provider->waits_at_deadline ? worker->transaction_ms + AROUND_MS
	              : provider->timeout_ms      ? provider->timeout_ms + GRACE_MS
	                                          : 0;

	return own > worker->options.apply_ms ? own : worker->options.apply_ms;
}

/* What a mount that was given up may have waited for: a fresh worker asks the network, for a while.
 * NULL: nothing is known. */
static const char *explain_silence(struct worker *worker, const struct change *change,
                                   struct arena *arena)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value question = value_map(), answer;
	struct child_left left;
	struct err err = {0};

	if (change->kind->id != KIND_MOUNT || change->action != ACTION_CREATE) {
		return NULL;
	}
	value_put(scratch, &question, "op", value_string("silence"));
	value_put(scratch, &question, "want", resource_to_value(scratch, change->want));
	value_seal(&question);
	if (worker_request(worker, &question, &err) ||
	    worker_receive(worker, change->want->key, clock_ms() + SILENCE_MS, scratch, &answer,
	                   &err)) {
		child_end_all(&worker->child, 0, NULL, &left);
		child_abandon(&worker->child);
		return NULL;
	}
	const char *words = value_text(&answer, "words");

	return words ? arena_strdup(arena, words) : NULL;
}

static struct applied too_late(struct worker *worker, const struct change *change,
                               const struct worker_deed *deed, struct arena *arena)
{
	const struct provider *provider = provider_table[change->kind->id];
	const char *why = worker_abandon(worker, deed, arena);

	if (provider->waits_at_deadline) {
		return (struct applied){.outcome = OUTCOME_PENDING,
		                        .why = arena_printf(arena, "still under way (%s)", why)};
	}
	if (longest(worker, provider) == worker->options.apply_ms) {
		why = arena_printf(arena, "%s (change_max)", why); /* the word that allows more */
	}
	return (struct applied){
	    .outcome = OUTCOME_FAILED, .why = why, .detail = explain_silence(worker, change, arena)};
}

/* Written down before it begins. */
static int begin(struct worker *worker, const struct worker_deed *deed,
                 const struct value *question, struct err *err)
{
	worker->trace.deed = deed;
	worker_trace_tell(worker);
	if (worker_request(worker, question, err)) {
		worker_trace_over(worker);
		return -(int)err->code;
	}
	return 0;
}

int worker_apply(struct worker *worker, const struct change *change, struct arena *arena,
                 struct applied *ret_applied, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value question = change_question(worker, scratch, change), answer;
	const char *id = resource_id(scratch, change->kind, change->want->key);
	int64_t most = longest(worker, provider_table[change->kind->id]);
	struct err fault = {0};

	if (worker_ensure(worker, err)) {
		return -(int)err->code;
	}
	const char *why = worker_forbidden(worker, change->kind, change->want->key, true, arena);

	if (why) {
		*ret_applied = (struct applied){.outcome = OUTCOME_BLOCKED, .why = why};
		return 0;
	}
	struct worker_deed deed = {
	    .kind = change->kind,
	    .key = change->want->key,
	    .act = name_act(scratch, change, id),
	    .mounts = change->kind->id == KIND_MOUNT && change->action == ACTION_CREATE,
	    .began = clock_ms(),
	};

	if (begin(worker, &deed, &question, err)) {
		return -(int)err->code;
	}
	worker->kept = provider_table[change->kind->id]->waits_at_deadline;
	int r = worker_hear(worker, id, deed.began + most, scratch, &answer, &fault);

	worker->kept = false;
	if (!r) {
		*ret_applied = read_applied(&answer, arena);
	} else if (fault.code == ERR_LIMIT) {
		*ret_applied = too_late(worker, change, &deed, arena);
	} else {
		*ret_applied =
		    (struct applied){.outcome = OUTCOME_FAILED, .why = arena_strdup(arena, fault.text)};
	}
	worker_note_left(worker, &deed);
	worker_trace_over(worker);
	return 0;
}

/* What is under way when a run is broken off is ended with it; what cannot be, and would be of no
 * known target, counts among those that are stuck. */
void worker_free(struct worker *worker)
{
	struct child_left left;

	if (!worker) {
		return;
	}
	child_end_all(&worker->child, END_MS, NULL, &left);
	child_abandon(&worker->child);
	for (size_t i = 0; i < left.count; i++) {
		struct stuck stuck = {
		    .what = "the end of a run",
		    .since = clock_now(),
		    .pid = left.list[i].pid,
		    .starttime = left.list[i].starttime,
		};

		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
	worker_trace_end(worker);
	arena_free(worker->arena);
	free(worker);
}
