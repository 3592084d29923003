// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "provider/worker_inner.h"

#include <string.h>
#include <unistd.h>

struct taken {
	const char *paths[16];
	size_t count;
};

static int take(void *context, const struct tree_file *file, struct err *fault)
{
	struct taken *taken = context;

	if (taken->count == ARRAY_LEN(taken->paths)) {
		return err_set(fault, ERR_LIMIT, 0, "full");
	}
	taken->paths[taken->count++] = arena_strdup(arena, file->path);
	return 0;
}

static int read_into(struct taken *taken)
{
	struct tree_sink sink = {.take = take, .context = taken};

	return tree_read(scratch_path("t"), "t", false, &sink, &err);
}

static void folders_that_are_missing_are_empty(void **state)
{
	(void)state;
	struct taken taken = {0};

	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	assert_int_equal(read_into(&taken), 0);
	assert_int_equal(taken.count, 0);
}

static void only_files_with_the_right_ending_count(void **state)
{
	(void)state;
	struct taken taken = {0};

	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	scratch_mkdir(scratch_path("t/state/roles"), 0755);
	scratch_write(scratch_path("t/state/roles/a.yaml"), "", 0644);
	scratch_write(scratch_path("t/state/roles/a.yaml~"), "", 0644);
	scratch_write(scratch_path("t/state/roles/.b.yaml"), "", 0644);
	scratch_write(scratch_path("t/state/README"), "", 0644);
	assert_int_equal(read_into(&taken), 0);
	assert_int_equal(taken.count, 1);
	assert_string_equal(taken.paths[0], "state/roles/a.yaml");
}

/* Not left out without a word: the loader says that nothing stands there. */
static void files_almost_of_the_right_name_are_read_too(void **state)
{
	(void)state;
	struct taken taken = {0};

	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	scratch_mkdir(scratch_path("t/state/nodes"), 0755);
	scratch_write(scratch_path("t/state/default.yaml"), "", 0644);
	scratch_write(scratch_path("t/state/defaults.yaml"), "", 0644);
	scratch_write(scratch_path("t/state/nodes/n.yml"), "", 0644);
	assert_int_equal(read_into(&taken), 0);
	assert_int_equal(taken.count, 3);
	assert_string_equal(taken.paths[0], "state/default.yaml");
	assert_string_equal(taken.paths[1], "state/defaults.yaml");
	assert_string_equal(taken.paths[2], "state/nodes/n.yml");
}

static void a_folder_named_like_a_file_is_an_error(void **state)
{
	(void)state;
	struct taken taken = {0};

	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	scratch_mkdir(scratch_path("t/state/nodes"), 0755);
	scratch_mkdir(scratch_path("t/state/nodes/x.yaml"), 0755);
	assert_int_equal(read_into(&taken), -ERR_INPUT);
	assert_non_null(strstr(err.text, "x.yaml"));
}

static void a_file_that_is_too_large_is_refused_by_name(void **state)
{
	(void)state;
	struct taken taken = {0};

	scratch_mkdir(scratch_path("t"), 0755);
	scratch_mkdir(scratch_path("t/state"), 0755);
	scratch_write(scratch_path("t/state/defaults.yaml"), "", 0644);
	assert_int_equal(truncate(scratch_path("t/state/defaults.yaml"), (16 << 20) + 1), 0);
	assert_int_equal(read_into(&taken), -ERR_INPUT);
	assert_string_equal(err.text, "t/state/defaults.yaml: is larger than 16 MiB");
	assert_int_equal(truncate(scratch_path("t/state/defaults.yaml"), 16 << 20), 0);
	assert_int_equal(read_into(&taken), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(folders_that_are_missing_are_empty),
	    TEST(only_files_with_the_right_ending_count),
	    TEST(files_almost_of_the_right_name_are_read_too),
	    TEST(a_folder_named_like_a_file_is_an_error),
	    TEST(a_file_that_is_too_large_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
