// SPDX-License-Identifier: MIT
/*
 * How each resource stands, brought up to date at the end of a run (tables resource and
 * resource_past). Only what changed is written: a run that found ten thousand resources as the run
 * before it did writes nothing here.
 */
#include "base/clock.h"
#include "base/strmap.h"
#include "store/store_inner.h"

#include <string.h>

/* As it stood before this run. */
struct stood {
	const char *outcome, *why, *differences;
	int64_t since, since_run;
	bool seen; /* is in this run's plan */
};

struct stand {
	struct store *store;
	struct arena *arena;
	struct strmap *before; /* id: struct stood */
	int64_t run, now;
	struct db_statement retire, write, drop, unmake;
};

static void stand_done(struct stand *stand)
{
	db_finish(&stand->retire);
	db_finish(&stand->write);
	db_finish(&stand->drop);
	db_finish(&stand->unmake);
	arena_free(stand->arena);
}

static void add_stood(struct db_statement *s, void *context)
{
	struct stand *stand = context;
	struct stood *stood = arena_alloc(stand->arena, sizeof *stood);

	stood->outcome = db_column_text(s, 1, stand->arena);
	stood->why = db_column_text(s, 2, stand->arena);
	stood->differences = db_column_text(s, 3, stand->arena);
	stood->since = db_column_number(s, 4);
	stood->since_run = db_column_number(s, 5);
	strmap_put(stand->before, db_column_text(s, 0, stand->arena), stood);
}

static int load(struct stand *stand, struct err *err)
{
	return db_each(stand->store->db,
	               "SELECT id, outcome, why, differences, since, since_run FROM resource",
	               DB_NO_ARGS, add_stood, stand, err);
}

static int prepare(struct stand *stand, struct err *err)
{
	struct db *db = stand->store->db;

	if (db_prepare(
	        db,
	        "INSERT INTO resource_past SELECT id, outcome, why, action, differences, origins, run,"
	        " since, since_run, ?2 FROM resource WHERE id = ?1",
	        &stand->retire, err) ||
	    db_prepare(
	        db,
	        "INSERT OR REPLACE INTO resource (id, outcome, why, action, differences, origins, run,"
	        " since, since_run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	        &stand->write, err) ||
	    db_prepare(db, "DELETE FROM resource WHERE id = ?1", &stand->drop, err) ||
	    db_prepare(db, "DELETE FROM made WHERE id = ?1", &stand->unmake, err)) {
		return -(int)err->code;
	}
	return 0;
}

static int retire(struct stand *stand, const char *id, struct err *err)
{
	return db_run(&stand->retire, DB_ARGS(db_text(id), db_number(stand->run)), err);
}

static int stand_step(struct stand *stand, const struct step *step, struct err *err)
{
	/* What was changed is right from now on, and so is what the next run keeps. */
	bool right = step->outcome == OUTCOME_KEPT || step->outcome == OUTCOME_CHANGED;
	const char *outcome = outcome_name(right ? OUTCOME_KEPT : step->outcome);
	const char *why = right ? NULL : step->why;
	struct stood *stood = strmap_get(stand->before, step->id);
	AUTO(str_free) struct str differences = {0};
	AUTO(str_free) struct str origins = {0};

	if (stood) {
		stood->seen = true;
		/* A run that skipped it learned nothing about it. */
		if (step->outcome == OUTCOME_SKIPPED && strcmp(stood->outcome, outcome) != 0) {
			return 0;
		}
	}
	if (!right) {
		store_add_origins(&origins, step, stand->arena);
		if (step->differences.count) {
			store_add_differences(&differences, step, stand->arena);
		}
	}
	const char *diff = differences.length ? str_text(&differences) : NULL;
	bool same = stood && !strcmp(stood->outcome, outcome);

	if (same && text_equal(stood->why, why) && text_equal(stood->differences, diff)) {
		return 0;
	}
	if (stood && retire(stand, step->id, err)) {
		return -(int)err->code;
	}
	return db_run(&stand->write,
	              DB_ARGS(db_text(step->id), db_text(outcome), db_text(why),
	                      db_text(action_name(step->action)), db_text(diff),
	                      db_text(right ? NULL : str_text(&origins)), db_number(stand->run),
	                      db_number(same ? stood->since : stand->now),
	                      db_number(same ? stood->since_run : stand->run)),
	              err);
}

/* What the run did not speak of is not wanted any more. */
static int drop_unseen(struct stand *stand, struct err *err)
{
	for (size_t i = 0; i < strmap_count(stand->before); i++) {
		const struct stood *stood = strmap_value(stand->before, i);
		const char *id = strmap_key(stand->before, i);

		if (!stood->seen &&
		    (retire(stand, id, err) || db_run(&stand->drop, DB_ARGS(db_text(id)), err))) {
			return -(int)err->code;
		}
	}
	return 0;
}

int store_stand(struct store *store, int64_t run, bool partial, const struct plan *plan,
                struct err *err)
{
	AUTO(stand_done)
	struct stand stand = {.store = store, .arena = arena_create(), .run = run, .now = clock_now()};

	stand.before = strmap_create(stand.arena);
	if (load(&stand, err) || prepare(&stand, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (stand_step(&stand, step, err)) {
			return -(int)err->code;
		}
		/* Gone, and meant to be. */
		if (step->outcome == OUTCOME_KEPT && step->want && step->want->state == STATE_ABSENT &&
		    db_run(&stand.unmake, DB_ARGS(db_text(step->id)), err)) {
			return -(int)err->code;
		}
	}
	return partial ? 0 : drop_unseen(&stand, err);
}
