// SPDX-License-Identifier: MIT
#include "mounting.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static void a_wanted_mount_that_is_covered_blocks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("over", path, "ramfs", 0, NULL), 0);
	assert_int_equal(converge(want(path, TMPFS), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "over (ramfs), over others"));
	assert_int_equal(seen(path)->covers.value, 1);
}

static void a_mount_hidden_by_a_later_one_above_is_not_live(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *above = scratch_path("a"), *path = scratch_path("a/m");

	scratch_mkdir(above, 0755);
	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_true(seen(path)->live.value);
	assert_int_equal(mount("y", above, "tmpfs", 0, NULL), 0);
	assert_false(seen(path)->live.value);
	converging_twice(arena, want(path, TMPFS LIVE), NULL);
}

static void what_is_in_the_target_is_said_before_it_is_hidden(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	struct verdict verdict;

	scratch_mkdir(path, 0755);
	scratch_write(scratch_path("m/data"), "precious", 0644);
	verdict = converging_diff(arena, want(path, TMPFS LIVE));
	assert_int_equal(verdict.action, ACTION_CREATE);
	assert_string_equal(verdict.differences.list[verdict.differences.count - 1].field, "target");
	assert_string_equal(verdict.differences.list[verdict.differences.count - 1].from, "not empty");
}

static void bind_mounts_are_made_and_recognised(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *source = scratch_path("data/set"), *path = scratch_path("m"), *why;

	scratch_mkdir(scratch_path("data"), 0755);
	scratch_mkdir(source, 0755);
	scratch_mkdir(scratch_path("data/other"), 0755);
	converging_twice(arena,
	                 want(path, arena_printf(arena,
	                                         "\"source\": \"%s\", \"type\": \"none\", "
	                                         "\"options\": [\"bind\", \"ro\", \"nodev\"]",
	                                         source)),
	                 "/etc/fstab");
	assert_true(has_option(path, "ro"));
	assert_true(has_option(path, "nodev"));
	assert_true(has_option(scratch_dir(), "rw"));
	assert_int_equal(converge(want(path, arena_printf(arena,
	                                                  "\"source\": \"%s\", \"type\": \"none\", "
	                                                  "\"options\": [\"bind\"]" LIVE,
	                                                  scratch_path("data/other"))),
	                          &why),
	                 OUTCOME_BLOCKED);
}

static void a_bind_of_a_whole_mount_is_told_from_another(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *a = scratch_path("a"), *b = scratch_path("b"), *path = scratch_path("m"), *why;

	scratch_mkdir(a, 0755);
	scratch_mkdir(b, 0755);
	scratch_mkdir(path, 0755);
	assert_int_equal(mount("a", a, "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("b", b, "tmpfs", 0, NULL), 0);
	assert_int_equal(mount(b, path, "none", MS_BIND, NULL), 0);
	assert_int_equal(converge(want(path, arena_printf(arena,
	                                                  "\"source\": \"%s\", \"type\": \"none\", "
	                                                  "\"options\": [\"bind\"]" LIVE,
	                                                  b)),
	                          &why),
	                 OUTCOME_KEPT);
	assert_int_equal(converge(want(path, arena_printf(arena,
	                                                  "\"source\": \"%s\", \"type\": \"none\", "
	                                                  "\"options\": [\"bind\"]" LIVE,
	                                                  a)),
	                          &why),
	                 OUTCOME_BLOCKED);
}

static void rbind_takes_what_is_mounted_below_along(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *source = scratch_path("s"), *path = scratch_path("m");

	scratch_mkdir(source, 0755);
	scratch_mkdir(scratch_path("s/below"), 0755);
	assert_int_equal(mount("x", scratch_path("s/below"), "tmpfs", 0, NULL), 0);
	converging_twice(arena,
	                 want(path, arena_printf(arena,
	                                         "\"source\": \"%s\", \"type\": \"none\", "
	                                         "\"options\": [\"rbind\"]" LIVE,
	                                         source)),
	                 NULL);
	assert_true(seen(scratch_path("m/below"))->live.value);
}

static void a_fifth_of_ten_thousand_mounts_is_seen_at_once(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	enum { MANY = 2000 };
	struct resource *have;
	struct host host;
	struct err err;

	for (int i = 0; i < MANY; i++) {
		const char *path = arena_printf(arena, "%s/%d", scratch_dir(), i);

		scratch_mkdir(path, 0755);
		assert_int_equal(mount("x", path, "tmpfs", MS_NOSUID, "size=64k"), 0);
	}
	host_init(&host, &host_linux_ops, arena);
	for (int i = 0; i < MANY; i++) {
		const char *path = arena_printf(arena, "%s/%d", scratch_dir(), i);

		assert_int_equal(
		    converge_observe(&host, &kind_table[KIND_MOUNT], path, NULL, arena, &have, &err), 0);
		assert_true(have->mount.live.value);
	}
	host_done(&host);
	for (int i = 0; i < MANY; i++) {
		umount2(arena_printf(arena, "%s/%d", scratch_dir(), i), MNT_DETACH);
	}
}

/* An automount whose daemon is another process group: whoever looks behind it waits for that
 * daemon. */
static bool arm(const char *path, pid_t *ret_daemon, int *ret_pipe)
{
	char options[100];
	int ends[2];

	assert_int_equal(pipe2(ends, O_DIRECT | O_CLOEXEC | O_NONBLOCK), 0);
	pid_t daemon = fork();

	if (daemon == 0) {
		pause();
		_exit(0);
	}
	setpgid(daemon, daemon);
	snprintf(options, sizeof options, "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ends[1],
	         (int)daemon);
	int r = mount("systemd-1", path, "autofs", 0, options);

	close(ends[1]);
	*ret_daemon = daemon;
	*ret_pipe = ends[0];
	return r == 0;
}

static void an_armed_automount_is_pending_and_never_woken_up(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("auto"), *why = NULL;
	char packet[512];
	pid_t daemon;
	int requests;

	scratch_mkdir(path, 0755);
	if (!arm(path, &daemon, &requests)) {
		print_message("# skip: needs a kernel with autofs\n");
		kill(daemon, SIGKILL);
		skip();
	}
	alarm(30);
	const struct resource *wanted = want(path, TMPFS);
	const struct resource *file = converging_want(
	    arena, arena_printf(arena, "{\"kind\": \"file\", \"path\": \"%s/x\"}", path));
	enum outcome outcome = converge(wanted, &why);
	const struct resource *have = converging_observe(arena, wanted);
	const struct resource *behind = converging_observe(arena, file);
	enum outcome absent = converge(want(path, "\"state\": \"absent\""), NULL);
	ssize_t asked = read(requests, packet, sizeof packet);

	alarm(0);
	umount2(path, MNT_DETACH);
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
	close(requests);
	assert_int_equal(outcome, OUTCOME_PENDING);
	assert_non_null(strstr(why, "armed automount"));
	assert_true(have->mount.automount.value);
	assert_false(have->mount.live.value);
	assert_int_equal(behind->state, STATE_UNDETERMINED);
	assert_non_null(strstr(behind->why, "behind the armed automount"));
	assert_int_equal(absent, OUTCOME_PENDING);
	assert_true(asked <= 0);
	assert_string_equal(scratch_read("/etc/fstab"), LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_armed_automount_is_pending_and_never_woken_up),
	    TEST(a_wanted_mount_that_is_covered_blocks),
	    TEST(a_mount_hidden_by_a_later_one_above_is_not_live),
	    TEST(what_is_in_the_target_is_said_before_it_is_hidden),
	    TEST(bind_mounts_are_made_and_recognised),
	    TEST(a_bind_of_a_whole_mount_is_told_from_another),
	    TEST(rbind_takes_what_is_mounted_below_along),
	    TEST(a_fifth_of_ten_thousand_mounts_is_seen_at_once),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
