// SPDX-License-Identifier: MIT
/* Where a history may lie, and moving it away. store_test.c has the same seen from outside. */
#include "unit/store/fixture.h"

#include "store/place.h"

static void a_missing_folder_is_made_only_when_writing(void **state)
{
	struct fixture *f = *state;
	char *path = arena_printf(f->arena, "%s/a/b/history.db", f->folder);
	struct place place = place_examine(path, false, f->arena);

	assert_int_equal(place.state, PLACE_NEW);
	assert_false(fixture_exists(arena_printf(f->arena, "%s/a", f->folder)));
	mode_t mask = umask(077);

	place = place_examine(path, true, f->arena);
	umask(mask);
	assert_int_equal(place.state, PLACE_NEW);
	struct stat st;

	assert_int_equal(stat(arena_printf(f->arena, "%s/a", f->folder), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(arena_printf(f->arena, "%s/a/b", f->folder), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_false(fixture_exists(path));
}

static void the_folder_may_be_reached_by_a_link(void **state)
{
	struct fixture *f = *state;
	char *real = arena_printf(f->arena, "%s/real", f->folder);
	char *link = arena_printf(f->arena, "%s/link", f->folder);

	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink(real, link), 0);
	struct place place =
	    place_examine(arena_printf(f->arena, "%s/history.db", link), true, f->arena);

	assert_int_equal(place.state, PLACE_NEW);
	assert_string_equal(place.path, arena_printf(f->arena, "%s/history.db", real));
}

static void a_path_that_names_no_file_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = {"history.db", "/", "/a/../history.db", "", "/a/"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct place place = place_examine(paths[i], true, f->arena);

		assert_int_equal(place.state, PLACE_REFUSED);
		assert_non_null(place.problem);
	}
}

static void all_files_move_under_one_new_name(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"", "-wal", "-shm", "-journal"};
	const char *aside = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		fixture_write_file(arena_printf(f->arena, "%s%s", f->path, names[i]), names[i], 1);
	}
	assert_int_equal(place_set_aside(f->path, f->arena, &aside, &f->err), 0);
	assert_true(text_starts(aside, f->path));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_false(fixture_exists(arena_printf(f->arena, "%s%s", f->path, names[i])));
		assert_true(fixture_exists(arena_printf(f->arena, "%s%s", aside, names[i])));
	}
}

static void nothing_is_overwritten_within_one_second(void **state)
{
	struct fixture *f = *state;
	const char *aside[20];

	for (size_t i = 0; i < ARRAY_LEN(aside); i++) {
		/* Now the file, now only its log. */
		fixture_write_file(arena_printf(f->arena, "%s%s", f->path, i % 3 ? "" : "-wal"), "x", 1);
		assert_int_equal(place_set_aside(f->path, f->arena, &aside[i], &f->err), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(aside); i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(aside[i], aside[k]);
		}
	}
}

static void the_newest_three_that_were_set_aside_are_kept(void **state)
{
	struct fixture *f = *state;
	char *beside = arena_printf(f->arena, "%s.set-aside", f->path);
	char *theirs = arena_printf(f->arena, "%s.set-aside-2001-01-01T00:00:00Z", f->path);
	char *older = arena_printf(f->arena, "%s.set-aside-2002-02-02T00:00:00Z", f->path);
	const char *aside[5];

	fixture_write_file(beside, "x", 1);
	assert_int_equal(symlink("x", theirs), 0);
	fixture_write_file(older, "x", 1);
	fixture_write_file(arena_printf(f->arena, "%s-wal", older), "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(aside); i++) {
		fixture_write_file(f->path, "x", 1);
		fixture_write_file(arena_printf(f->arena, "%s-wal", f->path), "x", 1);
		assert_int_equal(place_set_aside(f->path, f->arena, &aside[i], &f->err), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(aside); i++) {
		assert_int_equal(fixture_exists(aside[i]), i >= 2);
		assert_int_equal(fixture_exists(arena_printf(f->arena, "%s-wal", aside[i])), i >= 2);
	}
	assert_false(fixture_exists(older));
	assert_false(fixture_exists(arena_printf(f->arena, "%s-wal", older)));
	/* Other names, and what is no file of ours. */
	assert_true(fixture_exists(beside));
	assert_true(fixture_exists(theirs));
}

static void other_names_are_not_moved(void **state)
{
	struct fixture *f = *state;
	char *path = arena_printf(f->arena, "%s/passwd", f->folder);
	const char *aside;

	fixture_write_file(path, "root", 4);
	assert_int_equal(place_set_aside(path, f->arena, &aside, &f->err), -ERR_STORE);
	assert_true(fixture_exists(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(a_missing_folder_is_made_only_when_writing),
	    FIXTURE_TEST(the_folder_may_be_reached_by_a_link),
	    FIXTURE_TEST(a_path_that_names_no_file_is_refused),
	    FIXTURE_TEST(all_files_move_under_one_new_name),
	    FIXTURE_TEST(nothing_is_overwritten_within_one_second),
	    FIXTURE_TEST(the_newest_three_that_were_set_aside_are_kept),
	    FIXTURE_TEST(other_names_are_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
