// SPDX-License-Identifier: MIT
/*
 * Intents and outcomes while the history cannot be written: a small file of JSON lines, each synced
 * to disk before the call returns. The only file that this room opens itself. store_import takes it
 * over later.
 *
 * One writer at a time (the holder of the run's lock). Calls open and close the file; nothing is
 * kept.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "model/plan.h"

/* Appends the intent; `run` is the run of the history, or 0 when that has no row for it.
 * *ret_number names it for the outcome. The file is made with mode 0600; a link, or a file that is
 * not our own, is refused. ERR_STORE. */
int journal_intent(const char *path, int64_t run, const char *boot_id, const struct step *step,
                   int64_t *ret_number, struct err *err) MUST_CHECK;
int journal_outcome(const char *path, int64_t number, const struct step *step,
                    struct err *err) MUST_CHECK;

/* How a run ended whose row in the history could not be completed, or that has none (0) but
 * intents here. */
struct journal_end {
	int64_t run;
	int64_t pid, starttime; /* who wrote it: proc(5) */
	const char *boot_id;
	int64_t at, exit_code;
	const char *error; /* or NULL */
};
int journal_end(const char *path, int64_t run, const char *boot_id, int exit_code,
                const char *error, struct err *err) MUST_CHECK;

struct journal_entry {
	int64_t number, run;
	size_t part;            /* how many ends stand before it */
	int64_t at;             /* when the intent was stored, seconds since 1970 */
	int64_t pid, starttime; /* who did: proc(5) */
	const char *boot_id, *id, *action, *marks;
	const char *differences, *origins; /* JSON, as in the history */
	const char *outcome;               /* NULL: none was stored */
	int64_t finished_at, duration_ms;  /* with an outcome */
	const char *why, *detail;          /* with an outcome, or NULL */
};

/* What the journal holds, in the order in which it was written; nothing when there is no file.
 * Lines that cannot be read (the last one of a crash) are left out. */
struct journal {
	struct journal_entry *entries;
	struct journal_end *ends;
	size_t entry_count, end_count;
};
int journal_list(const char *path, struct arena *arena, struct journal *ret_journal,
                 struct err *err) MUST_CHECK;

/* Removes the file; none is fine. */
int journal_clear(const char *path, struct err *err) MUST_CHECK;

#endif
