// SPDX-License-Identifier: MIT
/*
 * See store.h: bounding the history. Each statement is a small transaction of its own, so that a
 * kill loses nothing and nobody waits long; none is durable, since doing it again is harmless. What
 * no run refers to any more is found by looking for it, not by what was just deleted: so a kill
 * between the two leaves nothing behind for good. Of everything there is to do a little is done
 * whatever the time, so that a slow disk is kept up with too.
 */
#include "base/clock.h"
#include "store/store_inner.h"

enum {
	/* Runs deleted at once: as many as take about so long, since one may have ten thousand steps.
	 */
	BATCH_LEAST = 8,
	BATCH_MOST = 512,
	BATCH_MS = 5,
	/* Texts looked at at once: each time all runs are asked whether they refer to them, which takes
	 * 40 ms for 26000 runs, of three months. */
	WINDOW = 2048,
	/* Pages given back at once, and how many unused ones are worth it. */
	PAGES_AT_ONCE = 64,
	GAPS_MOST = 100,
};

/* Runs that stay whatever their age: the newest, the last good, those with an intent still open. */
#define STAYS                                                     \
	"(SELECT coalesce(max(id), 0) FROM run UNION ALL"             \
	" SELECT coalesce(max(id), 0) FROM run WHERE " STORE_GOOD_RUN \
	" UNION ALL SELECT run FROM step WHERE outcome IS NULL)"

struct prune {
	struct store *store;
	int64_t deadline, half_time;
	int64_t batch;
	bool dropped; /* anything at all */
};

static int in_use(struct store *store, int64_t *ret_bytes, struct err *err)
{
	int64_t pages, unused, size;

	if (db_ask(store->db, "PRAGMA page_count", DB_NO_ARGS, 0, &pages, err) ||
	    db_ask(store->db, "PRAGMA freelist_count", DB_NO_ARGS, 0, &unused, err) ||
	    db_ask(store->db, "PRAGMA page_size", DB_NO_ARGS, 0, &size, err)) {
		return -(int)err->code;
	}
	*ret_bytes = (pages - unused) * size;
	return 0;
}

/* Deletes some of the runs before `before`; *ret_deleted is how many. Steps go with their run. */
static int drop_runs(struct prune *prune, int64_t before, int64_t *ret_deleted, struct err *err)
{
	int64_t begun = clock_ms();

	if (db_do(prune->store->db,
	          "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE id < ?1"
	          " AND id NOT IN " STAYS " ORDER BY id LIMIT ?2)",
	          DB_ARGS(db_number(before), db_number(prune->batch)), err)) {
		return -(int)err->code;
	}
	*ret_deleted = db_touched(prune->store->db);
	prune->dropped |= *ret_deleted > 0;
	if (clock_ms() - begun < BATCH_MS) {
		prune->batch = prune->batch * 2 > BATCH_MOST ? BATCH_MOST : prune->batch * 2;
	} else {
		prune->batch = prune->batch / 2 < BATCH_LEAST ? BATCH_LEAST : prune->batch / 2;
	}
	return 0;
}

/* Deletes at most `most` of them, in the first half of the time. */
static int drop_some(struct prune *prune, int64_t before, int64_t most, int64_t *ret_deleted,
                     struct err *err)
{
	int64_t deleted = 0;

	*ret_deleted = 0;
	do {
		prune->batch = prune->batch > most - *ret_deleted ? most - *ret_deleted : prune->batch;
		if (drop_runs(prune, before, &deleted, err)) {
			return -(int)err->code;
		}
		*ret_deleted += deleted;
	} while (deleted && *ret_deleted < most && clock_left(prune->half_time));
	return 0;
}

/* The texts with a rowid in ]?1, ?2] that are older than ?3. */
#define OLD_TEXTS "FROM blob WHERE rowid > ?1 AND rowid <= ?2 AND kept_at < ?3"
#define USED_AS(column) \
	"SELECT " column " FROM run WHERE " column " IN (SELECT digest " OLD_TEXTS ")"

/* Texts that no run has any more. They were kept in the order of the runs, so the looking ends
 * where all are younger than the oldest run that is left. */
static int drop_texts(struct prune *prune, int64_t oldest, struct err *err)
{
	struct db *db = prune->store->db;
	int64_t from = 0, until, old, young_from;

	/* Up to those of the oldest run, but none of a run under way, which may not yet say so. */
	if (db_ask(db,
	           "SELECT min((SELECT started + 1 FROM run WHERE id = ?1),"
	           " (SELECT CASE WHEN finished IS NULL THEN started ELSE 9223372036854775807 END"
	           " FROM run ORDER BY id DESC LIMIT 1))",
	           DB_ARGS(db_number(oldest)), 0, &young_from, err)) {
		return -(int)err->code;
	}
	do {
		if (db_ask(db,
		           "SELECT max(rowid) FROM (SELECT rowid FROM blob WHERE rowid > ?1 ORDER BY rowid"
		           " LIMIT ?2)",
		           DB_ARGS(db_number(from), db_number(WINDOW)), 0, &until, err)) {
			return -(int)err->code;
		}
		if (!until) {
			return 0;
		}
		struct db_args window = DB_ARGS(db_number(from), db_number(until), db_number(young_from));

		if (db_ask(db, "SELECT count(*) " OLD_TEXTS, window, 0, &old, err) ||
		    (old &&
		     db_do(
		         db,
		         "DELETE " OLD_TEXTS " AND digest NOT IN (" USED_AS("tree") " UNION ALL " USED_AS(
		             "policies") " UNION ALL " USED_AS("facts") " UNION ALL " USED_AS("state") ")",
		         window, err))) {
			return -(int)err->code;
		}
		from = until;
	} while (old && clock_left(prune->deadline));
	return 0;
}

/* What was known of resources only in runs that are gone, and texts that no run has any more. */
static int drop_rest(struct prune *prune, struct err *err)
{
	struct db *db = prune->store->db;
	int64_t oldest;

	if (db_ask(
	        db,
	        "SELECT coalesce(min(id), (SELECT max(id) FROM run)) FROM run WHERE id NOT IN " STAYS,
	        DB_NO_ARGS, 0, &oldest, err) ||
	    db_do(db, "DELETE FROM resource_past WHERE until_run <= ?1", DB_ARGS(db_number(oldest)),
	          err)) {
		return -(int)err->code;
	}
	return drop_texts(prune, oldest, err);
}

/* By number, not by age: a clock that once was wrong does not tear holes. */
static int drop_old(struct prune *prune, int64_t seconds, struct err *err)
{
	struct db *db = prune->store->db;
	int64_t now = clock_now(), started, newest, before, deleted;

	/* Not each time that one run more is too old. */
	if (db_ask(db, "SELECT started FROM run WHERE id NOT IN " STAYS " ORDER BY id LIMIT 1",
	           DB_NO_ARGS, INT64_MAX, &started, err)) {
		return -(int)err->code;
	}
	if (started >= now - seconds - seconds / 64) {
		return 0;
	}
	if (db_ask(db, "SELECT max(id) FROM run", DB_NO_ARGS, 0, &newest, err) ||
	    db_ask(db, "SELECT id FROM run WHERE started >= ?1 ORDER BY id LIMIT 1",
	           DB_ARGS(db_number(now - seconds)), newest, &before, err)) {
		return -(int)err->code;
	}
	if (drop_some(prune, before, INT64_MAX, &deleted, err)) {
		return -(int)err->code;
	}
	return deleted ? drop_rest(prune, err) : 0;
}

/* The oldest, until it fits with some room to spare or nothing more may go. */
static int drop_large(struct prune *prune, int64_t bytes, struct err *err)
{
	int64_t used, runs, deleted;

	if (in_use(prune->store, &used, err)) {
		return -(int)err->code;
	}
	if (used <= bytes) {
		return 0;
	}
	do {
		if (db_ask(prune->store->db, "SELECT count(*) / 8 + 1 FROM run", DB_NO_ARGS, 1, &runs,
		           err)) {
			return -(int)err->code;
		}
		if (drop_some(prune, INT64_MAX, runs, &deleted, err) || drop_rest(prune, err) ||
		    in_use(prune->store, &used, err)) {
			return -(int)err->code;
		}
	} while (used > bytes - bytes / 16 && deleted && clock_left(prune->deadline));
	return 0;
}

/* Room goes back to the file system: what was dropped now, and what an earlier call had no time
 * for. */
static int give_back(struct prune *prune, struct err *err)
{
	struct db *db = prune->store->db;
	int64_t unused, before = INT64_MAX, least = prune->dropped ? 1 : PAGES_AT_ONCE;

	do {
		if (db_ask(db, "PRAGMA freelist_count", DB_NO_ARGS, 0, &unused, err)) {
			return -(int)err->code;
		}
		/* A file that cannot be made smaller (made by hand) is left as it is. */
		if (unused < least || unused >= before) {
			return 0;
		}
		before = unused;
		_Static_assert(PAGES_AT_ONCE == 64, "the statement says so too");
		if (db_do(db, "PRAGMA incremental_vacuum(64)", DB_NO_ARGS, err)) {
			return -(int)err->code;
		}
		prune->dropped = true;
	} while (clock_left(prune->deadline));
	return 0;
}

static int prune_all(struct prune *prune, const struct store_bounds *bounds, struct err *err)
{
	struct db *db = prune->store->db;

	if ((bounds->seconds > 0 && drop_old(prune, bounds->seconds, err)) ||
	    (bounds->bytes > 0 && drop_large(prune, bounds->bytes, err)) || give_back(prune, err)) {
		return -(int)err->code;
	}
	if (!prune->dropped) {
		return 0;
	}
	/* The file becomes smaller when the log is moved into it. */
	return db_do(db, "DELETE FROM gap WHERE id <= (SELECT max(id) FROM gap) - ?1",
	             DB_ARGS(db_number(GAPS_MOST)), err)
	           ? -(int)err->code
	           : db_checkpoint(db, err);
}

int store_prune(struct store *store, const struct store_bounds *bounds, int most_ms,
                struct err *err)
{
	struct prune prune = {.store = store,
	                      .deadline = clock_ms() + most_ms,
	                      .half_time = clock_ms() + most_ms / 2,
	                      .batch = BATCH_LEAST};

	if (db_set_durable(store->db, false, err)) {
		return store_fail(store, err);
	}
	db_checkpoint_by_itself(store->db, false);
	int r = prune_all(&prune, bounds, err);

	db_checkpoint_by_itself(store->db, true);
	return r ? store_fail(store, err) : 0;
}
