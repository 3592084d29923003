// SPDX-License-Identifier: MIT
#include "unit/provider/apt_sourcing.h"

static void only_files_that_apt_reads_count(void **state)
{
	(void)state;
	assert_true(apt_sources_is_read("a.list"));
	assert_true(apt_sources_is_read("a_B-1.sources"));
	assert_false(apt_sources_is_read("a.list.save"));
	assert_false(apt_sources_is_read(".a.list"));
	assert_false(apt_sources_is_read("a b.list"));
	assert_true(apt_sources_is_empty("# a\n \n\t\n"));
	assert_false(apt_sources_is_empty("# a\nb"));
}

static void the_style_goes_by_the_suffix(void **state)
{
	static const char line[] = "deb http://a s main\n";
	static const char stanza[] = "Types: deb\nURIs: http://a\nSuites: s\n";

	(void)state;
	assert_false(parse("/x/a.list", line).list[0].is_stanza);
	assert_true(parse("/x/a.sources", stanza).list[0].is_stanza);
	assert_int_equal(parse("/x/a.sources", line).count, 0);
	assert_int_equal(parse("/x/a.list", stanza).count, 0);
}

static void a_slash_at_the_end_of_a_place_makes_no_difference(void **state)
{
	struct apt_entries e = parse("/x/a.list", "deb http://a/ubuntu/ s main\n");

	(void)state;
	assert_true(apt_sources_is_at(&e.list[0], "http://a/ubuntu"));
	assert_true(apt_sources_is_at(&e.list[0], "http://a/ubuntu//"));
	assert_false(apt_sources_is_at(&e.list[0], "http://a/ubunt"));
	assert_false(apt_sources_is_at(&e.list[0], "http://a/ubuntu/x"));
}

static void apt_has_several_words_for_yes_and_no(void **state)
{
	(void)state;
	assert_true(apt_sources_is_yes("With"));
	assert_true(apt_sources_is_yes("1"));
	assert_true(apt_sources_is_no("disable"));
	assert_false(apt_sources_is_yes("") || apt_sources_is_no(""));
}

static void a_list_of_words_goes_on_in_the_next_line(void **state)
{
	struct list list = apt_sources_words(arena, " a\tb\n  c\n");

	(void)state;
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[2], "c");
	assert_true(apt_sources_is_blank(" \t\r", 3));
	assert_false(apt_sources_is_blank(" x", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_files_that_apt_reads_count),
	    TEST(the_style_goes_by_the_suffix),
	    TEST(a_slash_at_the_end_of_a_place_makes_no_difference),
	    TEST(apt_has_several_words_for_yes_and_no),
	    TEST(a_list_of_words_goes_on_in_the_next_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
