// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

static void sizes_are_those_of_statvfs(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	struct host_space space;
	struct statvfs st;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, "size=8m"), 0);
	scratch_write(scratch_path("m/f"), "something", 0644);
	assert_int_equal(host.ops->space(&host, path, &space, &err), 0);
	assert_int_equal(statvfs(path, &st), 0);
	assert_true(space.mounted);
	assert_int_equal(space.size, 8 << 20);
	assert_int_equal(space.used, (st.f_blocks - st.f_bfree) * st.f_frsize);
	assert_int_equal(space.available, st.f_bavail * st.f_frsize);
	assert_true(space.used > 0);
}

static void what_is_no_mount_is_told_from_one(void **state)
{
	(void)state;
	struct host_space space;

	scratch_mkdir(scratch_path("d"), 0755);
	assert_int_equal(host.ops->space(&host, scratch_path("d"), &space, &err), 0);
	assert_false(space.mounted);
	assert_int_equal(host.ops->space(&host, "/no/such/path", &space, &err), 0);
	assert_false(space.mounted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sizes_are_those_of_statvfs),
	    TEST(what_is_no_mount_is_told_from_one),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
