// SPDX-License-Identifier: MIT
#include "working.h"

#include "base/child.h"
#include "base/clock.h"
#include "host/self.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static pid_t hangfs;

static bool start_hangfs(const char *target)
{
	const char *programs = getenv("TEST_PROGRAMS");
	char command[4200];

	if (!programs || !*programs || access("/dev/fuse", W_OK) || !scratch_is_private()) {
		return false;
	}
	snprintf(command, sizeof command, "%s/hangfs", programs);
	if (access(command, X_OK)) {
		return false;
	}
	const char *argv[] = {command, "-o", "fsname=server@tcp:/fs,dirs=sub,lifetime=600", target,
	                      NULL};
	struct child_command run = {.argv = argv, .timeout_ms = 10000};
	struct child_result result;
	struct err err;

	if (child_run(&run, &result, &err)) {
		return false;
	}
	hangfs = (pid_t)strtol(str_text(&result.out), NULL, 10);
	child_result_free(&result);
	return hangfs > 1;
}

static int end_hangfs(void **state)
{
	uint64_t starttime = child_starttime(hangfs);

	if (hangfs > 1) {
		kill(hangfs, SIGUSR2);
		kill(hangfs, SIGTERM);
		for (int i = 0; i < 300 && child_is_alive(hangfs, starttime); i++) {
			usleep(10000);
		}
		hangfs = 0;
	}
	return working_teardown(state);
}

static size_t count_records(void)
{
	DIR *dir = opendir(scratch_path("run/stuck"));
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		n += strstr(entry->d_name, ".json") != NULL; /* notes of what is under way end in .at */
	}
	if (dir) {
		closedir(dir);
	}
	return n;
}

#define NEEDS_HANGFS(target)                                                         \
	do {                                                                             \
		if (!start_hangfs(target)) {                                                 \
			print_message("# skip: needs root, /dev/fuse and the program hangfs\n"); \
			skip();                                                                  \
		}                                                                            \
	} while (0)

static void a_dead_mount_leaves_one_worker_behind_and_the_rest_goes_on(void **state)
{
	(void)state;
	char target[512], below[600], other[600];

	snprintf(target, sizeof target, "%s", scratch_path("dead"));
	snprintf(below, sizeof below, "%s/sub/x", target);
	snprintf(other, sizeof other, "%s/y", target);
	scratch_mkdir(target, 0755);
	scratch_write(scratch_path("alive"), "A", 0644);
	NEEDS_HANGFS(target);
	kill(hangfs, SIGUSR1);
	usleep(100000);
	options.observe_ms = 500;
	worker_free(worker);
	worker = worker_create(&options);
	struct worker_query queries[] = {
	    query(KIND_FILE, scratch_path("alive")),
	    query(KIND_FILE, below),
	    query(KIND_FILE, other),
	    query(KIND_DIRECTORY, target),
	    query(KIND_MOUNT, target),
	    query(KIND_FILE, scratch_path("alive")),
	};
	const struct resource *facts[ARRAY_LEN(queries)];
	struct err err;
	int64_t started = clock_ms();

	assert_int_equal(worker_observe(worker, queries, ARRAY_LEN(queries), arena, facts, &err), 0);
	assert_true(clock_ms() - started < 5000);
	assert_int_equal(facts[0]->state, STATE_PRESENT);
	assert_int_equal(facts[1]->state, STATE_UNDETERMINED);
	assert_non_null(strstr(facts[1]->why, "no answer within"));
	assert_int_equal(facts[2]->state, STATE_UNDETERMINED);
	assert_non_null(strstr(facts[2]->why, target));
	assert_int_equal(facts[3]->state, STATE_UNDETERMINED);
	assert_true(facts[4]->mount.live.value);
	assert_int_equal(facts[5]->state, STATE_PRESENT);
	assert_int_equal(count_records(), 1);

	/* The next run starts no second one while the first still hangs. */
	worker_free(worker);
	worker = worker_create(&options);
	started = clock_ms();
	assert_int_equal(ask(KIND_FILE, other)->state, STATE_UNDETERMINED);
	assert_true(clock_ms() - started < 400);
	assert_int_equal(count_records(), 1);

	/* Alive again, the stuck one comes free and the record goes. */
	kill(hangfs, SIGUSR2);
	for (int i = 0; i < 300; i++) {
		worker_free(worker);
		worker = worker_create(&options);
		if (ask(KIND_FILE, other)->state == STATE_ABSENT) {
			break;
		}
		usleep(10000);
	}
	/* It may have come free just after the records were read. */
	worker_free(worker);
	worker = worker_create(&options);
	assert_int_equal(ask(KIND_FILE, other)->state, STATE_ABSENT);
	assert_int_equal(count_records(), 0);
}

/* Kills whatever worker runs, as soon as the first file of a slow list has been looked at. */
static void a_worker_killed_in_the_middle_loses_one_fact(void **state)
{
	(void)state;
	char target[512], below[600];

	snprintf(target, sizeof target, "%s", scratch_path("slow"));
	snprintf(below, sizeof below, "%s/sub/x", target);
	scratch_mkdir(target, 0755);
	scratch_write(scratch_path("alive"), "A", 0644);
	NEEDS_HANGFS(target);
	kill(hangfs, SIGUSR1);
	usleep(100000);
	assert_int_equal(ask(KIND_FILE, scratch_path("alive"))->state, STATE_PRESENT);
	pid_t victim = child_now();
	pid_t killer = fork();

	if (killer == 0) {
		usleep(300000);
		kill(victim, SIGKILL);
		usleep(100000);
		kill(hangfs, SIGUSR2); /* what the kernel still owes the dead one is answered */
		_exit(0);
	}
	struct worker_query queries[] = {query(KIND_FILE, below),
	                                 query(KIND_FILE, scratch_path("alive"))};
	const struct resource *facts[2];
	struct err err;

	assert_int_equal(worker_observe(worker, queries, 2, arena, facts, &err), 0);
	waitpid(killer, NULL, 0);
	assert_int_equal(facts[0]->state, STATE_UNDETERMINED);
	assert_non_null(strstr(facts[0]->why, "the worker died: signal 9"));
	assert_int_equal(facts[1]->state, STATE_PRESENT);
}

static size_t count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (dir && readdir(dir)) {
		n++;
	}
	if (dir) {
		closedir(dir);
	}
	return n;
}

/* In kilobytes; pages that stay. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size = 0, pages = 0;

	if (f) {
		(void)!fscanf(f, "%ld %ld", &size, &pages);
		fclose(f);
	}
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static size_t count_children(void)
{
	char name[64];
	size_t n = 0;
	int pid;

	snprintf(name, sizeof name, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(name, "re");

	while (f && fscanf(f, "%d", &pid) == 1) {
		n++;
	}
	if (f) {
		fclose(f);
	}
	return n;
}

/* As `run` does for months: each round has a worker of its own, and looks at what has died.
 * HANG_ROUNDS says how many. */
static void many_rounds_leave_one_stuck_process_and_nothing_else(void **state)
{
	(void)state;
	const char *given = getenv("HANG_ROUNDS");
	long rounds = given ? strtol(given, NULL, 10) : 100, first_kb = 0;
	size_t first_open = 0;
	char target[512], below[600];

	snprintf(target, sizeof target, "%s", scratch_path("dead"));
	snprintf(below, sizeof below, "%s/sub/x", target);
	scratch_mkdir(target, 0755);
	NEEDS_HANGFS(target);
	kill(hangfs, SIGUSR1);
	usleep(100000);
	options.observe_ms = 500;
	for (long i = 0; i < rounds; i++) {
		struct arena *kept = arena;

		arena = arena_create();
		worker_free(worker);
		worker = worker_create(&options);
		enum state found = ask(KIND_FILE, below)->state;
		enum state other = ask(KIND_DIRECTORY, "/")->state;

		arena_free(arena);
		arena = kept;
		assert_int_equal(found, STATE_UNDETERMINED);
		assert_int_equal(other, STATE_PRESENT);
		if (i == rounds / 10) {
			first_open = count_open();
			first_kb = resident();
		}
	}
	print_message("# %ld rounds: %zu descriptors, then %zu; %ld kB, then %ld\n", rounds, first_open,
	              count_open(), first_kb, resident());
	assert_int_equal(count_open(), first_open);
	assert_int_equal(count_records(), 1);
	assert_true(count_children() <= 3); /* the server's starter aside: worker, stuck one */
#ifndef __SANITIZE_ADDRESS__            /* which keeps what was freed for a while */
	assert_true(resident() < first_kb + 1024);
#endif
}

static void eight_stuck_processes_are_enough(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("run"), 0755);
	scratch_mkdir(scratch_path("run/stuck"), 0755);
	for (int i = 0; i < 8; i++) {
		/* A process that is alive stands for one that hangs. */
		scratch_write(arena_printf(arena, "%s/%d.json", scratch_path("run/stuck"), i),
		              arena_printf(arena,
		                           "{\"boot_id\": \"%s\", \"pid\": %d, \"starttime\": %llu, "
		                           "\"since\": 1, \"what\": \"file:/dead%d/x\", \"target\": "
		                           "\"/dead%d\", \"mount_id\": 0}",
		                           self_boot_id(arena), (int)getpid(),
		                           (unsigned long long)child_starttime(getpid()), i, i),
		              0600);
	}
	const struct resource *fact = ask(KIND_DIRECTORY, scratch_dir());

	assert_int_equal(fact->state, STATE_UNDETERMINED);
	assert_non_null(strstr(fact->why, "8 processes hang"));
	assert_true(ask(KIND_MOUNT, "/proc")->mount.live.value);
	assert_non_null(strstr(ask(KIND_FILE, "/dead3/x")->why, "/dead3 does not answer"));
}

#define HANGING(name) cmocka_unit_test_setup_teardown(name, working_setup, end_hangfs)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HANGING(a_dead_mount_leaves_one_worker_behind_and_the_rest_goes_on),
	    HANGING(eight_stuck_processes_are_enough),
	    HANGING(many_rounds_leave_one_stuck_process_and_nothing_else),
	    HANGING(a_worker_killed_in_the_middle_loses_one_fact),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
