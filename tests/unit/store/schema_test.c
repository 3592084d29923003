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

/* A history as the program of that schema wrote it: five runs, the last one killed in a step. */
static void stored(struct fixture *f, int schema)
{
	const char *top = getenv("TOP");
	const char *from =
	    arena_printf(f->arena, "%s/tests/golden/history/schema-%d.db", top ? top : ".", schema);
	AUTO(mem_auto) char *bytes = mem_alloc(1 << 20);
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fail_msg("%s: each earlier schema has a stored history", from);
	}
	ssize_t n = read(fd, bytes, 1 << 20);

	assert_true(n > 0 && n < 1 << 20);
	close(fd);
	fixture_write_file(f->path, bytes, (size_t)n);
}

static void expect_all_that_was_stored(struct fixture *f, struct store *store)
{
	struct value runs, run, since, about;
	struct orphan *made;
	struct store_cut *cuts;
	struct store_last last;
	size_t count;

	assert_int_equal(store_runs(store, f->arena, 10, &runs, &f->err), 0);
	assert_int_equal(runs.count, 5);
	assert_string_equal(value_text(&runs.items[0], "status"), "interrupted");
	assert_int_equal(store_run(store, f->arena, 2, &run, &f->err), 0);
	assert_int_equal(value_get(&run, "steps")->count, 4);
	assert_int_equal(value_get(&run, "standing")->count, 1);
	assert_int_equal(store_since(store, f->arena, &since, &f->err), 0);
	assert_int_equal(value_number(value_get(&since, "command:fails"), "since_run", 0), 2);
	assert_int_equal(store_made_list(store, f->arena, &made, &count, &f->err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(store_cut_list(store, f->arena, &cuts, &count, &f->err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(cuts[0].id, "command:slow");
	assert_int_equal(store_last_good(store, f->arena, &last, &f->err), 0);
	assert_int_equal(last.run, 4);
	assert_int_equal(store_about(store, f->arena, &about, &f->err), 0);
	assert_int_equal(value_number(&about, "runs", 0), 5);
}

static void stored_histories_of_each_earlier_schema_go_on(void **state)
{
	struct fixture *f = *state;
	char *fresh = arena_printf(f->arena, "%s/fresh.db", f->folder), *path = f->path;

	f->path = fresh;
	store_close(fixture_write(f));
	f->path = path;
	for (int schema = 1; schema < schema_newest(); schema++) {
		struct value about;

		stored(f, schema);
		struct store *store = fixture_open(f, STORE_READ);

		assert_non_null(store);
		expect_all_that_was_stored(f, store);
		store_close(store);
		assert_int_equal(fixture_ask(f->path, "PRAGMA user_version"), schema);
		store = fixture_write(f);
		expect_all_that_was_stored(f, store);
		assert_int_equal(store_about(store, f->arena, &about, &f->err), 0);
		const struct value *aside = value_get(&about, "set_aside");

		assert_string_equal(value_text(aside, "set_aside"),
		                    "/mnt/var/history.db.set-aside-2026-11-21T08:28:05Z");
		assert_string_equal(value_text(aside, "why"),
		                    "damaged: history /mnt/var/history.db: file is not a database");
		assert_int_equal(value_number(aside, "at", 0), 1795249685);
		store_close(store);
		assert_int_equal(fixture_ask(f->path, "PRAGMA user_version"), schema_newest());
		assert_int_equal(fixture_ask(f->path, "PRAGMA auto_vacuum"), 2);
		/* The same tables as in one that was begun with this schema. */
		assert_int_equal(fixture_ask(fresh, "SELECT count(*) FROM sqlite_master"),
		                 fixture_ask(f->path, "SELECT count(*) FROM sqlite_master"));
		assert_int_equal(fixture_ask(fresh, "SELECT sum(length(sql)) FROM sqlite_master"),
		                 fixture_ask(f->path, "SELECT sum(length(sql)) FROM sqlite_master"));
		unlink(f->path);
		unlink(arena_printf(f->arena, "%s-wal", f->path));
		unlink(arena_printf(f->arena, "%s-shm", f->path));
	}
}

static int open_and_die(void *context)
{
	store_close(fixture_write(context));
	return 0;
}

static void a_migration_killed_half_way_is_done_by_the_next(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 60; i++) {
		stored(f, 1);
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(open_and_die(f));
		}
		usleep((useconds_t)i * 50);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		int64_t version = fixture_ask(f->path, "PRAGMA user_version");
		int64_t tables =
		    fixture_ask(f->path, "SELECT count(*) FROM sqlite_master WHERE name = 'gap'");

		/* All of it or nothing. */
		assert_int_equal(tables, version == 2);
		assert_true(version == 1 || version == 2);
		struct store *store = fixture_write(f);

		expect_all_that_was_stored(f, store);
		store_close(store);
		assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM gap"), 1);
		unlink(f->path);
		unlink(arena_printf(f->arena, "%s-wal", f->path));
		unlink(arena_printf(f->arena, "%s-shm", f->path));
	}
}

static void one_that_lacks_a_table_is_set_aside(void **state)
{
	struct fixture *f = *state;
	static const char *const tables[] = {"run",  "step", "resource", "resource_past",
	                                     "made", "blob", "meta",     "gap"};

	store_close(fixture_write(f));
	/* What a later schema adds belongs into the list as well. */
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                                      " AND name NOT LIKE 'sqlite_%'"),
	                 ARRAY_LEN(tables));
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		store_close(fixture_write(f));
		fixture_sql(f->path,
		            arena_printf(f->arena, "PRAGMA foreign_keys = OFF; DROP TABLE %s", tables[i]));
		assert_null(fixture_open(f, STORE_READ));
		assert_string_equal(f->condition.problem,
		                    arena_printf(f->arena, "damaged: it has no table %s", tables[i]));
		struct store *store = fixture_open(f, STORE_WRITE);

		assert_non_null(store);
		assert_non_null(f->condition.set_aside);
		store_close(store);
		assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM gap WHERE set_aside NOT NULL"),
		                 1);
		assert_int_equal(unlink(f->path), 0);
		unlink(arena_printf(f->arena, "%s-wal", f->path));
		unlink(arena_printf(f->arena, "%s-shm", f->path));
	}
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
	    FIXTURE_TEST(stored_histories_of_each_earlier_schema_go_on),
	    FIXTURE_TEST(a_migration_killed_half_way_is_done_by_the_next),
	    FIXTURE_TEST(one_that_lacks_a_table_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
