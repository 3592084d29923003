// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "engine/import_inner.h"

#include <string.h>

/* Written as the key and value of a file, then loaded: what comes back? */
static const char *there_and_back(struct arena *arena, const char *text)
{
	AUTO(str_free) struct str s = {0};
	struct diags diags = {.arena = arena};

	str_add(&s, "version: 1\nresources:\n  - {kind: file, path: /f, content: ");
	import_yaml_scalar(&s, text);
	str_add(&s, "}\n");
	struct desired_file file = {"d", "defaults.yaml", str_text(&s), s.length};
	struct desired_identity identity = {.name = "n", .source = "test"};
	struct desired_tree *tree = desired_load(arena, &file, 1, &diags);
	struct desired desired;

	(void)!(tree && desired_effective(arena, tree, &identity, &desired, &diags));
	for (size_t i = 0; i < diags.count; i++) {
		/* That no node file speaks of n is no matter of the words. */
		if (strstr(diags.list[i].err.text, "resources") || diags.list[i].err.at.line == 3) {
			fail_msg("%s: %s", str_text(&s), diags.list[i].err.text);
		}
	}
	return arena_strdup(arena, str_text(&s));
}

static void words_that_yaml_reads_otherwise_are_quoted(void **state)
{
	static const char *const texts[] = {
	    "plain",      "/fsx",       "10.1.30.23@tcp:/x",
	    "yes",        "No",         "null",
	    "1.5",        "0x10",       "~",
	    "-",          "a: b",       "a #c",
	    "{x}",        "[y]",        "*a",
	    "&a",         "!t",         "'q'",
	    "\"d\"",      "back\\",     "tab\tx",
	    "line\nfeed", "",           "  ",
	    "a,b",        "%x",         "@y",
	    "`z`",        "_netdev",    "n",
	    "on",         "2026-11-20",
	};
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		there_and_back(arena, texts[i]);
	}
}

static const char *scalar(struct arena *arena, const char *text)
{
	AUTO(str_free) struct str s = {0};

	import_yaml_scalar(&s, text);
	return arena_strdup(arena, str_text(&s));
}

static void what_needs_no_quotes_has_none(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	assert_string_equal(scalar(arena, "/fsx/data-1_a.b"), "/fsx/data-1_a.b");
	assert_string_equal(scalar(arena, "_netdev"), "_netdev");
	assert_string_equal(scalar(arena, "size=4m"), "size=4m");
	assert_string_equal(scalar(arena, "no"), "\"no\"");
	assert_string_equal(scalar(arena, "4m"), "\"4m\"");
	assert_string_equal(scalar(arena, "q\"\\\n"), "\"q\\\"\\\\\\x0A\"");
}

static void what_acts_on_a_terminal_is_written_as_its_number(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	assert_string_equal(scalar(arena, "\xe2\x80\xaegnp"), "\"\\u202Egnp\"");
	assert_string_equal(scalar(arena, "a\xc2\x9b"
	                                  "1"),
	                    "\"a\\u009B1\"");
	assert_string_equal(scalar(arena, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
	                    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	there_and_back(arena, "\xe2\x80\xaegnp");
}

static void a_comment_stays_on_its_line(void **state)
{
	AUTO(str_free) struct str s = {0};

	(void)state;
	import_yaml_comment(&s, "  ", "a\nmounts: {}");
	assert_string_equal(str_text(&s), "  # a\\x0amounts: {}\n");
}

static void what_the_loader_refuses_is_known_before(void **state)
{
	(void)state;
	assert_true(import_yaml_takes(KIND_MOUNT, "options", "flock"));
	assert_false(import_yaml_takes(KIND_MOUNT, "options", "a b"));
	assert_false(import_yaml_takes(KIND_MOUNT, "type", "a b"));
	assert_false(import_yaml_takes(KIND_MOUNT, "source", "bad\377"));
	assert_false(import_yaml_takes(KIND_MOUNT, "nosuch", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_that_yaml_reads_otherwise_are_quoted),
	    cmocka_unit_test(what_needs_no_quotes_has_none),
	    cmocka_unit_test(what_acts_on_a_terminal_is_written_as_its_number),
	    cmocka_unit_test(a_comment_stays_on_its_line),
	    cmocka_unit_test(what_the_loader_refuses_is_known_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
