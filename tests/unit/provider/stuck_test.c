// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "provider/stuck.h"

#include <string.h>
#include <sys/stat.h>
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

static struct stuck sample(const char *target)
{
	return (struct stuck){
	    .target = target,
	    .mount_id = 31,
	    .what = "file:/fsx/a",
	    .since = 1700000000,
	    .pid = getpid(),
	    .starttime = child_starttime(getpid()),
	};
}

static void a_record_outlives_the_run_while_the_process_lives(void **state)
{
	(void)state;
	struct stuck_list first = {.arena = arena}, second = {.arena = arena};
	struct stuck stuck = sample("/fsx");

	stuck_add(&first, &stuck, scratch_path("run"));
	stuck_load(&second, scratch_path("run"));
	assert_int_equal(second.count, 1);
	assert_string_equal(second.list[0].target, "/fsx");
	assert_string_equal(second.list[0].what, "file:/fsx/a");
	assert_int_equal(second.list[0].mount_id, 31);
	assert_int_equal(second.list[0].since, 1700000000);
	assert_int_equal(stuck_alive(&second), 1);
}

static void the_record_of_a_process_that_is_gone_goes(void **state)
{
	(void)state;
	struct stuck_list first = {.arena = arena}, second = {.arena = arena};
	struct stuck stuck = sample("/fsx");
	const char *path = arena_printf(arena, "%s/stuck/%d.json", scratch_path("run"), (int)getpid());

	stuck.starttime++;
	stuck_add(&first, &stuck, scratch_path("run"));
	assert_int_equal(access(path, F_OK), 0);
	stuck_load(&second, scratch_path("run"));
	assert_int_equal(second.count, 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void garbage_is_no_record(void **state)
{
	(void)state;
	struct stuck_list list = {.arena = arena};

	scratch_mkdir(scratch_path("run"), 0755);
	scratch_mkdir(scratch_path("run/stuck"), 0755);
	scratch_write(scratch_path("run/stuck/1.json"), "{\"pid\": ", 0644);
	scratch_write(scratch_path("run/stuck/2.json"), "{\"pid\": 1}", 0644);
	stuck_load(&list, scratch_path("run"));
	assert_int_equal(list.count, 0);
	stuck_load(&list, scratch_path("nowhere"));
}

static void what_lies_below_is_out_of_bounds(void **state)
{
	(void)state;
	struct stuck_list list = {.arena = arena};
	struct stuck stuck = sample("/fsx"), other = sample(NULL);

	stuck_add(&list, &other, NULL);
	stuck_add(&list, &stuck, NULL);
	assert_non_null(stuck_over(&list, "/fsx/a/b", false));
	assert_null(stuck_over(&list, "/fsx", false));
	assert_non_null(stuck_over(&list, "/fsx", true));
	assert_null(stuck_over(&list, "/fsxy", true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_record_outlives_the_run_while_the_process_lives),
	    TEST(the_record_of_a_process_that_is_gone_goes),
	    TEST(garbage_is_no_record),
	    TEST(what_lies_below_is_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
