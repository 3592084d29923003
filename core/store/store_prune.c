// SPDX-License-Identifier: MIT
/* See store.h: bounding the history. Each statement is a small transaction of its own, so that a
 * kill loses nothing and nobody waits long; none is durable, since doing it again is harmless. */
#include "base/clock.h"
#include "store/store_inner.h"

/* Runs deleted at once; pages given back at once, and how often at most in one call. */
enum { RUNS_AT_ONCE = 200, PAGES_AT_ONCE = 256, VACUUMS_MOST = 64 };

/* Runs that stay whatever their age: the newest, the last good, those with an intent still open. */
#define STAYS                                                     \
	"(SELECT coalesce(max(id), 0) FROM run UNION ALL"             \
	" SELECT coalesce(max(id), 0) FROM run WHERE " STORE_GOOD_RUN \
	" UNION ALL SELECT run FROM step WHERE outcome IS NULL)"

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

/* Deletes at most `most` of the runs before `before`; *ret_deleted is how many. */
static int drop_runs(struct store *store, int64_t before, int64_t most, int64_t *ret_deleted,
                     struct err *err)
{
	int r = db_do(store->db,
	              "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE id < ?1"
	              " AND id NOT IN " STAYS " ORDER BY id LIMIT ?2)",
	              DB_ARGS(db_number(before), db_number(most)), err);

	if (!r) {
		*ret_deleted = db_touched(store->db);
	}
	return r;
}

/* What was known of resources only in runs before `before`, and texts that no run has any more. A
 * text is kept before the run that refers to it says so: those of a run under way stay. */
static int drop_rest(struct store *store, int64_t before, struct err *err)
{
	if (db_do(store->db, "DELETE FROM resource_past WHERE until_run <= ?1",
	          DB_ARGS(db_number(before)), err) ||
	    db_do(store->db,
	          "DELETE FROM blob WHERE kept_at < (SELECT CASE WHEN finished IS NULL THEN started"
	          " ELSE 9223372036854775807 END FROM run ORDER BY id DESC LIMIT 1)"
	          " AND digest NOT IN (SELECT tree FROM run WHERE tree IS NOT NULL"
	          " UNION SELECT policies FROM run WHERE policies IS NOT NULL"
	          " UNION SELECT facts FROM run WHERE facts IS NOT NULL"
	          " UNION SELECT state FROM run WHERE state IS NOT NULL)",
	          DB_NO_ARGS, err)) {
		return -(int)err->code;
	}
	return 0;
}

/* The first run that is not older than `seconds`, or the newest. */
static int first_young(struct store *store, int64_t seconds, int64_t *ret_run, struct err *err)
{
	int64_t newest;

	if (db_ask(store->db, "SELECT max(id) FROM run", DB_NO_ARGS, 0, &newest, err)) {
		return -(int)err->code;
	}
	/* By number, not by age: stops at the first row when nothing is old, and a clock that once was
	 * wrong does not tear holes. */
	return db_ask(store->db, "SELECT id FROM run WHERE started >= ?1 ORDER BY id LIMIT 1",
	              DB_ARGS(db_number(clock_now() - seconds)), newest, ret_run, err);
}

static int drop_old(struct store *store, int64_t seconds, int64_t *ret_deleted, struct err *err)
{
	int64_t before, deleted = 0;

	*ret_deleted = 0;
	if (first_young(store, seconds, &before, err)) {
		return -(int)err->code;
	}
	do {
		if (drop_runs(store, before, RUNS_AT_ONCE, &deleted, err)) {
			return -(int)err->code;
		}
		*ret_deleted += deleted;
	} while (deleted == RUNS_AT_ONCE);
	return *ret_deleted ? drop_rest(store, before, err) : 0;
}

/* An eighth of the runs at a time, until it fits or nothing more may go. */
static int drop_large(struct store *store, int64_t bytes, int64_t *ret_deleted, struct err *err)
{
	int64_t used = 0, runs, deleted, oldest;

	*ret_deleted = 0;
	for (;;) {
		if (in_use(store, &used, err)) {
			return -(int)err->code;
		}
		if (used <= bytes) {
			return 0;
		}
		if (db_ask(store->db, "SELECT count(*) FROM run", DB_NO_ARGS, 0, &runs, err) ||
		    drop_runs(store, INT64_MAX, runs / 8 + 1, &deleted, err) ||
		    db_ask(store->db,
		           "SELECT coalesce(min(id), (SELECT max(id) FROM run)) FROM run"
		           " WHERE id NOT IN " STAYS,
		           DB_NO_ARGS, 0, &oldest, err) ||
		    drop_rest(store, oldest, err)) {
			return -(int)err->code;
		}
		if (!deleted) {
			return 0;
		}
		*ret_deleted += deleted;
	}
}

static int give_back(struct store *store, struct err *err)
{
	for (int i = 0; i < VACUUMS_MOST; i++) {
		AUTO(db_finish) struct db_statement s = {0};
		int64_t unused;
		bool row = true;

		if (db_ask(store->db, "PRAGMA freelist_count", DB_NO_ARGS, 0, &unused, err)) {
			return -(int)err->code;
		}
		if (!unused) {
			return 0;
		}
		_Static_assert(PAGES_AT_ONCE == 256, "the statement says so too");
		if (db_prepare(store->db, "PRAGMA incremental_vacuum(256)", &s, err)) {
			return -(int)err->code;
		}
		while (row) {
			if (db_step(&s, &row, err)) {
				return -(int)err->code;
			}
		}
	}
	return 0;
}

int store_prune(struct store *store, int64_t seconds, int64_t bytes, struct err *err)
{
	int64_t old = 0, large = 0;

	if (db_set_durable(store->db, false, err) ||
	    (seconds > 0 && drop_old(store, seconds, &old, err)) ||
	    (bytes > 0 && drop_large(store, bytes, &large, err))) {
		return store_fail(store, err);
	}
	if (old + large == 0) {
		return 0;
	}
	return give_back(store, err) || db_checkpoint(store->db, err) ? store_fail(store, err) : 0;
}
