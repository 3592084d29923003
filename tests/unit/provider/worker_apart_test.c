// SPDX-License-Identifier: MIT
#include "working.h"

#include "base/child.h"
#include "base/clock.h"
#include "host/self.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>

enum { DEAD = 3, LOOK_MS = 700 };

static pid_t servers[DEAD];

/* A file system of its own that answers until it is told to die. */
static pid_t start_server(const char *target)
{
	const char *programs = getenv("TEST_PROGRAMS");
	const char *command = arena_printf(arena, "%s/hangfs", programs ? programs : "");
	const char *argv[] = {command, "-o", "fsname=server@tcp:/fs,lifetime=60", target, NULL};
	struct child_command run = {.argv = argv, .timeout_ms = 10000};
	struct child_result result;
	struct err err;

	if (access("/dev/fuse", W_OK) || !scratch_is_private() || access(command, X_OK) ||
	    child_run(&run, &result, &err)) {
		return 0;
	}
	pid_t pid = (pid_t)strtol(str_text(&result.out), NULL, 10);

	child_result_free(&result);
	return pid > 1 ? pid : 0;
}

static int end_servers(void **state)
{
	for (size_t i = 0; i < DEAD; i++) {
		uint64_t starttime = servers[i] ? child_starttime(servers[i]) : 0;

		if (servers[i]) {
			kill(servers[i], SIGUSR2);
			kill(servers[i], SIGTERM);
		}
		for (int n = 0; servers[i] && n < 300 && child_is_alive(servers[i], starttime); n++) {
			usleep(10000);
		}
		servers[i] = 0;
	}
	return working_teardown(state);
}

static void each_gets_its_own_answer(void **state)
{
	(void)state;
	enum { MANY = 20 };
	struct worker_query queries[MANY];
	const struct resource *facts[MANY];
	struct err err;

	for (int i = 0; i < MANY; i++) {
		const char *path = arena_printf(arena, "%s/%d", scratch_dir(), i);

		queries[i] = query(KIND_FILE, path);
		if (i % 3) {
			scratch_write(path, arena_printf(arena, "text %d", i), 0644);
		}
	}
	assert_int_equal(worker_observe_apart(worker, queries, MANY, arena, facts, &err), 0);
	for (int i = 0; i < MANY; i++) {
		assert_string_equal(facts[i]->key, queries[i].key);
		assert_int_equal(facts[i]->state, i % 3 ? STATE_PRESENT : STATE_ABSENT);
		if (i % 3) {
			assert_string_equal(facts[i]->file.content, arena_printf(arena, "text %d", i));
		}
	}
	assert_int_equal(worker_observe_apart(worker, NULL, 0, arena, NULL, &err), 0);
}

static void what_lies_below_another_is_asked_after_it(void **state)
{
	(void)state;
	struct worker_query queries[3];
	const struct resource *facts[3];
	struct err err;

	scratch_mkdir(scratch_path("a"), 0755);
	scratch_mkdir(scratch_path("a/b"), 0700);
	queries[0] = query(KIND_DIRECTORY, scratch_path("a"));
	queries[1] = query(KIND_DIRECTORY, scratch_path("a/b"));
	queries[2] = query(KIND_DIRECTORY, scratch_path("a"));
	assert_int_equal(worker_observe_apart(worker, queries, 3, arena, facts, &err), 0);
	assert_string_equal(facts[0]->directory.mode, "0755");
	assert_string_equal(facts[1]->directory.mode, "0700");
	assert_string_equal(facts[2]->directory.mode, "0755");
}

static void dead_ones_are_waited_for_together(void **state)
{
	(void)state;
	struct worker_query queries[DEAD + 1];
	const struct resource *facts[DEAD + 1];
	struct err err;

	worker_free(worker);
	options.observe_ms = LOOK_MS;
	worker = worker_create(&options);
	for (size_t i = 0; i < DEAD; i++) {
		const char *path = arena_printf(arena, "%s/dead%zu", scratch_dir(), i);

		scratch_mkdir(path, 0755);
		servers[i] = start_server(path);
		if (!servers[i]) {
			print_message("# skip: needs root, /dev/fuse and the program hangfs\n");
			skip();
		}
		queries[i] = query(KIND_SPACE, path);
	}
	scratch_mkdir(scratch_path("well"), 0755);
	assert_int_equal(mount("x", scratch_path("well"), "tmpfs", 0, "size=1m"), 0);
	queries[DEAD] = query(KIND_SPACE, scratch_path("well"));
	assert_int_equal(worker_observe_apart(worker, queries, DEAD + 1, arena, facts, &err), 0);
	for (size_t i = 0; i <= DEAD; i++) {
		assert_int_equal(facts[i]->state, STATE_PRESENT);
	}
	for (size_t i = 0; i < DEAD; i++) {
		kill(servers[i], SIGUSR1);
	}
	usleep(200000);
	int64_t begun = clock_ms();

	assert_int_equal(worker_observe_apart(worker, queries, DEAD + 1, arena, facts, &err), 0);
	/* One after the other would take three times as long, and more. */
	assert_true(clock_ms() - begun < (int64_t)LOOK_MS * DEAD);
	for (size_t i = 0; i < DEAD; i++) {
		assert_int_equal(facts[i]->state, STATE_UNDETERMINED);
		assert_non_null(strstr(facts[i]->why, "no answer within"));
	}
	assert_int_equal(facts[DEAD]->space.size.value, 1 << 20);
	/* None of them is asked again. */
	begun = clock_ms();
	assert_int_equal(worker_observe_apart(worker, queries, DEAD + 1, arena, facts, &err), 0);
	assert_true(clock_ms() - begun < LOOK_MS);
	assert_non_null(strstr(facts[0]->why, "has hung on it since"));
	assert_int_equal(facts[DEAD]->state, STATE_PRESENT);
}

static void what_lies_below_a_dead_one_is_not_asked(void **state)
{
	(void)state;
	const char *path = arena_strdup(arena, scratch_path("dead"));
	struct worker_query queries[2];
	const struct resource *facts[2];
	struct err err;

	worker_free(worker);
	options.observe_ms = LOOK_MS;
	worker = worker_create(&options);
	scratch_mkdir(path, 0755);
	servers[0] = start_server(path);
	if (!servers[0]) {
		print_message("# skip: needs root, /dev/fuse and the program hangfs\n");
		skip();
	}
	queries[0] = query(KIND_SPACE, path);
	queries[1] = query(KIND_FILE, arena_printf(arena, "%s/sub", path));
	kill(servers[0], SIGUSR1);
	usleep(200000);
	assert_int_equal(worker_observe_apart(worker, queries, 2, arena, facts, &err), 0);
	assert_non_null(strstr(facts[0]->why, "no answer within"));
	assert_non_null(strstr(facts[1]->why, "has hung on it since"));
}

static void when_eight_are_stuck_no_more_are_started(void **state)
{
	(void)state;
	struct worker_query q = query(KIND_DIRECTORY, scratch_dir());
	const struct resource *fact;
	struct err err;

	scratch_mkdir(scratch_path("run"), 0755);
	scratch_mkdir(scratch_path("run/stuck"), 0755);
	for (int i = 0; i < 8; i++) {
		/* A process that is alive stands for one that hangs. */
		scratch_write(arena_printf(arena, "%s/%d.json", scratch_path("run/stuck"), i),
		              arena_printf(arena,
		                           "{\"boot_id\": \"%s\", \"pid\": %d, \"starttime\": %llu, "
		                           "\"since\": 1, \"what\": \"space:/dead%d\", \"target\": "
		                           "\"/dead%d\", \"mount_id\": 0}",
		                           self_boot_id(arena), (int)getpid(),
		                           (unsigned long long)child_starttime(getpid()), i, i),
		              0600);
	}
	assert_int_equal(worker_observe_apart(worker, &q, 1, arena, &fact, &err), 0);
	assert_int_equal(fact->state, STATE_UNDETERMINED);
	assert_non_null(strstr(fact->why, "8 processes hang"));
}

#define HANGING(name) cmocka_unit_test_setup_teardown(name, working_setup, end_servers)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_gets_its_own_answer),
	    TEST(what_lies_below_another_is_asked_after_it),
	    HANGING(dead_ones_are_waited_for_together),
	    HANGING(what_lies_below_a_dead_one_is_not_asked),
	    TEST(when_eight_are_stuck_no_more_are_started),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
