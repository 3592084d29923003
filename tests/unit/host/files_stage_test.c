// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/files_inner.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static size_t count_in_scratch(void)
{
	struct file_names names;

	assert_int_equal(host.ops->list(&host, scratch_dir(), arena, &names, &err), 0);
	return names.count;
}

static void what_is_staged_is_in_its_place_only_when_it_is_committed(void **state)
{
	(void)state;
	struct file_write write = {
	    .data = "new", .length = 3, .mode = 0640, .uid = geteuid(), .gid = getegid()};
	const char *path = scratch_path("f");
	struct file_stage stage;
	struct stat st;

	scratch_write(path, "old", 0600);
	assert_int_equal(files_stage(path, &write, &stage, &err), 0);
	assert_string_equal(scratch_read(path), "old");
	assert_int_equal(count_in_scratch(), 2);
	files_stage_drop(&stage);
	assert_int_equal(count_in_scratch(), 1);
	assert_int_equal(files_stage(path, &write, &stage, &err), 0);
	assert_int_equal(files_stage_commit(&stage, &err), 0);
	assert_string_equal(scratch_read(path), "new");
	assert_int_equal(count_in_scratch(), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void what_a_crash_left_is_replaced(void **state)
{
	(void)state;
	struct file_write write = {
	    .data = "new", .length = 3, .mode = 0644, .uid = geteuid(), .gid = getegid()};
	const char *path = scratch_path("f");
	struct file_stage left, stage;

	assert_int_equal(files_stage(path, &write, &left, &err), 0);
	assert_int_equal(files_stage(path, &write, &stage, &err), 0);
	assert_int_equal(count_in_scratch(), 1);
	assert_int_equal(files_stage_commit(&stage, &err), 0);
	close(left.parent);
	assert_int_equal(count_in_scratch(), 1);
	assert_string_equal(scratch_read(path), "new");
}

static void a_write_that_fails_leaves_nothing_beside(void **state)
{
	(void)state;
	struct file_write write = {
	    .data = "x", .length = 1, .mode = 0644, .uid = geteuid(), .gid = getegid()};
	struct file_names names;

	scratch_mkdir(scratch_path("f"), 0755);
	assert_int_equal(host.ops->write(&host, scratch_path("f"), &write, &err), -ERR_HOST);
	assert_int_equal(host.ops->list(&host, scratch_dir(), arena, &names, &err), 0);
	assert_int_equal(names.count, 1);
}

static void a_name_as_long_as_can_be_is_written(void **state)
{
	(void)state;
	char name[256];
	struct file_write write = {
	    .data = "x", .length = 1, .mode = 0644, .uid = geteuid(), .gid = getegid()};

	memset(name, 'n', sizeof name - 1);
	name[255] = '\0';
	assert_int_equal(host.ops->write(&host, scratch_path(name), &write, &err), 0);
	assert_string_equal(scratch_read(scratch_path(name)), "x");
}

/* acl(5) as the kernel keeps it: version 2; user::rw-, user:1000:rw-, group::r--, mask::rw-,
 * other::r--. */
static const unsigned char access_list[] = {
    2, 0,    0,    0,    1,    0,    6,    0, 0xff, 0xff, 0xff, 0xff, 2,    0,    6,
    0, 0xe8, 3,    0,    0,    4,    0,    4, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
    6, 0,    0xff, 0xff, 0xff, 0xff, 0x20, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
};

static void an_access_list_survives_a_new_content(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct file_write write = {.data = "new", .length = 3, .mode = 0664};
	const char *path = scratch_path("f");
	unsigned char now[sizeof access_list + 1];

	scratch_write(path, "old", 0664);
	if (setxattr(path, "system.posix_acl_access", access_list, sizeof access_list, 0)) {
		print_message("# skip: no access lists on this file system\n");
		skip();
	}
	assert_int_equal(host.ops->write(&host, path, &write, &err), 0);
	assert_string_equal(scratch_read(path), "new");
	assert_int_equal(getxattr(path, "system.posix_acl_access", now, sizeof now),
	                 sizeof access_list);
	assert_memory_equal(now, access_list, sizeof access_list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_staged_is_in_its_place_only_when_it_is_committed),
	    TEST(what_a_crash_left_is_replaced),
	    TEST(a_write_that_fails_leaves_nothing_beside),
	    TEST(a_name_as_long_as_can_be_is_written),
	    TEST(an_access_list_survives_a_new_content),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
