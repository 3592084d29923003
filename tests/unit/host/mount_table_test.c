// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/mount_table.h"

#include <string.h>

static struct mount_table *parse(const char *text)
{
	struct mount_table *table = NULL;

	if (mount_table_parse(arena_strdup(arena, text), arena, &table, &err)) {
		fail_msg("%s", err.text);
	}
	return table;
}

#define ROOT "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static void a_row_is_cut_into_its_fields(void **state)
{
	(void)state;
	struct mount_table *table =
	    parse(ROOT "31 20 0:27 /sub\\040dir /mnt/a\\134b ro,nosuid shared:5 "
	               "master:1 - tmpfs a\\040b rw,size=64k\n");
	const struct mount_row *row = mount_table_at(table, "/mnt/a\\b");

	assert_non_null(row);
	assert_int_equal(row->id, 31);
	assert_int_equal(row->parent, 20);
	assert_int_equal(row->minor, 27);
	assert_string_equal(row->root, "/sub dir");
	assert_string_equal(row->source, "a b");
	assert_string_equal(row->type, "tmpfs");
	assert_int_equal(row->vfs_options.count, 2);
	assert_int_equal(row->options.count, 3);
	assert_string_equal(row->options.items[0], "ro");
	assert_string_equal(row->options.items[1], "nosuid");
	assert_string_equal(row->options.items[2], "size=64k");
}

static void an_empty_source_shifts_nothing(void **state)
{
	(void)state;
	const struct mount_row *row = mount_table_at(parse("20 1 8:1 / / rw - tmpfs  rw,x\n"), "/");

	assert_string_equal(row->source, "");
	assert_string_equal(row->options.items[1], "x");
}

static void garbage_is_an_error_with_its_line(void **state)
{
	(void)state;
	struct mount_table *table;

	assert_int_equal(
	    mount_table_parse(arena_strdup(arena, ROOT "what is this\n"), arena, &table, &err),
	    -ERR_HOST);
	assert_non_null(strstr(err.text, "line 2"));
}

static void the_top_of_a_stack_is_what_nobody_lies_on(void **state)
{
	(void)state;
	/* The order of the lines does not matter: one may be slid in beneath another. */
	struct mount_table *table = parse(ROOT "33 31 0:3 / /m rw - tmpfs top rw\n"
	                                       "31 32 0:2 / /m rw - tmpfs middle rw\n"
	                                       "32 20 0:1 / /m rw - tmpfs low rw\n");
	const struct mount_row *row = mount_table_at(table, "/m");

	assert_string_equal(row->source, "top");
	assert_int_equal(row->covers, 2);
	assert_string_equal(row->below->below->source, "low");
}

/* An id is given again as soon as it is free, which may be while the table is read. */
static void an_id_that_comes_twice_makes_no_ring(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT "32 31 0:3 / /m rw - tmpfs top rw\n"
	                                       "31 32 0:2 / /m rw - tmpfs before rw\n"
	                                       "31 20 0:1 / /m rw - tmpfs low rw\n");
	const struct mount_row *row = mount_table_at(table, "/m");

	assert_non_null(row);
	while (row->below) {
		row = row->below;
	}
	assert_string_equal(row->source, "low");
	/* On itself. */
	table = parse(ROOT "31 31 0:2 / /m rw - tmpfs before rw\n31 20 0:1 / /m rw - tmpfs low rw\n");
	assert_non_null(mount_table_at(table, "/m"));
}

static void what_a_later_mount_above_hides_is_not_seen(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT "30 20 0:1 / /a/b rw - tmpfs hidden rw\n"
	                                       "31 20 0:2 / /a rw - tmpfs over rw\n");

	assert_null(mount_table_at(table, "/a/b"));
	assert_string_equal(mount_table_over(table, "/a/b/c")->source, "over");
	table = parse(ROOT "30 20 0:1 / /a/b rw - tmpfs hidden rw\n"
	                   "31 20 0:2 / /a rw - tmpfs over rw\n"
	                   "32 31 0:3 / /a/b rw - tmpfs seen rw\n");
	assert_string_equal(mount_table_at(table, "/a/b")->source, "seen");
}

static void an_automount_counts_only_until_something_lies_on_it(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT "30 20 0:1 / /fsx rw - autofs systemd-1 rw,direct\n");

	assert_string_equal(mount_table_at(table, "/fsx")->type, "autofs");
	assert_string_equal(mount_table_trigger_over(table, "/fsx/a", false), "/fsx");
	assert_null(mount_table_trigger_over(table, "/fsx", false));
	assert_string_equal(mount_table_trigger_over(table, "/fsx", true), "/fsx");
	assert_null(mount_table_trigger_over(table, "/fsxy", true));
	table = parse(ROOT "30 20 0:1 / /fsx rw - autofs systemd-1 rw,direct\n"
	                   "31 30 0:2 / /fsx rw - lustre a@tcp:/fs rw\n");
	assert_string_equal(mount_table_at(table, "/fsx")->type, "lustre");
	assert_int_equal(mount_table_at(table, "/fsx")->covers, 0);
	assert_null(mount_table_trigger_over(table, "/fsx/a", false));
}

static void a_path_lies_on_the_longest_target_above_it(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT "30 20 0:1 / /a rw - tmpfs a rw\n"
	                                       "31 30 0:2 / /a/b rw - tmpfs b rw\n");

	assert_string_equal(mount_table_over(table, "/a/b/c")->source, "b");
	assert_string_equal(mount_table_over(table, "/a/b")->source, "b");
	assert_string_equal(mount_table_over(table, "/a/bc")->source, "a");
	assert_string_equal(mount_table_over(table, "/")->target, "/");
	assert_string_equal(mount_table_over(table, "/x")->target, "/");
}

static void a_table_without_a_root_row_works(void **state)
{
	(void)state;
	/* In a chroot that is no mount the row of / is not shown. */
	struct mount_table *table = parse("30 20 0:1 / /proc rw - proc proc rw\n");

	assert_non_null(mount_table_at(table, "/proc"));
	assert_null(mount_table_over(table, "/x"));
}

static void a_new_row_is_added_where_it_hides_nothing(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT "30 20 0:1 / /a rw - tmpfs a rw\n");

	assert_true(
	    mount_table_extend(table, arena_strdup(arena, "31 30 0:2 / /a/b rw - tmpfs b rw\n")));
	assert_string_equal(mount_table_over(table, "/a/b/c")->source, "b");
	assert_true(
	    mount_table_extend(table, arena_strdup(arena, "32 31 0:3 / /a/b rw - tmpfs c rw\n")));
	assert_int_equal(mount_table_at(table, "/a/b")->covers, 1);
	/* Over /a, what lies below disappears: that takes a whole look. */
	assert_false(
	    mount_table_extend(table, arena_strdup(arena, "33 30 0:4 / /a rw - tmpfs d rw\n")));
	assert_false(mount_table_extend(table, arena_strdup(arena, "")));
}

static void many_rows_are_added_one_by_one(void **state)
{
	(void)state;
	struct mount_table *table = parse(ROOT);

	for (int i = 0; i < 3000; i++) {
		assert_true(mount_table_extend(
		    table, arena_printf(arena, "%d 20 0:%d / /m%d rw - tmpfs s%d rw\n", 100 + i, i, i, i)));
	}
	assert_string_equal(mount_table_at(table, "/m2999")->source, "s2999");
	assert_int_equal(mount_table_count(table), 3001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_row_is_cut_into_its_fields),
	    TEST(an_empty_source_shifts_nothing),
	    TEST(garbage_is_an_error_with_its_line),
	    TEST(the_top_of_a_stack_is_what_nobody_lies_on),
	    TEST(an_id_that_comes_twice_makes_no_ring),
	    TEST(what_a_later_mount_above_hides_is_not_seen),
	    TEST(an_automount_counts_only_until_something_lies_on_it),
	    TEST(a_path_lies_on_the_longest_target_above_it),
	    TEST(a_table_without_a_root_row_works),
	    TEST(a_new_row_is_added_where_it_hides_nothing),
	    TEST(many_rows_are_added_one_by_one),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
