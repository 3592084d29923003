// SPDX-License-Identifier: MIT
/* See store.h: opening, what to do when that does not go well, closing. Nothing here knows a table
 * but the two questions that opening asks. */
#include "store/store.h"

#include "base/clock.h"
#include "store/place.h"
#include "store/schema.h"
#include "store/store_inner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* How long to look for damage before a run that follows one that did not end; what this does
	 * not see is looked for again after the run. */
	FIRST_LOOK_MS = 250,
	CHECK_EVERY = 86400, /* seconds */
	/* What the log may grow to while somebody keeps on reading: a run adds some 14 KiB. */
	LOG_MOST = 16 << 20,
	PATH_MOST = 500, /* bytes: 512 (MAX_PATHNAME of os_unix.c) with what it appends */
};

int store_fail(struct store *store, struct err *err)
{
	if (db_trouble(store->db) == DB_DAMAGED && !store->damage) {
		store->damage = arena_printf(store->arena, "damaged: %s", err->text);
	}
	return -(int)err->code;
}

static const char *for_reader(const char *path)
{
	/* The write-ahead log would have to be made or read anew. */
	return access(path, R_OK) ? "needs root or group adm"
	                          : "its log and index are not beside it: the next run makes them anew";
}

static const char *trouble_text(enum db_trouble trouble, const struct store *store,
                                struct arena *arena, const struct err *err)
{
	switch (trouble) {
	case DB_DAMAGED:
		return arena_printf(arena, "damaged: %s", err->text);
	case DB_FULL:
		return "full";
	case DB_READ_ONLY:
		return store->mode == STORE_READ ? for_reader(store->path) : "read-only";
	case DB_DENIED:
		if (store->mode == STORE_READ) {
			return for_reader(store->path);
		}
		if (geteuid()) {
			return "needs root or group adm";
		}
		return strlen(store->path) > PATH_MOST
		           ? "its path is too long for SQLite, which takes 500 bytes"
		           : arena_strdup(arena, err->text);
	case DB_BUSY:
		return "busy: another process holds it";
	default:
		return arena_strdup(arena, err->text);
	}
}

/* A run that did not end may have ended with the machine: the only time that looking first pays. */
static int check_after_crash(struct store *store, bool *ret_sound, struct err *err)
{
	enum db_verdict verdict;
	int64_t ended;

	*ret_sound = true;
	if (db_ask(store->db, "SELECT finished IS NOT NULL FROM run ORDER BY id DESC LIMIT 1",
	           DB_NO_ARGS, 1, &ended, err)) {
		return -(int)err->code;
	}
	if (ended) {
		return 0;
	}
	if (db_quick_check(store->db, FIRST_LOOK_MS, &verdict, err)) {
		return -(int)err->code;
	}
	*ret_sound = verdict != DB_UNSOUND;
	/* To be gone on with by store_check. */
	return verdict == DB_UNDECIDED
	           ? db_do(store->db, "DELETE FROM meta WHERE key = 'checked'", DB_NO_ARGS, err)
	           : 0;
}

/* A reader that stays keeps the log from being cut, and each run would add to it. */
static int bound_log(struct store *store, struct arena *arena, const char **ret_problem,
                     struct err *err)
{
	if (place_log_bytes(store->path, arena) <= LOG_MOST) {
		return 0;
	}
	if (db_checkpoint(store->db, err)) {
		return -(int)err->code;
	}
	if (place_log_bytes(store->path, arena) > LOG_MOST) {
		const char *who = place_log_holder(store->path, arena);

		*ret_problem = arena_printf(arena, "its log cannot be cut while it is read%s%s",
		                            who ? ": by " : "", who ? who : "");
	}
	return 0;
}

int store_check(struct store *store, int most_ms, const char **ret_damage, struct err *err)
{
	enum db_verdict verdict;
	int64_t checked, now = clock_now();

	*ret_damage = NULL;
	if (db_ask(store->db, "SELECT at FROM meta WHERE key = 'checked'", DB_NO_ARGS, 0, &checked,
	           err)) {
		return store_fail(store, err);
	}
	/* A clock that was set back is no reason not to look. */
	if (checked <= now && now - checked < CHECK_EVERY) {
		return 0;
	}
	if (db_quick_check(store->db, most_ms, &verdict, err)) {
		store_fail(store, err);
		*ret_damage = store->damage;
		return store->damage ? 0 : -(int)err->code;
	}
	if (verdict == DB_UNSOUND) {
		*ret_damage = store->damage = "damaged: found when it was looked through";
		return 0;
	}
	/* Too large to be looked through in that time is no reason to try it every time. */
	if (db_set_durable(store->db, false, err) ||
	    db_do(store->db, "INSERT OR REPLACE INTO meta (key, value, at) VALUES ('checked', ?1, ?2)",
	          DB_ARGS(db_text(verdict == DB_SOUND ? "sound" : "in part"), db_number(now)), err)) {
		return store_fail(store, err);
	}
	return 0;
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
	attempt->problem = trouble_text(attempt->trouble, store, arena, err);
	attempt->usable = false;
}

/* Whose it is, and then ours up to date. */
static int prepare(struct store *store, struct arena *arena, struct attempt *attempt,
                   struct err *err)
{
	bool writing = store->mode == STORE_WRITE, sound;
	const char *lacks = NULL;
	enum schema_state state;
	int version;

	if (schema_identify(store->db, &state, &version, err)) {
		return -(int)err->code;
	}
	store->schema = writing ? schema_newest() : version;
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
	    (writing && bound_log(store, arena, &attempt->problem, err))) {
		return -(int)err->code;
	}
	if (attempt->problem) {
		return 0;
	}
	if ((writing && schema_migrate(store->db, err)) ||
	    ((writing || version == schema_newest()) && schema_lacks(store->db, &lacks, err))) {
		return -(int)err->code;
	}
	if (lacks) {
		attempt->trouble = DB_DAMAGED;
		attempt->problem = arena_printf(arena, "damaged: it has no table %s", lacks);
		return 0;
	}
	if (writing && check_after_crash(store, &sound, err)) {
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

	*store = (struct store){.path = mem_strdup(place->path), .mode = mode, .arena = arena_create()};
	if (db_open(place->path, mode == STORE_WRITE ? DB_WRITE : DB_READ, &store->db, &attempt.trouble,
	            &err)) {
		attempt.problem = trouble_text(attempt.trouble, store, arena, &err);
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

int store_gap(struct store *store, const struct store_gap *gap, struct err *err)
{
	if (db_set_durable(store->db, true, err) ||
	    db_do(store->db,
	          "INSERT INTO gap (since, until, runs, why, set_aside) VALUES (?1, ?2, ?3, ?4, ?5)"
	          " ON CONFLICT (since, why) DO UPDATE SET until = max(until, excluded.until),"
	          " runs = max(runs, excluded.runs)",
	          DB_ARGS(db_number(gap->since), db_number(gap->until), db_number(gap->runs),
	                  db_text(gap->why), db_text(gap->set_aside)),
	          err)) {
		return store_fail(store, err);
	}
	return 0;
}

/* The new history says what became of the old one. Best effort: the condition says it too. */
static void note_set_aside(struct store *store, const struct store_condition *condition)
{
	const struct store_gap gap = {.since = clock_now(),
	                              .until = clock_now(),
	                              .why = condition->problem,
	                              .set_aside = condition->set_aside};
	struct err err;

	(void)!store_gap(store, &gap, &err);
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
		note_set_aside(*ret_store, ret_condition);
	}
	return 0;
}

/* Where it cannot be moved, the next run meets the same damage and says so. */
static void begin_anew(const char *path, const char *damage, struct arena *arena)
{
	AUTO(fd_auto) int lock = place_lock(path, arena);
	struct store_condition condition;
	struct place place = {.state = PLACE_NEW, .path = path};
	struct store *store = NULL;

	if (!set_aside(path, damage, arena, &condition)) {
		return;
	}
	try_open(&place, STORE_WRITE, arena, &store);
	if (store) {
		note_set_aside(store, &condition);
		store->damage = NULL; /* whatever it met: not again now */
		store_close(store);
	}
}

void store_close(struct store *store)
{
	if (!store) {
		return;
	}
	db_close(store->db);
	if (store->damage && store->mode == STORE_WRITE) {
		begin_anew(store->path, store->damage, store->arena);
	}
	arena_free(store->arena);
	free(store->path);
	free(store);
}

int store_checkpoint(struct store *store, struct err *err)
{
	return db_checkpoint(store->db, err) ? store_fail(store, err) : 0;
}
