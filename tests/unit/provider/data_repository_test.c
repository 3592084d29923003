// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <sys/mount.h>
#include <sys/stat.h>

static const char *json(const char *path)
{
	return arena_printf(
	    arena,
	    "{\"kind\": \"data_repository\", \"path\": \"%s\", \"repository\": \"s3://bucket/data/\"}",
	    path);
}

static struct verdict look(const char *path)
{
	return converging_diff(arena, converging_want(arena, json(path)));
}

static void mount_at(const char *path)
{
	scratch_mkdir(path, 0755);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
}

static void a_directory_on_a_live_mount_is_all_that_can_be_right(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	scratch_mkdir(scratch_path("lustre/data"), 0755);
	struct verdict v = look(scratch_path("lustre/data"));

	assert_int_equal(v.outcome, OUTCOME_SKIPPED);
	assert_has(v.why, "s3://bucket/data/ is not managed by this version");
	scratch_clear();
}

static void a_missing_directory_is_never_made(void **state)
{
	struct stat st;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	const char *path = scratch_path("lustre/data");
	struct verdict v = look(path);

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "is missing on the mounted file system; reconcile never creates it");
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, json(path)), NULL),
	    OUTCOME_BLOCKED);
	assert_int_not_equal(lstat(path, &st), 0);
	scratch_clear();
}

static void a_file_in_its_place_is_no_directory(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	scratch_write(scratch_path("lustre/data"), "", 0644);
	assert_int_equal(look(scratch_path("lustre/data")).outcome, OUTCOME_BLOCKED);
	scratch_clear();
}

static void what_lies_on_no_mount_is_said(void **state)
{
	(void)state;
	struct verdict v = look("/no-such-mount-here/data");

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "/no-such-mount-here/data lies on no mount: its file system is not mounted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_directory_on_a_live_mount_is_all_that_can_be_right),
	    TEST(a_missing_directory_is_never_made),
	    TEST(a_file_in_its_place_is_no_directory),
	    TEST(what_lies_on_no_mount_is_said),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
