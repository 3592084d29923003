// SPDX-License-Identifier: MIT
/*
 * See store.h: takes over what journal.h kept. Every row carries the name it had there (boot, time
 * and place in the file), so that a take-over that was cut off between commit and clearing can be
 * done again.
 */
#include "store/store.h"

#include "store/journal.h"
#include "store/store_inner.h"

#include <string.h>

/* Entries follow each other by run; those of a process that had no run of the history are one up to
 * the end that it wrote. */
static bool same_run(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->run == b->run && a->pid == b->pid && a->starttime == b->starttime &&
	       a->part == b->part && !strcmp(a->boot_id, b->boot_id);
}

/* What a run without a number is called, by its first entry. */
static const char *name_of(const struct journal_entry *first, struct arena *arena)
{
	return arena_printf(arena, "%s:%lld:%lld:%lld:%lld", first->boot_id, (long long)first->pid,
	                    (long long)first->starttime, (long long)first->at,
	                    (long long)first->number);
}

/* The run that the entries from `first` on belong to; made when the history has no row for it. */
static int find_run(struct store *store, const struct journal_entry *first, struct arena *arena,
                    int64_t *ret_run, struct err *err)
{
	const char *name = name_of(first, arena);
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

static const struct journal_entry *first_of(const struct journal *journal, size_t part)
{
	for (size_t i = 0; i < journal->entry_count; i++) {
		if (journal->entries[i].part == part) {
			return &journal->entries[i];
		}
	}
	return NULL;
}

/* How runs ended that the journal saw to their end. */
static int take_ends(struct store *store, const struct journal *journal, struct arena *arena,
                     struct err *err)
{
	for (size_t i = 0; i < journal->end_count; i++) {
		const struct journal_end *end = &journal->ends[i];
		const struct journal_entry *first = first_of(journal, i);

		if (db_do(store->db,
		          "UPDATE run SET finished = ?5, exit_code = ?6, error = coalesce(?7, error,"
		          " 'the history could not be written up to its end') WHERE finished IS NULL"
		          " AND pid = ?2 AND starttime = ?3 AND boot_id = ?4"
		          " AND (id = ?1 OR journal = ?8)",
		          DB_ARGS(db_number(end->run), db_number(end->pid), db_number(end->starttime),
		                  db_text(end->boot_id), db_number(end->at), db_number(end->exit_code),
		                  db_text(end->error), db_text(first ? name_of(first, arena) : NULL)),
		          err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

/* A run that only the journal knew, of an older version that did not say how it ended, ended when
 * its last step did; with an open step it was cut off. */
static int end_runs(struct store *store, struct err *err)
{
	return db_do(store->db,
	             "UPDATE run SET finished = (SELECT max(finished_at) FROM step WHERE run = run.id),"
	             " exit_code = 1 WHERE journal IS NOT NULL AND finished IS NULL"
	             " AND NOT EXISTS (SELECT 1 FROM step WHERE step.run = run.id AND outcome IS NULL)",
	             DB_NO_ARGS, err);
}

static int take_entries(struct store *store, const struct journal *journal, struct arena *arena,
                        struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	int64_t run = 0;

	if (db_prepare(
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
	for (size_t i = 0; i < journal->entry_count; i++) {
		const struct journal_entry *entry = &journal->entries[i];

		if ((i == 0 || !same_run(entry, entry - 1)) && find_run(store, entry, arena, &run, err)) {
			return -(int)err->code;
		}
		if (take(store, &s, run, entry, arena, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int take_all(struct store *store, const struct journal *journal, struct arena *arena,
                    struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};

	if (db_set_durable(store->db, true, err) || db_begin(store->db, &change, err) ||
	    take_entries(store, journal, arena, err) || take_ends(store, journal, arena, err) ||
	    end_runs(store, err)) {
		return -(int)err->code;
	}
	return db_commit(&change, err);
}

int store_import(struct store *store, const char *path, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct journal journal;

	if (journal_list(path, arena, &journal, err)) {
		return -(int)err->code;
	}
	if ((journal.entry_count || journal.end_count) && take_all(store, &journal, arena, err)) {
		return store_fail(store, err);
	}
	return journal_clear(path, err);
}
