// SPDX-License-Identifier: MIT
/* SHA-256 of bytes and of what a value says. */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>

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

/* The examples of FIPS 180-2, appendix B.1 and B.2, and the empty text. */
static void digest_of_bytes_is_sha256(void **state)
{
	(void)state;
	assert_string_equal(digest_bytes("", 0).hex,
	                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(digest_bytes("abc", 3).hex,
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(
	    digest_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56).hex,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static struct value sample(bool turned)
{
	struct value map = value_map(), list = value_list();

	value_append(arena, &list, value_int(-5));
	value_append(arena, &list, value_null());
	if (turned) {
		value_put(arena, &map, "list", list);
	}
	value_put(arena, &map, "b", value_bool(true));
	value_put(arena, &map, "a", value_string("text"));
	if (!turned) {
		value_put(arena, &map, "list", list);
	}
	value_seal(&map);
	return map;
}

static void digest_of_a_value_has_one_form_for_ever(void **state)
{
	(void)state;
	static const char form[] = "m3:s1:as4:texts1:bb1s4:listl2:i-5;n";
	struct value map = sample(false);

	assert_string_equal(digest_value(&map).hex, digest_bytes(form, sizeof form - 1).hex);
}

static void digest_ignores_order_places_and_quotes(void **state)
{
	(void)state;
	struct value a = sample(false), b = sample(true);

	b.entries[0].value.at = (struct pos){"file", 7, 1};
	b.entries[0].value.quoted = true;
	b.entries[0].key_at = (struct pos){"file", 7, 1};
	assert_string_equal(digest_value(&a).hex, digest_value(&b).hex);
}

static void digest_tells_values_apart(void **state)
{
	(void)state;
	struct value empty_list = value_list(), empty_map = value_map(), nested = value_list(),
	             two = value_list();
	struct value one_text = value_list(), two_texts = value_list();

	value_append(arena, &nested, empty_list);
	value_append(arena, &two, empty_list);
	value_append(arena, &two, empty_list);
	value_append(arena, &one_text, value_string("as1:b"));
	value_append(arena, &two_texts, value_string("a"));
	value_append(arena, &two_texts, value_string("b"));
	const struct value values[] = {
	    value_null(),
	    value_bool(false),
	    value_bool(true),
	    value_int(0),
	    value_int(1),
	    value_int(-1),
	    value_string(""),
	    value_string("0"),
	    value_string("n"),
	    value_string("true"),
	    value_string("1;"),
	    empty_list,
	    empty_map,
	    nested,
	    two,
	    one_text,
	    two_texts,
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(digest_value(&values[i]).hex, digest_value(&values[k]).hex);
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(digest_of_bytes_is_sha256),
	    TEST(digest_of_a_value_has_one_form_for_ever),
	    TEST(digest_ignores_order_places_and_quotes),
	    TEST(digest_tells_values_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
