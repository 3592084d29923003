// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/mem.h"
#include "host/holders.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void who_holds_a_file_open_is_named(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("d"), 0755);
	scratch_write(scratch_path("d/f"), "x", 0644);
	assert_null(holders_of(scratch_path("d"), arena));
	int fd = open(scratch_path("d/f"), O_RDONLY | O_CLOEXEC);

	assert_non_null(
	    strstr(holders_of(scratch_path("d"), arena), arena_printf(arena, "(%d)", (int)getpid())));
	assert_null(holders_of(scratch_path("d/fx"), arena));
	close(fd);
}

static void who_stands_in_a_folder_is_named(void **state)
{
	(void)state;
	char before[4096];

	scratch_mkdir(scratch_path("d"), 0755);
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(scratch_path("d")), 0);
	const char *holders = holders_of(scratch_path("d"), arena);

	assert_int_equal(chdir(before), 0);
	assert_non_null(holders);
	assert_non_null(strstr(holders, "holders_test"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_holds_a_file_open_is_named),
	    TEST(who_stands_in_a_folder_is_named),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
