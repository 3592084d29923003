// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "base/clock.h"
#include "host/self.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *arena;
static struct err err;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void the_lock_is_held_by_one(void **state)
{
	(void)state;
	struct self_lock first = {.fd = -1}, second = {.fd = -1};
	const char *run = scratch_path("run/reconcile");

	assert_null(self_lock_holder(run, arena));
	assert_int_equal(self_lock(run, "apply", 0, &first, &err), 0);
	assert_int_equal(self_lock(run, "apply", 0, &second, &err), -ERR_LOCKED);
	assert_non_null(
	    strstr(err.text, arena_printf(arena, "process %d (apply) since ", (int)getpid())));
	assert_non_null(strstr(self_lock_holder(run, arena), "(apply)"));
	self_unlock(&first);
	assert_null(self_lock_holder(run, arena));
	assert_int_equal(self_lock(run, "apply", 0, &second, &err), 0);
	self_unlock(&second);
}

static void the_lock_dies_with_its_holder(void **state)
{
	(void)state;
	const char *run = scratch_path("run");
	struct self_lock lock = {.fd = -1};
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();

	if (pid == 0) {
		if (self_lock(run, "run", 0, &lock, &err) || write(ready[1], "x", 1) != 1) {
			_exit(1);
		}
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(self_lock(run, "apply", 0, &lock, &err), -ERR_LOCKED);
	assert_non_null(strstr(err.text, arena_printf(arena, "process %d (run)", (int)pid)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* Its record is still there, and says nothing any more. */
	assert_null(self_lock_holder(run, arena));
	assert_int_equal(self_lock(run, "apply", 0, &lock, &err), 0);
	self_unlock(&lock);
	close(ready[0]);
	close(ready[1]);
}

static void waiting_for_the_lock_ends(void **state)
{
	(void)state;
	const char *run = scratch_path("run");
	struct self_lock first = {.fd = -1}, second = {.fd = -1};
	int64_t started = clock_ms();

	assert_int_equal(self_lock(run, "apply", 0, &first, &err), 0);
	assert_int_equal(self_lock(run, "apply", 200, &second, &err), -ERR_LOCKED);
	assert_true(clock_ms() - started >= 200);
	self_unlock(&first);
}

static void a_lock_file_that_was_removed_is_not_believed(void **state)
{
	(void)state;
	const char *run = scratch_path("run");
	struct self_lock first = {.fd = -1}, second = {.fd = -1};

	assert_int_equal(self_lock(run, "apply", 0, &first, &err), 0);
	assert_int_equal(unlink(scratch_path("run/lock")), 0);
	assert_int_equal(self_lock(run, "apply", 0, &second, &err), 0);
	self_unlock(&first);
	self_unlock(&second);
}

static void state_is_written_whole_and_read_back(void **state)
{
	(void)state;
	const char *path = scratch_path("lib/reconcile/pause.json"), *text;
	struct stat st;

	assert_int_equal(self_state_read(path, arena, &text, &err), 0);
	assert_null(text);
	assert_int_equal(self_state_write(path, "{}\n", 3, &err), 0);
	assert_int_equal(self_state_write(path, "{1}\n", 4, &err), 0);
	assert_int_equal(self_state_read(path, arena, &text, &err), 0);
	assert_string_equal(text, "{1}\n");
	assert_int_equal(stat(scratch_path("lib/reconcile"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(self_state_remove(path, &err), 0);
	assert_int_equal(self_state_remove(path, &err), 0);
	assert_int_equal(self_state_read(path, arena, &text, &err), 0);
	assert_null(text);
}

static void a_state_file_that_cannot_be_written_says_why(void **state)
{
	(void)state;
	scratch_write(scratch_path("file"), "", 0644);
	assert_int_equal(self_state_write(scratch_path("file/x"), "", 0, &err), -ERR_HOST);
	assert_non_null(strstr(err.text, scratch_path("file")));
}

static void this_process_knows_where_it_is(void **state)
{
	(void)state;
	assert_int_equal(strlen(self_boot_id(arena)), 36);
	assert_null(strchr(self_host_name(arena), '.'));
	assert_true(*self_user(arena));
	if (scratch_is_private()) {
		assert_int_not_equal(self_mount_namespace_is_init(), 1);
	}
}

static void a_stop_is_noted(void **state)
{
	(void)state;
	assert_int_equal(self_stop_signal(), 0);
	self_catch_stop();
	raise(SIGTERM);
	assert_int_equal(self_stop_signal(), SIGTERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_lock_is_held_by_one),
	    TEST(the_lock_dies_with_its_holder),
	    TEST(waiting_for_the_lock_ends),
	    TEST(a_lock_file_that_was_removed_is_not_believed),
	    TEST(state_is_written_whole_and_read_back),
	    TEST(a_state_file_that_cannot_be_written_says_why),
	    TEST(this_process_knows_where_it_is),
	    TEST(a_stop_is_noted),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
