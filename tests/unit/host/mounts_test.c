// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/host_inner.h"

#include <string.h>
#include <sys/mount.h>

static const struct mount_table *table(void)
{
	const struct mount_table *table;

	if (host.ops->mounts(&host, &table, &err)) {
		fail_msg("%s", err.text);
	}
	return table;
}

static void the_table_is_read_once_while_nothing_moves(void **state)
{
	(void)state;
	const struct mount_table *first = table();

	host_forget(&host);
	assert_ptr_equal(table(), first);
	assert_non_null(mount_table_at(first, "/proc"));
}

static void what_others_mount_is_seen_after_forgetting(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_null(mount_table_at(table(), path));
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	host_forget(&host);
	assert_non_null(mount_table_at(table(), path));
	assert_int_equal(umount2(path, 0), 0);
	host_forget(&host);
	assert_null(mount_table_at(table(), path));
}

static void what_we_mount_is_seen_at_once(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *words[] = {"size=64k", "nodev"};
	struct list options = {.set = true, .count = 2, .items = words};
	struct mount_request request = {path, "x", "tmpfs", &options};

	scratch_mkdir(path, 0755);
	table();
	assert_int_equal(host.ops->mount(&host, &request, &err), 0);
	assert_string_equal(mount_table_at(table(), path)->type, "tmpfs");
	assert_int_equal(host.ops->mount(&host, &request, &err), 0);
	assert_int_equal(mount_table_at(table(), path)->covers, 1);
	assert_int_equal(host.ops->unmount(&host, path, &err), 0);
	assert_int_equal(host.ops->unmount(&host, path, &err), 0);
	assert_null(mount_table_at(table(), path));
}

static void what_others_mount_beside_ours_is_not_missed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *ours = scratch_path("ours"), *theirs = scratch_path("theirs");
	struct list none = {.set = true};
	struct mount_request request = {ours, "x", "tmpfs", &none};

	scratch_mkdir(ours, 0755);
	scratch_mkdir(theirs, 0755);
	table();
	assert_int_equal(mount("x", theirs, "tmpfs", 0, NULL), 0);
	assert_int_equal(host.ops->mount(&host, &request, &err), 0);
	assert_non_null(mount_table_at(table(), ours));
	assert_non_null(mount_table_at(table(), theirs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_table_is_read_once_while_nothing_moves),
	    TEST(what_others_mount_is_seen_after_forgetting),
	    TEST(what_we_mount_is_seen_at_once),
	    TEST(what_others_mount_beside_ours_is_not_missed),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
