// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

static int setup(void **state)
{
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	return 0;
}

static int walk(const char *path, enum walk_rule rule)
{
	int fd = -1;
	int r = walk_open(path, rule, &fd, &err);

	if (!r) {
		assert_true(fd >= 0);
		close(fd);
	}
	return r;
}

static void links_of_ours_are_followed_anywhere(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("d"), 0755);
	scratch_mkdir(scratch_path("d/e"), 0755);
	assert_int_equal(symlink("d/e", scratch_path("l")), 0);
	assert_int_equal(symlink(scratch_path("l"), scratch_path("d/e/back")), 0);
	assert_int_equal(symlink("../../d", scratch_path("d/e/up")), 0);
	assert_int_equal(walk(scratch_path("l/back/up/e"), WALK_TRUSTED), 0);
	assert_int_equal(walk(scratch_path("l/./back/../e//"), WALK_SAFE_LINKS), 0);
}

static void a_link_to_itself_ends(void **state)
{
	(void)state;
	assert_int_equal(symlink("round", scratch_path("round")), 0);
	assert_int_equal(walk(scratch_path("round"), WALK_SAFE_LINKS), -ERR_HOST);
	assert_int_equal(err.os, ELOOP);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	assert_int_equal(walk(scratch_path("no/way"), WALK_TRUSTED), -ERR_HOST);
	assert_int_equal(err.os, ENOENT);
	assert_non_null(strstr(err.text, scratch_path("no")));
}

static void a_part_that_others_may_write_is_not_trusted(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("open"), 0777);
	scratch_write(scratch_path("open/f"), "", 0644);
	assert_int_equal(walk(scratch_path("open/f"), WALK_TRUSTED), -ERR_INPUT);
	assert_non_null(strstr(err.text, "others may write it (mode 0777)"));
	assert_int_equal(walk(scratch_path("open/f"), WALK_SAFE_LINKS), 0);
	assert_int_equal(chmod(scratch_path("open"), 01777), 0);
	assert_int_equal(walk(scratch_path("open/f"), WALK_TRUSTED), 0);
}

static void a_part_of_somebody_else_is_not_trusted(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_mkdir(scratch_path("theirs"), 0755);
	scratch_write(scratch_path("theirs/f"), "", 0644);
	assert_int_equal(chown(scratch_path("theirs"), 65534, 0), 0);
	assert_int_equal(walk(scratch_path("theirs/f"), WALK_TRUSTED), -ERR_INPUT);
	assert_non_null(strstr(err.text, "65534"));
}

static void a_link_that_leads_past_an_open_folder_is_not_trusted(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("open"), 0777);
	scratch_mkdir(scratch_path("open/in"), 0755);
	scratch_write(scratch_path("open/in/f"), "", 0644);
	assert_int_equal(symlink("open/in/f", scratch_path("l")), 0);
	assert_int_equal(walk(scratch_path("l"), WALK_TRUSTED), -ERR_INPUT);
}

static void the_parent_is_opened_and_the_name_told(void **state)
{
	(void)state;
	const char *name;
	int fd = -1;

	assert_int_equal(walk_open_parent(scratch_path("f"), &fd, &name, &err), 0);
	assert_string_equal(name, "f");
	close(fd);
	assert_int_equal(walk_open_parent("/f", &fd, &name, &err), 0);
	close(fd);
	assert_int_equal(walk_open_parent("/", &fd, &name, &err), -ERR_INPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(links_of_ours_are_followed_anywhere),
	    TEST(a_link_to_itself_ends),
	    TEST(what_is_missing_is_named),
	    TEST(a_part_that_others_may_write_is_not_trusted),
	    TEST(a_part_of_somebody_else_is_not_trusted),
	    TEST(a_link_that_leads_past_an_open_folder_is_not_trusted),
	    TEST(the_parent_is_opened_and_the_name_told),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
