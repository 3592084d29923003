// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/host_inner.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool shows(const char *path, const char *option)
{
	const struct mount_table *table;

	assert_int_equal(host.ops->mounts(&host, &table, &err), 0);
	const struct mount_row *row = mount_table_at(table, path);

	for (size_t i = 0; row && i < row->options.count; i++) {
		if (strcmp(row->options.items[i], option) == 0) {
			return true;
		}
	}
	return false;
}

static int change(int (*op)(struct host *, const struct mount_request *, struct err *),
                  const char *path, const char *source, const char *type, const char *option)
{
	struct list options = {.set = true, .count = option ? 1 : 0, .items = &option};
	struct mount_request request = {path, source, type, &options};

	return op(&host, &request, &err);
}

static void a_remount_changes_one_option_and_keeps_the_others(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs",
	                       MS_NOSUID | MS_NOATIME | MS_NODIRATIME | MS_SYNCHRONOUS, "size=64k"),
	                 0);
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "noexec"), 0);
	assert_true(shows(path, "noexec"));
	assert_true(shows(path, "nosuid"));
	assert_true(shows(path, "noatime"));
	assert_true(shows(path, "nodiratime"));
	assert_true(shows(path, "sync"));
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "size=128k"), 0);
	assert_true(shows(path, "size=128k"));
	assert_true(shows(path, "noexec"));
	assert_true(shows(path, "nosuid"));
	assert_true(shows(path, "noatime"));
	assert_true(shows(path, "sync"));
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "ro"), 0);
	assert_true(shows(path, "ro"));
	assert_true(shows(path, "nosuid"));
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "rw"), 0);
	assert_true(shows(path, "rw"));
}

static void access_times_survive_a_change_beside_them(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", MS_STRICTATIME, NULL), 0);
	assert_false(shows(path, "relatime"));
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "nodev"), 0);
	assert_false(shows(path, "relatime"));
	assert_false(shows(path, "noatime"));
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "size=64k"), 0);
	assert_false(shows(path, "relatime"));
}

static void an_option_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(change(host.ops->mount, path, "x", "tmpfs", "nosuchoption=1"), -ERR_HOST);
	assert_int_equal(err.os, EINVAL);
	assert_int_equal(change(host.ops->remount, path, NULL, NULL, "ro"), -ERR_HOST);
}

static void a_link_as_target_is_not_followed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_mkdir(scratch_path("real"), 0755);
	assert_int_equal(symlink("real", scratch_path("l")), 0);
	assert_int_equal(change(host.ops->mount, scratch_path("l"), "x", "tmpfs", NULL), -ERR_HOST);
	assert_int_equal(host.ops->unmount(&host, scratch_path("l"), &err), -ERR_HOST);
}

/* Whoever may write a folder on the way could lead us to mount over /etc. */
static void a_link_on_the_way_is_not_followed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *source = scratch_path("source"), *target = scratch_path("l/m");

	scratch_mkdir(scratch_path("real"), 0755);
	scratch_mkdir(scratch_path("real/m"), 0755);
	scratch_mkdir(source, 0755);
	assert_int_equal(symlink("real", scratch_path("l")), 0);
	assert_int_equal(change(host.ops->mount, target, "x", "tmpfs", NULL), -ERR_HOST);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(change(host.ops->mount, target, source, "none", "bind"), -ERR_HOST);
	assert_false(shows(scratch_path("real/m"), "rw"));
}

static void a_bind_source_that_somebody_else_has_linked_is_refused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *source = scratch_path("l"), *target = scratch_path("m");

	scratch_mkdir(target, 0755);
	assert_int_equal(symlink("/etc", source), 0);
	assert_int_equal(change(host.ops->mount, target, source, "none", "bind"), 0);
	assert_int_equal(host.ops->unmount(&host, target, &err), 0);
	assert_int_equal(lchown(source, 1000, 1000), 0);
	assert_int_equal(change(host.ops->mount, target, source, "none", "bind"), -ERR_INPUT);
	assert_false(shows(target, "rw"));
}

static void a_bind_keeps_what_restricts_its_source(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *source = scratch_path("s"), *target = scratch_path("m");

	scratch_mkdir(source, 0755);
	scratch_mkdir(target, 0755);
	assert_int_equal(change(host.ops->mount, source, "x", "tmpfs", "nosuid"), 0);
	assert_int_equal(change(host.ops->mount, target, source, "none", "bind"), 0);
	assert_true(shows(target, "nosuid"));
	assert_int_equal(change(host.ops->remount, target, source, "none", "bind"), 0);
	assert_true(shows(target, "nosuid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_remount_changes_one_option_and_keeps_the_others),
	    TEST(access_times_survive_a_change_beside_them),
	    TEST(an_option_that_does_not_exist_is_refused),
	    TEST(a_link_as_target_is_not_followed),
	    TEST(a_link_on_the_way_is_not_followed),
	    TEST(a_bind_source_that_somebody_else_has_linked_is_refused),
	    TEST(a_bind_keeps_what_restricts_its_source),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
