// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/modules_config.h"

#include <string.h>

static struct arena *arena;
static const char *folders[3];

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	folders[0] = arena_strdup(arena, scratch_path("etc"));
	folders[1] = arena_strdup(arena, scratch_path("lib"));
	scratch_mkdir(folders[0], 0755);
	scratch_mkdir(folders[1], 0755);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	arena_free(arena);
	return 0;
}

static const char *found(const char *command, const char *name)
{
	const char *at = modules_config_find(arena, folders, command, name);

	return at ? strrchr(at, '/') + 1 : "";
}

static void a_line_is_found_with_its_number(void **state)
{
	(void)state;
	scratch_write(scratch_path("etc/b.conf"), "#blacklist xfs\n\n  blacklist\txfs  \n", 0644);
	assert_string_equal(found("blacklist", "xfs"), "b.conf:3");
	assert_string_equal(found("blacklist", "ext4"), "");
	assert_string_equal(found("install", "xfs"), "");
	scratch_write(scratch_path("lib/a.conf"), "install nls-utf8 /bin/true\n", 0644);
	assert_string_equal(found("install", "nls_utf8"), "a.conf:1");
}

static void a_file_hides_its_namesake_and_others_are_not_read(void **state)
{
	(void)state;
	scratch_write(scratch_path("lib/a.conf"), "blacklist xfs\n", 0644);
	scratch_write(scratch_path("lib/a.conf.dpkg-old"), "blacklist ext4\n", 0644);
	assert_string_equal(found("blacklist", "xfs"), "a.conf:1");
	scratch_write(scratch_path("etc/a.conf"), "", 0644);
	assert_string_equal(found("blacklist", "xfs"), "");
	assert_string_equal(found("blacklist", "ext4"), "");
}

static void libkmod_sees_the_same_blacklist(void **state)
{
	struct err err;
	const struct modules_library *kmod = modules_library(&err);

	(void)state;
	if (!kmod) {
		print_message("# skip: %s\n", err.text);
		skip();
	}
	scratch_write(scratch_path("etc/a.conf"), "blacklist nls-utf8\n", 0644);
	struct kmod_ctx *ctx = modules_library_context(kmod, "/nonexistent", folders, &err);

	assert_non_null(ctx);
	assert_true(modules_config_blacklists(kmod, ctx, "nls_utf8"));
	assert_false(modules_config_blacklists(kmod, ctx, "xfs"));
	kmod->kmod_unref(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_line_is_found_with_its_number),
	    TEST(a_file_hides_its_namesake_and_others_are_not_read),
	    TEST(libkmod_sees_the_same_blacklist),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
