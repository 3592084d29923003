// SPDX-License-Identifier: MIT
/*
 * See store.h: takes over what journal.h kept. Every row carries the name it had there (boot, time
 * and place in the file), so that a take-over that was cut off between commit and clearing can be
 * done again.
 */
#include "store/store.h"

#include "base/clock.h"
#include "store/journal.h"
#include "store/store_inner.h"

#include <string.h>

/* Entries follow each other by run; one process that had no run of the history is a run of its
 * own. */
static bool same_run(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->run == b->run && a->pid == b->pid && a->starttime == b->starttime &&
	       !strcmp(a->boot_id, b->boot_id);
}

/* The run that the entries from list[0] on belong to; made when the history has no row for it. */
static int find_run(struct store *store, const struct journal_entry *first, struct arena *arena,
                    int64_t *ret_run, struct err *err)
{
	const char *name = arena_printf(arena, "%s:%lld:%lld", first->boot_id, (long long)first->pid,
	                                (long long)first->starttime);
	struct db *db = store->db;

	/* The number alone is not enough: the history may have been begun anew since. */
	if (db_ask(db,
	           "SELECT id FROM run WHERE (id = ?1 AND pid = ?2 AND starttime = ?3 AND boot_id = ?4)"
	           " OR journal = ?5",
	           DB_ARGS(db_number(first->run), db_number(first->pid), db_number(first->starttime),
	                   db_text(first->boot_id), db_text(name)),
	           0, ret_run, err)) {
		return -(int)err->code;
	}
	if (*ret_run) {
		return 0;
	}
	if (db_do(
	        db,
	        "INSERT INTO run (command, started_by, who, version, node, boot_id, mode, tree_path,"
	        " stale_tree, partial, pid, starttime, started, started_boot_ms, error, journal) VALUES"
	        " ('', '', '', '', '', ?1, '', '', 0, 1, ?2, ?3, ?4, 0,"
	        " 'kept in the journal: the history could not be written', ?5)",
	        DB_ARGS(db_text(first->boot_id), db_number(first->pid), db_number(first->starttime),
	                db_number(first->at), db_text(name)),
	        err)) {
		return -(int)err->code;
	}
	*ret_run = db_last_id(db);
	return 0;
}

static int take(struct store *store, struct db_statement *s, int64_t run,
                const struct journal_entry *entry, struct arena *arena, struct err *err)
{
	const char *name = arena_printf(arena, "%s:%lld:%lld", entry->boot_id, (long long)entry->at,
	                                (long long)entry->number);
	bool ended = entry->outcome != NULL;
	bool done = ended && (!strcmp(entry->outcome, outcome_name(OUTCOME_CHANGED)) ||
	                      (!strcmp(entry->outcome, outcome_name(OUTCOME_PENDING)) &&
	                       !strcmp(entry->action, action_name(ACTION_CREATE))));

	if (db_run(s,
	           DB_ARGS(db_number(run), db_text(entry->id), db_text(entry->action),
	                   db_text(entry->marks), db_text(entry->differences), db_text(entry->origins),
	                   db_number(entry->at), db_text(entry->outcome),
	                   ended ? db_number(entry->finished_at) : db_text(NULL),
	                   ended ? db_number(entry->duration_ms) : db_text(NULL), db_text(entry->why),
	                   db_text(entry->detail), db_text(name)),
	           err)) {
		return -(int)err->code;
	}
	return store_note_made(store, run, entry->id, entry->action, done, err);
}

/* A run that only the journal knew ended when its last step did; with an open step it was cut
 * off. */
static int end_runs(struct store *store, struct err *err)
{
	return db_do(store->db,
	             "UPDATE run SET finished = (SELECT max(finished_at) FROM step WHERE run = run.id),"
	             " exit_code = 1 WHERE journal IS NOT NULL AND finished IS NULL"
	             " AND NOT EXISTS (SELECT 1 FROM step WHERE step.run = run.id AND outcome IS NULL)",
	             DB_NO_ARGS, err);
}

static int take_all(struct store *store, const struct journal_entry *list, size_t count,
                    struct arena *arena, struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};
	AUTO(db_finish) struct db_statement s = {0};
	int64_t run = 0;

	if (db_set_durable(store->db, true, err) || db_begin(store->db, &change, err) ||
	    db_prepare(
	        store->db,
	        "INSERT INTO step (run, id, action, marks, differences, origins, intent_at, outcome,"
	        " finished_at, duration_ms, why, detail, journal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
	        " ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (journal) DO UPDATE SET"
	        " outcome = excluded.outcome, finished_at = excluded.finished_at,"
	        " duration_ms = excluded.duration_ms, why = excluded.why, detail = excluded.detail"
	        " WHERE outcome IS NULL",
	        &s, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < count; i++) {
		if ((i == 0 || !same_run(&list[i], &list[i - 1])) &&
		    find_run(store, &list[i], arena, &run, err)) {
			return -(int)err->code;
		}
		if (take(store, &s, run, &list[i], arena, err)) {
			return -(int)err->code;
		}
	}
	return end_runs(store, err) ? -(int)err->code : db_commit(&change, err);
}

int store_import(struct store *store, const char *journal, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct journal_entry *list;
	size_t count;

	if (journal_list(journal, arena, &list, &count, err)) {
		return -(int)err->code;
	}
	if (count && take_all(store, list, count, arena, err)) {
		return store_fail(store, err);
	}
	return journal_clear(journal, err);
}
