// SPDX-License-Identifier: MIT
/* Paths as text. */
#include "base/path.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void path_in_normal_form_has_no_fault(void **state)
{
	(void)state;
	static const char *const paths[] = {"/",    "/a",  "/a/b",       "/.a", "/..a",
	                                    "/...", "/a.", "/a/..b/c d", "/\n"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_null(path_fault(paths[i]));
	}
}

static void path_fault_names_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *path, *fault;
	} cases[] = {
	    {"", "is empty, expected an absolute path"},
	    {"a", "is relative, expected an absolute path"},
	    {"./a", "is relative, expected an absolute path"},
	    {"//", "has an empty part"},
	    {"/a//b", "has an empty part"},
	    {"//a", "has an empty part"},
	    {"/a/", "ends in a slash"},
	    {"/a//", "has an empty part"},
	    {"/.", "has a part \".\""},
	    {"/a/./b", "has a part \".\""},
	    {"/..", "has a part \"..\""},
	    {"/a/..", "has a part \"..\""},
	    {"/../a", "has a part \"..\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(path_fault(cases[i].path), cases[i].fault);
	}
}

static void path_is_shorter_than_path_max(void **state)
{
	(void)state;
	char path[PATH_MAX + 1];

	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[PATH_MAX] = '\0';
	assert_string_equal(path_fault(path), "is longer than a path may be");
	path[PATH_MAX - 1] = '\0';
	assert_null(path_fault(path));
}

static void path_parent_goes_up_to_the_root(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();

	assert_string_equal(path_parent(arena, "/a/b/c"), "/a/b");
	assert_string_equal(path_parent(arena, "/a/b"), "/a");
	assert_string_equal(path_parent(arena, "/a"), "/");
	assert_null(path_parent(arena, "/"));
}

static void path_name_is_the_last_part(void **state)
{
	(void)state;
	assert_string_equal(path_name("/a/b"), "b");
	assert_string_equal(path_name("/a"), "a");
	assert_string_equal(path_name("a"), "a");
	assert_string_equal(path_name("/"), "");
}

static void path_is_below_counts_whole_parts(void **state)
{
	(void)state;
	assert_true(path_is_below("/a/b", "/a", false));
	assert_true(path_is_below("/a/b/c", "/a", false));
	assert_false(path_is_below("/ab", "/a", true));
	assert_false(path_is_below("/", "/a", true));
	assert_false(path_is_below("/a", "/a/b", true));
	assert_true(path_is_below("/a", "/", false));
	assert_true(path_is_below("/a", "/a", true));
	assert_false(path_is_below("/a", "/a", false));
	assert_true(path_is_below("/", "/", true));
	assert_false(path_is_below("/", "/", false));
}

static void path_join_does_not_double_the_slash(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();

	assert_string_equal(path_join(arena, "/", "a"), "/a");
	assert_string_equal(path_join(arena, "/a", "b"), "/a/b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_in_normal_form_has_no_fault),
	    cmocka_unit_test(path_fault_names_what_is_wrong),
	    cmocka_unit_test(path_is_shorter_than_path_max),
	    cmocka_unit_test(path_parent_goes_up_to_the_root),
	    cmocka_unit_test(path_name_is_the_last_part),
	    cmocka_unit_test(path_is_below_counts_whole_parts),
	    cmocka_unit_test(path_join_does_not_double_the_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
