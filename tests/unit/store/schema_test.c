// SPDX-License-Identifier: MIT
/* Whose database it is, and migrations. */
#include "unit/store/fixture.h"

#include "base/embedded.h"
#include "store/schema.h"

static struct db *open_db(struct fixture *f)
{
	enum db_trouble trouble;
	struct db *db = NULL;

	assert_int_equal(db_open(f->path, DB_WRITE, &db, &trouble, &f->err), 0);
	return db;
}

static enum schema_state identify(struct fixture *f, struct db *db)
{
	enum schema_state state;
	int version;

	assert_int_equal(schema_identify(db, &state, &version, &f->err), 0);
	return state;
}

static void files_are_numbered_from_one_without_holes(void **state)
{
	(void)state;
	assert_true(embedded_schema_count > 0);
	for (size_t i = 0; i < embedded_schema_count; i++) {
		assert_int_equal(strtol(embedded_schema[i].name, NULL, 10), i + 1);
	}
	assert_int_equal(schema_newest(), embedded_schema_count);
}

static void migrating_makes_it_ours_once(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);

	assert_int_equal(identify(f, db), SCHEMA_EMPTY);
	assert_int_equal(schema_migrate(db, &f->err), 0);
	assert_int_equal(identify(f, db), SCHEMA_OURS);
	assert_int_equal(schema_migrate(db, &f->err), 0);
	db_close(db);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM meta WHERE key = 'created'"), 1);
	assert_int_equal(fixture_ask(f->path, "PRAGMA user_version"), schema_newest());
	/* Nothing that an older library cannot read. */
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM sqlite_master WHERE sql LIKE"
	                                      " '%) STRICT%' OR type IN ('trigger', 'view')"),
	                 0);
}

static void a_migration_that_fails_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);

	/* The third table of the file is in the way. */
	assert_int_equal(db_script(db, "CREATE TABLE resource (x)", &f->err), 0);
	assert_int_equal(schema_migrate(db, &f->err), -ERR_STORE);
	assert_non_null(strstr(f->err.text, "001_history.sql"));
	assert_int_equal(identify(f, db), SCHEMA_FOREIGN);
	db_close(db);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM sqlite_master"), 1);
	assert_int_equal(fixture_ask(f->path, "PRAGMA user_version"), 0);
}

static int migrate(void *context)
{
	struct fixture *f = context;
	struct db *db = open_db(f);
	int r = schema_migrate(db, &f->err);

	db_close(db);
	return r ? 1 : 0;
}

static void two_processes_migrate_at_the_same_time(void **state)
{
	struct fixture *f = *state;
	pid_t pids[4];
	int status;

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			_exit(migrate(f));
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(fixture_ask(f->path, "PRAGMA user_version"), schema_newest());
}

static void newer_and_foreign_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);

	assert_int_equal(schema_migrate(db, &f->err), 0);
	assert_int_equal(db_script(db, "PRAGMA user_version = 77", &f->err), 0);
	assert_int_equal(identify(f, db), SCHEMA_NEWER);
	assert_int_equal(schema_migrate(db, &f->err), 0);
	assert_int_equal(db_script(db, "PRAGMA application_id = 5", &f->err), 0);
	assert_int_equal(identify(f, db), SCHEMA_FOREIGN);
	db_close(db);
}

static void types_are_checked(void **state)
{
	struct fixture *f = *state;
	struct db *db = open_db(f);

	assert_int_equal(schema_migrate(db, &f->err), 0);
	assert_int_equal(db_script(db, "INSERT INTO made VALUES ('file:/a', 'one', 5)", &f->err),
	                 -ERR_STORE);
	assert_int_equal(db_script(db, "INSERT INTO made VALUES ('file:/a', 1, 5)", &f->err), 0);
	assert_int_equal(db_script(db,
	                           "INSERT INTO step (run, id, action, marks, differences, origins)"
	                           " VALUES (4, 'a', 'b', '', '', '')",
	                           &f->err),
	                 -ERR_STORE);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(files_are_numbered_from_one_without_holes),
	    FIXTURE_TEST(migrating_makes_it_ours_once),
	    FIXTURE_TEST(a_migration_that_fails_leaves_nothing),
	    FIXTURE_TEST(two_processes_migrate_at_the_same_time),
	    FIXTURE_TEST(newer_and_foreign_are_told_apart),
	    FIXTURE_TEST(types_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
