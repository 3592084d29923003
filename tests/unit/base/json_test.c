// SPDX-License-Identifier: MIT
/* JSON in and out, from friends and others. */
#include "base/json.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct value parsed(const char *text)
{
	struct value value;
	struct err err = {0};
	int r = json_parse(text, strlen(text), "in.json", arena, &value, &err);

	if (r) {
		fail_msg("%s: %s", text, err.text);
	}
	return value;
}

static int refused_n(const char *text, size_t n, struct err *err)
{
	struct value value = value_int(77);
	int r = json_parse(text, n, "in.json", arena, &value, err);

	assert_true(r < 0);
	assert_int_equal(r, -(int)err->code);
	assert_int_equal(value.integer, 77);
	assert_string_equal(err->at.file, "in.json");
	return r;
}

static void check_refused(const char *text, const char *part)
{
	struct err err = {0};

	refused_n(text, strlen(text), &err);
	if (!strstr(err.text, part)) {
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, part);
	}
}

static void json_of_every_kind_is_read(void **state)
{
	(void)state;
	struct value v = parsed("{\"b\": [1, -2, true, false, null, \"x\"], \"a\": {}}");

	assert_int_equal(v.type, VALUE_MAP);
	assert_true(v.sealed);
	assert_string_equal(v.entries[0].key, "a");
	const struct value *list = value_get(&v, "b");

	assert_int_equal(list->count, 6);
	assert_int_equal(list->items[1].integer, -2);
	assert_true(list->items[2].boolean);
	assert_int_equal(list->items[4].type, VALUE_NULL);
	assert_string_equal(list->items[5].string, "x");
	assert_int_equal(parsed("7").integer, 7);
	assert_string_equal(parsed("\"\\u20ac\\n\"").string, "\xe2\x82\xac\n");
}

static void json_numbers_are_whole_and_fit_64_bits(void **state)
{
	(void)state;
	assert_true(parsed("9223372036854775807").integer == INT64_MAX);
	assert_true(parsed("-9223372036854775808").integer == INT64_MIN);
	assert_int_equal(parsed("1.0").integer, 1);
	assert_int_equal(parsed("-2e3").integer, -2000);
	assert_int_equal(parsed("-0.0").integer, 0);
	assert_true(parsed("9007199254740992.0").integer == INT64_C(9007199254740992));
	check_refused("1.5", "1.5 is not a whole number");
	check_refused("[0.1]", "0.1 is not a whole number");
	check_refused("1e300", "is not a whole number");
	check_refused("-1e300", "is not a whole number");
	check_refused("9007199254740994.0", "is not a whole number"); /* or its neighbour: who knows */
	check_refused("9223372036854775808", "too big");
	check_refused("1e999", "overflow");
	check_refused("NaN", "not JSON");
}

static void json_faults_have_a_place(void **state)
{
	(void)state;
	struct err err = {0};
	const char *text = "{\n  \"a\": 1,\n  \"a\": 2\n}";

	refused_n(text, strlen(text), &err);
	assert_int_equal(err.code, ERR_INPUT);
	assert_int_equal(err.at.line, 3);
	assert_non_null(strstr(err.text, "duplicate"));
}

static void json_that_is_broken_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "",      " ",       "{",  "[1,", "[1,]",     "{\"a\"}",      "{a:1}",       "\"abc",
	    "[1] x", "tru",     "01", "'a'", "\"\xff\"", "\"\xc0\x80\"", "\"\\ud800\"", "\"a\nb\"",
	    "+1",    "\"\\x\"", "}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		check_refused(texts[i], "not JSON");
	}
}

static void json_with_nul_is_refused(void **state)
{
	(void)state;
	struct err err = {0};

	refused_n("\"a\0b\"", 5, &err);
	refused_n("[1]\0", 4, &err);
	check_refused("\"a\\u0000b\"", "not JSON");
	check_refused("{\"a\\u0000b\": 1}", "not JSON");
}

static char *nested(size_t levels, const char *open, const char *inner, char close)
{
	AUTO(str_free) struct str s = {0};

	for (size_t i = 0; i < levels; i++) {
		str_add(&s, open);
	}
	str_add(&s, inner);
	str_pad(&s, close, levels);
	return arena_strdup(arena, str_text(&s));
}

static void json_depth_is_bounded(void **state)
{
	(void)state;
	struct err err = {0};

	(void)parsed(nested(JSON_DEPTH - 1, "[", "1", ']'));
	(void)parsed(nested(JSON_DEPTH, "[", "", ']'));
	const char *deep = nested(JSON_DEPTH, "[", "1", ']');

	assert_int_equal(refused_n(deep, strlen(deep), &err), -ERR_LIMIT);
	deep = nested(JSON_DEPTH, "{\"a\":", "1", '}');
	assert_int_equal(refused_n(deep, strlen(deep), &err), -ERR_LIMIT);
	deep = nested(1000000, "[", "1", ']');
	refused_n(deep, strlen(deep), &err);
}

static void json_cut_anywhere_is_refused(void **state)
{
	(void)state;
	static const char text[] = "{\"key\": [1, \"te\\u00e4xt\", {\"x\": null}], \"b\": -17e0}";
	struct err err = {0};

	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *piece = mem_alloc(n); /* of its own, so that reading on is seen */

		memcpy(piece, text, n);
		refused_n(piece, n, &err);
		free(piece);
	}
}

static void json_of_random_bytes_does_no_harm(void **state)
{
	(void)state;
	static const char alphabet[] = "{}[],:\"\\ue0123-.ntrf \xc3\xa4\xff\n";
	uint64_t random = 88172645463325252u;

	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t n = (size_t)round % sizeof text;
		struct value value;
		struct err err;

		for (size_t i = 0; i < n; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			text[i] = alphabet[random % (sizeof alphabet - 1)];
		}
		if (json_parse(text, n, "random", arena, &value, &err) == 0) {
			AUTO(str_free) struct str out = {0};

			json_print(&out, &value, 0);
			struct value again = parsed(str_text(&out));

			assert_true(value_equal(&value, &again));
		} else {
			assert_true(strlen(err.text) < sizeof err.text);
			assert_int_equal(text_utf8_until(err.text, strlen(err.text)), strlen(err.text));
		}
	}
}

static void check_printed(const struct value *value, unsigned indent, const char *wanted)
{
	AUTO(str_free) struct str out = {0};

	json_print(&out, value, indent);
	assert_string_equal(str_text(&out), wanted);
}

static void json_is_printed_in_one_line_or_many(void **state)
{
	(void)state;
	struct value v = parsed("{\"b\": [1, [], {}], \"a\": {\"x\": null, \"y\": true}}");

	check_printed(&v, 0, "{\"a\":{\"x\":null,\"y\":true},\"b\":[1,[],{}]}");
	check_printed(&v, 2,
	              "{\n  \"a\": {\n    \"x\": null,\n    \"y\": true\n  },\n"
	              "  \"b\": [\n    1,\n    [],\n    {}\n  ]\n}");
	v = value_int(INT64_MIN);
	check_printed(&v, 0, "-9223372036854775808");
}

static void json_texts_are_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *text, *json;
	} cases[] = {
	    {"", "\"\""},
	    {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
	    {"\b\f\n\r\t\x01\x1f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\""},
	    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"del\x7f c1\xc2\x9b nb\xc2\xa0", "\"del\\u007f c1\\u009b nb\xc2\xa0\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value v = value_string(cases[i].text);

		check_printed(&v, 0, cases[i].json);
		assert_string_equal(parsed(cases[i].json).string, cases[i].text);
	}
}

static void json_shows_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	struct value v = value_string("a\xff\xc3"
	                              "b\xe2\x82");

	check_printed(&v, 0, "\"a\\\\xff\\\\xc3b\\\\xe2\\\\x82\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(json_of_every_kind_is_read),
	    TEST(json_numbers_are_whole_and_fit_64_bits),
	    TEST(json_faults_have_a_place),
	    TEST(json_that_is_broken_is_refused),
	    TEST(json_with_nul_is_refused),
	    TEST(json_depth_is_bounded),
	    TEST(json_cut_anywhere_is_refused),
	    TEST(json_of_random_bytes_does_no_harm),
	    TEST(json_is_printed_in_one_line_or_many),
	    TEST(json_texts_are_escaped),
	    TEST(json_shows_bytes_that_are_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
