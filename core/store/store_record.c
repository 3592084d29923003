// SPDX-License-Identifier: MIT
/* See store.h: writing runs, intents, outcomes and texts. Each exported function is one
 * transaction. */
#include "store/store.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/strmap.h"
#include "store/store_inner.h"

#include <string.h>
#include <unistd.h>

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A digest, or null: "" means not known. */
static struct db_arg digest_arg(const char *digest)
{
	return db_text(digest && *digest ? digest : NULL);
}

static struct value position_value(struct arena *arena, struct pos at)
{
	if (!at.file) {
		return value_null();
	}
	return value_string(at.col ? arena_printf(arena, "%s:%u:%u", at.file, at.line, at.col)
	                           : arena_printf(arena, "%s:%u", at.file, at.line));
}

void store_add_differences(struct str *out, const struct step *step, struct arena *arena)
{
	struct value list = value_list();

	for (size_t i = 0; i < step->differences.count; i++) {
		const struct difference *d = &step->differences.list[i];
		struct value map = value_map();

		value_put(arena, &map, "field", value_string(d->field));
		value_put(arena, &map, "from", value_string(d->from));
		value_put(arena, &map, "to", value_string(d->to));
		value_append(arena, &list, map);
	}
	json_print(out, &list, 0);
}

void store_add_origins(struct str *out, const struct step *step, struct arena *arena)
{
	struct value list = value_list();

	for (size_t i = 0; i < step->origin_count; i++) {
		const struct origin *o = &step->origins[i];
		struct value map = value_map();

		value_put(arena, &map, "lua", position_value(arena, o->lua));
		value_put(arena, &map, "policy", value_string(o->policy));
		value_put(arena, &map, "reason", value_string(o->reason));
		value_put(arena, &map, "yaml", position_value(arena, o->yaml));
		value_append(arena, &list, map);
	}
	json_print(out, &list, 0);
}

int store_run_begin(struct store *store, const struct store_run_start *start, int64_t *ret_run,
                    struct err *err)
{
	pid_t pid = getpid();
	int r = db_set_durable(store->db, false, err);

	if (!r) {
		r = db_do(
		    store->db,
		    "INSERT INTO run (command, started_by, who, version, node, boot_id, mode, tree_path,"
		    " stale_tree, partial, tree, policies, facts, state, pid, starttime, started,"
		    " started_boot_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		    " ?14, ?15, ?16, ?17, ?18)",
		    DB_ARGS(db_text(or_empty(start->command)), db_text(or_empty(start->trigger)),
		            db_text(or_empty(start->who)), db_text(or_empty(start->version)),
		            db_text(or_empty(start->node)), db_text(or_empty(start->boot_id)),
		            db_text(or_empty(start->mode)), db_text(or_empty(start->tree_path)),
		            db_number(start->stale_tree), db_number(start->partial),
		            digest_arg(start->tree), digest_arg(start->policies), digest_arg(start->facts),
		            digest_arg(start->state), db_number(pid),
		            db_number((int64_t)child_starttime(pid)), db_number(clock_now()),
		            db_number(clock_ms())),
		    err);
	}
	if (r) {
		return store_fail(store, err);
	}
	*ret_run = db_last_id(store->db);
	return 0;
}

int store_note_made(struct store *store, int64_t run, const char *id, const char *action, bool done,
                    struct err *err)
{
	if (done && !strcmp(action, action_name(ACTION_CREATE))) {
		/* Created again: ours since the first time. */
		return db_do(store->db, "INSERT OR IGNORE INTO made (id, run, at) VALUES (?1, ?2, ?3)",
		             DB_ARGS(db_text(id), db_number(run), db_number(clock_now())), err);
	}
	if (done && !strcmp(action, action_name(ACTION_REMOVE))) {
		return db_do(store->db, "DELETE FROM made WHERE id = ?1", DB_ARGS(db_text(id)), err);
	}
	return 0;
}

/* ?6: when the intent was stored, null for a step whose intent could not be. */
static const char insert_step[] =
    "INSERT INTO step (run, id, action, marks, differences, intent_at, origins)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

static int add_step(struct db_statement *s, int64_t run, const struct step *step, int64_t intent_at,
                    struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str differences = {0};
	AUTO(str_free) struct str origins = {0};

	store_add_differences(&differences, step, arena);
	store_add_origins(&origins, step, arena);
	return db_run(s,
	              DB_ARGS(db_number(run), db_text(step->id), db_text(action_name(step->action)),
	                      db_text(marks_text(arena, step->marks)), db_text(str_text(&differences)),
	                      intent_at ? db_number(intent_at) : db_text(NULL),
	                      db_text(str_text(&origins))),
	              err);
}

int store_intents(struct store *store, int64_t run, const struct step *const *steps, size_t count,
                  int64_t *ret_intents, struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};
	AUTO(db_finish) struct db_statement s = {0};

	if (db_set_durable(store->db, true, err) || db_begin(store->db, &change, err) ||
	    db_prepare(store->db, insert_step, &s, err)) {
		return store_fail(store, err);
	}
	for (size_t i = 0; i < count; i++) {
		if (add_step(&s, run, steps[i], clock_now(), err)) {
			return store_fail(store, err);
		}
	}
	int64_t last = db_last_id(store->db);

	if (db_commit(&change, err)) {
		return store_fail(store, err);
	}
	/* One transaction, one table: the numbers are consecutive. */
	for (size_t i = 0; i < count; i++) {
		ret_intents[i] = last - (int64_t)(count - 1 - i);
	}
	return 0;
}

static const char update_step[] =
    "UPDATE step SET outcome = ?2, finished_at = ?3, duration_ms = ?4,"
    " why = ?5, detail = ?6 WHERE intent = ?1";

static int end_step(struct db_statement *s, int64_t intent, const struct step *step,
                    struct err *err)
{
	return db_run(s,
	              DB_ARGS(db_number(intent), db_text(outcome_name(step->outcome)),
	                      db_number(clock_now()), db_number(step->duration_ms), db_text(step->why),
	                      db_text(step->detail)),
	              err);
}

/* A create that is still under way is ours already: it began with us. */
static bool step_done(const struct step *step)
{
	return step->outcome == OUTCOME_CHANGED ||
	       (step->outcome == OUTCOME_PENDING && step->action == ACTION_CREATE);
}

static int run_of(struct store *store, int64_t intent, int64_t *ret_run, struct err *err)
{
	return db_ask(store->db, "SELECT run FROM step WHERE intent = ?1", DB_ARGS(db_number(intent)),
	              0, ret_run, err);
}

int store_outcomes(struct store *store, const int64_t *intents, const struct step *const *steps,
                   size_t count, struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};
	AUTO(db_finish) struct db_statement s = {0};
	int64_t run;

	if (db_set_durable(store->db, true, err) || db_begin(store->db, &change, err) ||
	    db_prepare(store->db, update_step, &s, err)) {
		return store_fail(store, err);
	}
	for (size_t i = 0; i < count; i++) {
		if (end_step(&s, intents[i], steps[i], err) || run_of(store, intents[i], &run, err) ||
		    store_note_made(store, run, steps[i]->id, action_name(steps[i]->action),
		                    step_done(steps[i]), err)) {
			return store_fail(store, err);
		}
		if (!run) {
			return err_set(err, ERR_BUG, 0, "history: no intent %lld", (long long)intents[i]);
		}
	}
	return db_commit(&change, err) ? store_fail(store, err) : 0;
}

/* What a run has in the table step. */
struct recorded {
	int64_t intent;
	bool open;
};

struct recorded_steps {
	struct arena *arena;
	struct strmap *map; /* id: struct recorded */
};

static void add_recorded(struct db_statement *s, void *context)
{
	struct recorded_steps *steps = context;
	struct recorded *recorded = arena_alloc(steps->arena, sizeof *recorded);

	recorded->intent = db_column_number(s, 1);
	recorded->open = db_column_number(s, 2) != 0;
	strmap_put(steps->map, db_column_text(s, 0, steps->arena), recorded);
}

static int load_recorded(struct store *store, int64_t run, struct arena *arena, struct strmap *map,
                         struct err *err)
{
	struct recorded_steps steps = {arena, map};

	return db_each(store->db,
	               "SELECT id, intent, outcome IS NULL FROM step WHERE run = ?1 ORDER BY intent",
	               DB_ARGS(db_number(run)), add_recorded, &steps, err);
}

/* Completes what single calls could not store: an outcome that failed to be written, a step whose
 * intent did. */
static int complete_steps(struct store *store, int64_t run, const struct plan *plan,
                          const struct strmap *map, struct err *err)
{
	AUTO(db_finish) struct db_statement insert = {0};
	AUTO(db_finish) struct db_statement update = {0};

	if (db_prepare(store->db, insert_step, &insert, err) ||
	    db_prepare(store->db, update_step, &update, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		const struct recorded *recorded = strmap_get(map, step->id);
		bool acted = step->outcome == OUTCOME_CHANGED || step->outcome == OUTCOME_FAILED;

		if (recorded ? !recorded->open : !acted) {
			continue;
		}
		if (!recorded && add_step(&insert, run, step, 0, err)) {
			return -(int)err->code;
		}
		int64_t intent = recorded ? recorded->intent : db_last_id(store->db);

		if (end_step(&update, intent, step, err) ||
		    store_note_made(store, run, step->id, action_name(step->action), step_done(step),
		                    err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

/* The row of the run: how it ended, and what was not known when it began. */
static int end_run(struct store *store, int64_t run, int exit_code, const struct plan *plan,
                   const char *error, struct err *err)
{
	int64_t now = clock_now();

	if (db_do(store->db,
	          "UPDATE run SET finished = ?2, duration_ms = max(0, ?3 - started_boot_ms),"
	          " exit_code = ?4, error = ?5 WHERE id = ?1",
	          DB_ARGS(db_number(run), db_number(now), db_number(clock_ms()), db_number(exit_code),
	                  db_text(error)),
	          err)) {
		return -(int)err->code;
	}
	if (db_touched(store->db) != 1) {
		return err_set(err, ERR_BUG, 0, "history: no run %lld", (long long)run);
	}
	if (!plan) {
		return 0;
	}
	struct plan_counts counts = plan_count(plan);
	const struct plan_basis *basis = &plan->basis;

	return db_do(
	    store->db,
	    "UPDATE run SET kept = ?2, to_change = ?3, changed = ?4, pending = ?5, blocked = ?6,"
	    " skipped = ?7, failed = ?8, undetermined = ?9, tree = coalesce(?10, tree),"
	    " policies = coalesce(?11, policies),"
	    " facts = coalesce(?12, facts), node = coalesce(?13, node),"
	    " mode = coalesce(?14, mode), stale_tree = max(stale_tree, ?15) WHERE id = ?1",
	    DB_ARGS(db_number(run), db_number((int64_t)counts.of[OUTCOME_KEPT]),
	            db_number((int64_t)counts.of[OUTCOME_CHANGE]),
	            db_number((int64_t)counts.of[OUTCOME_CHANGED]),
	            db_number((int64_t)counts.of[OUTCOME_PENDING]),
	            db_number((int64_t)counts.of[OUTCOME_BLOCKED]),
	            db_number((int64_t)counts.of[OUTCOME_SKIPPED]),
	            db_number((int64_t)counts.of[OUTCOME_FAILED]),
	            db_number((int64_t)counts.of[OUTCOME_UNDETERMINED]), digest_arg(basis->tree),
	            digest_arg(basis->policies), digest_arg(basis->facts), db_text(basis->node),
	            db_text(basis->mode), db_number(basis->stale_tree)),
	    err);
}

int store_run_end(struct store *store, int64_t run, int exit_code, const struct plan *plan,
                  const char *error, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(db_abandon) struct db_change change = {0};
	struct strmap *recorded = strmap_create(arena);
	int64_t partial;

	if (load_recorded(store, run, arena, recorded, err) ||
	    db_set_durable(store->db, strmap_count(recorded) > 0, err) ||
	    db_begin(store->db, &change, err) || end_run(store, run, exit_code, plan, error, err) ||
	    db_ask(store->db, "SELECT partial FROM run WHERE id = ?1", DB_ARGS(db_number(run)), 1,
	           &partial, err)) {
		return store_fail(store, err);
	}
	if (plan && (complete_steps(store, run, plan, recorded, err) ||
	             store_stand(store, run, partial || error, plan, err))) {
		return store_fail(store, err);
	}
	return db_commit(&change, err) ? store_fail(store, err) : 0;
}

int store_keep(struct store *store, const char *digest, const char *kind, const char *text,
               size_t n, struct err *err)
{
	if (db_set_durable(store->db, false, err) ||
	    db_do(store->db,
	          "INSERT INTO blob (digest, kind, kept_at, content) VALUES (?1, ?2, ?3, ?4)"
	          " ON CONFLICT (digest) DO NOTHING",
	          DB_ARGS(db_text(digest), db_text(kind), db_number(clock_now()), db_bytes(text, n)),
	          err)) {
		return store_fail(store, err);
	}
	return 0;
}

int store_cut_close(struct store *store, const struct store_cut *cut, const char *found, bool done,
                    struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};

	if (db_set_durable(store->db, true, err) || db_begin(store->db, &change, err) ||
	    db_do(store->db,
	          "UPDATE step SET outcome = 'interrupted', finished_at = ?2, found = ?3"
	          " WHERE intent = ?1 AND outcome IS NULL",
	          DB_ARGS(db_number(cut->intent), db_number(clock_now()), db_text(found)), err) ||
	    store_note_made(store, cut->run, cut->id, cut->action, done, err) ||
	    db_commit(&change, err)) {
		return store_fail(store, err);
	}
	return 0;
}
