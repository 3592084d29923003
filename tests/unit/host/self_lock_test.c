// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "base/clock.h"
#include "host/self.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *arena;
static struct err err;
static struct self_lock_wish wish;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	err = (struct err){0};
	wish = (struct self_lock_wish){.run_dir = scratch_path("run"), .command = "apply"};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

#define assert_has(text, part)                              \
	do {                                                    \
		if (!strstr((text), (part))) {                      \
			fail_msg("'%s' is not in: %s", (part), (text)); \
		}                                                   \
	} while (0)

static const char *ourselves(void)
{
	return arena_printf(arena, "process %d (apply) since 20", (int)getpid());
}

static void take(struct self_lock *lock)
{
	if (self_lock(&wish, lock, &err)) {
		fail_msg("%s", err.text);
	}
}

static void assert_held(void)
{
	struct self_lock other = {.fd = -1};

	assert_int_equal(self_lock(&wish, &other, &err), -ERR_LOCKED);
	assert_non_null(self_lock_holder(wish.run_dir, arena));
}

static void the_lock_is_held_by_one(void **state)
{
	(void)state;
	struct self_lock first = {.fd = -1};

	wish.run_dir = scratch_path("run/reconcile");
	wish.tree = "/etc/reconcile";
	assert_null(self_lock_holder(wish.run_dir, arena));
	take(&first);
	assert_held();
	assert_has(err.text, ourselves());
	assert_has(err.text, ", by ");
	assert_has(err.text, ", tree /etc/reconcile");
	assert_has(self_lock_holder(wish.run_dir, arena), "(apply)");
	self_lock_doing(&first, "step 2 of 7, mount:/fsx,");
	assert_has(self_lock_holder(wish.run_dir, arena),
	           "; at the moment step 2 of 7, mount:/fsx, for 0.");
	self_unlock(&first);
	assert_null(self_lock_holder(wish.run_dir, arena));
	assert_int_equal(access(scratch_path("run/reconcile/holder.json"), F_OK), -1);
	take(&first);
	self_unlock(&first);
	self_unlock(&first);
	self_lock_doing(&first, "nothing"); /* of a lock that is not held */
	assert_int_equal(access(scratch_path("run/reconcile/holder.json"), F_OK), -1);
}

/* Another process that holds it until it is killed. */
static pid_t holder(void)
{
	struct self_lock lock = {.fd = -1};
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();

	if (pid == 0) {
		wish.command = "run";
		if (self_lock(&wish, &lock, &err) || write(ready[1], "x", 1) != 1) {
			_exit(1);
		}
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void the_lock_dies_with_its_holder(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};
	pid_t pid = holder();

	assert_held();
	assert_has(err.text, arena_printf(arena, "process %d (run)", (int)pid));
	end(pid);
	/* Its record is still there, and says nothing any more. */
	assert_int_equal(access(scratch_path("run/holder.json"), F_OK), 0);
	assert_null(self_lock_holder(wish.run_dir, arena));
	take(&lock);
	self_unlock(&lock);
}

/* Only ours is open: as if the one who holds it had not come to write its own yet. */
static void a_record_of_somebody_else_is_not_believed(void **state)
{
	(void)state;
	const char *path = scratch_path("run/holder.json"), *good;
	struct self_lock lock = {.fd = -1};
	const struct {
		const char *key, *value;
	} lies[] = {
	    {"\"pid\": ", "999999999"}, /* no such process */
	    {"\"starttime\": ", "1"},   /* a later one of that number */
	    {"\"boot_id\": ", "\"00000000-0000-0000-0000-000000000000\""}, /* of another boot */
	};

	take(&lock);
	assert_int_equal(self_state_read(path, arena, &good, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		const char *at = strstr(good, lies[i].key);

		assert_non_null(at);
		at += strlen(lies[i].key);
		const char *rest = at + strcspn(at, ",\n}");

		scratch_write(path,
		              arena_printf(arena, "%.*s%s%s", (int)(at - good), good, lies[i].value, rest),
		              0644);
		assert_held();
		assert_string_equal(err.text, "locked by another run");
	}
	scratch_write(path, "{\"pid\": ", 0644);
	assert_held();
	assert_string_equal(err.text, "locked by another run");
	scratch_write(path, good, 0644);
	assert_held();
	assert_has(err.text, ourselves());
	self_unlock(&lock);
}

static size_t told;

static void hear(void *context, const char *who, int64_t elapsed_ms)
{
	assert_ptr_equal(context, &told);
	assert_has(who, "(run) since");
	assert_true(elapsed_ms >= 1000);
	told++;
}

static void waiting_for_the_lock_tells_and_ends(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};
	int64_t started = clock_ms();
	pid_t pid = holder();

	told = 0;
	wish.wait_ms = 1300;
	wish.waiting = hear;
	wish.context = &told;
	assert_int_equal(self_lock(&wish, &lock, &err), -ERR_LOCKED);
	assert_true(clock_ms() - started >= 1300);
	assert_true(told >= 1);
	end(pid);
}

static void who_waits_gets_it_when_it_is_free(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};
	pid_t pid = holder(), killer = fork();

	if (killer == 0) {
		usleep(200000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	wish.wait_ms = 60000;
	take(&lock);
	self_unlock(&lock);
	waitpid(killer, NULL, 0);
	end(pid);
}

static void a_lock_file_that_was_removed_is_not_believed(void **state)
{
	(void)state;
	struct self_lock first = {.fd = -1}, second = {.fd = -1};

	take(&first);
	assert_int_equal(self_lock_keep(&first, &err), 0);
	assert_int_equal(unlink(scratch_path("run/lock")), 0);
	/* Who holds it shares the folder as well, and takes it anew. */
	take(&second);
	assert_int_equal(self_lock_keep(&first, &err), -ERR_LOCKED);
	assert_has(err.text, "was replaced, and is now locked by process");
	self_unlock(&second);
	assert_int_equal(self_lock_keep(&first, &err), 0);
	assert_held();
	self_unlock(&first);
}

static void a_run_dir_that_was_replaced_is_locked_anew(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};

	take(&lock);
	assert_int_equal(rename(wish.run_dir, scratch_path("away")), 0);
	assert_null(self_lock_holder(wish.run_dir, arena));
	assert_int_equal(self_lock_keep(&lock, &err), 0);
	assert_held();
	assert_has(err.text, ourselves());
	self_unlock(&lock);
	take(&lock);
	self_unlock(&lock);
}

static void mount_run_dir(const char *options)
{
	scratch_mkdir(wish.run_dir, 0755);
	if (mount("tmpfs", wish.run_dir, "tmpfs", 0, options)) {
		fail_msg("tmpfs: %s", strerror(errno));
	}
}

static void set_read_only(bool yes)
{
	assert_int_equal(mount(NULL, wish.run_dir, NULL, MS_REMOUNT | (yes ? MS_RDONLY : 0), NULL), 0);
}

static void a_run_dir_that_takes_no_writing_is_locked_itself(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	mount_run_dir("mode=0755,size=1m");
	for (int had_a_file = 0; had_a_file < 2; had_a_file++) {
		set_read_only(true);
		take(&lock);
		assert_held();
		assert_int_equal(self_lock_keep(&lock, &err), 0);
		set_read_only(false);
		assert_held(); /* also by whoever can make the file */
		self_unlock(&lock);
		take(&lock); /* and the other way round */
		pid_t pid = fork();

		if (pid == 0) {
			struct self_lock other = {.fd = -1};
			struct stat st;
			int folder = stat(wish.run_dir, &st);

			_exit(folder || self_lock(&wish, &other, &err) != -ERR_LOCKED);
		}
		int status = -1;

		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		self_unlock(&lock);
	}
	assert_int_equal(umount(wish.run_dir), 0);
}

static void a_run_dir_without_inodes_is_locked_itself(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	mount_run_dir("mode=0755,nr_inodes=1");
	take(&lock);
	assert_held();
	assert_string_equal(err.text, "locked by another run");
	self_unlock(&lock);
	assert_null(self_lock_holder(wish.run_dir, arena));
	assert_int_equal(umount(wish.run_dir), 0);
}

static void a_run_dir_that_is_full_still_locks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	mount_run_dir("mode=0755,size=4k");
	scratch_write(scratch_path("run/fill"), arena_printf(arena, "%04096d", 0), 0600);
	take(&lock);
	assert_held();
	self_lock_doing(&lock, "something");
	assert_held();
	/* What could not be written whole is not left behind. */
	assert_int_equal(access(scratch_path("run/.holder.json.new"), F_OK), -1);
	self_unlock(&lock);
	assert_int_equal(umount(wish.run_dir), 0);
}

static void who_is_not_root_sees_that_it_is_held_and_by_whom(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	take(&lock);
	assert_int_equal(seteuid(1234), 0);
	const char *who = self_lock_holder(wish.run_dir, arena);

	assert_int_equal(seteuid(0), 0);
	assert_non_null(who);
	assert_has(who, ourselves());
	self_unlock(&lock);
	assert_int_equal(seteuid(1234), 0);
	who = self_lock_holder(wish.run_dir, arena);
	assert_int_equal(seteuid(0), 0);
	assert_null(who);
}

static int sleep_on(int fd, void *context)
{
	(void)fd;
	(void)context;
	pause();
	return 0;
}

static void no_child_holds_it(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};
	const char *const argv[] = {"sleep", "60", NULL};
	const struct child_command command = {.argv = argv, .timeout_ms = 50, .keep_at_deadline = true};
	struct child_result result;
	struct child child;

	take(&lock);
	assert_int_equal(child_fork(sleep_on, NULL, NULL, &child, &err), 0);
	assert_int_equal(child_run(&command, &result, &err), 0);
	assert_true(result.running);
	self_unlock(&lock);
	take(&lock); /* although both go on */
	self_unlock(&lock);
	kill(result.pid, SIGKILL);
	waitpid(result.pid, NULL, 0);
	child_result_free(&result);
	assert_true(child_kill(&child, NULL));
}

static void a_child_that_has_just_been_begun_does_not_hold_it_either(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	for (int in_folder = 0; in_folder < 2; in_folder++) {
		if (in_folder) {
			assert_int_equal(mount("tmpfs", wish.run_dir, "tmpfs", 0, "mode=0755,size=1m"), 0);
			set_read_only(true);
		}
		take(&lock);
		pid_t pid = fork(); /* with its copies of our descriptors, as each is at first */

		assert_true(pid >= 0);
		if (pid == 0) {
			sleep(20);
			_exit(0);
		}
		self_unlock(&lock);
		take(&lock);
		self_unlock(&lock);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	assert_int_equal(umount(wish.run_dir), 0);
}

static void a_run_dir_that_others_may_write_to_is_not_locked(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct self_lock lock = {.fd = -1};

	if (!self_is_root()) {
		skip(); /* over ourselves alone */
	}
	scratch_mkdir(wish.run_dir, 0755);
	assert_int_equal(chmod(wish.run_dir, 0777), 0);
	assert_int_equal(self_lock(&wish, &lock, &err), -ERR_INPUT);
	assert_has(err.text, "others may write");
	assert_int_equal(access(scratch_path("run/lock"), F_OK), -1);
}

static void a_run_dir_that_cannot_be_had_is_an_error_that_names_it(void **state)
{
	(void)state;
	struct self_lock lock = {.fd = -1};

	scratch_write(scratch_path("run"), "", 0644);
	assert_int_equal(self_lock(&wish, &lock, &err), -ERR_HOST);
	assert_has(err.text, scratch_path("run"));
	assert_null(self_lock_holder(wish.run_dir, arena));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_lock_is_held_by_one),
	    TEST(the_lock_dies_with_its_holder),
	    TEST(a_record_of_somebody_else_is_not_believed),
	    TEST(waiting_for_the_lock_tells_and_ends),
	    TEST(who_waits_gets_it_when_it_is_free),
	    TEST(a_lock_file_that_was_removed_is_not_believed),
	    TEST(a_run_dir_that_was_replaced_is_locked_anew),
	    TEST(a_run_dir_that_takes_no_writing_is_locked_itself),
	    TEST(a_run_dir_without_inodes_is_locked_itself),
	    TEST(a_run_dir_that_is_full_still_locks),
	    TEST(who_is_not_root_sees_that_it_is_held_and_by_whom),
	    TEST(no_child_holds_it),
	    TEST(a_child_that_has_just_been_begun_does_not_hold_it_either),
	    TEST(a_run_dir_that_others_may_write_to_is_not_locked),
	    TEST(a_run_dir_that_cannot_be_had_is_an_error_that_names_it),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
