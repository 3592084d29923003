// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/host.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

static struct arena *arena;
static struct host host;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	host_init(&host, &host_linux_ops, arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_done(&host);
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void sizes_are_those_of_statvfs(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	struct host_space space;
	struct statvfs st;
	struct err err;

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
	struct err err;

	scratch_mkdir(scratch_path("d"), 0755);
	assert_int_equal(host.ops->space(&host, scratch_path("d"), &space, &err), 0);
	assert_false(space.mounted);
	assert_int_equal(host.ops->space(&host, "/no/such/path", &space, &err), 0);
	assert_false(space.mounted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sizes_are_those_of_statvfs, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_no_mount_is_told_from_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
