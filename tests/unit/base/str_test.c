// SPDX-License-Identifier: MIT
/* Growing texts, UTF-8, what a terminal may see, and the nearest word. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void str_grows_and_stays_terminated(void **state)
{
	(void)state;
	AUTO(str_free) struct str s = {0};

	assert_string_equal(str_text(&s), "");
	str_add(&s, "a");
	str_addc(&s, 'b');
	str_addn(&s, "cde", 2);
	str_addf(&s, "%d", 42);
	str_pad(&s, '.', 3);
	assert_string_equal(str_text(&s), "abcd42...");
	for (int i = 0; i < 5000; i++) {
		str_addf(&s, "%d,", i);
		assert_int_equal(s.data[s.length], '\0');
	}
	assert_int_equal(strlen(s.data), s.length);
	str_clear(&s);
	assert_string_equal(str_text(&s), "");
	assert_int_equal(s.length, 0);
	str_free(&s);
	assert_string_equal(str_text(&s), "");
}

static void str_holds_any_bytes(void **state)
{
	(void)state;
	AUTO(str_free) struct str s = {0};

	str_addn(&s, "a\0b", 3);
	str_addn(&s, NULL, 0);
	assert_int_equal(s.length, 3);
	assert_memory_equal(s.data, "a\0b", 4);
}

static void text_comparisons_know_null_and_length(void **state)
{
	(void)state;
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("a", "ab"));
	assert_true(text_ends("abc", "bc"));
	assert_true(text_ends("abc", ""));
	assert_false(text_ends("c", "bc"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_false(text_equal("", NULL));
	assert_true(text_equal("x", "x"));
}

static void utf8_is_told_from_what_is_none(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t until;
	} cases[] = {
	    {"", 0},
	    {"plain", 5},
	    {"\xc3\xa4", 2},
	    {"\xe2\x82\xac", 3},
	    {"\xf0\x9f\x98\x80", 4},
	    {"\xf4\x8f\xbf\xbf", 4},
	    {"\xed\x9f\xbf\xee\x80\x80", 6},
	    {"a\xff", 1},
	    {"a\x80", 1},
	    {"ab\xc3", 2},
	    {"a\xe2\x82", 1},
	    {"a\xf0\x9f\x98", 1},
	    {"\xc3(", 0},
	    {"\xe2\x82(", 0},
	    {"\xc0\x80", 0},         /* overlong */
	    {"\xc1\xbf", 0},         /* overlong */
	    {"\xe0\x9f\xbf", 0},     /* overlong */
	    {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
	    {"\xed\xa0\x80", 0},     /* a surrogate */
	    {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
	    {"\xf5\x80\x80\x80", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(text_utf8_until(cases[i].text, strlen(cases[i].text)), cases[i].until);
	}
	assert_int_equal(text_utf8_until("\xe2\x82\xac", 2), 0);
	assert_int_equal(text_utf8_until("a\0b", 3), 3);
}

static void text_width_counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3);
}

static void check_printable(const char *text, size_t most, const char *wanted)
{
	AUTO(str_free) struct str s = {0};

	str_add_printable(&s, text, most);
	assert_string_equal(str_text(&s), wanted);
}

static void printable_text_shows_what_a_terminal_would_act_on(void **state)
{
	(void)state;
	check_printable("plain \xc3\xa4\xe2\x82\xac", 100, "plain \xc3\xa4\xe2\x82\xac");
	check_printable("a\033[31mb", 100, "a\\x1b[31mb");
	check_printable("a\nb\tc\x7f", 100, "a\\x0ab\\x09c\\x7f");
	check_printable("c1:\xc2\x9b!", 100, "c1:\\xc2\\x9b!");
	check_printable("no-break:\xc2\xa0!", 100, "no-break:\xc2\xa0!");
	check_printable("turned:\xe2\x80\xae!\xe2\x81\xa6", 100,
	                "turned:\\xe2\\x80\\xae!\\xe2\\x81\\xa6");
	check_printable("dash:\xe2\x80\x94", 100, "dash:\xe2\x80\x94");
	check_printable("bad:\xff\xc3", 100, "bad:\\xff\\xc3");
	check_printable("bad:\xe2\x82", 100, "bad:\\xe2\\x82");
}

static void check_words(const char *text, size_t most, const char *wanted)
{
	AUTO(str_free) struct str s = {0};

	str_add_words(&s, text, most);
	assert_string_equal(str_text(&s), wanted);
}

static void what_a_tool_said_is_one_line(void **state)
{
	(void)state;
	check_words("E: Malformed entry 1\nE: The list could not be read.\n", 100,
	            "E: Malformed entry 1 E: The list could not be read.");
	check_words("\n \r\n a  b \t\r\n\n\tc\x1b \n", 100, "a  b c\\x1b");
	check_words(" \n", 100, "");
	check_words("", 100, "");
	check_words("abc\ndef", 5, "abc d...");
}

static void printable_text_is_cut_between_characters(void **state)
{
	(void)state;
	check_printable("", 0, "");
	check_printable("abc", 0, "...");
	check_printable("abc", 3, "abc");
	check_printable("abcd", 3, "abc...");
	check_printable("ab\xe2\x82\xac", 3, "ab...");
	check_printable("ab\xe2\x82\xac", 4, "ab...");
	check_printable("ab\xe2\x82\xac", 5, "ab\xe2\x82\xac");
	check_printable("abc", SIZE_MAX, "abc");
}

static void nearest_word_is_found(void **state)
{
	(void)state;
	static const char *const names[] = {"packages", "mounts", "modules", "kernel", "fstype", "ro"};

	assert_string_equal(text_nearest("pakcages", names, ARRAY_LEN(names)), "packages");
	assert_string_equal(text_nearest("mount", names, ARRAY_LEN(names)), "mounts");
	assert_string_equal(text_nearest("mnts", names, ARRAY_LEN(names)), "mounts");
	assert_string_equal(text_nearest("FSTYPE", names, ARRAY_LEN(names)), "fstype");
	assert_string_equal(text_nearest("rw", names, ARRAY_LEN(names)), "ro");
}

static void nearest_word_is_not_guessed(void **state)
{
	(void)state;
	static const char *const names[] = {"packages", "mounts", "abc", "a"};
	char longest[200];

	memset(longest, 'm', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(text_nearest("zebra", names, ARRAY_LEN(names)));
	assert_null(text_nearest("xyc", names, ARRAY_LEN(names)));
	assert_null(text_nearest("b", names, ARRAY_LEN(names)));
	assert_null(text_nearest("", names, ARRAY_LEN(names)));
	assert_null(text_nearest(longest, names, ARRAY_LEN(names)));
	assert_null(text_nearest("mounts", names, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(str_grows_and_stays_terminated),
	    cmocka_unit_test(str_holds_any_bytes),
	    cmocka_unit_test(text_comparisons_know_null_and_length),
	    cmocka_unit_test(utf8_is_told_from_what_is_none),
	    cmocka_unit_test(text_width_counts_code_points),
	    cmocka_unit_test(printable_text_shows_what_a_terminal_would_act_on),
	    cmocka_unit_test(what_a_tool_said_is_one_line),
	    cmocka_unit_test(printable_text_is_cut_between_characters),
	    cmocka_unit_test(nearest_word_is_found),
	    cmocka_unit_test(nearest_word_is_not_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
