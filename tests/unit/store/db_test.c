// SPDX-License-Identifier: MIT
/* The thin door to sqlite: statements, transactions, what a failure is called. */
#include "unit/store/fixture.h"

#include "store/db.h"

static struct db *open_db(struct fixture *f)
{
	enum db_trouble trouble;
	struct db *db = NULL;

	if (db_open(f->path, DB_WRITE, &db, &trouble, &f->err)) {
		fail_msg("%s", f->err.text);
	}
	return db;
}

static void values_come_back_as_they_were_bound(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);
	struct db_statement s = {0};
	bool row;

	assert_int_equal(db_script(db, "CREATE TABLE t (a, b, c)", &f->err), 0);
	assert_int_equal(db_do(db, "INSERT INTO t VALUES (?1, ?2, ?3)",
	                       DB_ARGS(db_number(INT64_MIN), db_text("it's; ü"), db_text(NULL)),
	                       &f->err),
	                 0);
	assert_int_equal(db_last_id(db), 1);
	assert_int_equal(db_touched(db), 1);
	assert_int_equal(db_query(db, "SELECT a, b, c FROM t", DB_NO_ARGS, &s, &f->err), 0);
	assert_int_equal(db_step(&s, &row, &f->err), 0);
	assert_true(row);
	assert_true(db_column_number(&s, 0) == INT64_MIN);
	assert_string_equal(db_column_text(&s, 1, f->arena), "it's; ü");
	assert_null(db_column_text(&s, 2, f->arena));
	assert_true(db_column_is_null(&s, 2));
	assert_string_equal(db_column_name(&s, 1), "b");
	assert_int_equal(db_step(&s, &row, &f->err), 0);
	assert_false(row);
	db_finish(&s);
	/* What somebody else wrote there reaches nobody as bytes that are no text. */
	assert_int_equal(db_script(db, "UPDATE t SET b = CAST(x'41ff42' AS TEXT)", &f->err), 0);
	assert_int_equal(db_query(db, "SELECT b FROM t", DB_NO_ARGS, &s, &f->err), 0);
	assert_int_equal(db_step(&s, &row, &f->err), 0);
	assert_string_equal(db_column_text(&s, 0, f->arena), "A\\xffB");
	db_finish(&s);
	db_close(db);
}

static void what_cannot_be_compiled_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);

	assert_int_equal(db_do(db, "INSERT INTO nowhere VALUES (?1)", DB_ARGS(db_number(1)), &f->err),
	                 -ERR_STORE);
	db_close(db);
}

static void a_change_is_undone_unless_committed(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);
	struct db_change change = {0};
	int64_t n;

	assert_int_equal(db_script(db, "CREATE TABLE t (a UNIQUE)", &f->err), 0);
	assert_int_equal(db_begin(db, &change, &f->err), 0);
	assert_int_equal(db_do(db, "INSERT INTO t VALUES (1)", DB_NO_ARGS, &f->err), 0);
	db_abandon(&change);
	db_abandon(&change);
	assert_int_equal(db_ask(db, "SELECT count(*) FROM t", DB_NO_ARGS, -1, &n, &f->err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_begin(db, &change, &f->err), 0);
	assert_int_equal(db_do(db, "INSERT INTO t VALUES (1)", DB_NO_ARGS, &f->err), 0);
	assert_int_equal(db_commit(&change, &f->err), 0);
	db_abandon(&change);
	assert_int_equal(db_ask(db, "SELECT a FROM t", DB_NO_ARGS, -1, &n, &f->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_ask(db, "SELECT a FROM t WHERE a = 2", DB_NO_ARGS, -1, &n, &f->err), 0);
	assert_int_equal(n, -1);
	/* A failed statement leaves nothing bound and nothing open: db_close would say so. */
	assert_int_equal(db_do(db, "INSERT INTO t VALUES (1)", DB_NO_ARGS, &f->err), -ERR_STORE);
	assert_int_equal(db_trouble(db), DB_OTHER);
	assert_non_null(strstr(f->err.text, f->path));
	db_close(db);
}

static void settings_of_a_connection_hold(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);
	int64_t n;

	assert_int_equal(db_ask(db, "PRAGMA foreign_keys", DB_NO_ARGS, -1, &n, &f->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_ask(db, "PRAGMA cell_size_check", DB_NO_ARGS, -1, &n, &f->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_ask(db, "PRAGMA trusted_schema", DB_NO_ARGS, 0, &n, &f->err), 0);
	assert_int_equal(n, 0);
	for (int full = 0; full < 2; full++) {
		assert_int_equal(db_set_durable(db, full, &f->err), 0);
		assert_int_equal(db_ask(db, "PRAGMA synchronous", DB_NO_ARGS, -1, &n, &f->err), 0);
		assert_int_equal(n, full ? 2 : 1);
	}
	/* DEFENSIVE: the schema cannot be written past sqlite. */
	assert_int_equal(db_script(db, "CREATE TABLE t (a); PRAGMA writable_schema = ON;", &f->err), 0);
	assert_int_equal(db_script(db, "UPDATE sqlite_master SET sql = 'x'", &f->err), -ERR_STORE);
	db_close(db);
}

static void failures_have_names(void **state)
{
	struct fixture *f = *state;
	enum db_trouble trouble = DB_NO_TROUBLE;
	struct db *db = NULL;
	int64_t n;

	assert_int_equal(db_open(f->folder, DB_WRITE, &db, &trouble, &f->err), -ERR_STORE);
	assert_int_equal(trouble, DB_DENIED);
	assert_int_equal(db_open(f->path, DB_READ, &db, &trouble, &f->err), -ERR_STORE);
	assert_int_equal(trouble, DB_DENIED);
	assert_null(db);
	fixture_write_file(f->path, "no database at all, but long enough to be looked at as one .....",
	                   64);
	db = open_db(f);
	assert_int_equal(db_ask(db, "PRAGMA user_version", DB_NO_ARGS, 0, &n, &f->err), -ERR_STORE);
	assert_int_equal(db_trouble(db), DB_DAMAGED);
	db_close(db);
	fixture_write_file(f->path, "", 0);
	db = open_db(f);
	assert_int_equal(db_script(db, "CREATE TABLE t (a); PRAGMA max_page_count = 3", &f->err), 0);
	assert_int_equal(db_script(db, "INSERT INTO t VALUES (zeroblob(100000))", &f->err), -ERR_STORE);
	assert_int_equal(db_trouble(db), DB_FULL);
	db_close(db);
	assert_int_equal(db_open(f->path, DB_READ, &db, &trouble, &f->err), 0);
	assert_false(db_is_writable(db));
	assert_int_equal(db_script(db, "CREATE TABLE u (a)", &f->err), -ERR_STORE);
	assert_int_equal(db_trouble(db), DB_READ_ONLY);
	db_close(db);
}

static void a_quick_check_tells_sound_from_damaged_in_bounded_time(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);
	enum db_verdict verdict;

	assert_int_equal(db_script(db,
	                           "CREATE TABLE t (a PRIMARY KEY, b); WITH RECURSIVE n(i) AS (SELECT 1"
	                           " UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
	                           " INSERT INTO t SELECT i, hex(randomblob(20)) FROM n",
	                           &f->err),
	                 0);
	assert_int_equal(db_quick_check(db, 60000, &verdict, &f->err), 0);
	assert_int_equal(verdict, DB_SOUND);
	assert_int_equal(db_quick_check(db, 0, &verdict, &f->err), 0);
	assert_int_equal(verdict, DB_UNDECIDED);
	db_close(db);
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	for (int i = 0; i < 4096; i++) {
		assert_int_equal(pwrite(fd, "\xff", 1, 4096 * 50 + i), 1);
	}
	close(fd);
	db = open_db(f);
	if (db_quick_check(db, 60000, &verdict, &f->err)) {
		assert_int_equal(db_trouble(db), DB_DAMAGED);
	} else {
		assert_int_equal(verdict, DB_UNSOUND);
	}
	db_close(db);
}

static void add_number(struct db_statement *s, void *context)
{
	int64_t *sum = context;

	*sum = *sum * 10 + db_column_number(s, 0);
}

static void each_row_is_seen_once_and_a_failure_ends_it(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);
	int64_t sum = 0;

	assert_int_equal(
	    db_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)", &f->err), 0);
	assert_int_equal(db_each(db, "SELECT a FROM t WHERE a > ?1 ORDER BY a", DB_ARGS(db_number(1)),
	                         add_number, &sum, &f->err),
	                 0);
	assert_int_equal(sum, 23);
	assert_int_equal(db_each(db, "SELECT abs(-9223372036854775807 - a) FROM t", DB_NO_ARGS,
	                         add_number, &sum, &f->err),
	                 -ERR_STORE);
	assert_int_equal(db_each(db, "SELECT nothing FROM t", DB_NO_ARGS, add_number, &sum, &f->err),
	                 -ERR_STORE);
	assert_int_equal(sum, 23);
	db_close(db);
}

static void a_checkpoint_waits_for_no_reader(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f), *reader = NULL;
	enum db_trouble trouble;
	AUTO(db_abandon) struct db_change view = {0};
	char *log = arena_printf(f->arena, "%s-wal", f->path);
	int64_t number, begun;
	struct stat st;

	assert_int_equal(db_settle(db, DB_WRITE, true, &f->err), 0);
	assert_int_equal(db_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", &f->err), 0);
	assert_int_equal(db_open(f->path, DB_READ, &reader, &trouble, &f->err), 0);
	assert_int_equal(db_view(reader, &view, &f->err), 0);
	assert_int_equal(db_ask(reader, "SELECT a FROM t", DB_NO_ARGS, 0, &number, &f->err), 0);
	assert_int_equal(db_script(db, "INSERT INTO t VALUES (2)", &f->err), 0);
	begun = clock_ms();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(db_checkpoint(db, &f->err), 0);
	}
	/* Ten times the patience with a writer would be 50 s. */
	assert_true(clock_ms() - begun < DB_PATIENCE_MS);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size > 0);
	db_abandon(&view);
	assert_int_equal(db_checkpoint(db, &f->err), 0);
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_size, 0);
	db_close(reader);
	db_close(db);
}

static void a_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char *link = arena_printf(f->arena, "%s/link.db", f->folder);
	enum db_trouble trouble;
	struct db *db;

	db_close(open_db(f));
	assert_int_equal(symlink(f->path, link), 0);
	assert_int_equal(db_open(link, DB_WRITE, &db, &trouble, &f->err), -ERR_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(values_come_back_as_they_were_bound),
	    FIXTURE_TEST(what_cannot_be_compiled_is_an_error),
	    FIXTURE_TEST(a_change_is_undone_unless_committed),
	    FIXTURE_TEST(settings_of_a_connection_hold),
	    FIXTURE_TEST(failures_have_names),
	    FIXTURE_TEST(a_quick_check_tells_sound_from_damaged_in_bounded_time),
	    FIXTURE_TEST(each_row_is_seen_once_and_a_failure_ends_it),
	    FIXTURE_TEST(a_checkpoint_waits_for_no_reader),
	    FIXTURE_TEST(a_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
