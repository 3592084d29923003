// SPDX-License-Identifier: MIT
/* See db.h. Lowest version of sqlite: 3.26 (SQLITE_DBCONFIG_DEFENSIVE). */
#include "store/db.h"

#include "base/clock.h"
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Since 3.31; an older library is given only what lstat(2) said (place.c). */
#ifndef SQLITE_OPEN_NOFOLLOW
#define SQLITE_OPEN_NOFOLLOW 0
#endif

/* Whoever opens the history first reads all of its log again: 1.5 ms at 4 MiB, which the library
 * would let it grow to. A run that finds nothing to do adds three pages. */
enum { LOG_PAGES = 64 };

struct db {
	sqlite3 *handle;
	char *path;
	enum db_trouble trouble;
	int durable;         /* 1, 0, or -1: as the library was built */
	int patience_ms;     /* with another writer */
	int64_t check_until; /* of a quick_check under way: when it ends */
};

static enum db_trouble trouble_of(int rc, int os)
{
	if (os == ENOSPC || os == EDQUOT || os == EFBIG) {
		return DB_FULL;
	}
	/* A file system that cannot be written shows as CANTOPEN when sqlite needs its shared
	 * memory. */
	if (os == EROFS) {
		return DB_READ_ONLY;
	}
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DB_DAMAGED;
	case SQLITE_FULL:
		return DB_FULL;
	case SQLITE_READONLY:
		return DB_READ_ONLY;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return DB_DENIED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DB_BUSY;
	default:
		return DB_OTHER;
	}
}

static void be_patient(struct db *db, int ms)
{
	db->patience_ms = ms;
	sqlite3_busy_timeout(db->handle, ms);
}

static int fail(struct db *db, int rc, struct err *err)
{
	bool io = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
	int os = io ? sqlite3_system_errno(db->handle) : 0;

	db->trouble = trouble_of(rc, os);
	if (db->trouble == DB_BUSY) {
		be_patient(db, DB_IMPATIENCE_MS);
	}
	return err_set(err, ERR_STORE, os, "history %s: %s", db->path,
	               db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
}

static int configure(struct db *db, struct err *err)
{
	static const struct {
		int what, value;
	} settings[] = {
	    {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, /* a checkpoint is two fsyncs: 14 to 20 ms */
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, /* we have none: one that is there is not ours */
	};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		int rc = sqlite3_db_config(db->handle, settings[i].what, settings[i].value, NULL);

		if (rc) {
			return fail(db, rc, err);
		}
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_wal_autocheckpoint(db->handle, LOG_PAGES);
	be_patient(db, DB_PATIENCE_MS);
	/* Unknown to libraries before 3.31, which ignore it. Neither statement reads the file. */
	return db_script(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;", err);
}

int db_open(const char *path, enum db_access access, struct db **ret_db,
            enum db_trouble *ret_trouble, struct err *err)
{
	struct db *db = mem_alloc(sizeof *db);
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;

	flags |= access == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	*db = (struct db){.path = mem_strdup(path), .durable = -1};
	/* sqlite creates with 0644 less the umask, and gives its other files the mode of the first. */
	mode_t mask = umask(0137);
	int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);

	umask(mask);
	int r = rc ? fail(db, rc, err) : configure(db, err);

	if (r) {
		*ret_trouble = db->trouble;
		db_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

int db_settle(struct db *db, enum db_access access, bool fresh, struct err *err)
{
	if (access == DB_READ) {
		return 0;
	}
	/* Vacuum mode first: it is fixed once the header page is there, which WAL writes. */
	return db_script(db,
	                 fresh ? "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
	                         "PRAGMA journal_size_limit = 4194304;"
	                       : "PRAGMA journal_size_limit = 4194304;",
	                 err);
}

void db_close(struct db *db)
{
	if (!db) {
		return;
	}
	int rc = sqlite3_close(db->handle);

	/* SQLITE_BUSY: a statement leaked, which is a bug of ours that tests must see. */
	assert(rc == SQLITE_OK);
	(void)rc;
	free(db->path);
	free(db);
}

enum db_trouble db_trouble(const struct db *db)
{
	return db->trouble;
}

bool db_is_writable(const struct db *db)
{
	return sqlite3_db_readonly(db->handle, "main") == 0;
}

int db_set_durable(struct db *db, bool full, struct err *err)
{
	if (db->durable == (int)full) {
		return 0;
	}
	int r = db_script(db, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err);

	if (!r) {
		db->durable = full;
	}
	return r;
}

int db_checkpoint(struct db *db, struct err *err)
{
	/* Cutting the log needs that nobody reads it. Somebody who reads for long would cost each run
	 * all of our patience. */
	sqlite3_busy_timeout(db->handle, 0);
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	sqlite3_busy_timeout(db->handle, db->patience_ms);
	return rc && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED ? fail(db, rc, err) : 0;
}

void db_checkpoint_by_itself(struct db *db, bool may)
{
	sqlite3_wal_autocheckpoint(db->handle, may ? LOG_PAGES : 0);
}

/* Compiling costs more than running, and a run that finds nothing to do has little to run. */
static int compile(struct db_statement *s, struct err *err)
{
	int rc =
	    s->handle ? SQLITE_OK : sqlite3_prepare_v2(s->db->handle, s->sql, -1, &s->handle, NULL);

	return rc ? fail(s->db, rc, err) : 0;
}

static int out_of_time(void *context)
{
	struct db *db = context;

	return clock_left(db->check_until) == 0;
}

int db_quick_check(struct db *db, int most_ms, enum db_verdict *ret_verdict, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};

	if (db_prepare(db, "PRAGMA quick_check(1)", &s, err) || compile(&s, err)) {
		return -(int)err->code;
	}
	db->check_until = clock_ms() + most_ms;
	sqlite3_progress_handler(db->handle, 1000, out_of_time, db);
	int rc = sqlite3_step(s.handle);

	sqlite3_progress_handler(db->handle, 0, NULL, NULL);
	if (rc == SQLITE_INTERRUPT) {
		*ret_verdict = DB_UNDECIDED;
		return 0;
	}
	if (rc != SQLITE_ROW) {
		return fail(db, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc, err);
	}
	const char *verdict = (const char *)sqlite3_column_text(s.handle, 0);

	*ret_verdict = verdict && !strcmp(verdict, "ok") ? DB_SOUND : DB_UNSOUND;
	return 0;
}

int db_begin(struct db *db, struct db_change *ret_change, struct err *err)
{
	int r = db_script(db, "BEGIN IMMEDIATE", err);

	if (!r) {
		ret_change->db = db;
	}
	return r;
}

int db_view(struct db *db, struct db_change *ret_view, struct err *err)
{
	int r = db_script(db, "BEGIN", err);

	if (!r) {
		ret_view->db = db;
	}
	return r;
}

int db_commit(struct db_change *change, struct err *err)
{
	int r = db_script(change->db, "COMMIT", err);

	if (!r) {
		change->db = NULL;
	}
	return r;
}

void db_abandon(struct db_change *change)
{
	/* Some failures (a full disk) have rolled back already. */
	if (change->db && !sqlite3_get_autocommit(change->db->handle)) {
		sqlite3_exec(change->db->handle, "ROLLBACK", NULL, NULL, NULL);
	}
	change->db = NULL;
}

int db_script(struct db *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc ? fail(db, rc, err) : 0;
}

struct db_arg db_number(int64_t number)
{
	return (struct db_arg){.type = DB_ARG_NUMBER, .number = number};
}

struct db_arg db_text(const char *text)
{
	return text ? db_bytes(text, strlen(text)) : (struct db_arg){.type = DB_ARG_NULL};
}

struct db_arg db_bytes(const char *text, size_t n)
{
	return (struct db_arg){.type = DB_ARG_TEXT, .text = text, .length = n};
}

int db_prepare(struct db *db, const char *sql, struct db_statement *ret_statement, struct err *err)
{
	(void)err;
	*ret_statement = (struct db_statement){.db = db, .sql = sql};
	return 0;
}

/* Starts the statement anew with these values, the first for ?1. */
static int start_with(struct db_statement *s, struct db_args args, struct err *err)
{
	int rc = SQLITE_OK;

	if (compile(s, err)) {
		return -(int)err->code;
	}
	/* What it returns is the failure of the last step, which was told then. */
	sqlite3_reset(s->handle);
	for (size_t i = 0; i < args.count && !rc; i++) {
		int at = (int)i + 1;

		switch (args.list[i].type) {
		case DB_ARG_NULL:
			rc = sqlite3_bind_null(s->handle, at);
			break;
		case DB_ARG_NUMBER:
			rc = sqlite3_bind_int64(s->handle, at, args.list[i].number);
			break;
		case DB_ARG_TEXT:
			rc = sqlite3_bind_text64(s->handle, at, args.list[i].text, args.list[i].length,
			                         SQLITE_STATIC, SQLITE_UTF8);
			break;
		}
	}
	return rc ? fail(s->db, rc, err) : 0;
}

int db_step(struct db_statement *s, bool *ret_row, struct err *err)
{
	if (compile(s, err)) {
		return -(int)err->code;
	}
	int rc = sqlite3_step(s->handle);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		return fail(s->db, rc, err);
	}
	*ret_row = rc == SQLITE_ROW;
	return 0;
}

int db_run(struct db_statement *s, struct db_args args, struct err *err)
{
	bool row = true;
	int r = start_with(s, args, err);

	while (!r && row) {
		r = db_step(s, &row, err);
	}
	/* Nothing of the caller's stays bound. What could not be compiled has no handle, and unlike
	 * sqlite3_reset() the other call does not take NULL. */
	if (s->handle) {
		sqlite3_reset(s->handle);
		sqlite3_clear_bindings(s->handle);
	}
	return r;
}

void db_finish(struct db_statement *s)
{
	sqlite3_finalize(s->handle);
	*s = (struct db_statement){0};
}

int db_query(struct db *db, const char *sql, struct db_args args,
             struct db_statement *ret_statement, struct err *err)
{
	int r = db_prepare(db, sql, ret_statement, err);

	return r ? r : start_with(ret_statement, args, err);
}

int db_do(struct db *db, const char *sql, struct db_args args, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	int r = db_prepare(db, sql, &s, err);

	return r ? r : db_run(&s, args, err);
}

int db_ask(struct db *db, const char *sql, struct db_args args, int64_t otherwise,
           int64_t *ret_number, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	bool row = false;
	int r = db_query(db, sql, args, &s, err);

	if (!r) {
		r = db_step(&s, &row, err);
	}
	if (!r) {
		*ret_number = row && !db_column_is_null(&s, 0) ? db_column_number(&s, 0) : otherwise;
	}
	return r;
}

int db_each(struct db *db, const char *sql, struct db_args args, db_row *row, void *context,
            struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	bool more;

	if (db_query(db, sql, args, &s, err)) {
		return -(int)err->code;
	}
	for (;;) {
		if (db_step(&s, &more, err)) {
			return -(int)err->code;
		}
		if (!more) {
			return 0;
		}
		row(&s, context);
	}
}

int64_t db_column_number(struct db_statement *s, int column)
{
	return sqlite3_column_int64(s->handle, column);
}

bool db_column_is_null(struct db_statement *s, int column)
{
	return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

char *db_column_text(struct db_statement *s, int column, struct arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(s->handle, column);

	if (!text) {
		return NULL;
	}
	size_t n = strlen(text); /* up to a NUL, which we never wrote */

	if (text_utf8_until(text, n) == n) {
		return arena_strndup(arena, text, n);
	}
	AUTO(str_free) struct str clean = {0};

	str_add_printable(&clean, text, n);
	return arena_strdup(arena, str_text(&clean));
}

const char *db_column_name(struct db_statement *s, int column)
{
	return sqlite3_column_name(s->handle, column);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_touched(struct db *db)
{
	return sqlite3_changes(db->handle);
}
