// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "unit/support/converging.h"

#include "provider/table.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static struct resource *want(const char *path, const char *rest)
{
	return converging_want(
	    arena, arena_printf(arena, "{\"kind\": \"directory\", \"path\": \"%s\"%s}", path, rest));
}

static void a_missing_directory_is_made_whatever_the_umask(void **state)
{
	(void)state;
	const char *path = scratch_path("d");
	mode_t before = umask(0777);

	converging_twice(arena, want(path, ""), path);
	umask(before);
	assert_int_equal(mode_of(path), 0755);
}

static void mode_owner_and_group_are_set_in_one_apply(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("d");
	struct stat st;

	converging_twice(
	    arena, want(path, ", \"mode\": \"2750\", \"owner\": \"nobody\", \"group\": \"daemon\""),
	    path);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02750);
	assert_int_not_equal(st.st_uid, 0);
	assert_int_not_equal(st.st_gid, 0);
}

static void what_is_not_wanted_stays_as_it_is(void **state)
{
	(void)state;
	const char *path = scratch_path("d");

	scratch_mkdir(path, 01777);
	assert_int_equal(converging_apply(arena, &host_linux_ops, want(path, ""), NULL), OUTCOME_KEPT);
	assert_int_equal(mode_of(path), 01777);
}

static void a_group_inherited_from_the_folder_above_is_put_right(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *above = scratch_path("above"), *path = scratch_path("above/d");
	struct stat st;

	scratch_mkdir(above, 02775);
	assert_int_equal(chown(above, 0, 1), 0);
	assert_int_equal(chmod(above, 02775), 0);
	converging_twice(arena, want(path, ", \"group\": \"root\""), path);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_link_in_its_place_blocks(void **state)
{
	(void)state;
	const char *path = scratch_path("d"), *why;

	scratch_mkdir(scratch_path("real"), 0700);
	assert_int_equal(symlink("real", path), 0);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"mode\": \"0755\""), &why),
	    OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "symbolic link"));
	assert_int_equal(mode_of(scratch_path("real")), 0700);
}

static void a_file_in_its_place_blocks(void **state)
{
	(void)state;
	const char *path = scratch_path("d"), *why;

	scratch_write(path, "here", 0644);
	assert_int_equal(converging_apply(arena, &host_linux_ops, want(path, ""), &why),
	                 OUTCOME_BLOCKED);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"state\": \"absent\""), &why),
	    OUTCOME_BLOCKED);
	assert_string_equal(scratch_read(path), "here");
}

static void a_missing_folder_above_blocks_and_is_named(void **state)
{
	(void)state;
	const char *why;

	assert_int_equal(converging_apply(arena, &host_linux_ops, want(scratch_path("no/d"), ""), &why),
	                 OUTCOME_BLOCKED);
	assert_non_null(strstr(why, scratch_path("no")));
}

static void an_empty_directory_is_removed(void **state)
{
	(void)state;
	const char *path = scratch_path("d");

	scratch_mkdir(path, 0755);
	converging_twice(arena, want(path, ", \"state\": \"absent\""), NULL);
	assert_int_equal(access(path, F_OK), -1);
}

static void one_that_is_not_empty_is_not_removed(void **state)
{
	(void)state;
	const char *path = scratch_path("d"), *why;

	scratch_mkdir(path, 0755);
	scratch_write(scratch_path("d/f"), "kept", 0644);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"state\": \"absent\""), &why),
	    OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "not empty"));
	assert_string_equal(scratch_read(scratch_path("d/f")), "kept");
}

static void reset_missing(void)
{
	scratch_clear();
}

static void reset_wrong_mode(void)
{
	scratch_clear();
	scratch_mkdir(scratch_path("d"), 0700);
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	const char *path = scratch_path("d");
	const char *json =
	    arena_printf(arena, "{\"kind\": \"directory\", \"path\": \"%s\", \"mode\": \"1750\"%s}",
	                 path, geteuid() ? "" : ", \"owner\": \"nobody\"");

	converging_sweep(json, reset_missing, path);
	converging_sweep(json, reset_wrong_mode, path);
	converging_sweep(
	    arena_printf(arena, "{\"kind\": \"directory\", \"path\": \"%s\", \"state\": \"absent\"}",
	                 path),
	    reset_wrong_mode, NULL);
}

static void what_is_predicted_is_what_is_observed(void **state)
{
	(void)state;
	const char *path = scratch_path("d");
	struct resource *wanted = want(path, ", \"mode\": \"0711\"");
	struct change change = {
	    .kind = wanted->kind,
	    .action = ACTION_CREATE,
	    .want = wanted,
	    .have = converging_observe(arena, wanted),
	};
	bool exact;
	const struct resource *after = converge_predict(arena, &change, &exact);

	converging_twice(arena, wanted, path);
	const struct resource *have = converging_observe(arena, wanted);

	assert_true(exact);
	assert_string_equal(after->directory.mode, have->directory.mode);
	if (geteuid() == 0) {
		assert_string_equal(after->directory.owner, have->directory.owner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_missing_directory_is_made_whatever_the_umask),
	    TEST(mode_owner_and_group_are_set_in_one_apply),
	    TEST(what_is_not_wanted_stays_as_it_is),
	    TEST(a_group_inherited_from_the_folder_above_is_put_right),
	    TEST(a_link_in_its_place_blocks),
	    TEST(a_file_in_its_place_blocks),
	    TEST(a_missing_folder_above_blocks_and_is_named),
	    TEST(an_empty_directory_is_removed),
	    TEST(one_that_is_not_empty_is_not_removed),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    TEST(what_is_predicted_is_what_is_observed),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
