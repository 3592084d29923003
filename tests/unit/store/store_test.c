// SPDX-License-Identifier: MIT
/* Opening the history, and every trouble of docs/history.md, on real files. */
#include "unit/store/fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static void first_open_creates_folder_and_file_for_root_and_adm(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	f->path = arena_printf(f->arena, "%s/var/lib/history.db", f->folder);
	store_close(fixture_write(f));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(arena_printf(f->arena, "%s/var/lib", f->folder), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(arena_printf(f->arena, "%s/var", f->folder), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void settings_hold(void **state)
{
	struct fixture *f = *state;

	store_close(fixture_write(f));
	assert_int_equal(fixture_ask(f->path, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(fixture_ask(f->path, "PRAGMA application_id"), 0x52636e63);
	assert_int_equal(fixture_ask(f->path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
	                 1);
	/* Closing did not move the log into the file. */
	assert_true(fixture_exists(arena_printf(f->arena, "%s-wal", f->path)));
}

static void reading_creates_nothing(void **state)
{
	struct fixture *f = *state;

	assert_null(fixture_open(f, STORE_READ));
	assert_string_equal(f->condition.problem, "no history yet");
	assert_false(fixture_exists(f->path));
	f->path = arena_printf(f->arena, "%s/none/history.db", f->folder);
	assert_null(fixture_open(f, STORE_READ));
	assert_string_equal(f->condition.problem, "no history yet");
	assert_false(fixture_exists(arena_printf(f->arena, "%s/none", f->folder)));
}

/* Fills a history with runs, so that it has pages worth damaging. */
static void fill(struct fixture *f, bool checkpoint)
{
	struct store *store = fixture_write(f);
	struct step steps[200];

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		steps[i] = fixture_step(f, arena_printf(f->arena, "file:/%zu", i), ACTION_NONE,
		                        OUTCOME_BLOCKED, "a reason that takes some room in the file");
	}
	fixture_run(f, store, steps, ARRAY_LEN(steps));
	if (checkpoint) {
		assert_int_equal(store_checkpoint(store, &f->err), 0);
	}
	store_close(store);
}

static void scribble(const char *path, off_t from, off_t until)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (off_t at = from; at < until; at++) {
		assert_int_equal(pwrite(fd, "x", 1, at), 1);
	}
	close(fd);
}

static void expect_set_aside(struct fixture *f)
{
	struct store *store = fixture_open(f, STORE_WRITE);
	struct value about;

	assert_non_null(store);
	assert_non_null(f->condition.problem);
	assert_non_null(f->condition.set_aside);
	assert_true(fixture_exists(f->condition.set_aside));
	assert_int_equal(fixture_begin(f, store, false), 1);
	assert_int_equal(store_about(store, f->arena, &about, &f->err), 0);
	const struct value *aside = value_get(&about, "set_aside");

	assert_string_equal(value_text(aside, "set_aside"), f->condition.set_aside);
	assert_string_equal(value_text(aside, "why"), f->condition.problem);
	assert_true(value_number(aside, "at", 0) >= clock_now() - 60);
	assert_int_equal(value_get(&about, "gaps")->count, 1);
	store_close(store);
}

static void damaged_header_is_set_aside_and_a_new_history_begun(void **state)
{
	struct fixture *f = *state;

	fill(f, true);
	scribble(f->path, 0, 100);
	/* A reader moves nothing. */
	assert_null(fixture_open(f, STORE_READ));
	assert_true(text_starts(f->condition.problem, "damaged"));
	expect_set_aside(f);
	assert_true(text_starts(f->condition.problem, "damaged"));
}

static void damage_never_overwrites_what_was_set_aside_before(void **state)
{
	struct fixture *f = *state;
	const char *first;

	fixture_write_file(f->path, "this is no database, but it is a longer text than nothing", 57);
	expect_set_aside(f);
	first = f->condition.set_aside;
	fill(f, true);
	scribble(f->path, 0, 100);
	expect_set_aside(f);
	assert_string_not_equal(first, f->condition.set_aside);
	assert_true(fixture_exists(first));
}

static int cut_run(void *context)
{
	struct fixture *f = context;
	struct store *store = fixture_write(f);

	fixture_begin(f, store, false);
	if (store_checkpoint(store, &f->err)) {
		return 1;
	}
	raise(SIGKILL);
	return 1;
}

static void damage_in_the_middle_is_found_after_a_run_that_did_not_end(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	fill(f, true);
	assert_int_equal(fixture_child(cut_run, f), 128 + SIGKILL);
	assert_int_equal(stat(f->path, &st), 0);
	scribble(f->path, 4096 * 20, st.st_size);
	expect_set_aside(f);
}

static void damage_met_while_in_use_is_set_aside_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct value map;
	struct stat st;

	fill(f, true);
	assert_int_equal(stat(f->path, &st), 0);
	/* All but the schema and the runs; the last run ended well, so that nobody looks for damage. */
	int64_t root =
	    fixture_ask(f->path, "SELECT rootpage FROM sqlite_master WHERE name = 'resource'");

	scribble(f->path, (root - 1) * 4096, root * 4096);
	struct store *store = fixture_open(f, STORE_WRITE);

	assert_non_null(store);
	assert_int_equal(store_since(store, f->arena, &map, &f->err), -ERR_STORE);
	store_close(store);
	/* A new one is there at once, and says what became of the old. */
	store = fixture_write(f);
	assert_int_equal(store_about(store, f->arena, &map, &f->err), 0);
	assert_int_equal(value_number(&map, "runs", -1), 0);
	const struct value *aside = value_get(&map, "set_aside");

	assert_true(text_starts(value_text(aside, "why"), "damaged: "));
	assert_true(fixture_exists(value_text(aside, "set_aside")));
	store_close(store);
}

static void looking_for_damage_is_done_once_a_day(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	const char *damage;
	struct stat st;

	fill(f, true);
	assert_int_equal(store_check(store, 60000, &damage, &f->err), 0);
	assert_null(damage);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT value = 'sound' FROM meta WHERE key = 'checked'"),
	                 1);
	assert_int_equal(stat(f->path, &st), 0);
	int64_t root =
	    fixture_ask(f->path, "SELECT rootpage FROM sqlite_master WHERE name = 'resource'");

	scribble(f->path, (root - 1) * 4096, root * 4096);
	store = fixture_write(f);
	assert_int_equal(store_check(store, 60000, &damage, &f->err), 0);
	assert_null(damage);
	store_close(store);
	fixture_sql(f->path, "UPDATE meta SET at = at - 86401 WHERE key = 'checked'");
	store = fixture_write(f);
	assert_int_equal(store_check(store, 60000, &damage, &f->err), 0);
	assert_non_null(damage);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM gap WHERE set_aside NOT NULL"), 1);
}

static void what_cannot_be_looked_through_in_time_is_not_tried_each_time(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	const char *damage;

	fill(f, true);
	assert_int_equal(store_check(store, 0, &damage, &f->err), 0);
	assert_null(damage);
	store_close(store);
	assert_int_equal(
	    fixture_ask(f->path,
	                "SELECT count(*) FROM meta WHERE key = 'checked' AND value = 'in part'"),
	    1);
}

static void a_reader_that_stays_bounds_the_log_and_is_named(void **state)
{
	struct fixture *f = *state;
	sqlite3 *reader;
	char *log = arena_printf(f->arena, "%s-wal", f->path), *mine = NULL;
	struct stat st;
	int ready[2], go[2];
	char byte;

	fill(f, true);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sqlite3_open(f->path, &reader) ||
		    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM run", NULL, NULL, NULL) ||
		    write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1) {
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (int i = 0; i < 60; i++) {
		struct store *store = fixture_open(f, STORE_WRITE);

		if (!store) {
			mine = arena_strdup(f->arena, f->condition.problem);
			break;
		}
		AUTO(mem_auto) char *text = mem_alloc(1 << 20);

		memset(text, 'x', 1 << 20);
		assert_int_equal(
		    store_keep(store, arena_printf(f->arena, "d%d", i), "facts", text, 1 << 20, &f->err),
		    0);
		store_close(store);
	}
	assert_non_null(mine);
	assert_non_null(strstr(mine, "its log cannot be cut while it is read: by "));
	assert_non_null(strstr(mine, arena_printf(f->arena, "(%d)", (int)pid)));
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 20 << 20);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	store_close(fixture_write(f));
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 1 << 20);
}

static void gaps_are_told_once(void **state)
{
	struct fixture *f = *state;
	struct store *store = fixture_write(f);
	struct store_gap gap = {.since = 100, .until = 200, .runs = 3, .why = "full"};
	struct value about;

	assert_int_equal(store_gap(store, &gap, &f->err), 0);
	gap.until = 300;
	gap.runs = 4;
	assert_int_equal(store_gap(store, &gap, &f->err), 0);
	gap.since = 250;
	assert_int_equal(store_gap(store, &gap, &f->err), 0);
	assert_int_equal(store_about(store, f->arena, &about, &f->err), 0);
	const struct value *gaps = value_get(&about, "gaps");

	assert_int_equal(gaps->count, 2);
	assert_int_equal(value_number(&gaps->items[1], "since", 0), 100);
	assert_int_equal(value_number(&gaps->items[1], "until", 0), 300);
	assert_int_equal(value_number(&gaps->items[1], "runs", 0), 4);
	assert_string_equal(value_text(&gaps->items[1], "why"), "full");
	assert_int_equal(value_get(&about, "set_aside")->type, VALUE_NULL);
	store_close(store);
}

static void a_name_that_is_no_db_is_never_moved(void **state)
{
	struct fixture *f = *state;

	f->path = arena_printf(f->arena, "%s/letter.txt", f->folder);
	fixture_write_file(f->path, "dear reader, this is a text that somebody still needs", 53);
	assert_null(fixture_open(f, STORE_WRITE));
	assert_non_null(strstr(f->condition.problem, "left where it is"));
	assert_null(f->condition.set_aside);
	assert_true(fixture_exists(f->path));
}

static void the_database_of_another_program_is_left_alone(void **state)
{
	struct fixture *f = *state;

	fixture_sql(f->path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
	assert_null(fixture_open(f, STORE_WRITE));
	assert_true(text_starts(f->condition.problem, "not ours"));
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM theirs"), 1);
}

static void a_newer_schema_is_read_but_not_written(void **state)
{
	struct fixture *f = *state;
	struct value runs;

	fill(f, true);
	fixture_sql(f->path, "ALTER TABLE run ADD COLUMN mood TEXT; PRAGMA user_version = 9");
	assert_null(fixture_open(f, STORE_WRITE));
	assert_string_equal(f->condition.problem, "newer schema 9 than 2");
	assert_null(f->condition.set_aside);

	struct store *store = fixture_open(f, STORE_READ);

	assert_non_null(store);
	assert_string_equal(f->condition.problem, "newer schema 9 than 2");
	assert_int_equal(store_runs(store, f->arena, 10, &runs, &f->err), 0);
	assert_int_equal(runs.count, 1);
	store_close(store);
	fixture_sql(f->path, "ALTER TABLE run RENAME COLUMN who TO whom");
	store = fixture_open(f, STORE_READ);
	assert_int_equal(store_runs(store, f->arena, 10, &runs, &f->err), -ERR_STORE);
	store_close(store);
	assert_int_equal(fixture_ask(f->path, "SELECT count(*) FROM run"), 1);
}

static void a_foreign_owner_is_set_aside(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0) {
		skip();
	}
	fill(f, true);
	if (chown(f->path, 65534, 65534)) {
		skip(); /* root of a user namespace */
	}
	assert_null(fixture_open(f, STORE_READ));
	assert_true(text_starts(f->condition.problem, "not ours"));
	expect_set_aside(f);
	assert_int_equal(chmod(f->path, 0666), 0);
	expect_set_aside(f);
	/* So is what lies beside it: a log would be played back. */
	assert_int_equal(chown(arena_printf(f->arena, "%s-wal", f->path), 65534, 65534), 0);
	expect_set_aside(f);
}

static void a_link_is_set_aside_and_not_followed(void **state)
{
	struct fixture *f = *state;
	char *other = arena_printf(f->arena, "%s/other.db", f->folder);

	fixture_write_file(other, "theirs", 6);
	assert_int_equal(symlink(other, f->path), 0);
	assert_null(fixture_open(f, STORE_READ));
	expect_set_aside(f);
	assert_int_equal(unlink(f->condition.set_aside), 0);
	assert_true(fixture_exists(other));
}

static void a_log_without_its_database_is_not_played_back(void **state)
{
	struct fixture *f = *state;

	fill(f, false);
	assert_int_equal(unlink(f->path), 0);
	assert_null(fixture_open(f, STORE_READ));
	assert_string_equal(f->condition.problem, "no history yet");
	expect_set_aside(f);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_null(fixture_open(f, STORE_WRITE));
	assert_string_equal(f->condition.problem, "a directory, not a file");
	f->path = arena_printf(f->arena, "%s/pipe.db", f->folder);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_null(fixture_open(f, STORE_WRITE));
	assert_string_equal(f->condition.problem, "not a regular file");
	f->path = arena_strdup(f->arena, "/dev/null");
	assert_null(fixture_open(f, STORE_WRITE));
	assert_non_null(f->condition.problem);
	assert_true(fixture_exists("/dev/null"));
	f->path = arena_strdup(f->arena, "/dev/null/history.db");
	assert_null(fixture_open(f, STORE_WRITE));
	assert_non_null(f->condition.problem);
}

static void a_folder_that_others_can_write_is_refused(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_null(fixture_open(f, STORE_WRITE));
	assert_non_null(strstr(f->condition.problem, "writable by others"));
	assert_false(fixture_exists(f->path));
}

struct reader {
	struct fixture *f;
	gid_t group;
	const char *problem; /* expected; NULL: it can read */
};

static int read_as_nobody(void *context)
{
	struct reader *reader = context;
	struct fixture *f = reader->f;
	struct value runs;

	if (setgroups(0, NULL) || setgid(reader->group) || setuid(65534)) {
		return 2;
	}
	struct store *store = fixture_open(f, STORE_READ);

	if (!store || f->condition.problem) {
		int same = reader->problem && text_equal(f->condition.problem, reader->problem);

		if (!same) {
			print_message("[got: %s]\n", f->condition.problem);
		}
		store_close(store);
		return same ? 0 : 3;
	}
	int r = store_runs(store, f->arena, 9, &runs, &f->err);

	if (r) {
		print_message("[got: %s]\n", f->err.text);
	}
	store_close(store);
	return r || reader->problem || runs.count != 1;
}

static void readers_without_root_read_what_their_group_may(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0) {
		skip();
	}
	fill(f, false);
	assert_int_equal(chmod(f->folder, 0755), 0);
	if (chown(f->path, 0, 4)) {
		skip(); /* root of a user namespace */
	}
	for (const char *const *p = (const char *const[]){"-wal", "-shm", NULL}; *p; p++) {
		assert_int_equal(chown(arena_printf(f->arena, "%s%s", f->path, *p), 0, 4), 0);
	}
	struct reader adm = {f, 4, NULL}, nobody = {f, 65534, "needs root or group adm"};

	assert_int_equal(fixture_child(read_as_nobody, &adm), 0);
	assert_int_equal(fixture_child(read_as_nobody, &nobody), 0);
	/* Copied without its log: nobody but root can make a new one. Never a stale answer instead. */
	assert_int_equal(unlink(arena_printf(f->arena, "%s-shm", f->path)), 0);
	adm.problem = "its log and index are not beside it: the next run makes them anew";
	assert_int_equal(fixture_child(read_as_nobody, &adm), 0);
	assert_int_equal(chmod(f->folder, 0700), 0);
	assert_int_equal(fixture_child(read_as_nobody, &nobody), 0);
}

static int fill_up(void *context)
{
	struct fixture *f = context;
	char data[4096] = {1};
	int64_t run, intent;
	int fd, r = 0;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", f->folder, "tmpfs", 0, "size=256k,mode=0755")) {
		return 77;
	}
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);

	run = fixture_begin(f, store, false);
	for (int i = 0; i < 2000 && !r; i++) {
		r = fixture_intent(store, run, &step, &intent, &f->err);
	}
	if (r != -ERR_STORE || f->err.os == EIO) {
		return 2;
	}
	print_message("[%s]\n", f->err.text);
	/* What was committed before is still there, and reading works. */
	struct value map;

	if (store_run(store, f->arena, run, &map, &f->err) || value_get(&map, "steps")->count < 5) {
		return 3;
	}
	store_close(store);
	/* A new one finds no room at all. */
	f->path = arena_printf(f->arena, "%s/second.db", f->folder);
	fd = open(arena_printf(f->arena, "%s/ballast", f->folder), O_WRONLY | O_CREAT, 0600);
	while (write(fd, data, sizeof data) > 0) {
	}
	close(fd);
	store = fixture_open(f, STORE_WRITE);
	if (store || !text_equal(f->condition.problem, "full") || f->condition.set_aside) {
		print_message("[%s]\n", f->condition.problem);
		return 4;
	}
	return 0;
}

static int grow_too_far(void *context)
{
	struct fixture *f = context;
	struct rlimit limit = {200 << 10, 200 << 10};
	int64_t run, intent;
	int r = 0;

	signal(SIGXFSZ, SIG_IGN);
	struct store *store = fixture_write(f);
	struct step step = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);

	run = fixture_begin(f, store, false);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < 2000 && !r; i++) {
		r = fixture_intent(store, run, &step, &intent, &f->err);
	}
	store_close(store);
	return r == -ERR_STORE ? 0 : 1;
}

static void a_full_disk_fails_one_call_and_spoils_nothing(void **state)
{
	struct fixture *f = *state;
	int status = fixture_child(fill_up, f);

	if (status != 77) {
		assert_int_equal(status, 0);
	}
	assert_int_equal(fixture_child(grow_too_far, f), 0);
	f->path = arena_printf(f->arena, "%s/history.db", f->folder);
	store_close(fixture_write(f));
}

static int use_read_only(void *context)
{
	struct fixture *f = context;
	struct value runs;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(f->folder, f->folder, NULL, MS_BIND, NULL) ||
	    mount(NULL, f->folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL)) {
		return 77;
	}
	struct store *store = fixture_open(f, STORE_WRITE);

	if (store || !text_equal(f->condition.problem, "read-only")) {
		print_message("[%s]\n", f->condition.problem);
		return 2;
	}
	/* Log and index lie there: reading works. */
	store = fixture_open(f, STORE_READ);
	if (!store || store_runs(store, f->arena, 9, &runs, &f->err) || runs.count != 1) {
		return 3;
	}
	store_close(store);
	f->path = arena_printf(f->arena, "%s/sub/history.db", f->folder);
	store = fixture_open(f, STORE_WRITE);
	return store || !strstr(f->condition.problem, "read-only") ? 4 : 0;
}

static void a_read_only_disk_is_read_and_not_written(void **state)
{
	struct fixture *f = *state;

	fill(f, false);
	int status = fixture_child(use_read_only, f);

	if (status == 77) {
		skip();
	}
	assert_int_equal(status, 0);
}

static void opening_again_costs_little(void **state)
{
	struct fixture *f = *state;
	struct timespec from, until;

	fill(f, true);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 50; i++) {
		store_close(fixture_write(f));
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	print_message("[open and close: %.3f ms]\n", ((double)(until.tv_sec - from.tv_sec) * 1e9 +
	                                              (double)(until.tv_nsec - from.tv_nsec)) /
	                                                 50e6);
}

/* Two run directories, one history, and neither has been there before. */
static void several_may_begin_it_at_once(void **state)
{
	enum { ROUNDS = 40, WRITERS = 4 };
	struct fixture *f = *state;

	for (int round = 0; round < ROUNDS; round++) {
		char *path = arena_printf(f->arena, "%s/round%d.db", f->folder, round);
		pid_t pids[WRITERS];

		for (int i = 0; i < WRITERS; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0) {
				struct store_condition condition;
				struct store *store;
				int r = store_open(path, STORE_WRITE, f->arena, &store, &condition, &f->err);

				if (condition.problem) {
					print_message("# %s\n", condition.problem);
				}
				_exit(r || !store || condition.problem ? 1 : 0);
			}
		}
		for (int i = 0; i < WRITERS; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(first_open_creates_folder_and_file_for_root_and_adm),
	    FIXTURE_TEST(settings_hold),
	    FIXTURE_TEST(reading_creates_nothing),
	    FIXTURE_TEST(damaged_header_is_set_aside_and_a_new_history_begun),
	    FIXTURE_TEST(damage_never_overwrites_what_was_set_aside_before),
	    FIXTURE_TEST(damage_in_the_middle_is_found_after_a_run_that_did_not_end),
	    FIXTURE_TEST(damage_met_while_in_use_is_set_aside_at_the_end),
	    FIXTURE_TEST(looking_for_damage_is_done_once_a_day),
	    FIXTURE_TEST(what_cannot_be_looked_through_in_time_is_not_tried_each_time),
	    FIXTURE_TEST(a_reader_that_stays_bounds_the_log_and_is_named),
	    FIXTURE_TEST(gaps_are_told_once),
	    FIXTURE_TEST(a_name_that_is_no_db_is_never_moved),
	    FIXTURE_TEST(the_database_of_another_program_is_left_alone),
	    FIXTURE_TEST(a_newer_schema_is_read_but_not_written),
	    FIXTURE_TEST(a_foreign_owner_is_set_aside),
	    FIXTURE_TEST(a_link_is_set_aside_and_not_followed),
	    FIXTURE_TEST(a_log_without_its_database_is_not_played_back),
	    FIXTURE_TEST(what_is_no_regular_file_is_refused),
	    FIXTURE_TEST(a_folder_that_others_can_write_is_refused),
	    FIXTURE_TEST(readers_without_root_read_what_their_group_may),
	    FIXTURE_TEST(a_full_disk_fails_one_call_and_spoils_nothing),
	    FIXTURE_TEST(a_read_only_disk_is_read_and_not_written),
	    FIXTURE_TEST(opening_again_costs_little),
	    FIXTURE_TEST(several_may_begin_it_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
