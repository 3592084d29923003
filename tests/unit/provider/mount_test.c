// SPDX-License-Identifier: MIT
#include "mounting.h"

#include <fcntl.h>

static void a_missing_mount_is_made_with_target_options_and_line(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	converging_twice(
	    arena,
	    want(path, TMPFS
	         ", \"options\": [\"size=1m\", \"mode=0750\", \"nosuid\", \"noatime\", \"nofail\"]"),
	    "/etc/fstab");
	assert_true(has_option(path, "size=1024k"));
	assert_true(has_option(path, "nosuid"));
	assert_true(has_option(path, "noatime"));
	assert_string_equal(
	    scratch_read("/etc/fstab"),
	    arena_printf(arena,
	                 LINES "\ntmpfs\t%s\ttmpfs\tsize=1m,mode=0750,nosuid,noatime,nofail 0 0\n",
	                 path));
}

static void a_live_mount_leaves_fstab_to_others(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("deep/below/m");

	converging_twice(arena, want(path, TMPFS LIVE), "/etc/fstab");
	assert_string_equal(scratch_read("/etc/fstab"), LINES);
}

static void options_are_changed_in_place(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	struct stat before, after;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", MS_NOEXEC | MS_NOATIME, "size=1m,mode=0700"), 0);
	assert_int_equal(stat(path, &before), 0);
	converging_twice(arena, want(path, TMPFS LIVE ", \"options\": [\"size=2m\", \"nosuid\"]"),
	                 NULL);
	assert_true(has_option(path, "size=2m"));
	assert_true(has_option(path, "nosuid"));
	assert_true(has_option(path, "noexec"));
	assert_true(has_option(path, "noatime"));
	converging_twice(arena, want(path, TMPFS LIVE ", \"options\": [\"exec\", \"relatime\"]"), NULL);
	assert_true(has_option(path, "exec"));
	assert_true(has_option(path, "relatime"));
	assert_true(has_option(path, "nosuid"));
	assert_true(has_option(path, "size=2m"));
	converging_twice(arena, want(path, TMPFS LIVE ", \"options\": [\"ro\"]"), NULL);
	assert_true(has_option(path, "ro"));
	assert_true(has_option(path, "nosuid"));
	converging_twice(arena, want(path, TMPFS LIVE ", \"options\": [\"rw\"]"), NULL);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_dev, after.st_dev);
}

static void going_read_only_is_disruptive_and_other_options_are_not(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(converging_diff(arena, want(path, TMPFS LIVE ", \"options\": [\"ro\"]")).marks,
	                 MARK_DISRUPTIVE);
	assert_int_equal(
	    converging_diff(arena, want(path, TMPFS LIVE ", \"options\": [\"nodev\"]")).marks, 0);
}

static void another_file_system_in_its_place_blocks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("theirs", path, "ramfs", 0, NULL), 0);
	assert_int_equal(converge(want(path, TMPFS), &why), OUTCOME_BLOCKED);
	assert_string_equal(why, "another file system is mounted: theirs (ramfs); reconcile does not "
	                         "unmount it unasked");
	assert_string_equal(scratch_read("/etc/fstab"), LINES);
}

static void a_link_as_target_blocks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_mkdir(scratch_path("real"), 0755);
	assert_int_equal(symlink("real", path), 0);
	assert_int_equal(converge(want(path, TMPFS LIVE), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "symbolic link"));
	assert_false(seen(scratch_path("real"))->live.value);
}

/* The mount would go by another name, be made anew each time, and never be taken away. */
static void a_link_on_the_way_blocks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("l/m"), *why;

	scratch_mkdir(scratch_path("real"), 0755);
	scratch_mkdir(scratch_path("real/m"), 0755);
	assert_int_equal(symlink("real", scratch_path("l")), 0);
	assert_int_equal(converge(want(path, TMPFS LIVE), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "real path"));
	assert_false(seen(scratch_path("real/m"))->live.value);
	assert_int_equal(converge(want(path, "\"state\": \"absent\""), &why), OUTCOME_BLOCKED);
}

static void a_mount_in_use_is_not_taken_away_and_its_user_is_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	converging_twice(arena, want(path, TMPFS), NULL);
	scratch_write(scratch_path("m/open"), "x", 0644);
	int fd = open(scratch_path("m/open"), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(converge(want(path, "\"state\": \"absent\""), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "in use by"));
	assert_non_null(strstr(why, arena_printf(arena, "(%d)", (int)getpid())));
	assert_true(seen(path)->live.value);
	assert_true(seen(path)->fstab.value);
	close(fd);
	converging_twice(arena, want(path, "\"state\": \"absent\""), NULL);
	assert_string_equal(scratch_read("/etc/fstab"), LINES "\n");
}

static void a_mount_with_another_below_it_is_not_taken_away(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	converging_twice(arena, want(path, TMPFS LIVE), NULL);
	converging_twice(arena, want(scratch_path("m/below"), TMPFS LIVE), NULL);
	assert_int_equal(converge(want(path, "\"state\": \"absent\""), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, scratch_path("m/below")));
}

static void taking_a_mount_away_is_disruptive(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	converging_twice(arena, want(path, TMPFS LIVE), NULL);
	assert_int_equal(converging_diff(arena, want(path, "\"state\": \"absent\"")).marks,
	                 MARK_DISRUPTIVE);
}

static void a_stack_of_mounts_wanted_absent_goes_as_a_whole(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("y", path, "tmpfs", 0, NULL), 0);
	converging_twice(arena, want(path, "\"state\": \"absent\""), NULL);
	assert_int_equal(converging_observe(arena, want(path, "\"state\": \"absent\""))->state,
	                 STATE_ABSENT);
}

static void a_mount_that_is_only_observed_is_never_changed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_mkdir(path, 0755);
	assert_int_equal(converge(want(path, "\"manage\": \"observe\""), &why), OUTCOME_PENDING);
	assert_non_null(strstr(why, "observe"));
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(converge(want(path, "\"manage\": \"observe\""), &why), OUTCOME_KEPT);
}

static void an_unknown_type_is_explained(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *why;

	assert_int_equal(
	    converge(want(scratch_path("m"), "\"source\": \"x\", \"type\": \"nosuchfs\""), &why),
	    OUTCOME_FAILED);
	assert_non_null(strstr(why, "No such device"));
	assert_non_null(strstr(why, "the kernel has no file system type nosuchfs"));
	assert_string_equal(scratch_read("/etc/fstab"), LINES);
}

static void a_missing_mount_program_is_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *why;

	if (access("/sbin/mount.lustre", F_OK) == 0) {
		skip();
	}
	assert_int_equal(
	    converge(want(scratch_path("m"),
	                  "\"source\": \"10.1.30.23@tcp:/czrc3amv\", \"type\": \"lustre\""),
	             &why),
	    OUTCOME_FAILED);
	assert_non_null(strstr(why, "/sbin/mount.lustre"));
}

/* A helper in a private /sbin, as each of the strange ones that were seen. */
static void put_helper(const char *script)
{
	assert_int_equal(mount("sbin", "/usr/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write("/usr/sbin/mount.odd", script, 0755);
}

static void a_helper_that_fails_is_heard(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *why;

	put_helper("#!/bin/sh\necho 'odd: the server said no' >&2\nexit 32\n");
	enum outcome outcome =
	    converge(want(scratch_path("m"), "\"source\": \"x\", \"type\": \"odd\""), &why);

	umount2("/usr/sbin", MNT_DETACH);
	assert_int_equal(outcome, OUTCOME_FAILED);
	assert_non_null(strstr(why, "odd: the server said no"));
	assert_non_null(strstr(why, "status 32"));
}

static void a_helper_that_reports_success_without_mounting_is_found_out(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *why;

	put_helper("#!/bin/sh\nexit 0\n");
	enum outcome outcome =
	    converge(want(scratch_path("m"), "\"source\": \"x\", \"type\": \"odd\""), &why);

	umount2("/usr/sbin", MNT_DETACH);
	assert_int_equal(outcome, OUTCOME_FAILED);
	assert_non_null(strstr(why, "nothing is mounted"));
	assert_string_equal(scratch_read("/etc/fstab"), LINES);
}

static void the_root_cannot_be_wanted_absent(void **state)
{
	(void)state;
	struct resource *root = resource_create(arena, &kind_table[KIND_MOUNT], "/");
	struct err err;

	root->state = STATE_ABSENT;
	assert_int_equal(converge_check(root, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "mount:/"));
}

static void a_bind_mount_needs_its_source_and_what_is_mounted_above(void **state)
{
	(void)state;
	struct resource *wanted = want("/m", "\"source\": \"/data/set\", \"type\": \"none\", "
	                                     "\"options\": [\"bind\"]");
	struct keys ids;

	converge_needs(arena, wanted, &ids);
	assert_int_equal(ids.count, 4);
	assert_string_equal(ids.list[0], "directory:/data/set");
	assert_string_equal(ids.list[2], "mount:/data/set");
	assert_string_equal(ids.list[3], "mount:/data");
}

static void what_is_predicted_satisfies_what_is_wanted(void **state)
{
	(void)state;
	struct resource *wanted =
	    want("/m", TMPFS ", \"options\": [\"size=1m\", \"nosuid\", \"nofail\"]");
	struct resource *have = resource_create(arena, wanted->kind, "/m");
	struct change change = {
	    .kind = wanted->kind, .action = ACTION_CREATE, .want = wanted, .have = have};
	struct verdict verdict;
	bool exact;

	have->state = STATE_ABSENT;
	converge_diff(arena, wanted, converge_predict(arena, &change, &exact), &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_KEPT);
	assert_true(exact);
}

static void reset_nothing(void)
{
	scratch_clear();
	scratch_write("/etc/fstab", LINES, 0644);
}

static void reset_wrong_options(void)
{
	reset_nothing();
	scratch_mkdir(scratch_path("m"), 0755);
	assert_int_equal(mount("x", scratch_path("m"), "tmpfs", MS_NOSUID, "size=1m"), 0);
	scratch_write("/etc/fstab",
	              arena_printf(arena, LINES "\ntmpfs %s tmpfs size=1m\n", scratch_path("m")), 0644);
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	const char *wanted = json(path, TMPFS ", \"options\": [\"size=2m\", \"nodev\"]");

	converging_sweep(wanted, reset_nothing, "/etc/fstab");
	converging_sweep(wanted, reset_wrong_options, "/etc/fstab");
	converging_sweep(json(path, "\"state\": \"absent\""), reset_wrong_options, "/etc/fstab");
	converging_sweep(
	    json(scratch_path("b"), arena_printf(arena,
	                                         "\"source\": \"%s\", \"type\": \"none\", \"options\": "
	                                         "[\"bind\", \"ro\"]" LIVE,
	                                         scratch_path("m"))),
	    reset_wrong_options, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_missing_mount_is_made_with_target_options_and_line),
	    TEST(a_live_mount_leaves_fstab_to_others),
	    TEST(options_are_changed_in_place),
	    TEST(going_read_only_is_disruptive_and_other_options_are_not),
	    TEST(another_file_system_in_its_place_blocks),
	    TEST(a_link_as_target_blocks),
	    TEST(a_mount_in_use_is_not_taken_away_and_its_user_is_named),
	    TEST(a_mount_with_another_below_it_is_not_taken_away),
	    TEST(taking_a_mount_away_is_disruptive),
	    TEST(a_stack_of_mounts_wanted_absent_goes_as_a_whole),
	    TEST(a_mount_that_is_only_observed_is_never_changed),
	    TEST(an_unknown_type_is_explained),
	    TEST(a_missing_mount_program_is_named),
	    TEST(a_helper_that_fails_is_heard),
	    TEST(a_helper_that_reports_success_without_mounting_is_found_out),
	    TEST(the_root_cannot_be_wanted_absent),
	    TEST(a_bind_mount_needs_its_source_and_what_is_mounted_above),
	    TEST(what_is_predicted_satisfies_what_is_wanted),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    TEST(a_link_on_the_way_blocks),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
