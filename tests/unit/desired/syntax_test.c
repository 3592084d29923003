// SPDX-License-Identifier: MIT
#include "desired/syntax.h"

#include "unit/desired/given.h"

static const struct bad_input bad[] = {
    {"tab",
     "version: 1\n"
     "packages:\n"
     "\tfoo: {}\n",
     "3:1: a tab as indentation [indent with spaces]\n", 0},
    {"tab2",
     "version: 1\n"
     "packages:\n"
     "  foo:\n"
     "  \tversion: \"1\"\n",
     "4:3: a tab as indentation [indent with spaces]\n", 0},
    {"tagund",
     "version: 1\n"
     "mode: !x!foo safe\n",
     "2:7: a tag (!NAME): not allowed here [a value that begins with ! is put "
     "in quotes]\n",
     0},
    {"glob",
     "version: 1\n"
     "packages: {foo: {version: *}}\n",
     "2:27: an alias (*NAME): not allowed here [write the value out; a value "
     "that begins with * is put in quotes]\n",
     0},
    {"dots",
     "version: 1\n"
     "...\n"
     "foo\n",
     "3:1: text behind the end of the map [a file is one map of sections]\n", 0},
    {"cut",
     "version: 1\n"
     "kernel: {release: a, str",
     "3:1: expected ',' or '}' in the map that begins at 2:9 [close the map "
     "with }]\n",
     0},
    {"cutlist",
     "version: 1\n"
     "holds: [a1, b1",
     "3:1: expected ',' or ']' in the list that begins at 2:8 [close the list "
     "with ]]\n",
     0},
    {"cutquote",
     "version: 1\n"
     "mode: \"safe\n"
     "kernel: {}\n",
     "2:7: a quote that is opened and never closed\n", 0},
    {"cutq2",
     "version: 1\n"
     "mode: 'sa\n",
     "2:7: a quote that is opened and never closed\n", 0},
    {"noplain",
     "version: 1\n"
     "mode safe\n"
     "kernel: {}\n",
     "2:1: a key without ':' behind it [write KEY: VALUE]\n", 0},
    {"nocolonlast",
     "version: 1\n"
     "mode\n",
     "2:1: a key without ':' behind it [write KEY: VALUE]\n", 0},
    {"colon2",
     "version: 1\n"
     "mode: a: b\n",
     "2:8: a ':' that does not belong here [put a value that holds ': ' in "
     "quotes, or mend the indentation]\n",
     0},
    {"dashinline",
     "version: 1\n"
     "holds: - a\n",
     "2:8: a list item that does not belong here [begin a list on a line of its "
     "own]\n",
     0},
    {"indent",
     "version: 1\n"
     "kernel:\n"
     "   release: a\n"
     "  strategy: pin\n",
     "4:3: this is no key of the map that begins at 1:1: its indentation "
     "differs, or a quote ended early [entries of one map begin in the same "
     "column]\n",
     0},
    {"indent2",
     "version: 1\n"
     " mode: safe\n",
     "2:6: a ':' that does not belong here [put a value that holds ': ' in "
     "quotes, or mend the indentation]\n",
     0},
    {"at",
     "version: 1\n"
     "mode: @safe\n",
     "2:7: '@' cannot begin a value [put a value that holds YAML's own "
     "characters in quotes]\n",
     0},
    {"back",
     "version: 1\n"
     "mode: `x\n",
     "2:7: '`' cannot begin a value [put a value that holds YAML's own "
     "characters in quotes]\n",
     0},
    {"percent",
     "version: 1\n"
     "mode: %x\n",
     "2:7: '%' cannot begin a value [put a value that holds YAML's own "
     "characters in quotes]\n",
     0},
    {"badesc",
     "version: 1\n"
     "mode: \"a\\q\"\n",
     "2:9: an unknown escape behind the backslash [write \\\\ for a backslash, or "
     "use single quotes]\n",
     0},
    {"badhex",
     "version: 1\n"
     "mode: \"\\xZZ\"\n",
     "2:10: a malformed \\x, \\u or \\U escape [write \\xNN, \\uNNNN or "
     "\\UNNNNNNNN]\n",
     0},
    {"block",
     "version: 1\n"
     "resources:\n"
     "  - kind: file\n"
     "    path: /a\n"
     "    content: |x\n"
     "      foo\n",
     "5:15: a malformed block text [write | or > and then a line break]\n", 0},
    {"flowcolon",
     "version: 1\n"
     "kernel: {release: a:b:c, strategy: [}\n",
     "2:37: expected a value [put a value that holds YAML's own characters in "
     "quotes]\n",
     0},
    {"text after", "{version: 1} foo\n",
     "1:14: text behind the end of the map [a file is one map of sections]\n", 0},
    {"quoteend",
     "version: 1\n"
     "mode: \"sa\"fe\n",
     "2:11: this is no key of the map that begins at 1:1: its indentation "
     "differs, or a quote ended early [entries of one map begin in the same "
     "column]\n",
     0},
    {"emptykey",
     "version: 1\n"
     ": b\n",
     "2:1: this is no key of the map that begins at 1:1: its indentation "
     "differs, or a quote ended early [entries of one map begin in the same "
     "column]\n",
     0},
};

static void syntax_faults_are_said_in_plain_words(void **state)
{
	(void)state;
	given_bad_inputs(bad, ARRAY_LEN(bad));
}

static void syntax_fault_that_is_not_known_is_passed_on(void **state)
{
	struct given g;
	struct syntax_fault fault = {.problem = "found a dragon", .at = {"x", 3, 4}};

	(void)state;
	given_init(&g);
	syntax_report(&fault, &g.faults);
	fault.problem = NULL;
	syntax_report(&fault, &g.faults);
	g.count = 1;
	assert_string_equal(given_faults(&g), "3:4: not YAML: found a dragon\n"
	                                      "3:4: not YAML: unknown fault\n");
	given_done(&g);
}

/* What was read before a fault of syntax is checked all the same. */
static void syntax_fault_does_not_hide_what_stands_before_it(void **state)
{
	static const struct bad_input before[] = {
	    {"unknown section first", "modle: {}\nkernel: {relase: a}\nholds: [a\n",
	     "1:1: 'modle' is no section of the desired state [did you mean 'mode'?]\n"
	     "2:10: kernel: unknown key 'relase' [did you mean 'release'?]\n"
	     "4:1: expected ',' or ']' in the list that begins at 3:8 [close the list with ]]\n",
	     0},
	};

	(void)state;
	given_bad_inputs(before, ARRAY_LEN(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(syntax_faults_are_said_in_plain_words),
	    cmocka_unit_test(syntax_fault_that_is_not_known_is_passed_on),
	    cmocka_unit_test(syntax_fault_does_not_hide_what_stands_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
