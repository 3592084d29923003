// SPDX-License-Identifier: MIT
/* See store.h: opening, what to do when that does not go well, closing. Nothing here knows a table
 * but the two questions that opening asks. */
#include "store/store.h"

#include "base/clock.h"
#include "store/place.h"
#include "store/schema.h"
#include "store/store_inner.h"

#include <stdlib.h>

/* How long to look for damage after a run that did not end. */
enum { CHECK_MS = 2000 };

int store_fail(struct store *store, struct err *err)
{
	if (db_trouble(store->db) == DB_DAMAGED) {
		store->damaged = true;
	}
	return -(int)err->code;
}

static const char *trouble_text(enum db_trouble trouble, enum store_mode mode, struct arena *arena,
                                const struct err *err)
{
	switch (trouble) {
	case DB_DAMAGED:
		return arena_printf(arena, "damaged: %s", err->text);
	case DB_FULL:
		return "full";
	case DB_READ_ONLY:
		/* Of a reader: the write-ahead log would have to be made or read anew. */
		return mode == STORE_READ ? "needs root or group adm" : "read-only";
	case DB_DENIED:
		return "needs root or group adm";
	case DB_BUSY:
		return "busy: another process holds it";
	default:
		return arena_strdup(arena, err->text);
	}
}

/* A run that did not end may have ended with the machine: the only time that looking pays. */
static int check_after_crash(struct store *store, bool *ret_sound, struct err *err)
{
	int64_t ended;

	*ret_sound = true;
	if (db_ask(store->db, "SELECT finished IS NOT NULL FROM run ORDER BY id DESC LIMIT 1",
	           DB_NO_ARGS, 1, &ended, err)) {
		return -(int)err->code;
	}
	return ended ? 0 : db_quick_check(store->db, CHECK_MS, ret_sound, err);
}

/* What came of one try to open. */
struct attempt {
	enum db_trouble trouble;
	const char *problem; /* with trouble, or with a history that is not for us */
	bool usable;
};

static void set_problem(struct attempt *attempt, struct store *store, struct arena *arena,
                        const struct err *err)
{
	attempt->trouble = db_trouble(store->db);
	attempt->problem = trouble_text(attempt->trouble, store->mode, arena, err);
	attempt->usable = false;
}

/* Whose it is, and then ours up to date. */
static int prepare(struct store *store, struct arena *arena, struct attempt *attempt,
                   struct err *err)
{
	bool writing = store->mode == STORE_WRITE, sound;
	enum schema_state state;
	int version;

	if (schema_identify(store->db, &state, &version, err)) {
		return -(int)err->code;
	}
	if (state == SCHEMA_FOREIGN) {
		attempt->problem = "not ours: a database of another program";
		return 0;
	}
	if (state == SCHEMA_NEWER) {
		attempt->problem = arena_printf(arena, "newer schema %d than %d", version, schema_newest());
		attempt->usable = !writing;
		return 0;
	}
	if (state == SCHEMA_EMPTY && !writing) {
		attempt->problem = "no history yet";
		return 0;
	}
	if (writing && !db_is_writable(store->db)) {
		attempt->problem = "read-only";
		return 0;
	}
	if (db_settle(store->db, writing ? DB_WRITE : DB_READ, state == SCHEMA_EMPTY, err) ||
	    (writing && db_set_durable(store->db, false, err)) ||
	    (writing && schema_migrate(store->db, err)) ||
	    (writing && check_after_crash(store, &sound, err))) {
		return -(int)err->code;
	}
	attempt->usable = !writing || sound;
	if (!attempt->usable) {
		attempt->trouble = DB_DAMAGED;
		attempt->problem = "damaged: found when checked after a run that did not end";
	}
	return 0;
}

static struct attempt try_open(const struct place *place, enum store_mode mode, struct arena *arena,
                               struct store **ret_store)
{
	struct store *store = mem_alloc(sizeof *store);
	struct attempt attempt = {0};
	struct err err;

	*store = (struct store){.path = mem_strdup(place->path), .mode = mode};
	if (db_open(place->path, mode == STORE_WRITE ? DB_WRITE : DB_READ, &store->db, &attempt.trouble,
	            &err)) {
		attempt.problem = trouble_text(attempt.trouble, mode, arena, &err);
		store_close(store);
		return attempt;
	}
	if (mode == STORE_WRITE && place->state != PLACE_THERE) {
		place_share(place->path);
	}
	if (prepare(store, arena, &attempt, &err)) {
		set_problem(&attempt, store, arena, &err);
	}
	if (!attempt.usable) {
		store_close(store);
		return attempt;
	}
	*ret_store = store;
	return attempt;
}

/* The new history says what became of the old one. Best effort: the condition says it too. */
static void note_set_aside(struct store *store, struct arena *arena,
                           const struct store_condition *condition)
{
	const char *text = arena_printf(arena, "%s (%s)", condition->set_aside, condition->problem);
	struct err err;

	if (db_do(store->db,
	          "INSERT OR REPLACE INTO meta (key, value, at) VALUES ('set_aside', ?1, ?2)",
	          DB_ARGS(db_text(text), db_number(clock_now())), &err)) {
		store_fail(store, &err);
	}
}

/* Moves away what is there. True when a new history can be begun. */
static bool set_aside(const char *path, const char *problem, struct arena *arena,
                      struct store_condition *condition)
{
	struct err err;

	condition->problem = problem;
	if (place_set_aside(path, arena, &condition->set_aside, &err)) {
		condition->problem = arena_printf(arena, "%s (%s)", problem, err.text);
		return false;
	}
	return true;
}

int store_open(const char *path, enum store_mode mode, struct arena *arena,
               struct store **ret_store, struct store_condition *ret_condition, struct err *err)
{
	AUTO(fd_auto) int lock = -1;
	struct place place = place_examine(path, mode == STORE_WRITE, arena);

	(void)err; /* nothing that happens here is a bug */
	if (mode == STORE_WRITE && place.state != PLACE_REFUSED) {
		lock = place_lock(place.path, arena);
		place = place_examine(path, true, arena); /* another may have been faster */
	}
	*ret_store = NULL;
	*ret_condition = (struct store_condition){0};
	if (place.state == PLACE_REFUSED || (place.state == PLACE_FOREIGN && mode == STORE_READ)) {
		ret_condition->problem = place.problem;
		return 0;
	}
	if (place.state == PLACE_NEW && mode == STORE_READ) {
		ret_condition->problem = "no history yet";
		return 0;
	}
	if (place.state == PLACE_FOREIGN &&
	    !set_aside(place.path, place.problem, arena, ret_condition)) {
		return 0;
	}
	struct attempt attempt = try_open(&place, mode, arena, ret_store);

	if (attempt.trouble == DB_DAMAGED && mode == STORE_WRITE && !ret_condition->set_aside) {
		if (!set_aside(place.path, attempt.problem, arena, ret_condition)) {
			return 0;
		}
		place.state = PLACE_NEW;
		attempt = try_open(&place, mode, arena, ret_store);
	}
	if (attempt.problem) {
		ret_condition->problem = attempt.problem;
	} else if (ret_condition->set_aside) {
		note_set_aside(*ret_store, arena, ret_condition);
	}
	return 0;
}

void store_close(struct store *store)
{
	if (!store) {
		return;
	}
	db_close(store->db);
	if (store->damaged && store->mode == STORE_WRITE) {
		AUTO(arena_auto) struct arena *arena = arena_create();
		const char *aside;
		struct err err;

		/* Where it cannot be moved, the next run meets the same damage and says so. */
		(void)!place_set_aside(store->path, arena, &aside, &err);
	}
	free(store->path);
	free(store);
}

int store_checkpoint(struct store *store, struct err *err)
{
	return db_checkpoint(store->db, err) ? store_fail(store, err) : 0;
}
