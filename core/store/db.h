// SPDX-License-Identifier: MIT
/*
 * A connection to sqlite as the rest of this room sees it; db.c is the only file that includes
 * sqlite3.h. It knows no table. One connection belongs to one process and is never carried across a
 * fork.
 *
 * Statements: declare `AUTO(db_finish) struct db_statement s = {0};`, so that no way out of a
 * function leaks one. Values that are bound stay the caller's and must live until the statement was
 * stepped to its end, finished or bound anew. Transactions: `AUTO(db_abandon) struct db_change c =
 * {0};`, rolled back unless committed. Every failure is ERR_STORE and is remembered as
 * db_trouble().
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

enum db_access { DB_READ, DB_WRITE };

/* What the last failure means for whoever keeps a history. */
enum db_trouble {
	DB_NO_TROUBLE,
	DB_DAMAGED,   /* the file is no database, or not a sound one */
	DB_FULL,      /* no space, no quota, or a file may not grow */
	DB_READ_ONLY, /* the file or its folder cannot be written */
	DB_DENIED,    /* it cannot be opened with the rights we have */
	DB_BUSY,      /* somebody else held it for longer than we wait */
	DB_OTHER,
};

/* How long a connection waits for another one that writes; after the first time that this was not
 * enough only a tenth of a second, since history never stops convergence. */
enum { DB_PATIENCE_MS = 5000, DB_IMPATIENCE_MS = 100 };

/* Opens `path` (absolute, its folder without symbolic links; never a link itself). DB_WRITE creates
 * the file with mode 0640 when it is not there; whether it could be opened for writing,
 * db_is_writable tells. Nothing in the file is read or written yet. On failure *ret_trouble says
 * why. */
int db_open(const char *path, enum db_access access, struct db **ret_db,
            enum db_trouble *ret_trouble, struct err *err) MUST_CHECK;
/* Settings of the connection that need to read the file: call after its identity was checked. Of a
 * database without tables also what is fixed for its life (incremental vacuum, WAL). */
int db_settle(struct db *db, enum db_access access, bool fresh, struct err *err) MUST_CHECK;
/* NULL is allowed. Without a checkpoint, so that closing costs nothing. */
void db_close(struct db *db);

enum db_trouble db_trouble(const struct db *db);
bool db_is_writable(const struct db *db);

/* Does a commit reach the disk before it returns (full), or does it reach it with the next one that
 * does? */
int db_set_durable(struct db *db, bool full, struct err *err) MUST_CHECK;
/* Moves the WAL into the file and cuts it, as far as readers let that be done now: it waits for
 * nobody, and a reader in the way is no error. */
int db_checkpoint(struct db *db, struct err *err) MUST_CHECK;

/* Whether a commit may move the WAL into the file when it has become long, which is two fsyncs. It
 * may unless it is told not to, for work in many small commits with a checkpoint at its end. */
void db_checkpoint_by_itself(struct db *db, bool may);

enum db_verdict {
	DB_SOUND,
	DB_UNSOUND,
	DB_UNDECIDED, /* there was not the time to look at all of it */
};
/* sqlite's quick_check within `most_ms`. */
int db_quick_check(struct db *db, int most_ms, enum db_verdict *ret_verdict,
                   struct err *err) MUST_CHECK;

struct db_change {
	struct db *db; /* NULL: none under way */
};
/* Takes the write lock at once, so that nothing fails half way for want of it. */
int db_begin(struct db *db, struct db_change *ret_change, struct err *err) MUST_CHECK;
/* Until db_abandon, all that is read is of one moment. */
int db_view(struct db *db, struct db_change *ret_view, struct err *err) MUST_CHECK;
int db_commit(struct db_change *change, struct err *err) MUST_CHECK;
void db_abandon(struct db_change *change);

/* Constant statements without values, one after the other: schema and settings. */
int db_script(struct db *db, const char *sql, struct err *err) MUST_CHECK;

struct db_statement {
	struct db *db;
	const char *sql;
	struct sqlite3_stmt *handle; /* compiled when it is first needed, which may be never */
};

/* A value to bind. */
struct db_arg {
	enum { DB_ARG_NULL, DB_ARG_NUMBER, DB_ARG_TEXT } type;
	int64_t number;
	const char *text;
	size_t length;
};
struct db_arg db_number(int64_t number);
struct db_arg db_text(const char *text); /* NULL binds null */
struct db_arg db_bytes(const char *text, size_t n);

struct db_args {
	const struct db_arg *list;
	size_t count;
};
/* A list of values, alive until the block ends. */
#define DB_ARGS(...)                                        \
	((struct db_args){(const struct db_arg[]){__VA_ARGS__}, \
	                  ARRAY_LEN(((const struct db_arg[]){__VA_ARGS__}))})
#define DB_NO_ARGS ((struct db_args){NULL, 0})

/* The text is borrowed: it outlives the statement. What is wrong with it shows at the first use. */
int db_prepare(struct db *db, const char *sql, struct db_statement *ret_statement,
               struct err *err) MUST_CHECK;
/* The next row: *ret_row is false at the end. */
int db_step(struct db_statement *s, bool *ret_row, struct err *err) MUST_CHECK;
/* Binds and steps to the end, for statements without rows; may be repeated. */
int db_run(struct db_statement *s, struct db_args args, struct err *err) MUST_CHECK;
void db_finish(struct db_statement *s);

/* Prepare and bind; prepare, bind and run. */
int db_query(struct db *db, const char *sql, struct db_args args,
             struct db_statement *ret_statement, struct err *err) MUST_CHECK;
int db_do(struct db *db, const char *sql, struct db_args args, struct err *err) MUST_CHECK;
/* The number in the first column of the first row; `otherwise` when there is no row, or null in
 * it. */
int db_ask(struct db *db, const char *sql, struct db_args args, int64_t otherwise,
           int64_t *ret_number, struct err *err) MUST_CHECK;

/* Calls `row` for each row, which reads its columns and does nothing else with the statement. */
typedef void db_row(struct db_statement *s, void *context);
int db_each(struct db *db, const char *sql, struct db_args args, db_row *row, void *context,
            struct err *err) MUST_CHECK;

/* Columns of the row at hand, from 0; texts are copied into the arena as clean UTF-8, NULL for
 * null. */
int64_t db_column_number(struct db_statement *s, int column);
bool db_column_is_null(struct db_statement *s, int column);
char *db_column_text(struct db_statement *s, int column, struct arena *arena);
const char *db_column_name(struct db_statement *s, int column);

int64_t db_last_id(struct db *db);
/* How many rows the last insert, update or delete touched. */
int64_t db_touched(struct db *db);

#endif
