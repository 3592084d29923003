// SPDX-License-Identifier: MIT
#include "mounting.h"

static void the_line_is_added_to_what_is_mounted_already(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("with space");
	struct stat before, after;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	converging_twice(arena, want(path, TMPFS), "/etc/fstab");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_dev, after.st_dev);
	assert_non_null(strstr(scratch_read("/etc/fstab"), "/with\\040space\ttmpfs\tdefaults 0 0\n"));
}

static void a_line_is_mended_in_place_and_the_others_stay(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	const char *before =
	    "a /a xfs  ro 1 2\n  tmpfs   %s/  tmpfs   rw,size=1m,x-mine   0  0  # ours\n\n"
	    "b /b xfs ro\n";
	const char *after =
	    "a /a xfs  ro 1 2\n  tmpfs   %s/  tmpfs   rw,size=2m,x-mine,nodev   0  0  # ours\n\n"
	    "b /b xfs ro\n";
	AUTO(str_free) struct str text = {0};

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	str_addf(&text, before, path);
	scratch_write("/etc/fstab", text.data, 0640);
	converging_twice(arena, want(path, TMPFS ", \"options\": [\"size=2m\", \"nodev\"]"),
	                 "/etc/fstab");
	str_clear(&text);
	str_addf(&text, after, path);
	assert_string_equal(scratch_read("/etc/fstab"), text.data);
	struct stat st;

	assert_int_equal(stat("/etc/fstab", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void two_lines_for_one_target_block_and_are_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_write("/etc/fstab",
	              arena_printf(arena, "# c\ntmpfs %s tmpfs ro\n\ntmpfs %s/ tmpfs rw\n", path, path),
	              0644);
	assert_int_equal(converge(want(path, TMPFS), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "2 and 4"));
	assert_false(seen(path)->live.value);
}

static void lines_of_a_faulty_fstab_do_not_stand_in_the_way(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_write("/etc/fstab", "/dev/nowhere /srv/nothing ext4 defaults 0 2\n", 0644);
	converging_twice(arena, want(path, TMPFS), "/etc/fstab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_line_is_added_to_what_is_mounted_already),
	    TEST(a_line_is_mended_in_place_and_the_others_stay),
	    TEST(two_lines_for_one_target_block_and_are_named),
	    TEST(lines_of_a_faulty_fstab_do_not_stand_in_the_way),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
