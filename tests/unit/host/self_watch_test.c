// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/clock.h"
#include "host/self.h"
#include "host/self_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static struct self_watch watch;

static int setup(void **state)
{
	(void)state;
	self_watch_open(&watch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	self_watch_close(&watch);
	scratch_clear();
	return 0;
}

static void it_sleeps_until_the_time(void **state)
{
	(void)state;
	int64_t start = clock_ms();

	assert_int_equal(self_watch_wait(&watch, start + 120, -1), 0);
	assert_true(clock_ms() >= start + 120);
	assert_int_equal(self_watch_wait(&watch, start, -1), 0); /* that is over */
}

static void a_word_on_the_descriptor_wakes_it(void **state)
{
	(void)state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(self_watch_wait(&watch, clock_ms() + 60000, ends[0]), SELF_EVENT_OTHER);
	close(ends[0]);
	close(ends[1]);
}

static void a_mount_wakes_it_once_and_is_seen_to_have_moved_the_table(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_mkdir(scratch_path("m"), 0755);
	assert_false(self_watch_moved(&watch));
	assert_int_equal(mount("m", scratch_path("m"), "tmpfs", 0, NULL), 0);
	assert_int_equal(self_watch_wait(&watch, clock_ms() + 60000, -1), SELF_EVENT_MOUNTS);
	assert_int_equal(self_watch_wait(&watch, clock_ms() + 50, -1), 0);
	assert_true(self_watch_moved(&watch));
	assert_false(self_watch_moved(&watch));
}

static void a_mount_that_was_looked_at_wakes_nobody(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_mkdir(scratch_path("m"), 0755);
	assert_int_equal(mount("m", scratch_path("m"), "tmpfs", 0, NULL), 0);
	assert_true(self_watch_moved(&watch));
	assert_int_equal(self_watch_wait(&watch, clock_ms() + 50, -1), 0);
}

static void a_remount_with_other_options_counts_and_what_came_and_went_does_not(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *m = scratch_path("m");

	scratch_mkdir(m, 0755);
	assert_int_equal(mount("m", m, "tmpfs", 0, NULL), 0);
	assert_true(self_watch_moved(&watch));
	assert_int_equal(mount("m", m, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_true(self_watch_moved(&watch));
	assert_int_equal(mount("n", m, "tmpfs", 0, NULL), 0);
	assert_int_equal(umount(m), 0);
	assert_false(self_watch_moved(&watch));
}

/* Bytes that this process has read so far (proc(5), /proc/PID/io); 0: the kernel does not say. */
static unsigned long long has_read(void)
{
	unsigned long long bytes = 0;
	FILE *file = fopen("/proc/self/io", "re");

	if (!file || fscanf(file, "rchar: %llu", &bytes) != 1) {
		bytes = 0;
	}
	if (file) {
		fclose(file);
	}
	return bytes;
}

static void the_table_is_read_once_for_each_change_of_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	enum { TIMES = 100 };
	const char *m = scratch_path("m");

	scratch_mkdir(m, 0755);
	assert_int_equal(mount("m", m, "tmpfs", 0, NULL), 0);
	unsigned long long before = has_read();

	assert_true(self_watch_moved(&watch));
	unsigned long long once = has_read() - before;

	if (!before) {
		skip();
	}
	before = has_read();
	for (int i = 0; i < TIMES; i++) {
		assert_false(self_watch_moved(&watch));
	}
	/* The asking itself reads a little each time. */
	assert_true(has_read() - before < 2 * once);
	/* One that was only heard of while sleeping is not forgotten. */
	assert_int_equal(umount(m), 0);
	assert_int_equal(self_watch_wait(&watch, clock_ms() + 60000, -1), SELF_EVENT_MOUNTS);
	assert_true(self_watch_moved(&watch));
}

static void a_remount_that_is_no_event_is_seen_by_who_knows_of_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *m = scratch_path("m");

	scratch_mkdir(m, 0755);
	assert_int_equal(mount("m", m, "tmpfs", 0, "size=1m"), 0);
	assert_true(self_watch_moved(&watch));
#ifdef FSPICK_CLOEXEC /* since glibc 2.36 */
	int fs = fspick(AT_FDCWD, m, FSPICK_CLOEXEC);

	if (fs < 0) {
		print_message("# skip: no fspick(2) here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(fsconfig(fs, FSCONFIG_SET_STRING, "size", "2m", 0), 0);
	assert_int_equal(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), 0);
	close(fs);
	watch.heard = true;
	assert_true(self_watch_moved(&watch));
	assert_false(self_watch_moved(&watch));
#else
	print_message("# skip: this C library has no fspick(2)\n");
	skip();
#endif
}

static void without_descriptors_it_sleeps_all_the_same(void **state)
{
	(void)state;
	struct rlimit before, none;
	int64_t start = clock_ms();

	self_watch_close(&watch);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	self_watch_open(&watch);
	/* ppoll(2) refuses more descriptors than the limit: it sleeps little, or not at all. */
	self_watch_wait(&watch, start + 100, -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(self_watch_moved(&watch)); /* had again as soon as there are some */
	assert_true(watch.mounts >= 0);
}

static void a_signal_wakes_it_also_one_that_came_before(void **state)
{
	(void)state;
	self_catch_hang_up();
	assert_int_equal(raise(SIGHUP), 0);
	assert_true(self_hung_up());
	int64_t start = clock_ms();

	assert_int_equal(self_watch_wait(&watch, start + 60000, -1), 0);
	assert_true(clock_ms() - start < 30000);
	self_forget_hang_up();
	assert_false(self_hung_up());
	assert_int_equal(self_stop_signal(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_sleeps_until_the_time),
	    TEST(a_word_on_the_descriptor_wakes_it),
	    TEST(a_mount_wakes_it_once_and_is_seen_to_have_moved_the_table),
	    TEST(a_mount_that_was_looked_at_wakes_nobody),
	    TEST(a_remount_with_other_options_counts_and_what_came_and_went_does_not),
	    TEST(the_table_is_read_once_for_each_change_of_it),
	    TEST(a_remount_that_is_no_event_is_seen_by_who_knows_of_it),
	    TEST(without_descriptors_it_sleeps_all_the_same),
	    TEST(a_signal_wakes_it_also_one_that_came_before),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
