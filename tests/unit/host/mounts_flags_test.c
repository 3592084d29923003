// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/mounts_inner.h"

#include "base/str.h"

#include <string.h>
#include <sys/mount.h>

/* The words of a text, parted by commas. */
static struct list words(const char *text)
{
	const char **items = arena_array(arena, 16, sizeof *items);
	struct list list = {.set = true, .items = items};
	char *rest = arena_strdup(arena, text);

	for (char *word; (word = strsep(&rest, ","));) {
		if (*word) {
			items[list.count++] = word;
		}
	}
	return list;
}

/* What a mount that shows these options is remounted with. */
static const char *remount(const char *shown, const char *asked)
{
	struct mount_row row = {.vfs_options = words(shown), .options = words(shown)};
	struct list list = words(asked);

	return mounts_flags_remount(arena, &row, &list);
}

static void all_that_is_in_force_is_said_again(void **state)
{
	(void)state;
	assert_string_equal(remount("rw,relatime", "nodev"), "remount,rw,nodev,relatime");
	assert_string_equal(remount("ro,nosuid,noatime", "nodev"), "remount,ro,nosuid,nodev,noatime");
	assert_string_equal(remount("ro,nosuid,relatime", "rw"), "remount,rw,nosuid,relatime");
	assert_string_equal(remount("rw,nosuid,noatime", "suid,relatime"), "remount,rw,relatime");
	/* What shows no word of access times keeps all of them. */
	assert_string_equal(remount("rw", "nodev"), "remount,rw,nodev,strictatime");
}

static void flags_of_the_file_system_are_kept_unless_the_opposite_is_asked_for(void **state)
{
	(void)state;
	assert_string_equal(remount("rw,relatime,sync,dirsync", "size=1m"),
	                    "remount,rw,relatime,sync,dirsync,size=1m");
	assert_string_equal(remount("rw,relatime,sync,dirsync", "async"),
	                    "remount,rw,relatime,dirsync,async");
}

static bool suffice(const char *asked, bool is_bind)
{
	struct list list = words(asked);

	return mounts_flags_suffice(&list, is_bind);
}

static void only_what_belongs_to_the_mount_point_is_done_on_it_alone(void **state)
{
	(void)state;
	assert_true(suffice("nodev,nosuid", false));
	assert_true(suffice("bind,nodev", true));
	assert_true(suffice("rbind,ro", true));
	assert_false(suffice("ro", false));
	assert_false(suffice("nodev,size=1m", false));
	assert_false(suffice("nodev,size=1m", true));
}

static void a_list_says_something_of_a_mount_point_or_nothing(void **state)
{
	struct list some = words("size=1m,noatime,nodev"), none = words("size=1m,bind");
	unsigned long flags = MS_RELATIME | MS_NOSUID;

	(void)state;
	assert_false(mounts_flags_take(&none, &flags));
	assert_int_equal(flags, MS_RELATIME | MS_NOSUID);
	assert_true(mounts_flags_take(&some, &flags));
	assert_int_equal(flags, MS_NOATIME | MS_NOSUID | MS_NODEV);
	assert_true(mounts_flags_have(&some, "noatime"));
	assert_false(mounts_flags_have(&some, "atime"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_that_is_in_force_is_said_again),
	    TEST(flags_of_the_file_system_are_kept_unless_the_opposite_is_asked_for),
	    TEST(only_what_belongs_to_the_mount_point_is_done_on_it_alone),
	    TEST(a_list_says_something_of_a_mount_point_or_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
