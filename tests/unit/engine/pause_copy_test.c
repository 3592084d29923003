// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/clock.h"
#include "engine/pause_copy.h"

#include <string.h>
#include <sys/stat.h>

static const char boot[] = "11111111-2222-3333-4444-555555555555";
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

static const char *copy_path(void)
{
	return scratch_path("run/" PAUSE_COPY);
}

/* Reads what lies in the run-dir, so long after now, in that boot. */
static bool read_after(int64_t seconds, const char *boot_id, struct pause *ret_pause)
{
	const struct pause_moment at = {clock_now() + seconds, clock_ms() + seconds * 1000, boot_id};
	const char *text = scratch_read(copy_path());

	return pause_copy_parse(text, strlen(text), &at, arena, ret_pause);
}

static struct pause a_pause(int64_t since, int64_t until)
{
	return (struct pause){.paused = true,
	                      .reason = "the rack is moved",
	                      .who = "kim",
	                      .since = since,
	                      .until = until};
}

static void what_was_found_is_told_to_all_and_of_when_it_is(void **state)
{
	(void)state;
	int64_t now = clock_now();
	struct pause pause = a_pause(now - 100, now + 100), told;
	struct stat st;

	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_int_equal(stat(copy_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(read_after(10, boot, &told));
	assert_true(told.paused);
	assert_string_equal(told.reason, "the rack is moved");
	assert_string_equal(told.who, "kim");
	assert_int_equal(told.since, now - 100);
	assert_true(told.until >= now + 95 && told.until <= now + 105);
	assert_true(told.seen >= now && told.seen <= now + 60);
	assert_null(told.unseen);
}

static void it_ends_by_itself(void **state)
{
	(void)state;
	int64_t now = clock_now();
	struct pause pause = a_pause(now - 100, now + 100), told;

	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_true(read_after(200, boot, &told));
	assert_false(told.paused);
	/* One without an end does not. */
	pause = a_pause(now - 100, 0);
	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_true(read_after(1000000, boot, &told));
	assert_true(told.paused);
	assert_int_equal(told.until, 0);
}

static void that_there_is_none_is_told_too(void **state)
{
	(void)state;
	struct pause pause = {0}, told;

	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_true(read_after(0, boot, &told));
	assert_false(told.paused);
	assert_true(told.seen > 0);
}

static void damage_that_pauses_is_told(void **state)
{
	(void)state;
	struct pause pause = {.paused = true, .reason = "the file that says so is damaged"}, told;

	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_true(read_after(0, boot, &told));
	assert_true(told.paused);
	assert_string_equal(told.reason, "the file that says so is damaged");
}

static void another_boot_or_a_damaged_copy_tells_nothing(void **state)
{
	(void)state;
	struct pause pause = a_pause(clock_now(), 0), told;
	const struct pause_moment at = {clock_now(), clock_ms(), boot};

	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_false(read_after(0, "another", &told));
	assert_false(read_after(0, "", &told));
	assert_false(pause_copy_parse("", 0, &at, arena, &told));
	assert_false(pause_copy_parse("{\"paused\": true", 15, &at, arena, &told));
	assert_false(pause_copy_parse("[]", 2, &at, arena, &told));
}

static void where_it_cannot_be_told_none_is_left(void **state)
{
	(void)state;
	struct pause pause = a_pause(clock_now(), 0);
	struct stat st;

	pause_copy_write(scratch_path("run"), boot, &pause);
	pause = (struct pause){.unseen = "no answer in time"};
	pause_copy_write(scratch_path("run"), boot, &pause);
	assert_int_not_equal(lstat(copy_path(), &st), 0);
	/* And nowhere to write it is nobody's end. */
	scratch_write(scratch_path("file"), "", 0644);
	pause_copy_write(scratch_path("file/run"), boot, &pause);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_found_is_told_to_all_and_of_when_it_is),
	    TEST(it_ends_by_itself),
	    TEST(that_there_is_none_is_told_too),
	    TEST(damage_that_pauses_is_told),
	    TEST(another_boot_or_a_damaged_copy_tells_nothing),
	    TEST(where_it_cannot_be_told_none_is_left),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
