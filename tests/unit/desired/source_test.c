// SPDX-License-Identifier: MIT
#include "desired/source.h"

#include "unit/desired/given.h"

#include <stdlib.h>

static const struct bad_input bad[] = {
    {"bom", "\357\273\277version: 1\n",
     "1:1: the file begins with a byte order mark [save the file as UTF-8 "
     "without a byte order mark]\n",
     0},
    {"utf16",
     "\377\376v\000e\000r\000s\000i\000o\000n\000:\000 \0001\000\n"
     "\000",
     "1:1: this text is not UTF-8: it looks like UTF-16 or UTF-32 [save the "
     "file as UTF-8 without a byte order mark]\n",
     24},
    {"utf16be", "\000v\000e\000r\000s\000i\000o\000n\000:\000 \0001\000\n",
     "1:1: this text is not UTF-8: it looks like UTF-16 or UTF-32 [save the "
     "file as UTF-8 without a byte order mark]\n",
     22},
    {"badutf8",
     "version: 1\n"
     "mode: s\303\244\344fe\n",
     "2:9: the byte 0xe4 is not UTF-8 here [save the file as UTF-8]\n", 0},
    {"nul",
     "version: 1\n"
     "mode: sa\000fe\n",
     "2:9: U+0000, a control character [remove it]\n", 23},
    {"esc",
     "version: 1\n"
     "mode: sa\033fe\n",
     "2:9: U+001B, a control character [remove it]\n", 0},
    {"cr", "version: 1\rmode: safe\r",
     "1:11: a carriage return that is not followed by a line feed [end lines "
     "with LF, or with CR LF]\n"
     "1:22: a carriage return that is not followed by a line feed [end lines "
     "with LF, or with CR LF]\n",
     0},
    {"nel",
     "version: 1\n"
     "mode: sa\302\205fe\n",
     "2:9: U+0085, a line break that editors do not count as one [end lines "
     "with LF, or with CR LF]\n",
     0},
    {"ls",
     "version: 1\n"
     "mode: sa\342\200\250fe\n",
     "2:9: U+2028, a line break that editors do not count as one [end lines "
     "with LF, or with CR LF]\n",
     0},
};

static void source_refuses_what_is_no_plain_utf8(void **state)
{
	(void)state;
	given_bad_inputs(bad, ARRAY_LEN(bad));
}

static void source_takes_16_mib_and_not_a_byte_more(void **state)
{
	struct given g;
	size_t n = SOURCE_MOST + 1;
	char *text = mem_alloc(n);

	(void)state;
	memset(text, '#', n);
	given_init(&g);
	struct desired_file file = {"big.yaml", "big.yaml", text, SOURCE_MOST};

	assert_true(source_check(&file, &g.faults));
	file.length = n;
	assert_false(source_check(&file, &g.faults));
	assert_string_equal(g.diags.list[0].err.text,
	                    "the file has 16777217 bytes, at most 16777216 (16 MiB) are read");
	free(text);
	given_done(&g);
}

static void source_says_each_forbidden_character_until_there_are_too_many(void **state)
{
	struct given g;
	char text[400];

	(void)state;
	memset(text, 1, sizeof text);
	given_init(&g);
	assert_false(source_check(given_bytes(&g, "x", text, sizeof text), &g.faults));
	assert_int_equal(g.diags.count, FAULTS_MOST + 1);
	given_done(&g);
}

static void source_knows_every_forbidden_character(void **state)
{
	static const struct {
		const char *bytes;
		uint32_t code;
	} cases[] = {
	    {"\t", 0},
	    {"\n", 0},
	    {"\r", 0},
	    {" ", 0},
	    {"~", 0},
	    {"\x01", 1},
	    {"\x1f", 0x1f},
	    {"\x7f", 0x7f},
	    {"\302\200", 0x80},
	    {"\302\237", 0x9f},
	    {"\302\240", 0},
	    {"\342\200\250", 0x2028},
	    {"\342\200\251", 0x2029},
	    {"\342\200\252", 0},
	    {"\357\273\277", 0xfeff},
	    {"\357\277\275", 0},
	    {"\357\277\276", 0xfffe},
	    {"\357\277\277", 0xffff},
	    {"\360\237\230\200", 0},
	    {"\364\217\277\277", 0x10ffff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].bytes), length = 0;

		assert_int_equal(source_forbidden(cases[i].bytes, n, &length), cases[i].code);
		assert_int_equal(length, n);
	}
	size_t length = 0;

	assert_int_equal(source_forbidden("", 1, &length), UINT32_MAX);
}

static const char *line_of(struct given *g, const char *file, unsigned line)
{
	size_t n = 0;
	const char *text = desired_source_line(g->files, g->count, (struct pos){file, line, 1}, &n);

	return text ? arena_strndup(g->arena, text, n) : NULL;
}

static void source_lines_are_found_by_file_and_number(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	given_file(&g, "a", "one\r\n\ntwo");
	given_file(&g, "b", "only\n");
	assert_string_equal(line_of(&g, "a", 1), "one");
	assert_string_equal(line_of(&g, "a", 2), "");
	assert_string_equal(line_of(&g, "a", 3), "two");
	assert_null(line_of(&g, "a", 4));
	assert_null(line_of(&g, "a", 0));
	assert_string_equal(line_of(&g, "b", 1), "only");
	assert_null(line_of(&g, "b", 2));
	assert_null(line_of(&g, "c", 1));
	assert_null(line_of(&g, NULL, 1));
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(source_refuses_what_is_no_plain_utf8),
	    cmocka_unit_test(source_takes_16_mib_and_not_a_byte_more),
	    cmocka_unit_test(source_says_each_forbidden_character_until_there_are_too_many),
	    cmocka_unit_test(source_knows_every_forbidden_character),
	    cmocka_unit_test(source_lines_are_found_by_file_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
