// SPDX-License-Identifier: MIT
/* A scratch folder with the path of a history in it, and plans to record: shared by the tests of
 * core/store. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define UNUSED __attribute__((unused))

struct fixture {
	struct arena *arena;
	char *folder, *path;
	const char *boot_id; /* that runs are recorded with */
	struct store_condition condition;
	struct err err;
};

static int fixture_setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	const char *tmp = getenv("TMPDIR");
	char folder[256];

	*f = (struct fixture){.arena = arena_create(), .boot_id = "b1"};
	snprintf(folder, sizeof folder, "%s/store-test-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	f->folder = arena_strdup(f->arena, folder);
	f->path = arena_printf(f->arena, "%s/history.db", folder);
	*state = f;
	return 0;
}

static int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	nftw(f->folder, fixture_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	arena_free(f->arena);
	free(f);
	return 0;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

UNUSED static struct store *fixture_open(struct fixture *f, enum store_mode mode)
{
	struct store *store = NULL;

	assert_int_equal(store_open(f->path, mode, f->arena, &store, &f->condition, &f->err), 0);
	return store;
}

/* Opens for writing and insists. */
UNUSED static struct store *fixture_write(struct fixture *f)
{
	struct store *store = fixture_open(f, STORE_WRITE);

	if (!store || f->condition.problem) {
		fail_msg("history: %s", f->condition.problem);
	}
	return store;
}

/* Runs are of this very boot from now on. */
UNUSED static void fixture_this_boot(struct fixture *f)
{
	char text[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	fclose(file);
	f->boot_id = arena_strndup(f->arena, text, strcspn(text, "\n"));
}

UNUSED static int64_t fixture_begin(struct fixture *f, struct store *store, bool partial)
{
	struct store_run_start start = {.command = "apply",
	                                .trigger = "terminal",
	                                .who = "root",
	                                .version = "1",
	                                .node = "n1",
	                                .boot_id = f->boot_id,
	                                .mode = "safe",
	                                .tree = "t1",
	                                .policies = "p1",
	                                .state = "s1",
	                                .tree_path = "/etc/reconcile",
	                                .partial = partial};
	int64_t run = 0;

	if (store_run_begin(store, &start, &run, &f->err)) {
		fail_msg("%s", f->err.text);
	}
	return run;
}

/* A step that wants `id` (a file) and ended so. */
UNUSED static struct step fixture_step(struct fixture *f, const char *id, enum action action,
                                       enum outcome outcome, const char *why)
{
	struct step step = {.id = id, .action = action, .outcome = outcome, .why = why};
	struct origin *origin = arena_alloc(f->arena, sizeof *origin);

	*origin = (struct origin){.policy = "resources",
	                          .lua = {"policies/resources.lua", 12, 0},
	                          .yaml = {"state/nodes/n1.yaml", 3, 5},
	                          .reason = "wanted by resources"};
	step.origins = origin;
	step.origin_count = 1;
	if (action != ACTION_NONE) {
		differences_add(f->arena, &step.differences, "mode", "0600", "0644");
		step.duration_ms = 7;
	}
	return step;
}

/* A plan of those steps. */
UNUSED static struct plan fixture_plan(struct step *steps, size_t count)
{
	struct plan plan = {.steps = steps, .step_count = count};

	snprintf(plan.basis.tree, sizeof plan.basis.tree, "t1");
	snprintf(plan.basis.policies, sizeof plan.basis.policies, "p1");
	snprintf(plan.basis.facts, sizeof plan.basis.facts, "f1");
	return plan;
}

UNUSED static int fixture_intent(struct store *store, int64_t run, const struct step *step,
                                 int64_t *ret_intent, struct err *err)
{
	return store_intents(store, run, &step, 1, ret_intent, err);
}

UNUSED static int fixture_outcome(struct store *store, int64_t intent, const struct step *step,
                                  struct err *err)
{
	return store_outcomes(store, &intent, &step, 1, err);
}

/* A whole run with intents and outcomes for all steps that act. */
UNUSED static int64_t fixture_run(struct fixture *f, struct store *store, struct step *steps,
                                  size_t count)
{
	struct plan plan = fixture_plan(steps, count);
	int64_t run = fixture_begin(f, store, false), intent;

	for (size_t i = 0; i < count; i++) {
		if (steps[i].action != ACTION_NONE) {
			assert_int_equal(fixture_intent(store, run, &steps[i], &intent, &f->err), 0);
			assert_int_equal(fixture_outcome(store, intent, &steps[i], &f->err), 0);
		}
	}
	if (store_run_end(store, run, plan_exit_code(&plan), &plan, NULL, &f->err)) {
		fail_msg("%s", f->err.text);
	}
	return run;
}

/* One number out of the file, by a connection of its own (of another process, or after ours was
 * closed). */
UNUSED static int64_t fixture_ask(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t number = -1;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL)) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	if (sqlite3_step(s) == SQLITE_ROW) {
		number = sqlite3_column_int64(s, 0);
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	return number;
}

UNUSED static void fixture_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL)) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	sqlite3_close(db);
}

/* Runs `function` in a child and returns its exit status; a signal counts 128 and more. */
UNUSED static int fixture_child(int (*function)(void *), void *context)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(function(context));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

UNUSED static void fixture_write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

UNUSED static bool fixture_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

#endif
