// SPDX-License-Identifier: MIT
/* Lists of faults. */
#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void diag_add_keeps_place_text_and_hint(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};
	char hint[] = "mounts";

	diag_add(&diags, (struct pos){"a.yaml", 3, 7}, hint, "unknown key %s", "mount");
	hint[0] = '?';
	diag_add(&diags, (struct pos){0}, NULL, "nothing");
	assert_int_equal(diags.count, 2);
	assert_int_equal(diags.list[0].err.code, ERR_INPUT);
	assert_string_equal(diags.list[0].err.at.file, "a.yaml");
	assert_int_equal(diags.list[0].err.at.col, 7);
	assert_string_equal(diags.list[0].err.text, "unknown key mount");
	assert_string_equal(diags.list[0].hint, "mounts");
	assert_null(diags.list[1].hint);
}

static void diag_add_err_takes_the_error_over(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};
	struct err err;

	(void)err_at(&err, ERR_LIMIT, (struct pos){"b.yaml", 1, 1}, "too deep");
	diag_add_err(&diags, &err, NULL);
	(void)err_set(&err, ERR_BUG, 0, "changed");
	assert_int_equal(diags.list[0].err.code, ERR_LIMIT);
	assert_string_equal(diags.list[0].err.text, "too deep");
}

static void diag_sort_of_little_changes_nothing(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};

	diag_sort(&diags);
	assert_int_equal(diags.count, 0);
	diag_add(&diags, (struct pos){"a", 1, 1}, NULL, "one");
	diag_sort(&diags);
	assert_string_equal(diags.list[0].err.text, "one");
}

static void diag_sort_goes_by_file_line_column(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};
	static const struct pos places[] = {{"b", 1, 1}, {"a", 10, 1}, {"a", 9, 5},
	                                    {"a", 9, 4}, {NULL, 0, 0}, {"a", 2, 70}};
	static const char *const sorted[] = {"4", "5", "3", "2", "1", "0"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		diag_add(&diags, places[i], NULL, "%zu", i);
	}
	diag_sort(&diags);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		assert_string_equal(diags.list[i].err.text, sorted[i]);
	}
	diag_add(&diags, (struct pos){"c", 1, 1}, NULL, "last");
	assert_string_equal(diags.list[6].err.text, "last");
}

/* Ten thousand faults, ten places: an insertion sort would move half a gigabyte a hundred times. */
static void diag_sort_keeps_the_order_within_a_place(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};

	for (unsigned i = 0; i < 10000; i++) {
		diag_add(&diags, (struct pos){"a", 10 - i % 10, 1}, NULL, "%05u", i);
	}
	diag_sort(&diags);
	for (size_t i = 1; i < diags.count; i++) {
		const struct err *before = &diags.list[i - 1].err, *now = &diags.list[i].err;

		assert_true(before->at.line <= now->at.line);
		if (before->at.line == now->at.line) {
			assert_true(strcmp(before->text, now->text) < 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(diag_add_keeps_place_text_and_hint),
	    cmocka_unit_test(diag_add_err_takes_the_error_over),
	    cmocka_unit_test(diag_sort_of_little_changes_nothing),
	    cmocka_unit_test(diag_sort_goes_by_file_line_column),
	    cmocka_unit_test(diag_sort_keeps_the_order_within_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
