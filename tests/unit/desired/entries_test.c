// SPDX-License-Identifier: MIT
#include "desired/entries.h"

#include "unit/desired/given.h"
#include "desired/yaml.h"

static const struct bad_input bad[] = {
    {"emptyentry",
     "version: 1\n"
     "packages: {a1, b1: , c1: {version: }}\n"
     "holds: [ , x1]\n",
     "2:12: packages.a1: an empty value, expected a map of its fields [write {} "
     "when there is nothing to say about it]\n"
     "2:16: packages.b1: an empty value, expected a map of its fields [write {} "
     "when there is nothing to say about it]\n"
     "2:27: packages.c1.version: an empty value, expected a version or glob "
     "[give it a value, or remove it]\n"
     "3:10: expected a value [put a value that holds YAML's own characters in "
     "quotes]\n",
     0},
    {"emptyitem",
     "version: 1\n"
     "holds:\n"
     "  -\n"
     "  - foo\n",
     "3:4: holds[1]: an empty value, expected a package name, or a map with "
     "package [remove it]\n",
     0},
    {"dupl",
     "version: 1\n"
     "holds: [aa, bb, aa]\n"
     "packages: [{name: aa, version: \"1\"}, aa, {version: \"2\"}, {nam: foo}]\n"
     "resources:\n"
     " - {kind: file, path: /a}\n"
     " - {kind: file, key: /a, content: x}\n"
     " - {path: /x}\n"
     " - {kind: fil, path: /x}\n"
     " - {kind: node}\n"
     " - {kind: file}\n"
     " - {kind: file, path: x}\n"
     " - {kind: file, path: /y, digest: abc, mode: 0644, owner: 0}\n"
     " - foo\n"
     " -\n"
     " - {kind: file, path: /z, key: /z}\n"
     " - {kind: file, path: /w, state: gone}\n"
     " - {kind: file, path: /w2, state: unmanaged, mode: \"0644\"}\n",
     "2:17: holds: 'aa' stands here a second time, first at 2:9 [remove one of "
     "them]\n"
     "3:38: packages: 'aa' stands here a second time, first at 3:12 [remove one "
     "of them]\n"
     "3:42: packages[3]: name is missing\n"
     "3:58: packages[4]: name is missing\n"
     "3:59: packages[4]: unknown key 'nam' [did you mean 'name'?]\n"
     "6:4: resources: 'file:/a' stands here a second time, first at 5:4 [remove "
     "one of them]\n"
     "7:4: resources[3]: kind is missing [write {kind: KIND, ...}]\n"
     "8:11: resources[4]: 'fil' is no kind of resource [did you mean 'file'?]\n"
     "9:11: resources[5]: a node is only observed, it cannot be wanted\n"
     "10:4: resources[6]: a file needs its path\n"
     "11:23: resources[7].path: \"x\" is relative, expected an absolute path\n"
     "12:27: resources.file:/y.digest: is only observed, it cannot be wanted\n"
     "12:46: resources.file:/y.mode: 0644 must stand in quotes, expected \"0644\"\n"
     "13:4: resources[9]: expected a map of its fields, found text [write "
     "{FIELD: VALUE}]\n"
     "14:3: resources[10]: an empty value, expected a map of its fields [write "
     "{} when there is nothing to say about it]\n"
     "15:32: resources[11]: key and path say the same [remove it]\n"
     "16:34: resources.file:/w.state: \"gone\" is unknown, expected one of "
     "present, absent, unmanaged\n"
     "17:46: resources.file:/w2.mode: does nothing beside state: unmanaged, "
     "which drops the entry [remove it]\n",
     0},
    {"resmap",
     "version: 1\n"
     "resources:\n"
     "  \"file:/a\": {content: x}\n"
     "  \"fle:/b\": {}\n"
     "  file: {}\n"
     "  \"file:b\": {}\n"
     "  \"file:/c\": {kind: file}\n"
     "  \"node:\": {}\n",
     "4:3: resources: 'fle' is no kind of resource [did you mean 'file'?]\n"
     "5:3: resources.file: expected KIND:KEY [write a list, or KIND:KEY before "
     "each]\n"
     "6:3: resources.file:b.path: \"b\" is relative, expected an absolute path\n"
     "7:15: resources.file:/c: unknown key 'kind' [expected content, mode, "
     "owner, group, state]\n"
     "8:3: resources: a node is only observed, it cannot be wanted\n",
     0},
    {"template",
     "version: 1\n"
     "packages: {\"a-{kernel}\": {}}\n"
     "modules: {l: {package: \"x-{kernl}\"}}\n",
     "2:12: packages.name: \"a-{kernel}\" has a template, which is not possible "
     "here, expected a package name\n"
     "3:24: modules.l.package: \"x-{kernl}\" has a template other than {kernel}, "
     "expected a package name\n",
     0},
};

static void entries_say_all_their_faults(void **state)
{
	(void)state;
	given_bad_inputs(bad, ARRAY_LEN(bad));
}

static const char *shape(struct given *g, const char *text)
{
	struct layer layer = {.place = IN_DEFAULTS, .state = value_map()};
	bool whole = false;

	layer.file = given_file(g, "defaults.yaml", text);
	const struct value *root = yaml_read(g->arena, layer.file, &g->faults, &whole);

	layer_check(g->arena, root, whole, &g->faults, &layer);
	assert_string_equal(given_faults(g), "");
	return given_json(g, &layer.state);
}

static void entries_are_maps_by_key_however_they_were_written(void **state)
{
	static const char collection[] =
	    "{\"packages\":{\"aa\":{},\"bb\":{\"version\":\"1\"}},\"version\":1}";
	static const char resources[] =
	    "{\"resources\":{\"file:/a\":{\"content\":\"x\",\"kind\":\"file\",\"path\":\"/a\"},"
	    "\"hold:zz\":{\"kind\":\"hold\",\"package\":\"zz\",\"state\":\"absent\"}},\"version\":1}";
	struct given g;

	(void)state;
	given_init(&g);
	assert_string_equal(shape(&g, "version: 1\npackages: {bb: {version: '1'}, aa: {}}\n"),
	                    collection);
	assert_string_equal(shape(&g, "version: 1\npackages: [{name: bb, version: '1'}, aa]\n"),
	                    collection);
	assert_string_equal(shape(&g,
	                          "version: 1\nresources: [{kind: hold, package: zz, state: absent}, "
	                          "{kind: file, key: /a, content: x}]\n"),
	                    resources);
	assert_string_equal(shape(&g, "version: 1\nresources: {hold:zz: {state: absent}, "
	                              "'file:/a': {content: x}}\n"),
	                    resources);
	given_done(&g);
}

static void entries_of_an_empty_collection_are_none(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	assert_string_equal(shape(&g, "version: 1\npackages: []\nholds: {}\nresources: []\n"),
	                    "{\"holds\":{},\"packages\":{},\"resources\":{},\"version\":1}");
	given_done(&g);
}

static void entries_name_all_sections_when_none_is_near(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	assert_non_null(strstr(entries_known_sections(g.arena), "the sections are version, nodes, "));
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_say_all_their_faults),
	    cmocka_unit_test(entries_are_maps_by_key_however_they_were_written),
	    cmocka_unit_test(entries_of_an_empty_collection_are_none),
	    cmocka_unit_test(entries_name_all_sections_when_none_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
