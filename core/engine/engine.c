// SPDX-License-Identifier: MIT
/* See engine.h: opening, loading, and what a run knows of itself. */
#include "engine/inner.h"

#include "base/path.h"
#include "engine/order.h"
#include "host/self.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHANGE_MOST = 86400 }; /* seconds: nobody waits longer for one change */

/* A package manager at work is waited for after a stop was asked for, but not for ever: then it
 * goes on by itself, and the next run finds out what came of it. */
static bool stopped_long_ago(void *context)
{
	enum { STOP_WAIT_MS = 90 * 1000 };

	(void)context;
	return self_stop_since() >= STOP_WAIT_MS;
}

/* At boot everybody waits for us: no longer than that. */
static bool is_stopped(void *context)
{
	(void)context;
	return self_stop_signal() != 0;
}

struct engine *engine_open(const struct engine_options *options, const struct engine_watch *watch)
{
	static const struct engine_watch silent = {0};
	struct arena *arena = arena_create();
	struct engine *engine = arena_alloc(arena, sizeof *engine);
	struct worker_options worker = {
	    .run_dir = options->run_dir,
	    .read_only =
	        !self_is_root(), /* a stuck process is recorded by plan as well: safety state */
	    .own_dir = self_is_root() ? NULL : self_own_run_dir(arena),
	    .observe_ms = options->observe_ms,
	    .waiting = watch ? watch->waiting : NULL,
	    .leaves = options->boot ? is_stopped : stopped_long_ago,
	    .context = watch ? watch->context : NULL,
	};

	engine->options = options;
	engine->only = options->only;
	engine->watch = watch ? watch : &silent;
	engine->arena = arena;
	engine->worker = worker_create(&worker);
	engine->boot_id = self_boot_id(arena);
	engine->lock.fd = -1;
	return engine;
}

void engine_close(struct engine *engine)
{
	if (!engine) {
		return;
	}
	worker_free(engine->worker);
	history_close(engine);
	arena_free(engine->arena);
}

struct arena *engine_arena(struct engine *engine)
{
	return engine->arena;
}

const struct desired *engine_desired(const struct engine *engine)
{
	return &engine->desired;
}

const struct desired_identity *engine_identity(const struct engine *engine)
{
	return &engine->identity;
}

static const char *policy_line(const struct policy_source *list, size_t n, struct pos at,
                               size_t *ret_length)
{
	for (size_t i = 0; at.file && i < n; i++) {
		if (strcmp(list[i].file, at.file) == 0) {
			const struct desired_file file = {list[i].file, "", list[i].text, list[i].length};

			return desired_source_line(&file, 1, at, ret_length);
		}
	}
	return NULL;
}

const char *engine_source_line(const struct engine *engine, struct pos at, size_t *ret_length)
{
	const struct policy_set *p = &engine->policies;
	const char *line =
	    desired_source_line(engine->desired_files, engine->desired_file_count, at, ret_length);

	line = line ? line : policy_line(p->policies, p->count, at, ret_length);
	return line ? line : policy_line(p->libraries, p->library_count, at, ret_length);
}

size_t engine_policy_count(const struct engine *engine)
{
	return engine->policies.count;
}

void engine_note(struct engine *engine, const char *fmt, ...)
{
	AUTO(str_free) struct str text = {0};
	char line[1024];
	va_list ap;

	if (!engine->watch->note) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	str_add_printable(&text, line, sizeof line);
	engine->watch->note(engine->watch->context, str_text(&text));
}

void engine_doing(struct engine *engine, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	self_lock_doing(&engine->lock, line);
}

struct backoff *engine_read_backoff(struct engine *engine)
{
	const struct engine_options *o = engine->options;
	struct backoff *backoff =
	    backoff_read(o->run_dir, engine->boot_id, engine->identity.name, engine->arena);

	backoff->holds = o->backs_off;
	backoff->base_ms = o->backoff_base_ms ? o->backoff_base_ms : backoff->base_ms;
	backoff->most_ms = o->backoff_most_ms ? o->backoff_most_ms : backoff->most_ms;
	return backoff;
}

int engine_reach_state(struct engine *engine, struct err *err)
{
	const char *unanswered = worker_unanswered(
	    engine->worker, path_join(engine->arena, engine->options->state_dir, "x"), engine->arena);

	return unanswered ? err_set(err, ERR_LIMIT, 0, "%s", unanswered) : 0;
}

int engine_forget_failures(const struct engine_options *options, struct err *err)
{
	return backoff_forget(options->run_dir, err);
}

int engine_read_recording(struct engine *engine, struct err *err)
{
	const size_t most = 64 << 20;
	struct tree_file file;

	if (!engine->options->facts || engine->recorded) {
		return 0;
	}
	if (worker_read_file(engine->worker, engine->options->facts, self_is_root(), most,
	                     engine->arena, &file, err)) {
		return -(int)err->code;
	}
	return facts_parse(file.text, file.length, engine->options->facts, engine->arena,
	                   &engine->recorded, err);
}

/* The release that the desired state pins, or a glob for it. */
static const char *pinned_release(const struct engine *engine)
{
	const struct value *kernel = value_get(&engine->desired.state, "kernel");
	const char *release = value_text(kernel, "release");

	const char *strategy = value_text(kernel, "strategy");
	bool pins = !strategy || strcmp(strategy, "pin") == 0; /* as policies/kernel.lua has it */

	return release && pins ? release : NULL;
}

/* In milliseconds; 0: nothing is said. */
static int wanted_deadline(const struct engine *engine, const char *section)
{
	const char *text = value_text(&engine->desired.state, section);
	int64_t seconds = text ? clock_duration(text) : 0;

	return seconds > 0 ? (int)(seconds < CHANGE_MOST ? seconds : CHANGE_MOST) * 1000 : 0;
}

static void set_deadlines(struct engine *engine)
{
	worker_set_apply_ms(engine->worker, wanted_deadline(engine, "change_max"));
	worker_set_transaction_ms(engine->worker, wanted_deadline(engine, "transaction_max"));
}

void engine_init_facts(struct engine *engine)
{
	const char *pinned = pinned_release(engine);

	if (engine->recorded) {
		facts_init_recorded(&engine->facts, engine->arena, engine->recorded, pinned);
	} else {
		facts_init_live(&engine->facts, engine->arena, engine->worker, pinned);
	}
	engine->facts.node = engine->identity.name;
	set_deadlines(engine);
}

/* Parsing and overlays of whatever inputs_read or history brought. */
int engine_load_state(struct engine *engine, struct diags *diags, struct err *err)
{
	/* node.yaml comes last among the files and is no part of the tree. */
	size_t count = engine->desired_file_count;

	engine->tree = desired_load(engine->arena, engine->desired_files, count, diags);
	if (inputs_identify(engine, diags, err)) {
		return -(int)err->code;
	}
	if (!engine->tree || desired_effective(engine->arena, engine->tree, &engine->identity,
	                                       &engine->desired, diags)) {
		diag_sort(diags);
		return err_set(err, ERR_INPUT, 0, "%zu %s in the desired state", diags->count,
		               diags->count == 1 ? "fault" : "faults");
	}
	return 0;
}

int engine_load(struct engine *engine, struct diags *ret_diags, struct err *err)
{
	struct err fault = {0}, ignored = {0};

	ret_diags->arena = engine->arena;
	if (engine_read_recording(engine, err)) {
		return -(int)err->code;
	}
	if (!inputs_read(engine, &fault) && !engine_load_state(engine, ret_diags, &fault)) {
		engine_init_facts(engine);
		return 0;
	}
	const struct err *why = ret_diags->count ? &ret_diags->list[0].err : &fault;

	if (fallback_to_last_good(engine, why, &ignored)) {
		return err_copy(err, &fault);
	}
	ret_diags->count = 0;
	return 0;
}

/* The policies against what one node would be, on a node of which nothing is known: that finds what
 * does not compile, breaks at once, contradicts itself or goes in a circle. */
static bool check_policies(struct engine *engine, const struct desired *desired,
                           struct diags *diags)
{
	struct decision decision;
	struct wanted_set set;
	struct order order;
	struct facts facts;
	struct err err = {0};

	facts_init_recorded(&facts, engine->arena, strmap_create(engine->arena), NULL);
	if (policy_run(&engine->policies, &desired->state, &facts.source, &policy_default_limits,
	               engine->arena, &decision, &err) ||
	    planner_wanted(engine->arena, &decision, &set, &err) ||
	    order_make(engine->arena, &set, &order, &err)) {
		diag_add_err(diags, &err, NULL);
		return false;
	}
	return true;
}

static const struct value *repository_of(const struct desired *desired, const char *path)
{
	const struct value *entries = value_get(&desired->state, "data_repositories");

	return entries ? value_get(entries, path) : NULL;
}

/* Only the owner of a data repository asks the service about it. One that is no node of the tree,
 * or has no such entry itself, means that nobody ever does, which no node would say. */
static void check_owners(struct engine *engine, const struct desired *desired, struct strmap *seen,
                         struct diags *warnings)
{
	const struct value *entries = value_get(&desired->state, "data_repositories");

	for (size_t i = 0; entries && i < entries->count; i++) {
		const char *path = entries->entries[i].key;
		const struct value *owner = value_get(&entries->entries[i].value, "owner");
		struct diags unknown = {.arena = engine->arena};
		struct desired other;

		if (!owner || owner->type != VALUE_STRING) {
			continue;
		}
		const char *id = arena_printf(engine->arena, "%s %s", path, owner->string);
		struct desired_identity identity = {.name = owner->string, .source = "validate"};

		if (strmap_get(seen, id)) {
			continue;
		}
		strmap_put(seen, id, engine);
		if (desired_effective(engine->arena, engine->tree, &identity, &other, &unknown) ||
		    !repository_of(&other, path)) {
			diag_add(warnings, owner->at, NULL,
			         "%s is owned by %s, and no node of the tree that is called so has it: nobody "
			         "would ask the service about it",
			         path, owner->string);
		}
	}
}

/* Every node that the tree speaks of. Policies are tried once for each state, and no further when
 * one of them failed. */
static void check_nodes(struct engine *engine, const char *const *patterns, size_t n,
                        struct diags *diags, struct diags *warnings)
{
	struct strmap *seen = strmap_create(engine->arena), *owners = strmap_create(engine->arena);
	bool policies = true;

	for (size_t i = 0; i < n; i++) {
		struct desired_identity identity = {.name = patterns[i], .source = "validate"};
		struct desired *desired = arena_alloc(engine->arena, sizeof *desired);

		if (desired_effective(engine->arena, engine->tree, &identity, desired, diags)) {
			continue; /* the fault is in *diags */
		}
		check_owners(engine, desired, owners, warnings);
		if (policies && !strmap_get(seen, desired->digest)) {
			strmap_put(seen, desired->digest, desired);
			policies = check_policies(engine, desired, diags);
		}
	}
}

int engine_validate(struct engine *engine, struct diags *ret_diags, struct diags *ret_warnings,
                    size_t *ret_files, size_t *ret_nodes, struct err *err)
{
	const char *const *patterns;

	ret_diags->arena = ret_warnings->arena = engine->arena;
	if (inputs_read(engine, err)) {
		return -(int)err->code;
	}
	*ret_files = engine->desired_file_count;
	*ret_nodes = 0;
	engine->tree =
	    desired_load(engine->arena, engine->desired_files, engine->desired_file_count, ret_diags);
	if (engine->tree) {
		*ret_nodes = desired_nodes(engine->tree, engine->arena, &patterns);
		check_nodes(engine, patterns, *ret_nodes, ret_diags, ret_warnings);
	}
	diag_sort(ret_diags);
	diag_sort(ret_warnings);
	return ret_diags->count ? err_set(err, ERR_INPUT, 0, "%zu %s in the tree", ret_diags->count,
	                                  ret_diags->count == 1 ? "fault" : "faults")
	                        : 0;
}
