// SPDX-License-Identifier: MIT
#include "working.h"

#include <errno.h>
#include <sys/stat.h>

static void make_tree(void)
{
	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	scratch_mkdir(scratch_path("t/state/nodes"), 0755);
	scratch_mkdir(scratch_path("t/policies"), 0755);
	scratch_mkdir(scratch_path("t/policies/lib"), 0755);
	scratch_write(scratch_path("t/state/defaults.yaml"), "version: 1\n", 0644);
	scratch_write(scratch_path("t/state/nodes/b.yaml"), "b", 0644);
	scratch_write(scratch_path("t/state/nodes/a.yaml"), "\377\376caf\xc3\xa9", 0644);
	scratch_write(scratch_path("t/state/nodes/.a.yaml.swp.yaml"), "no", 0644);
	scratch_write(scratch_path("t/policies/x.lua"), "return {}", 0644);
	scratch_write(scratch_path("t/policies/lib/y.lua"), "", 0644);
}

static void a_tree_is_read_whole_and_sorted(void **state)
{
	(void)state;
	static const char *const paths[] = {"state/defaults.yaml", "state/nodes/a.yaml",
	                                    "state/nodes/b.yaml", "policies/x.lua",
	                                    "policies/lib/y.lua"};
	struct tree_files files;
	struct err err;

	make_tree();
	assert_int_equal(worker_read_tree(worker, scratch_path("t"), false, arena, &files, &err), 0);
	assert_int_equal(files.count, ARRAY_LEN(paths));
	for (size_t i = 0; i < files.count; i++) {
		assert_string_equal(files.list[i].path, paths[i]);
		assert_string_equal(files.list[i].name, path_join(arena, scratch_path("t"), paths[i]));
	}
	assert_int_equal(files.list[1].length, 7);
	assert_memory_equal(files.list[1].text, "\377\376caf\xc3\xa9", 8);
	assert_int_equal(files.list[4].length, 0);
}

static void a_relative_tree_is_found_and_named_as_typed(void **state)
{
	(void)state;
	struct tree_files files;
	char before[4096];
	struct err err;

	make_tree();
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(scratch_dir()), 0);
	int r = worker_read_tree(worker, "t", false, arena, &files, &err);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(r, 0);
	assert_string_equal(files.list[0].name, "t/state/defaults.yaml");
}

static void no_tree_is_an_error_that_says_what_was_expected(void **state)
{
	(void)state;
	struct tree_files files;
	struct err err;

	assert_int_equal(worker_read_tree(worker, scratch_path("t"), false, arena, &files, &err),
	                 -ERR_INPUT);
	assert_non_null(strstr(err.text, "state"));
}

static void a_tree_that_others_may_write_is_refused_and_the_place_named(void **state)
{
	(void)state;
	struct tree_files files;
	struct err err;

	make_tree();
	assert_int_equal(worker_read_tree(worker, scratch_path("t"), true, arena, &files, &err), 0);
	assert_int_equal(chmod(scratch_path("t/state/nodes/b.yaml"), 0666), 0);
	assert_int_equal(worker_read_tree(worker, scratch_path("t"), true, arena, &files, &err),
	                 -ERR_INPUT);
	assert_non_null(strstr(err.text, "state/nodes/b.yaml"));
	assert_int_equal(chmod(scratch_path("t/state/nodes/b.yaml"), 0644), 0);
	assert_int_equal(chmod(scratch_path("t"), 0777), 0);
	assert_int_equal(worker_read_tree(worker, scratch_path("t"), true, arena, &files, &err),
	                 -ERR_INPUT);
	assert_int_equal(worker_read_tree(worker, scratch_path("t"), false, arena, &files, &err), 0);
}

static void one_file_is_read_or_said_to_be_missing(void **state)
{
	(void)state;
	struct tree_file file;
	struct err err;

	scratch_write(scratch_path("facts.json"), "{}", 0644);
	assert_int_equal(
	    worker_read_file(worker, scratch_path("facts.json"), true, 100, arena, &file, &err), 0);
	assert_string_equal(file.text, "{}");
	assert_int_equal(
	    worker_read_file(worker, scratch_path("facts.json"), true, 1, arena, &file, &err),
	    -ERR_INPUT);
	assert_int_equal(worker_read_file(worker, scratch_path("no"), false, 100, arena, &file, &err),
	                 -ERR_INPUT);
	assert_int_equal(err.os, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_tree_is_read_whole_and_sorted),
	    TEST(a_relative_tree_is_found_and_named_as_typed),
	    TEST(no_tree_is_an_error_that_says_what_was_expected),
	    TEST(a_tree_that_others_may_write_is_refused_and_the_place_named),
	    TEST(one_file_is_read_or_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
