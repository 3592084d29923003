// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "base/mem.h"
#include "host/holders.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_holds_a_file_open_is_named),
	    TEST(who_stands_in_a_folder_is_named),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
