// SPDX-License-Identifier: MIT
#include "desired/yaml.h"

#include "unit/desired/given.h"

#include <stdlib.h>

static const struct bad_input bad[] = {
    {"empty", "", "1:1: the file is empty, expected a map\n", 0},
    {"comment", "# hi\n", "1:1: the file is empty, expected a map\n", 0},
    {"marker", "---\n", "1:1: the file is empty, expected a map\n", 0},
    {"nulesc",
     "version: 1\n"
     "mode: \"sa\\0fe\"\n",
     "2:7: a text with U+0000, a control character [remove it]\n", 0},
    {"belesc",
     "version: 1\n"
     "mode: \"sa\\x07fe\"\n",
     "2:7: a text with U+0007, a control character [remove it]\n", 0},
    {"depth33",
     "version: 1\n"
     "mode: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
     "2:38: nested deeper than 32 levels\n", 0},
    {"anchor",
     "version: 1\n"
     "kernel: &k {release: a}\n",
     "2:9: an anchor (&k): not allowed here [write the value out where it is "
     "needed]\n",
     0},
    {"alias",
     "version: 1\n"
     "kernel: *k\n"
     "packages: {x*: {}}\n",
     "2:9: an alias (*k): not allowed here [write the value out; a value that "
     "begins with * is put in quotes]\n"
     "3:12: packages.name: \"x*\" has a character that package names do not have, "
     "expected a package name\n",
     0},
    {"tag",
     "version: 1\n"
     "mode: !!str safe\n",
     "2:7: a tag (!!str): not allowed here [a value that begins with ! is put "
     "in quotes]\n",
     0},
    {"tag2",
     "version: 1\n"
     "mode: !foo safe\n",
     "2:7: a tag (!foo): not allowed here [a value that begins with ! is put in "
     "quotes]\n",
     0},
    {"merge",
     "version: 1\n"
     "kernel:\n"
     "  <<: {release: a}\n",
     "3:3: a merge key (<<): not allowed here [write the entries out]\n", 0},
    {"second",
     "version: 1\n"
     "---\n"
     "version: 1\n",
     "2:1: a second document [a file is one map of sections]\n", 0},
    {"dir",
     "%YAML 1.1\n"
     "---\n"
     "version: 1\n",
     "1:1: a directive (a line that begins with %): not allowed [remove it]\n", 0},
    {"dup",
     "version: 1\n"
     "mode: safe\n"
     "kernel: {release: a, release: b}\n"
     "mode: full\n",
     "3:22: 'release' stands here a second time, first at 3:10 [remove one of "
     "them]\n"
     "4:1: 'mode' stands here a second time, first at 2:1 [remove one of them]\n",
     0},
    {"listkey",
     "version: 1\n"
     "[a]: b\n",
     "2:1: a list as a key [a key is a text; put one that begins with [ or { in "
     "quotes]\n",
     0},
    {"mapkey",
     "version: 1\n"
     "? {a: b}\n"
     ": c\n",
     "2:3: a map as a key [a key is a text; put one that begins with [ or { in "
     "quotes]\n",
     0},
    {"flowempty",
     "version: 1\n"
     "kernel: {: a}\n",
     "2:10: expected a value [put a value that holds YAML's own characters in "
     "quotes]\n",
     0},
    {"nullw",
     "version: 1\n"
     "mode: null\n"
     "kernel: ~\n"
     "packages: {a1: NULL}\n",
     "2:7: 'null': there are no null values [remove the line, or write it in "
     "quotes if it is a text]\n"
     "3:9: '~': there are no null values [remove the line, or write it in "
     "quotes if it is a text]\n"
     "4:16: 'NULL': there are no null values [remove the line, or write it in "
     "quotes if it is a text]\n",
     0},
    {"crlf",
     "version: 1\r\n"
     "mode: sfe\r\n",
     "2:7: mode: \"sfe\" is unknown, did you mean safe, expected one of observe, "
     "safe, full\n",
     0},
};

static void yaml_refuses_what_is_not_in_our_part_of_it(void **state)
{
	(void)state;
	given_bad_inputs(bad, ARRAY_LEN(bad));
}

static const struct value *read(struct given *g, const char *text)
{
	bool whole = false;
	const struct value *root =
	    yaml_read(g->arena, given_file(g, "x.yaml", text), &g->faults, &whole);

	assert_true(whole);
	return root;
}

static void yaml_plain_scalars_have_three_types_and_quoted_ones_are_text(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	const struct value *root =
	    read(&g, "[true, false, yes, True, 0, 7, -12, +1, 007, 0x1f, 1e3, 1.0, 1_000, -, -0, "
	             "9223372036854775807, 9223372036854775808, \"true\", '7', a b]");

	assert_string_equal(given_json(&g, root),
	                    "[true,false,\"yes\",\"True\",0,7,-12,\"+1\",\"007\",\"0x1f\",\"1e3\","
	                    "\"1.0\",\"1_000\",\"-\",\"-0\",9223372036854775807,"
	                    "\"9223372036854775808\",\"true\",\"7\",\"a b\"]");
	assert_false(root->items[2].quoted);
	assert_true(root->items[17].quoted);
	given_done(&g);
}

static void yaml_block_texts_and_escapes_come_out_whole(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	assert_string_equal(
	    given_json(&g, read(&g, "a: |\n  x\n  \ty\n\nb: \"\\t\\r\\n\\u00e9\"\nc: >-\n  p\n  q\n"
	                            "...\n# end\n")),
	    "{\"a\":\"x\\n\\ty\\n\",\"b\":\"\\t\\r\\n\303\251\",\"c\":\"p q\"}");
	given_done(&g);
}

static void yaml_positions_count_characters_from_one(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	const struct value *root =
	    read(&g, "---\r\n\303\244\303\266: {k: v, \303\274: [1, {a: \"x\"}]}\r\nlast:\r\n");

	assert_int_equal(root->entries[0].key_at.line, 2);
	assert_int_equal(root->entries[0].key_at.col, 1);
	const struct value *map = &root->entries[0].value;

	assert_int_equal(map->at.col, 5);
	assert_int_equal(map->entries[0].value.at.col, 9);
	assert_int_equal(map->entries[1].key_at.col, 12);
	assert_int_equal(map->entries[1].value.items[1].entries[0].value.at.col, 23);
	assert_string_equal(map->entries[0].value.at.file, "x.yaml");
	/* An empty value has the place of its key. */
	assert_int_equal(root->entries[1].value.type, VALUE_NULL);
	assert_int_equal(root->entries[1].value.at.line, 3);
	assert_int_equal(root->entries[1].value.at.col, 1);
	given_done(&g);
}

/* Quadratic in libyaml when it is let: 100 kB of it would take a minute. */
static void yaml_stops_at_the_first_level_too_many(void **state)
{
	static const char *const pieces[] = {"[", "[\n", "{a: ", "- ", "? ", "[a, [", "{\"a\": ["};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct given g;
		AUTO(str_free) struct str text = {0};
		bool whole = true;

		for (size_t k = 0; k < 300000; k++) {
			str_add(&text, pieces[i]);
		}
		given_init(&g);
		yaml_read(g.arena, given_file(&g, "x", str_text(&text)), &g.faults, &whole);
		assert_false(whole);
		assert_string_equal(g.diags.list[g.diags.count - 1].err.text,
		                    "nested deeper than 32 levels");
		given_done(&g);
	}
}

static void yaml_reads_32_levels(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	read(&g, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	assert_int_equal(g.diags.count, 0);
	given_done(&g);
}

static void yaml_compares_no_key_with_all_others(void **state)
{
	struct given g;
	AUTO(str_free) struct str text = {0};

	(void)state;
	for (size_t k = 0; k < 100000; k++) {
		str_addf(&text, "key%zu: 1\n", k);
	}
	str_add(&text, "key77777: 2\n");
	given_init(&g);
	const struct value *root = read(&g, str_text(&text));

	assert_int_equal(root->count, 100000);
	assert_string_equal(given_faults(&g),
	                    "100001:1: 'key77777' stands here a second time, first at "
	                    "77778:1 [remove one of them]\n");
	given_done(&g);
}

static void yaml_limits_values_and_directives(void **state)
{
	struct given g;
	AUTO(str_free) struct str text = {0};
	bool whole = true;

	(void)state;
	given_init(&g);
	str_add(&text, "[");
	for (size_t k = 0; k < YAML_VALUES; k++) {
		str_add(&text, "a,");
	}
	str_add(&text, "]");
	yaml_read(g.arena, given_file(&g, "x", str_text(&text)), &g.faults, &whole);
	assert_false(whole);
	assert_string_equal(g.diags.list[0].err.text, "more than 1000000 values in one file");
	str_clear(&text);
	for (size_t k = 0; k < 300000; k++) {
		str_addf(&text, "%%TAG !a%zu! b\n", k);
	}
	assert_null(yaml_read(g.arena, given_file(&g, "y", str_text(&text)), &g.faults, &whole));
	assert_int_equal(g.diags.count, 2);
	given_done(&g);
}

static void yaml_stops_when_there_are_too_many_faults(void **state)
{
	struct given g;
	AUTO(str_free) struct str text = {0};
	bool whole = true;

	(void)state;
	for (size_t k = 0; k < 5000; k++) {
		str_addf(&text, "- &a%zu x\n", k);
	}
	given_init(&g);
	const struct value *root =
	    yaml_read(g.arena, given_file(&g, "x", str_text(&text)), &g.faults, &whole);

	assert_false(whole);
	assert_true(root->count <= FAULTS_MOST + 1);
	assert_int_equal(g.diags.count, FAULTS_MOST + 1);
	given_done(&g);
}

static const char design[] =
    "# state/roles/compute.yaml\n"
    "version: 1\n"
    "mode: safe                   # observe | safe | full, section 7\n"
    "kernel:\n"
    "  release: 6.8.0-1039-aws\n"
    "  strategy: pin\n"
    "reboot: {when: never}\n"
    "modules:\n"
    "  lustre: {package: \"lustre-client-modules-{kernel}\", version: \"2.15.6-1fsx*\"}\n"
    "mounts:\n"
    "  /lustre: {source: \"10.1.30.23@tcp:/czrc3amv\", type: lustre, options: [flock, _netdev]}\n"
    "holds: [linux-aws, 'linux-image-aws', linux-headers-aws]\n"
    "resources:\n"
    "  - {kind: file, path: /etc/motd.d/r\303\251, content: \"managed\\n\\x20\", mode: \"0644\"}\n"
    "  - kind: file\n"
    "    path: /x\n"
    "    content: |\n"
    "      a\n"
    "      b\n";

/* Cut anywhere, it is either a smaller tree or an error with a place, never anything else. */
static void yaml_cut_anywhere_is_valid_or_an_error_with_a_place(void **state)
{
	size_t valid = 0;

	(void)state;
	for (size_t n = 0; n <= strlen(design); n++) {
		struct given g;

		given_init(&g);
		given_bytes(&g, "roles/x.yaml", design, n);
		if (desired_load(g.arena, g.files, g.count, &g.diags)) {
			valid++;
			assert_int_equal(g.diags.count, 0);
		} else {
			assert_true(g.diags.count > 0);
			assert_true(g.diags.list[0].err.at.line > 0 && g.diags.list[0].err.at.col > 0);
		}
		given_done(&g);
	}
	assert_true(valid > 10 && valid < strlen(design));
}

/* One byte after the other replaced by each of those that mean something to YAML. */
static void yaml_with_one_byte_changed_never_crashes(void **state)
{
	static const char bytes[] = {0,   '\t', '\n', '\r', ' ',        '"',        '\'',      '#',
	                             '%', '&',  '*',  ',',  '-',        '.',        ':',       '<',
	                             '>', '?',  '@',  '[',  ']',        '{',        '}',       '|',
	                             '~', '!',  '\\', '0',  (char)0x80, (char)0xc2, (char)0xff};
	char text[sizeof design];

	(void)state;
	for (size_t i = 0; i < sizeof design - 1; i++) {
		memcpy(text, design, sizeof design);
		for (size_t k = 0; k < sizeof bytes; k++) {
			struct given g;

			text[i] = bytes[k];
			given_init(&g);
			given_bytes(&g, "roles/x.yaml", text, sizeof design - 1);
			bool valid = desired_load(g.arena, g.files, g.count, &g.diags) != NULL;

			assert_true(valid == (g.diags.count == 0));
			given_done(&g);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(yaml_refuses_what_is_not_in_our_part_of_it),
	    cmocka_unit_test(yaml_plain_scalars_have_three_types_and_quoted_ones_are_text),
	    cmocka_unit_test(yaml_block_texts_and_escapes_come_out_whole),
	    cmocka_unit_test(yaml_positions_count_characters_from_one),
	    cmocka_unit_test(yaml_stops_at_the_first_level_too_many),
	    cmocka_unit_test(yaml_reads_32_levels),
	    cmocka_unit_test(yaml_compares_no_key_with_all_others),
	    cmocka_unit_test(yaml_limits_values_and_directives),
	    cmocka_unit_test(yaml_stops_when_there_are_too_many_faults),
	    cmocka_unit_test(yaml_cut_anywhere_is_valid_or_an_error_with_a_place),
	    cmocka_unit_test(yaml_with_one_byte_changed_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
