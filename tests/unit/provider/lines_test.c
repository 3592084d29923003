// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/lines.h"

static void lines_and_words_are_cut_off_one_by_one(void **state)
{
	char *rest = arena_strdup(arena, "nodev\tsysfs\n\n  a  b \nlast"), *line;

	(void)state;
	line = lines_next(&rest);
	assert_string_equal(lines_word(&line), "nodev");
	assert_string_equal(lines_word(&line), "sysfs");
	assert_null(lines_word(&line));
	line = lines_next(&rest);
	assert_null(lines_word(&line));
	line = lines_next(&rest);
	assert_string_equal(lines_word(&line), "a");
	assert_string_equal(lines_word(&line), "b");
	assert_null(lines_word(&line));
	assert_string_equal(lines_next(&rest), "last");
	assert_null(lines_next(&rest));
	rest = NULL;
	assert_null(lines_next(&rest));
	assert_null(lines_word(&rest));
}

static void a_file_that_is_not_there_is_no_error(void **state)
{
	struct host host;
	struct err err;
	char *text = arena_strdup(arena, "x");

	(void)state;
	host_init(&host, &host_linux_ops, arena);
	assert_int_equal(lines_read(&host, "/no/such/file", arena, &text, &err), 0);
	assert_null(text);
	assert_int_equal(lines_read(&host, "/proc/version", arena, &text, &err), 0);
	assert_has(text, "Linux");
	assert_int_equal(lines_read(&host, "/proc", arena, &text, &err), -ERR_HOST);
	host_done(&host);
}

static void a_list_grows_and_is_searched(void **state)
{
	struct list list = {0};
	size_t cap = 0;

	(void)state;
	assert_false(list_has(&list, "a"));
	for (int i = 0; i < 20; i++) {
		lines_add(arena, &list, &cap, arena_printf(arena, "%d", i));
	}
	assert_true(list.set);
	assert_int_equal(list.count, 20);
	assert_true(list_has(&list, "19"));
	assert_false(list_has(&list, "20"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_and_words_are_cut_off_one_by_one),
	    TEST(a_file_that_is_not_there_is_no_error),
	    TEST(a_list_grows_and_is_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
