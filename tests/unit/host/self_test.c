// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/self.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
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

static void what_is_shown_is_for_all_and_whole(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("run"), 0755);
	int folder = open(scratch_path("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mode_t mask = umask(077);
	struct stat st;

	assert_true(folder >= 0);
	assert_true(self_show(folder, "x.json", "{}\n", 3));
	assert_true(self_show(folder, "x.json", "{1}\n", 4));
	umask(mask);
	assert_string_equal(scratch_read(scratch_path("run/x.json")), "{1}\n");
	assert_int_equal(stat(scratch_path("run/x.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* Where it cannot be, the one before stays. */
	scratch_mkdir(scratch_path("run/y"), 0755);
	assert_false(self_show(folder, "y", "{}\n", 3));
	assert_int_not_equal(access(scratch_path("run/.y.new"), F_OK), 0);
	close(folder);
}

static int check_run_dir(const char *name)
{
	err = (struct err){0};
	return self_check_run_dir(scratch_path(name), &err);
}

static void a_run_dir_must_be_roots_and_all_above_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (!self_is_root()) {
		skip(); /* over ourselves alone */
	}
	scratch_mkdir(scratch_path("a"), 0755);
	assert_int_equal(check_run_dir("a"), 0);
	assert_int_equal(check_run_dir("a/run/deeper"), 0); /* not there yet */
	assert_int_equal(chown(scratch_path("a"), 65534, 0), 0);
	assert_int_equal(check_run_dir("a"), -ERR_INPUT);
	assert_non_null(strstr(err.text, "belongs to user 65534"));
	assert_int_equal(check_run_dir("a/run"), -ERR_INPUT);
	assert_int_equal(chown(scratch_path("a"), 0, 65534), 0);
	assert_int_equal(chmod(scratch_path("a"), 0775), 0);
	assert_int_equal(check_run_dir("a"), -ERR_INPUT);
	/* Above it a sticky folder will do: what is ours there stays ours. */
	assert_int_equal(chmod(scratch_path("a"), 01777), 0);
	assert_int_equal(check_run_dir("a/run"), 0);
	assert_int_equal(check_run_dir("a"), -ERR_INPUT);
	assert_non_null(strstr(err.text, "others may write to"));
	scratch_write(scratch_path("file"), "", 0644);
	assert_int_equal(check_run_dir("file"), -ERR_HOST);
	assert_non_null(strstr(err.text, "is no directory"));
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
	    TEST(state_is_written_whole_and_read_back),
	    TEST(a_state_file_that_cannot_be_written_says_why),
	    TEST(what_is_shown_is_for_all_and_whole),
	    TEST(a_run_dir_must_be_roots_and_all_above_it),
	    TEST(this_process_knows_where_it_is),
	    TEST(a_stop_is_noted),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
