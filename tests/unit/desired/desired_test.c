// SPDX-License-Identifier: MIT
#include "unit/desired/given.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- whole trees: tests/golden/desired/CASE, with what is wrong with them in `expected` ---- */

static char *slurp(struct arena *arena, const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "r");
	char *text = arena_alloc(arena, 1 << 20);

	if (!file) {
		return NULL;
	}
	*ret_length = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void give_folder(struct given *g, const char *tree, const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(arena_printf(g->arena, "%s/%s", tree, folder), &names, no_dots, alphasort);

	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(g->arena, "%s/%s", folder, names[i]->d_name);
		size_t length = 0;
		char *text = slurp(g->arena, arena_printf(g->arena, "%s/%s", tree, path), &length);

		assert_non_null(text);
		given_bytes(g, path, text, length);
		free(names[i]);
	}
	free(names);
}

/* Loads the tree and makes the effective state of every node it speaks of, as `validate` does. */
static void validate(struct given *g)
{
	struct desired_tree *tree = desired_load(g->arena, g->files, g->count, &g->diags);
	const char *const *nodes = NULL;
	size_t n = tree ? desired_nodes(tree, g->arena, &nodes) : 0;

	for (size_t i = 0; i < n; i++) {
		struct desired_identity identity = {.name = nodes[i], .source = "--node"};
		struct desired desired;
		size_t before = g->diags.count;

		if (desired_effective(g->arena, tree, &identity, &desired, &g->diags) == 0) {
			assert_int_equal(g->diags.count, before);
			assert_int_equal(strlen(desired.digest), 64);
		}
	}
}

static void check_golden(const char *top, const char *name)
{
	struct given g;
	size_t length = 0;

	given_init(&g);
	const char *tree = arena_printf(g.arena, "%s/%s", top, name);
	char *text = slurp(g.arena, arena_printf(g.arena, "%s/defaults.yaml", tree), &length);
	const char *expected = slurp(g.arena, arena_printf(g.arena, "%s/expected", tree), &length);

	if (text) {
		size_t n = 0;

		text = slurp(g.arena, arena_printf(g.arena, "%s/defaults.yaml", tree), &n);
		given_bytes(&g, "defaults.yaml", text, n);
	}
	give_folder(&g, tree, "nodes");
	give_folder(&g, tree, "roles");
	validate(&g);
	const char *found = given_faults_in(&g, true);

	if (!expected || strcmp(found, expected) != 0) {
		fail_msg("%s: expected\n%sfound\n%s", name, expected ? expected : "(no file)\n", found);
	}
	given_done(&g);
}

static void desired_trees_are_said_to_be_wrong_as_written_beside_them(void **state)
{
	const char *top = getenv("TOP");
	char path[4096];
	struct dirent **names = NULL;

	(void)state;
	snprintf(path, sizeof path, "%s/tests/golden/desired", top ? top : ".");
	int n = scandir(path, &names, no_dots, alphasort);

	assert_true(n >= 10);
	for (int i = 0; i < n; i++) {
		check_golden(path, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

/* ---- nodes ---- */

static void desired_roles_come_from_the_node_file_or_else_from_the_node(void **state)
{
	static const char *const own[] = {"b"};
	struct given g;
	struct desired_identity identity = {.name = "n1", .roles = own, .role_count = 1};
	struct desired desired;

	(void)state;
	given_init(&g);
	given_file(&g, "roles/a.yaml", "version: 1\nholds: [from-a]\n");
	given_file(&g, "roles/b.yaml", "version: 1\nholds: [from-b]\n");
	given_file(&g, "nodes/1.yaml", "version: 1\nnodes: [n1]\nroles: [a]\n");
	given_file(&g, "nodes/2.yaml", "version: 1\nnodes: [n2]\n");
	struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

	assert_non_null(tree);
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), 0);
	assert_string_equal(given_json(&g, &desired.state), "{\"holds\":{\"from-a\":{}}}");
	assert_string_equal(desired.roles[0], "a");
	identity.name = "n2";
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), 0);
	assert_string_equal(given_json(&g, &desired.state), "{\"holds\":{\"from-b\":{}}}");
	assert_string_equal(desired.node_file, "nodes/2.yaml");
	identity.name = "n3";
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), 0);
	assert_string_equal(given_json(&g, &desired.state), "{\"holds\":{\"from-b\":{}}}");
	assert_null(desired.node_file);
	given_done(&g);
}

static void desired_node_that_is_not_in_the_tree_is_an_error(void **state)
{
	struct given g;
	struct desired_identity identity = {.name = "hed"};
	struct desired desired = {.file_count = 77};

	(void)state;
	given_init(&g);
	given_file(&g, "nodes/1.yaml", "version: 1\nnodes: [head, \"compute-*\"]\n");
	struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

	assert_non_null(tree);
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), -ERR_INPUT);
	identity.name = "login-12";
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), -ERR_INPUT);
	assert_string_equal(given_faults(&g),
	                    "0:0: node 'hed' is not in the tree: no nodes: entry matches "
	                    "[did you mean 'head'?]\n"
	                    "0:0: node 'login-12' is not in the tree: no nodes: entry matches "
	                    "[the tree speaks of head, compute-*]\n");
	assert_int_equal(desired.file_count, 77);
	given_done(&g);
}

static void desired_role_of_the_node_itself_must_be_in_the_tree(void **state)
{
	static const char *const own[] = {"comptue"};
	static const struct pos at[] = {{"/etc/reconcile/node.yaml", 2, 9}};
	struct given g;
	struct desired_identity identity = {.name = "n", .roles = own, .role_at = at, .role_count = 1};
	struct desired desired;

	(void)state;
	given_init(&g);
	given_file(&g, "roles/compute.yaml", "version: 1\n");
	given_file(&g, "defaults.yaml", "version: 1\n");
	struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

	assert_non_null(tree);
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), -ERR_INPUT);
	assert_string_equal(given_faults(&g), "/etc/reconcile/node.yaml:2:9: roles: there is no "
	                                      "roles/comptue.yaml [did you mean 'compute'?]\n");
	given_done(&g);
}

static void desired_tree_without_files_is_an_error(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	assert_null(desired_load(g.arena, NULL, 0, &g.diags));
	assert_string_equal(given_faults(&g), ":0:0: the tree has no desired state "
	                                      "[write state/defaults.yaml or state/nodes/NAME.yaml]\n");
	given_done(&g);
}

static void desired_digest_is_of_what_is_said_not_of_how(void **state)
{
	static const char *const texts[] = {
	    "version: 1\nnodes: [n]\nholds: [aa, bb]\nmode: safe\n",
	    "version: 1\nmode: \"safe\"\n\nholds: {bb: {}, aa: {}}\nnodes: [n]\n"
	    "accept: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
	    "version: 1\nnodes: [n]\nholds: [aa]\nmode: safe\n",
	};
	struct desired_identity identity = {.name = "n"};
	struct desired desired[3];
	struct given g[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		given_init(&g[i]);
		given_file(&g[i], "nodes/n.yaml", texts[i]);
		struct desired_tree *tree = desired_load(g[i].arena, g[i].files, 1, &g[i].diags);

		assert_non_null(tree);
		assert_int_equal(desired_effective(g[i].arena, tree, &identity, &desired[i], &g[i].diags),
		                 0);
	}
	assert_string_equal(desired[0].digest, desired[1].digest);
	assert_string_not_equal(desired[0].digest, desired[2].digest);
	for (size_t i = 0; i < 3; i++) {
		given_done(&g[i]);
	}
}

/* Nothing in the room compares each with all others: quadratic, this takes minutes. */
static void desired_tree_of_10000_mounts_and_files_loads(void **state)
{
	struct desired_identity identity = {.name = "n"};
	struct desired desired;
	struct given g;
	AUTO(str_free) struct str text = {0};

	(void)state;
	str_add(&text, "version: 1\nnodes: [n]\nmounts:\n");
	for (int i = 0; i < 10000; i++) {
		str_addf(&text, "  /m/%d: {source: tmpfs, type: tmpfs, options: [size=1m, nodev]}\n", i);
	}
	str_add(&text, "resources:\n");
	for (int i = 0; i < 10000; i++) {
		str_addf(&text, "  - {kind: file, path: /f/%d, content: x, mode: \"0644\"}\n", i);
	}
	given_init(&g);
	given_file(&g, "defaults.yaml", "version: 1\nmounts: {/m/5: {options: [ro]}}\n");
	given_file(&g, "nodes/n.yaml", str_text(&text));
	struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

	assert_non_null(tree);
	assert_int_equal(desired_effective(g.arena, tree, &identity, &desired, &g.diags), 0);
	assert_int_equal(value_get(&desired.state, "mounts")->count, 10000);
	assert_int_equal(value_get(&desired.state, "resources")->count, 10000);
	given_done(&g);
}

/* ---- what nobody thought of ---- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* One slip of the keyboard or of a merge: a byte changed, a stretch cut out, put in or written
 * over. Returns the new length; at most 40 bytes are added. */
static size_t slip(char *text, size_t n, uint64_t *seed)
{
	static const char typed[] =
	    "\"'{}[]:,-#&*!|>%@`~?<= \t\n\r\x00\x1b\x7f\x80\xc2\x85\xff\xe2\x80\xaez0.\\";
	size_t at = next_random(seed) % n, from = next_random(seed) % n;
	size_t most = n - (at > from ? at : from), length = 1 + next_random(seed) % 40;

	length = length < most ? length : most;
	switch (next_random(seed) % 4) {
	case 0:
		text[at] = typed[next_random(seed) % (sizeof typed - 1)];
		return n;
	case 1:
		memmove(text + at, text + at + length, n - at - length);
		return n - length ? n - length : 1;
	case 2:
		memmove(text + at + length, text + at, n - at);
		memmove(text + at, text + from + (from >= at ? length : 0), length);
		return n + length;
	default:
		memmove(text + at, text + from, length);
		return n;
	}
}

static void assert_can_be_shown(const struct given *g, const struct diag *diag)
{
	size_t n = strlen(diag->err.text), length;

	assert_true(n > 0 && text_utf8_until(diag->err.text, n) == n);
	for (size_t i = 0; i < n; i++) {
		assert_true((unsigned char)diag->err.text[i] >= 0x20 && diag->err.text[i] != 0x7f);
	}
	if (diag->err.at.file) {
		assert_true(diag->err.at.line > 0 && diag->err.at.col > 0);
		(void)desired_source_line(g->files, g->count, diag->err.at, &length);
	}
}

static void desired_tree_with_slips_is_right_or_told_to_be_wrong(void **state)
{
	const char *top = getenv("TOP") ? getenv("TOP") : ".";
	struct arena *arena = arena_create();
	uint64_t seed = 88172645463325252u;
	size_t length = 0;
	const char *path = "tests/golden/desired/design-example/roles/compute.yaml";
	char *text = slurp(arena, arena_printf(arena, "%s/%s", top, path), &length);

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 4000; i++) {
		char slipped[16 << 10];
		struct given g;
		size_t n = length;

		memcpy(slipped, text, n);
		for (uint64_t k = next_random(&seed) % 4 + 1; k; k--) {
			n = slip(slipped, n, &seed);
		}
		given_init(&g);
		given_file(&g, "nodes/n.yaml", "version: 1\nnodes: [n]\nroles: [compute]\n");
		given_bytes(&g, "roles/compute.yaml", slipped, n);
		validate(&g);
		for (size_t k = 0; k < g.diags.count; k++) {
			assert_can_be_shown(&g, &g.diags.list[k]);
		}
		given_done(&g);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(desired_trees_are_said_to_be_wrong_as_written_beside_them),
	    cmocka_unit_test(desired_roles_come_from_the_node_file_or_else_from_the_node),
	    cmocka_unit_test(desired_node_that_is_not_in_the_tree_is_an_error),
	    cmocka_unit_test(desired_role_of_the_node_itself_must_be_in_the_tree),
	    cmocka_unit_test(desired_tree_without_files_is_an_error),
	    cmocka_unit_test(desired_digest_is_of_what_is_said_not_of_how),
	    cmocka_unit_test(desired_tree_of_10000_mounts_and_files_loads),
	    cmocka_unit_test(desired_tree_with_slips_is_right_or_told_to_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
