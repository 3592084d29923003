// SPDX-License-Identifier: MIT
#include "desired/layer.h"

#include "unit/desired/given.h"

static const struct bad_input bad[] = {
    {"root list", "- a\n",
     "1:1: expected a map of sections, found a list [write version: 1 as the "
     "first line]\n",
     0},
    {"root scalar", "hello\n",
     "1:1: expected a map of sections, found text [write version: 1 as the "
     "first line]\n",
     0},
    {"noversion", "mode: safe\n", "1:1: version is missing [write version: 1 as the first line]\n",
     0},
    {"v2", "version: 2\n", "1:10: version: expected the number 1, found the number 2\n", 0},
    {"vq", "version: \"1\"\n",
     "1:10: version: expected the number 1, found \"1\" [write the number without "
     "quotes]\n",
     0},
    {"depth32",
     "version: 1\n"
     "mode: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
     "2:7: mode: expected one of observe, safe, full, found a list\n", 0},
    {"emptysec",
     "version: 1\n"
     "packages:\n"
     "holds:\n"
     "resources:\n"
     "mode:\n"
     "kernel:\n",
     "2:1: packages: an empty value, expected a map or list of entries [remove "
     "the line, or write {}]\n"
     "3:1: holds: an empty value, expected a map or list of entries [remove the "
     "line, or write {}]\n"
     "4:1: resources: an empty value, expected a list of resources [remove the "
     "line, or write []]\n"
     "5:1: mode: an empty value, expected one of observe, safe, full [give it a "
     "value, or remove it]\n"
     "6:1: kernel: an empty value, expected a map of its fields [remove the "
     "line, or write {}]\n",
     0},
    {"unknown",
     "version: 1\n"
     "modles: {}\n"
     "kernle: {}\n"
     "kernel: {relase: a, zzzzzz: 1}\n"
     "mounts: {/x: {sorce: a, options: ro, manage: ful}}\n"
     "packages: {Foo: {}, a1: [], b1: 3}\n"
     "nodes: [a]\n",
     "2:1: 'modles' is no section of the desired state [did you mean 'modules'?]\n"
     "3:1: 'kernle' is no section of the desired state [did you mean 'kernel'?]\n"
     "4:10: kernel: unknown key 'relase' [did you mean 'release'?]\n"
     "4:21: kernel: unknown key 'zzzzzz' [expected release, strategy, packages]\n"
     "5:15: mounts./x: unknown key 'sorce' [did you mean 'source'?]\n"
     "5:34: mounts./x.options: expected a list of mount options, found \"ro\" "
     "[write a list of one: [VALUE]]\n"
     "5:46: mounts./x.manage: \"ful\" is unknown, did you mean full, expected one "
     "of full, live, observe\n"
     "6:12: packages.name: \"Foo\" has a character that package names do not "
     "have, expected a package name\n"
     "6:25: packages.a1: expected a map of its fields, found a list [write "
     "{FIELD: VALUE}]\n"
     "6:33: packages.b1: expected a map of its fields, found a whole number "
     "[write {FIELD: VALUE}]\n"
     "7:1: nodes: this section stands only in nodes/*.yaml\n",
     0},
    {"types",
     "version: 1\n"
     "reboot: {when: windw, per_day: 99, force: yes, attempts_per_kernel: \"2\"}\n"
     "kernel: [a]\n"
     "holds: 3\n"
     "resources: foo\n"
     "mode: 7\n"
     "mounts:\n"
     "  fsx: {}\n"
     "  /a/../b: {}\n"
     "  /a/: {options: [ro, 3, \"a b\", \"x,y\", ~]}\n"
     "  /T{kernel}: {}\n",
     "2:16: reboot.when: \"windw\" is unknown, did you mean window, expected one "
     "of never, window, slurm, now\n"
     "2:32: reboot.per_day: expected a whole number from 1 to 24, found the "
     "number 99\n"
     "2:43: reboot.force: expected true or false, found \"yes\" [write true, "
     "without quotes]\n"
     "2:69: reboot.attempts_per_kernel: expected a whole number from 1 to 10, "
     "found \"2\" [write the number without quotes]\n"
     "3:9: kernel: expected a map of its fields, found a list\n"
     "4:8: holds: expected a map or list of entries, found a whole number\n"
     "5:12: resources: expected a list of resources, found text\n"
     "6:7: mode: expected text, found a whole number: write \"7\"\n"
     "8:3: mounts.target: \"fsx\" is relative, expected an absolute path\n"
     "9:3: mounts.target: \"/a/../b\" has a part \"..\", expected an absolute path\n"
     "10:3: mounts.target: \"/a/\" ends in a slash, expected an absolute path\n"
     "10:23: mounts./a/.options: expected text, found a whole number: write \"3\"\n"
     "10:26: mounts./a/.options: \"a b\" has a blank, expected a mount option\n"
     "10:33: mounts./a/.options: \"x,y\" has a comma, write each option by "
     "itself, expected a mount option\n"
     "10:40: '~': there are no null values [remove the line, or write it in "
     "quotes if it is a text]\n",
     0},
    {"truths",
     "version: 1\n"
     "reboot:\n"
     "  force: \"true\"\n"
     "resources:\n"
     "- {kind: module, name: m, loaded: on, blacklisted: No, parameters: a=b}\n",
     "3:10: reboot.force: expected true or false, found \"true\" [write true, "
     "without quotes]\n"
     "5:35: resources.module:m.loaded: expected true or false, found \"on\" "
     "[write true, without quotes]\n"
     "5:52: resources.module:m.blacklisted: expected true or false, found \"No\" "
     "[write false, without quotes]\n"
     "5:68: resources.module:m.parameters: expected a list of name=value texts, "
     "found \"a=b\" [write a list of one: [VALUE]]\n",
     0},
};

static void layer_says_all_faults_of_its_sections(void **state)
{
	(void)state;
	given_bad_inputs(bad, ARRAY_LEN(bad));
}

static void layer_has_its_place_from_its_path(void **state)
{
	static const struct {
		const char *path;
		int place; /* 0: none */
		const char *name;
	} cases[] = {
	    {"defaults.yaml", IN_DEFAULTS, "defaults"},
	    {"roles/a.b.yaml", IN_ROLE, "a.b"},
	    {"nodes/n1.yaml", IN_NODE, "n1"},
	    {"nodes/.yaml", 0, NULL},
	    {"nodes/a/b.yaml", 0, NULL},
	    {"nodes/a.yml", 0, NULL},
	    {"default.yaml", 0, NULL},
	    {"a.yaml", 0, NULL},
	    {"", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct given g;
		struct layer layer;

		given_init(&g);
		bool placed = layer_place_of(g.arena, given_file(&g, cases[i].path, ""), &g.faults, &layer);

		assert_int_equal(placed ? layer.place : 0, cases[i].place);
		assert_int_equal(g.diags.count, placed ? 0 : 1);
		if (placed) {
			assert_string_equal(layer.name, cases[i].name);
		}
		given_done(&g);
	}
}

static void layer_names_a_place_without_control_characters(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	assert_string_equal(layer_path(g.arena, (struct layer_place){"mounts", "/a\tb"}, "type"),
	                    "mounts./a\\x09b.type");
	assert_string_equal(layer_path(g.arena, (struct layer_place){"kernel", NULL}, NULL), "kernel");
	given_done(&g);
}

static void layer_of_a_node_says_which(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	given_file(&g, "nodes/a.yaml", "mode: safe\nroles: compute\n");
	assert_null(desired_load(g.arena, g.files, g.count, &g.diags));
	assert_string_equal(
	    given_faults(&g),
	    "1:1: version is missing [write version: 1 as the first line]\n"
	    "1:1: nodes is missing: which nodes this file speaks of [write nodes: [NAME]]\n"
	    "2:8: roles: expected a list of names, found \"compute\" "
	    "[write a list of one: [VALUE]]\n");
	given_done(&g);
}

static void layer_with_a_hundred_faults_is_enough(void **state)
{
	struct given g;
	AUTO(str_free) struct str text = {0};

	(void)state;
	for (size_t k = 0; k < 5000; k++) {
		str_addf(&text, "key%zu: 1\n", k);
	}
	given_init(&g);
	given_file(&g, "defaults.yaml", str_text(&text));
	given_file(&g, "roles/r.yaml", "mod: 1\n");
	assert_null(desired_load(g.arena, g.files, g.count, &g.diags));
	assert_int_equal(g.diags.count, FAULTS_MOST + 1 + 2);
	assert_string_equal(g.diags.list[FAULTS_MOST].err.text,
	                    "more faults follow in this file, not shown");
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layer_says_all_faults_of_its_sections),
	    cmocka_unit_test(layer_has_its_place_from_its_path),
	    cmocka_unit_test(layer_names_a_place_without_control_characters),
	    cmocka_unit_test(layer_of_a_node_says_which),
	    cmocka_unit_test(layer_with_a_hundred_faults_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
