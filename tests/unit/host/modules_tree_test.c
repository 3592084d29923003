// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/modules_tree.h"

#include <string.h>
#include <unistd.h>

static struct arena *arena;
static const char *folder;

static const char *in(const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static int setup(void **state)
{
	static const char *const folders[] = {"kernel", "kernel/fs", "updates", "extra",
	                                      "weak-updates"};

	(void)state;
	arena = arena_create();
	folder = arena_strdup(arena, scratch_path("tree"));
	scratch_mkdir(folder, 0755);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		scratch_mkdir(in(folders[i]), 0755);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	arena_free(arena);
	return 0;
}

static void names_are_the_same_by_either_dash(void **state)
{
	(void)state;
	assert_true(modules_tree_same("nls-utf8", "nls_utf8"));
	assert_false(modules_tree_same("nls", "nls_utf8"));
	assert_true(modules_tree_is_file_of("nls-utf8.ko.zst", "nls_utf8"));
	assert_false(modules_tree_is_file_of("nls-utf8.ko.old", "nls_utf8"));
	assert_false(modules_tree_is_file_of(".ko", ""));
	assert_string_equal(modules_tree_name_of(arena, "/a/b-c.ko.xz"), "b_c");
	assert_null(modules_tree_name_of(arena, "/a/b.txt"));
}

static void of_several_files_the_one_depmod_takes_is_found(void **state)
{
	(void)state;
	assert_null(modules_tree_find(arena, folder, "x"));
	assert_int_equal(symlink(in("kernel/fs/y.ko"), in("weak-updates/x.ko")), 0);
	assert_string_equal(modules_tree_find(arena, folder, "x"), in("weak-updates/x.ko"));
	scratch_write(in("kernel/fs/x.ko"), "", 0644);
	assert_string_equal(modules_tree_find(arena, folder, "x"), in("kernel/fs/x.ko"));
	scratch_write(in("extra/x.ko.xz"), "", 0644);
	assert_string_equal(modules_tree_find(arena, folder, "x"), in("extra/x.ko.xz"));
	scratch_write(in("updates/x.ko.zst"), "", 0644);
	assert_string_equal(modules_tree_find(arena, folder, "x"), in("updates/x.ko.zst"));
}

static void sources_are_not_entered(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("src"), 0755);
	scratch_write(scratch_path("src/x.ko"), "", 0644);
	assert_int_equal(symlink(scratch_path("src"), in("sources")), 0);
	assert_null(modules_tree_find(arena, folder, "x"));
	/* Nor are the sources themselves. */
	scratch_mkdir(in("build"), 0755);
	scratch_write(in("build/x.ko"), "", 0644);
	assert_null(modules_tree_find(arena, folder, "x"));
}

static void packing_is_told_by_the_first_bytes(void **state)
{
	(void)state;
	scratch_write(in("a.ko"), "\x28\xb5\x2f\xfd....", 0644);
	assert_string_equal(modules_tree_packing(in("a.ko")), "zstd");
	scratch_write(in("a.ko"), "\x1f\x8b....", 0644);
	assert_string_equal(modules_tree_packing(in("a.ko")), "gzip");
	scratch_write(in("a.ko"), "\xfd\x37zXZ", 0644);
	assert_string_equal(modules_tree_packing(in("a.ko")), "xz");
	scratch_write(in("a.ko"),
	              "\x7f"
	              "ELF",
	              0644);
	assert_null(modules_tree_packing(in("a.ko")));
	scratch_write(in("a.ko"), "", 0644);
	assert_null(modules_tree_packing(in("a.ko")));
	assert_null(modules_tree_packing(in("none.ko")));
}

static void the_kernels_own_come_largest_first(void **state)
{
	struct modules_tree_file *files;

	(void)state;
	scratch_write(in("kernel/small.ko"), "1", 0644);
	scratch_write(in("kernel/fs/large.ko"), "12345", 0644);
	scratch_write(in("kernel/fs/also.ko"), "1", 0644);
	scratch_write(in("kernel/fs/note.txt"), "1234567", 0644);
	scratch_write(in("updates/foreign.ko"), "123456789", 0644);
	assert_int_equal(modules_tree_own(arena, folder, &files), 3);
	assert_string_equal(files[0].path, in("kernel/fs/large.ko"));
	assert_string_equal(files[1].path, in("kernel/fs/also.ko"));
	assert_string_equal(files[2].path, in("kernel/small.ko"));
}

static void what_is_built_in_is_named_by_its_list(void **state)
{
	(void)state;
	assert_false(modules_tree_is_builtin(arena, folder, "loop"));
	scratch_write(in("modules.builtin"), "kernel/drivers/block/loop.ko\n", 0644);
	assert_true(modules_tree_is_builtin(arena, folder, "loop"));
	assert_false(modules_tree_is_builtin(arena, folder, "loo"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_are_the_same_by_either_dash),
	    TEST(of_several_files_the_one_depmod_takes_is_found),
	    TEST(sources_are_not_entered),
	    TEST(packing_is_told_by_the_first_bytes),
	    TEST(the_kernels_own_come_largest_first),
	    TEST(what_is_built_in_is_named_by_its_list),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
