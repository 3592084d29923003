// SPDX-License-Identifier: MIT
/*
 * The history of a node in sqlite: runs, intents and outcomes, facts and trees by digest. The only
 * door to this room but journal.h; it knows values and plans, nobody outside knows SQL. Tables:
 * docs/history.md.
 *
 * History never stops convergence: every writing call may fail with ERR_STORE and the caller goes
 * on (intents then go to the journal). A store is one connection, used by one process, never
 * carried across a fork (open it after forking, or let the child close all descriptors without
 * touching it). While one is open, nothing in this process may open or close the file by other
 * means: that drops its locks. Read results live in the caller's arena.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "model/plan.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* What opening found; the history is usable only when `store` came out non-NULL. With a store and a
 * problem: usable, but somebody should know (set aside and begun anew; read although newer). */
struct store_condition {
	/* NULL: fine. "damaged: ...", "newer schema 9 than 2", "read-only", "full", "not ours: ...",
	 * "no history yet", "needs root or group adm", ... */
	const char *problem;
	const char *set_aside; /* where a damaged or wrongly owned file was moved to, or NULL */
};

/* Opens `path` (absolute). STORE_WRITE creates (file 0640 root:adm, a missing folder 0750
 * root:adm), migrates, and sets aside what is damaged or wrongly owned, if its name ends in ".db".
 * STORE_READ never creates, moves or changes a history, and works without root as far as
 * permissions allow. On failure *ret_store is NULL and the condition says why. Always 0: a run may
 * go on without history. */
int store_open(const char *path, enum store_mode mode, struct arena *arena,
               struct store **ret_store, struct store_condition *ret_condition,
               struct err *err) MUST_CHECK;
/* Closes without checkpoint; store_checkpoint before, after a run that changed something. A history
 * that a call found damaged is set aside now and a new one begun, which says so. NULL is
 * allowed. */
void store_close(struct store *store);
/* Waits for nobody: what a reader keeps is moved another time. */
int store_checkpoint(struct store *store, struct err *err) MUST_CHECK;

/* Looks for damage within `most_ms`, when that was last done more than a day ago or was not
 * finished. *ret_damage: what is wrong, in a sentence that lives as long as the store, or NULL. */
int store_check(struct store *store, int most_ms, const char **ret_damage,
                struct err *err) MUST_CHECK;

/* A run, as it starts. NULL texts are stored as "" or, of digests, as not known. */
struct store_run_start {
	const char *command; /* "apply", "run", ... */
	const char *trigger; /* a word: "terminal", "timer", ... (docs/history.md) */
	const char *who;     /* user (and sudo user) */
	const char *version;
	const char *node, *boot_id, *mode;
	const char *tree, *policies, *facts, *state; /* digests; texts are kept by store_keep */
	const char *tree_path;
	bool stale_tree;
	bool partial; /* --only: resources that are not in its plan are not gone */
};
/* Writes the row at once, with the process that runs, so that a run that is cut off is known. The
 * row reaches the disk with the first intent. */
int store_run_begin(struct store *store, const struct store_run_start *start, int64_t *ret_run,
                    struct err *err) MUST_CHECK;
/* The exit code, the counts and how each resource now stands. `plan` is all steps with their
 * outcomes, NULL when the run did not get as far; its digests, node and mode replace what was not
 * known at the start. `error` is what ended it early, or NULL. A run without intents is written
 * with synchronous=NORMAL, all else with FULL. */
int store_run_end(struct store *store, int64_t run, int exit_code, const struct plan *plan,
                  const char *error, struct err *err) MUST_CHECK;

/* Before steps that are carried out together: committed (FULL) before it returns, all or none, in
 * one commit, which costs one fsync instead of `count`. After them: the outcomes, in the same
 * way. */
int store_intents(struct store *store, int64_t run, const struct step *const *steps, size_t count,
                  int64_t *ret_intents, struct err *err) MUST_CHECK;
int store_outcomes(struct store *store, const int64_t *intents, const struct step *const *steps,
                   size_t count, struct err *err) MUST_CHECK;

/* Keeps a text (UTF-8) by its digest (kind: "tree", "policies", "facts", "state") once. It reaches
 * the disk with the next intent, or at the end of the run. */
int store_keep(struct store *store, const char *digest, const char *kind, const char *text,
               size_t n, struct err *err) MUST_CHECK;
/* Is a text of that digest kept? Spares making the text of what has not changed. */
int store_is_kept(struct store *store, const char *digest, bool *ret_kept,
                  struct err *err) MUST_CHECK;
/* *ret_text is NULL when it is not kept (any more). */
int store_fetch(struct store *store, const char *digest, struct arena *arena, const char **ret_text,
                size_t *ret_length, struct err *err) MUST_CHECK;

/* Intents without an outcome whose process is gone (or is this one): what a crash left. For the
 * next run, before its own first intent. */
struct store_cut {
	int64_t run, intent, started; /* when the intent was stored */
	const char *id, *action, *boot_id;
};
int store_cut_list(struct store *store, struct arena *arena, struct store_cut **ret_list,
                   size_t *ret_count, struct err *err) MUST_CHECK;
/* Closes what a crash left: the intent's outcome is "interrupted", with what observation now
 * says in words. `done`: it got through nevertheless, so a create is ours and a remove is not
 * any more. */
int store_cut_close(struct store *store, const struct store_cut *cut, const char *found, bool done,
                    struct err *err) MUST_CHECK;
/* Takes over what journal.h kept while the history could not be written, then clears the journal.
 * Doing it again after being cut off takes nothing twice. No journal: nothing to do. */
int store_import(struct store *store, const char *journal, struct err *err) MUST_CHECK;

/* A time of which the history tells nothing. */
struct store_gap {
	int64_t since, until; /* seconds since 1970 */
	int64_t runs;         /* that went unrecorded */
	const char *why;
	const char *set_aside; /* where what told until then was moved to, or NULL */
};
/* Records it (FULL). The same beginning and reason again is the same gap. */
int store_gap(struct store *store, const struct store_gap *gap, struct err *err) MUST_CHECK;

/* What reconcile itself made and still stands by its own account, for orphans: ids in order. Made:
 * a create that ended changed or pending; until a remove ended changed, or its absence is wanted
 * and kept. */
int store_made_list(struct store *store, struct arena *arena, struct orphan **ret_list,
                    size_t *ret_count, struct err *err) MUST_CHECK;

/* The last whole run (not partial, not on a stale tree) whose plan was applied or found in sync:
 * its digests. run = 0: none yet. For the shrink guard and the last good tree; texts by
 * store_fetch. */
struct store_last {
	int64_t run, finished;
	int exit_code;
	const char *tree, *policies, *state; /* digests, "" when unknown */
};
int store_last_good(struct store *store, struct arena *arena, struct store_last *ret_last,
                    struct err *err) MUST_CHECK;

/* Queries for `history` and `status`, as sealed values ready for JSON. Each run has a `status`:
 * "ended", "running", or "interrupted" (no end, and its process is gone). */

/* The newest `most` runs, newest first: a list of maps. */
int store_runs(struct store *store, struct arena *arena, size_t most, struct value *ret_list,
               struct err *err) MUST_CHECK;
/* One run with `steps` (what it set out to do, in order) and `standing` (what was not right when it
 * ended, by id); null when there is no such run. */
int store_run(struct store *store, struct arena *arena, int64_t run, struct value *ret_run,
              struct err *err) MUST_CHECK;
/* Per resource (a map by id): `outcome` ("kept" also of what was changed), `since`, `since_run`,
 * `times` (runs that ended since then, that one included), and of what is not right `why`,
 * `action`, `differences`, `origins`. */
int store_since(struct store *store, struct arena *arena, struct value *ret_map,
                struct err *err) MUST_CHECK;
/* About the history itself: `path`, `schema`, `created`, `checked` (for damage), `bytes`, `runs`,
 * `oldest`, `gaps` (the newest ten, newest first: `since`, `until`, `runs`, `why`, perhaps
 * `set_aside`) and of the newest that was set aside `set_aside` {at, why, set_aside}. */
int store_about(struct store *store, struct arena *arena, struct value *ret_about,
                struct err *err) MUST_CHECK;

/* How far the history may grow; 0: no bound. */
struct store_bounds {
	int64_t seconds; /* age of a run */
	int64_t bytes;   /* in use in the file */
};
/* Drops runs that started too long ago, then the oldest until it fits, then texts that no run
 * refers to, and gives room back to the file system; never the newest run, nor the last good one,
 * nor one with an intent that is still open. In small transactions until about `most_ms` are over;
 * what is left is done by the next call. */
int store_prune(struct store *store, const struct store_bounds *bounds, int most_ms,
                struct err *err) MUST_CHECK;

#endif
