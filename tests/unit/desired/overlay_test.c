// SPDX-License-Identifier: MIT
#include "desired/overlay.h"

#include "unit/desired/given.h"

/* The effective state of node n: defaults, role r, node. */
static struct desired effective(struct given *g, const char *defaults, const char *role,
                                const char *node)
{
	struct desired_identity identity = {.name = "n", .source = "--node"};
	struct desired desired = {0};

	given_file(g, "defaults.yaml", defaults);
	given_file(g, "roles/r.yaml", role);
	given_file(g, "nodes/n.yaml", node);
	struct desired_tree *tree = desired_load(g->arena, g->files, g->count, &g->diags);

	if (!tree || desired_effective(g->arena, tree, &identity, &desired, &g->diags)) {
		desired.state = value_null();
	}
	return desired;
}

#define NODE "version: 1\nnodes: [n]\nroles: [r]\n"

static void overlay_merges_maps_and_replaces_lists(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	struct desired d =
	    effective(&g, "version: 1\nmode: observe\nholds: [aa]\nkernel: {strategy: follow}\n",
	              "version: 1\nmode: safe\nholds: [bb]\nmounts:\n"
	              "  /m: {source: s, type: t, options: [ro, flock]}\n",
	              NODE "kernel: {release: 6.1}\nholds: {cc: {}}\nmounts: {/m: {options: [rw]}}\n");

	assert_string_equal(given_faults(&g), "");
	assert_string_equal(
	    given_json(&g, &d.state),
	    "{\"holds\":{\"aa\":{},\"bb\":{},\"cc\":{}},"
	    "\"kernel\":{\"release\":\"6.1\",\"strategy\":\"follow\"},\"mode\":\"safe\","
	    "\"mounts\":{\"/m\":{\"options\":[\"rw\"],\"source\":\"s\",\"type\":\"t\"}}}");
	given_done(&g);
}

static void overlay_keeps_where_each_value_comes_from(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	struct desired d = effective(&g, "version: 1\nholds: [aa, bb]\n",
	                             "version: 1\nmounts:\n  /m: {source: s, type: t, options: [ro]}\n",
	                             NODE "mounts:\n  /m:\n    options: [rw]\n");
	const struct value_entry *mount = value_entry(value_get(&d.state, "mounts"), "/m");
	const struct value *source = value_get(&mount->value, "source");
	const struct value *options = value_get(&mount->value, "options");
	const struct value_entry *hold = value_entry(value_get(&d.state, "holds"), "bb");

	assert_string_equal(source->at.file, "roles/r.yaml");
	assert_int_equal(source->at.line, 3);
	assert_int_equal(source->at.col, 16);
	assert_string_equal(options->at.file, "nodes/n.yaml");
	assert_int_equal(options->at.line, 6);
	assert_int_equal(options->at.col, 14);
	assert_string_equal(mount->key_at.file, "nodes/n.yaml");
	assert_int_equal(mount->key_at.line, 5);
	assert_string_equal(hold->key_at.file, "defaults.yaml");
	assert_int_equal(hold->key_at.col, 13);
	assert_int_equal(d.file_count, 3);
	assert_string_equal(d.files[0], "defaults.yaml");
	assert_string_equal(d.files[1], "roles/r.yaml");
	assert_string_equal(d.files[2], "nodes/n.yaml");
	given_done(&g);
}

static void overlay_unmanaged_forgets_what_is_below(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	struct desired d =
	    effective(&g, "version: 1\npackages: {aa: {version: '1'}, bb: {version: '1'}, cc: {}}\n",
	              "version: 1\npackages: {aa: {state: unmanaged}, bb: {state: unmanaged}, "
	              "dd: {state: unmanaged}}\n",
	              NODE "packages: {bb: {}}\n");

	assert_string_equal(given_json(&g, &d.state), "{\"packages\":{\"bb\":{},\"cc\":{}}}");
	given_done(&g);
}

static void overlay_absent_stays_until_somebody_says_otherwise(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	struct desired d = effective(
	    &g, "version: 1\n",
	    "version: 1\npackages: {aa: {state: absent}, bb: {state: absent}, cc: {}}\n",
	    NODE "packages: {aa: {state: present}, bb: {state: absent}, cc: {state: absent}}\n");

	assert_string_equal(
	    given_json(&g, &d.state),
	    "{\"packages\":{\"aa\":{\"state\":\"present\"},\"bb\":{\"state\":\"absent\"},"
	    "\"cc\":{\"state\":\"absent\"}}}");
	given_done(&g);
	given_init(&g);
	effective(&g, "version: 1\n", "version: 1\nholds: {aa: {state: absent}}\n",
	          NODE "holds: [aa]\n");
	assert_string_equal(
	    given_faults(&g),
	    "nodes/n.yaml:4:9: holds.aa: state: absent is inherited from roles/r.yaml:2:21 "
	    "[say state: present or state: absent here]\n");
	given_done(&g);
}

static void overlay_merges_resources_by_kind_and_key(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	struct desired d = effective(
	    &g, "version: 1\n",
	    "version: 1\nresources: [{kind: file, path: /a, content: x, mode: '0644'}, "
	    "{kind: directory, path: /a}]\n",
	    NODE "resources: {'file:/a': {content: y}, 'directory:/a': {state: unmanaged}}\n");

	assert_string_equal(given_json(&g, &d.state),
	                    "{\"resources\":{\"file:/a\":{\"content\":\"y\",\"kind\":\"file\","
	                    "\"mode\":\"0644\",\"path\":\"/a\"}}}");
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(overlay_merges_maps_and_replaces_lists),
	    cmocka_unit_test(overlay_keeps_where_each_value_comes_from),
	    cmocka_unit_test(overlay_unmanaged_forgets_what_is_below),
	    cmocka_unit_test(overlay_absent_stays_until_somebody_says_otherwise),
	    cmocka_unit_test(overlay_merges_resources_by_kind_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
