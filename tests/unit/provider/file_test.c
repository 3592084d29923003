// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "unit/support/converging.h"

#include "base/digest.h"
#include "provider/table.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct resource *want(const char *path, const char *rest)
{
	return converging_want(
	    arena, arena_printf(arena, "{\"kind\": \"file\", \"path\": \"%s\"%s}", path, rest));
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void a_missing_file_is_written_whatever_the_umask(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	mode_t before = umask(0777);

	converging_twice(arena, want(path, ", \"content\": \"one\\ntwo\\n\""), path);
	umask(before);
	assert_int_equal(mode_of(path), 0644);
	assert_string_equal(scratch_read(path), "one\ntwo\n");
}

static void another_content_keeps_mode_and_owner(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	struct stat st;

	scratch_write(path, "old", 0600);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 2), 0);
	}
	converging_twice(arena, want(path, ", \"content\": \"new\""), path);
	assert_string_equal(scratch_read(path), "new");
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1);
		assert_int_equal(st.st_gid, 2);
	}
}

static void another_mode_does_not_write_it_anew(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	struct stat before, after;

	scratch_write(path, "same", 0600);
	assert_int_equal(lstat(path, &before), 0);
	converging_twice(arena, want(path, ", \"content\": \"same\", \"mode\": \"0640\""), path);
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode & 07777, 0640);
}

static void set_id_bits_survive_a_change_of_owner(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("f");

	scratch_write(path, "x", 04755);
	converging_twice(arena, want(path, ", \"mode\": \"4755\", \"owner\": \"nobody\""), path);
	assert_int_equal(mode_of(path), 04755);
}

/* Somebody may put another file there right before it is given its owner's rights. */
static void what_gets_set_id_bits_is_written_anew(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	struct stat before, after;

	scratch_write(path, "tool", 0755);
	assert_int_equal(link(path, scratch_path("old")), 0); /* so that its inode stays taken */
	assert_int_equal(lstat(path, &before), 0);
	converging_twice(arena, want(path, ", \"content\": \"tool\", \"mode\": \"4755\""), path);
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 04755);
	assert_int_not_equal(after.st_ino, before.st_ino);
	assert_int_equal(mode_of(scratch_path("old")), 0755);
}

static void what_a_crash_left_beside_it_is_replaced(void **state)
{
	(void)state;
	const char *path = scratch_path("f"), *left = scratch_path(".f.reconcile");

	scratch_write(scratch_path("victim"), "untouched", 0644);
	assert_int_equal(symlink("victim", left), 0);
	converging_twice(arena, want(path, ", \"content\": \"whole\""), path);
	assert_string_equal(scratch_read(path), "whole");
	assert_string_equal(scratch_read(scratch_path("victim")), "untouched");
	assert_int_equal(access(left, F_OK), -1);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	(void)state;
	const char *path = scratch_path("f"), *why;

	scratch_write(scratch_path("real"), "kept", 0600);
	assert_int_equal(symlink("real", path), 0);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"content\": \"x\""), &why),
	    OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "symbolic link"));
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"state\": \"absent\""), &why),
	    OUTCOME_BLOCKED);
	assert_string_equal(scratch_read(scratch_path("real")), "kept");
}

static void a_link_that_comes_after_the_look_is_not_followed_either(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	struct file_write write = {.data = "x", .length = 1, .mode = 0644};

	scratch_write(scratch_path("real"), "kept", 0600);
	assert_int_equal(symlink("real", path), 0);
	assert_int_not_equal(host.ops->write(&host, path, &write, &err), 0);
	assert_int_not_equal(host.ops->set_mode(&host, path, 0777, &err), 0);
	assert_int_not_equal(host.ops->set_owner(&host, path, 0, 0, &err), 0);
	assert_string_equal(scratch_read(scratch_path("real")), "kept");
	assert_int_equal(mode_of(scratch_path("real")), 0600);
}

static void a_directory_in_its_place_blocks(void **state)
{
	(void)state;
	const char *path = scratch_path("f"), *why;

	scratch_mkdir(path, 0755);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"content\": \"x\""), &why),
	    OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "directory"));
}

static void a_pipe_in_its_place_blocks_and_is_not_opened(void **state)
{
	(void)state;
	const char *path = scratch_path("f"), *why;

	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want(path, ", \"content\": \"x\""), &why),
	    OUTCOME_BLOCKED);
}

static void a_missing_folder_above_blocks_and_is_named(void **state)
{
	(void)state;
	const char *why;

	assert_int_equal(converging_apply(arena, &host_linux_ops,
	                                  want(scratch_path("no/f"), ", \"content\": \"x\""), &why),
	                 OUTCOME_BLOCKED);
	assert_non_null(strstr(why, scratch_path("no")));
}

static void a_file_wanted_absent_is_removed(void **state)
{
	(void)state;
	const char *path = scratch_path("f");

	scratch_write(path, "x", 0644);
	converging_twice(arena, want(path, ", \"state\": \"absent\""), NULL);
	assert_int_equal(access(path, F_OK), -1);
}

static void content_is_shown_only_of_what_all_may_read(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	const struct resource *have;

	scratch_write(path, "public", 0644);
	have = converging_observe(arena, want(path, ""));
	assert_string_equal(have->file.content, "public");
	assert_string_equal(have->file.digest, digest_bytes("public", 6).hex);
	scratch_write(path, "secret", 0640);
	have = converging_observe(arena, want(path, ""));
	assert_null(have->file.content);
	assert_string_equal(have->file.digest, digest_bytes("secret", 6).hex);
	scratch_write(path, "\377\376", 0644);
	assert_null(converging_observe(arena, want(path, ""))->file.content);
}

static void reset_missing(void)
{
	scratch_clear();
}

static void reset_wrong_content(void)
{
	scratch_clear();
	scratch_write(scratch_path("f"), "wrong", 0666);
}

static void reset_wrong_mode(void)
{
	scratch_clear();
	scratch_write(scratch_path("f"), "right", 0666);
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	const char *json = arena_printf(
	    arena,
	    "{\"kind\": \"file\", \"path\": \"%s\", \"content\": \"right\", \"mode\": \"0640\"%s}",
	    path, geteuid() ? "" : ", \"owner\": \"nobody\"");

	converging_sweep(json, reset_missing, path);
	converging_sweep(json, reset_wrong_content, path);
	converging_sweep(json, reset_wrong_mode, path);
	converging_sweep(
	    arena_printf(arena, "{\"kind\": \"file\", \"path\": \"%s\", \"state\": \"absent\"}", path),
	    reset_wrong_mode, NULL);
}

static void what_changed_since_it_was_planned_is_not_overwritten(void **state)
{
	(void)state;
	const char *path = scratch_path("f");
	struct resource *wanted = want(path, ", \"content\": \"x\"");
	struct change change = {
	    .kind = wanted->kind,
	    .action = ACTION_CREATE,
	    .want = wanted,
	    .have = converging_observe(arena, wanted),
	};
	struct applied applied;

	scratch_write(path, "somebody's", 0644);
	assert_int_equal(converge_apply(&host, &change, arena, &applied, &err), 0);
	assert_int_equal(applied.outcome, OUTCOME_BLOCKED);
	assert_string_equal(scratch_read(path), "somebody's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_missing_file_is_written_whatever_the_umask),
	    TEST(another_content_keeps_mode_and_owner),
	    TEST(another_mode_does_not_write_it_anew),
	    TEST(set_id_bits_survive_a_change_of_owner),
	    TEST(what_gets_set_id_bits_is_written_anew),
	    TEST(what_a_crash_left_beside_it_is_replaced),
	    TEST(a_link_in_its_place_is_not_followed),
	    TEST(a_link_that_comes_after_the_look_is_not_followed_either),
	    TEST(a_directory_in_its_place_blocks),
	    TEST(a_pipe_in_its_place_blocks_and_is_not_opened),
	    TEST(a_missing_folder_above_blocks_and_is_named),
	    TEST(a_file_wanted_absent_is_removed),
	    TEST(content_is_shown_only_of_what_all_may_read),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    TEST(what_changed_since_it_was_planned_is_not_overwritten),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
