// SPDX-License-Identifier: MIT
/*
 * The engine's dealings with the history: it is told everything and decides nothing. Trouble with
 * it is a note, never the end of a run; intents then go to a small file in the run-dir.
 */
#include "engine/inner.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/last_good.h"
#include "host/self.h"
#include "model/redact.h"
#include "store/journal.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Unless the tree says otherwise. */
enum { KEEP_SECONDS = 90 * 86400, KEEP_MIB = 64 };
/* What looking after it may take at the end of a run: dropping what is old, looking for damage
 * (once a day). */
enum { PRUNE_MS = 50, CHECK_MS = 2000 };

/* Errors of the store begin with "history PATH". */
static const char *bare(const char *text)
{
	return text_starts(text, "history ") ? text + strlen("history ") : text;
}

static void trouble(struct engine *engine, const struct err *err)
{
	engine_note(engine, "history: %s; going on without it", bare(err->text));
	engine->condition.problem = arena_strdup(engine->arena, err->text);
	store_close(engine->store);
	engine->store = NULL;
}

const char *history_unreached(struct engine *engine)
{
	const char *path = engine->options->history;
	const char *folder = path_fault(path) ? NULL : path_parent(engine->arena, path);

	/* store_open says what is wrong with a path. */
	return folder ? worker_unanswered(engine->worker, path, engine->arena) : NULL;
}

void history_open(struct engine *engine, enum store_mode mode)
{
	struct err err = {0};

	if (engine->store) {
		return;
	}
	engine->history_writes = mode == STORE_WRITE;
	engine->condition = (struct store_condition){.problem = history_unreached(engine)};
	if (!engine->condition.problem && store_open(engine->options->history, mode, engine->arena,
	                                             &engine->store, &engine->condition, &err)) {
		engine->condition.problem = arena_strdup(engine->arena, err.text);
		engine->store = NULL;
	}
	if (engine->condition.problem && mode == STORE_WRITE) {
		engine_note(engine, "history: %s%s%s", bare(engine->condition.problem),
		            engine->condition.set_aside ? "; set aside as " : "",
		            engine->condition.set_aside ? engine->condition.set_aside : "");
	}
}

struct store *engine_history(struct engine *engine, const struct store_condition **ret_condition)
{
	if (!engine->store && !engine->condition.problem) {
		history_open(engine, STORE_READ);
	}
	*ret_condition = &engine->condition;
	return engine->store;
}

static const char *journal_path(struct engine *engine)
{
	return arena_printf(engine->arena, "%s/intents.json", engine->options->run_dir);
}

/* The file that was being written when a step of this kind was cut off, or NULL. */
static const char *written_by(const struct kind *kind, const char *key)
{
	return kind->id == KIND_FILE ? key : kind->id == KIND_MOUNT ? "/etc/fstab" : NULL;
}

/* A file is made beside the one that it replaces, under one name (host/files.c), and the next write
 * of it clears away what a crash left there. Should nobody want to write it any more, this does. */
static void clear_away(struct engine *engine, const struct kind *kind, const char *key)
{
	const struct kind *file = &kind_table[KIND_FILE];
	const char *path = written_by(kind, key);
	const char *folder = path ? path_parent(engine->arena, path) : NULL;
	const struct resource *fact;
	struct applied applied = {0};
	struct err err = {0};

	if (!folder) {
		return;
	}
	char *left = path_join(engine->arena, folder,
	                       arena_printf(engine->arena, ".%s.reconcile", path_name(path)));
	struct worker_query query = {.kind = file, .key = left};

	if (worker_observe_fresh(engine->worker, &query, engine->arena, &fact, &err) ||
	    fact->state != STATE_PRESENT) {
		return;
	}
	struct resource *want = resource_create(engine->arena, file, left);

	want->state = STATE_ABSENT;
	const struct change change = {file, ACTION_REMOVE, want, fact};

	if (worker_apply(engine->worker, &change, engine->arena, &applied, &err)) {
		engine_note(engine, "%s was left behind: %s", left, err.text);
	} else if (applied.why) {
		engine_note(engine, "%s was left behind: %s", left, applied.why);
	}
}

/* What is true now of a resource that a killed run was working on. *ret_done: it got through
 * nevertheless. */
static const char *found_now(struct engine *engine, const struct store_cut *cut, bool *ret_done)
{
	const struct kind *kind;
	const char *key;
	const struct resource *fact;
	struct err err = {0};
	AUTO(str_free) struct str text = {0};

	*ret_done = false;
	if (resource_parse_id(cut->id, engine->arena, &kind, &key, &err)) {
		return arena_strdup(engine->arena, err.text);
	}
	struct worker_query query = {.kind = kind, .key = key};

	clear_away(engine, kind, key);
	if (worker_observe_fresh(engine->worker, &query, engine->arena, &fact, &err)) {
		return arena_printf(engine->arena, "cannot be observed: %s", err.text);
	}
	struct value value = resource_to_value(engine->arena, fact);

	*ret_done = (text_equal(cut->action, "create") && fact->state == STATE_PRESENT) ||
	            (text_equal(cut->action, "remove") && fact->state == STATE_ABSENT);
	json_print(&text, &value, 0);
	return arena_strdup(engine->arena, str_text(&text));
}

void history_tidy(struct engine *engine)
{
	struct store_cut *cuts;
	size_t count;
	struct err err = {0};

	if (!engine->store) {
		return;
	}
	if (store_import(engine->store, journal_path(engine), &err) || history_gap_tell(engine, &err) ||
	    store_cut_list(engine->store, engine->arena, &cuts, &count, &err)) {
		trouble(engine, &err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		bool done;
		const char *found = found_now(engine, &cuts[i], &done);

		engine_note(engine, "run %lld was cut off while it was to %s %s; it is observed again",
		            (long long)cuts[i].run, cuts[i].action, cuts[i].id);
		if (store_cut_close(engine->store, &cuts[i], found, done, &err)) {
			trouble(engine, &err);
			return;
		}
	}
}

/* What a run rests on, and how to put it into words when history does not have it yet. */
struct input {
	const char *digest, *kind;
	struct value (*document)(struct engine *engine);
};

static struct value state_document(struct engine *engine)
{
	return redact_state(engine->arena, &engine->desired.state, REDACT_ALL);
}

static void add_digests(struct arena *arena, struct value *map, const char *folder,
                        const struct policy_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct digest digest = digest_bytes(sources[i].text, sources[i].length);

		value_put(arena, map, arena_printf(arena, "%s%s", folder, sources[i].name),
		          value_string(arena_strdup(arena, digest.hex)));
	}
}

/* Digests only: a policy may hold what a file is to hold. */
static struct value policies_document(struct engine *engine)
{
	struct value policies = value_map();

	add_digests(engine->arena, &policies, "", engine->policies.policies, engine->policies.count);
	add_digests(engine->arena, &policies, "lib/", engine->policies.libraries,
	            engine->policies.library_count);
	value_seal(&policies);
	return policies;
}

static struct value facts_read(struct engine *engine)
{
	size_t n = strmap_count(engine->facts.log);
	const struct resource **facts = arena_array(engine->arena, n, sizeof *facts);

	for (size_t i = 0; i < n; i++) {
		facts[i] = strmap_value(engine->facts.log, i);
	}
	return facts_document(engine->arena, facts, n);
}

static int keep(struct engine *engine, const struct input *input, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	bool kept;

	if (store_is_kept(engine->store, input->digest, &kept, err)) {
		return -(int)err->code;
	}
	if (kept) {
		return 0;
	}
	struct value document = input->document(engine);

	json_print(&text, &document, 0);
	return store_keep(engine->store, input->digest, input->kind, str_text(&text), text.length, err);
}

/* Tree, effective state, policies and facts, each once by digest. */
static int keep_inputs(struct engine *engine, const struct plan *plan, struct err *err)
{
	const struct input inputs[] = {
	    {engine->tree_digest, "tree", inputs_manifest},
	    {engine->desired.digest, "state", state_document},
	    {engine->policies_digest, "policies", policies_document},
	    {plan->basis.facts, "facts", facts_read},
	};

	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		if (keep(engine, &inputs[i], err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static const char *trigger(const struct engine *engine)
{
	if (engine->options->person) {
		return "terminal";
	}
	if (engine->options->boot) {
		return "boot";
	}
	return engine->options->trigger ? engine->options->trigger : "script";
}

int64_t history_begin(struct engine *engine, const struct plan *plan)
{
	const struct plan_basis none = {.node = engine->identity.name, .boot_id = engine->boot_id};
	const struct plan_basis *basis = plan ? &plan->basis : &none;
	struct err err = {0};
	int64_t run = 0;
	struct store_run_start start = {
	    .command = engine->options->command,
	    .trigger = trigger(engine),
	    .who = self_user(engine->arena),
	    .version = engine->options->version,
	    .node = basis->node,
	    .boot_id = basis->boot_id,
	    .mode = basis->mode,
	    .tree = engine->tree_digest,
	    .policies = engine->policies_digest,
	    .facts = basis->facts,
	    .state = engine->shrink_alarming ? "" : engine->desired.digest,
	    .tree_path = engine->options->tree,
	    .stale_tree = engine->stale,
	    .partial = engine->only || engine->options->boot,
	};

	if (!engine->store) {
		return 0;
	}
	if (store_run_begin(engine->store, &start, &run, &err) ||
	    (plan && keep_inputs(engine, plan, &err))) {
		trouble(engine, &err);
		return 0;
	}
	return run;
}

/* One file of lines: all or, from the first that fails on, none. */
static bool journal_intents(struct engine *engine, int64_t run, struct step *const *steps, size_t n,
                            int64_t *numbers)
{
	struct err err = {0};

	for (size_t i = 0; i < n; i++) {
		if (journal_intent(journal_path(engine), run, engine->boot_id, steps[i], &numbers[i],
		                   &err)) {
			return false;
		}
	}
	return true;
}

struct intents history_intents(struct engine *engine, int64_t run, struct step *const *steps,
                               size_t n)
{
	struct intents intents = {0};
	struct err err = {0};

	if (engine->store && run) {
		if (!store_intents(engine->store, run, (const struct step *const *)steps, n,
		                   intents.numbers, &err)) {
			intents.place = INTENT_IN_STORE;
			return intents;
		}
		trouble(engine, &err);
	}
	if (journal_intents(engine, run, steps, n, intents.numbers)) {
		engine->journaled = true;
		intents.place = INTENT_IN_JOURNAL;
	}
	return intents;
}

void history_outcomes(struct engine *engine, const struct intents *intents,
                      struct step *const *steps, size_t n)
{
	struct err err = {0};
	int r = 0;

	if (intents->place == INTENT_IN_STORE && engine->store) {
		r = store_outcomes(engine->store, intents->numbers, (const struct step *const *)steps, n,
		                   &err);
	}
	for (size_t i = 0; intents->place == INTENT_IN_JOURNAL && i < n && !r; i++) {
		r = journal_outcome(journal_path(engine), intents->numbers[i], steps[i], &err);
	}
	if (r) {
		engine_note(engine, "the outcome of %s%s could not be recorded: %s", steps[0]->id,
		            n > 1 ? " and others" : "", err.text);
	}
}

/* A tree that served a whole run is what `run` falls back on, until another one does. */
static void keep_tree(struct engine *engine, int exit_code)
{
	struct last_good tree = {.document = inputs_document(engine), .node = engine->node_text};
	struct err err = {0};
	bool served = exit_code != EXIT_ERROR && exit_code != EXIT_LOCKED && exit_code != EXIT_PAUSED;

	const char *path = history_last_good_path(engine);

	memcpy(tree.digest, engine->tree_digest, sizeof tree.digest);
	if (served && path && !engine->stale && !engine->shrink_alarming && !engine->only &&
	    !engine->options->boot && last_good_keep(path, &tree, engine->boot_id, &err)) {
		engine->tree_not_kept = true;
		engine_note(engine, "the tree could not be kept as the last good one: %s", err.text);
	}
}

const char *history_last_good_path(struct engine *engine)
{
	const char *history = engine->options->history;
	const char *folder = path_fault(history) ? NULL : path_parent(engine->arena, history);

	return folder && !history_unreached(engine) ? path_join(engine->arena, folder, "last-good.json")
	                                            : NULL;
}

/* How the run ended, where there is no history to tell it. */
static void end_in_journal(struct engine *engine, int64_t run, int exit_code, const char *error)
{
	struct err err = {0};

	if (!run && !engine->journaled) {
		history_gap_widen(engine);
	} else if (journal_end(journal_path(engine), run, engine->boot_id, exit_code, error, &err)) {
		engine_note(engine, "how this run ended could not be recorded: %s", err.text);
	}
	engine->journaled = false;
}

void history_end(struct engine *engine, int64_t run, int exit_code, const struct plan *plan,
                 const char *error, bool changed)
{
	struct err err = {0};

	keep_tree(engine, exit_code);
	engine->history_changed |= changed;
	if (engine->store && run && store_run_end(engine->store, run, exit_code, plan, error, &err)) {
		trouble(engine, &err);
	}
	if (!engine->store || !run) {
		end_in_journal(engine, run, exit_code, error);
	}
}

/* As the tree says. One that did not load says nothing, and then nothing is dropped: it may have
 * wanted more to be kept. */
static bool bounds_of(const struct engine *engine, struct store_bounds *ret_bounds)
{
	const struct value *history = value_get(&engine->desired.state, "history");
	const char *keep = history ? value_text(history, "keep") : NULL;

	*ret_bounds = (struct store_bounds){
	    .seconds = keep ? clock_duration(keep) : KEEP_SECONDS,
	    .bytes = (history ? value_number(history, "size_mib", KEEP_MIB) : KEEP_MIB) << 20,
	};
	return engine->desired.state.type == VALUE_MAP && !engine->shrink_alarming;
}

void history_close(struct engine *engine)
{
	struct store_bounds bounds;
	const char *damage = NULL;
	struct err err = {0};

	if (!engine->store || !engine->history_writes) {
		store_close(engine->store);
		engine->store = NULL;
		return;
	}
	if (store_check(engine->store, CHECK_MS, &damage, &err) ||
	    (!damage && bounds_of(engine, &bounds) &&
	     store_prune(engine->store, &bounds, PRUNE_MS, &err)) ||
	    (!damage && engine->history_changed && store_checkpoint(engine->store, &err))) {
		engine_note(engine, "history: %s", bare(err.text));
	}
	if (damage) {
		engine_note(engine, "history: %s; set aside, and a new one begun", damage);
	}
	store_close(engine->store);
	engine->store = NULL;
}
