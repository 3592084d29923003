// SPDX-License-Identifier: MIT
#include "desired/match.h"

#include "unit/desired/given.h"

static void match_globs_cover_whole_names(void **state)
{
	static const struct {
		const char *glob, *name;
		bool covers;
	} cases[] = {
	    {"*", "", true},
	    {"*", "a", true},
	    {"a*", "a", true},
	    {"a*", "ba", false},
	    {"*a", "bca", true},
	    {"*a", "ab", false},
	    {"a*c*e", "abcde", true},
	    {"a*c*e", "abcd", false},
	    {"a?c", "abc", true},
	    {"a?c", "ac", false},
	    {"", "", true},
	    {"", "a", false},
	    {"a", "", false},
	    {"**", "x", true},
	    {"a*b*b", "abab", true},
	    {"a*b*c", "abab", false},
	    {"*ab", "aab", true},
	    {"?", "", false},
	    {"compute-*", "compute-*", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (match_glob(cases[i].glob, cases[i].name) != cases[i].covers) {
			fail_msg("%s %s", cases[i].glob, cases[i].name);
		}
	}
}

static void match_globs_of_many_stars_take_no_exponential_time(void **state)
{
	AUTO(str_free) struct str glob = {0};
	AUTO(str_free) struct str name = {0};

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		str_add(&glob, "a*");
	}
	str_add(&glob, "b");
	str_pad(&name, 'a', 4000);
	assert_false(match_glob(str_text(&glob), str_text(&name)));
}

static void match_right_grows_with_the_literal_part(void **state)
{
	(void)state;
	assert_int_equal(match_right("n1", "n1"), MATCH_EXACTLY);
	assert_int_equal(match_right("n1", "n2"), -1);
	assert_int_equal(match_right("*", "n1"), 0);
	assert_int_equal(match_right("n*", "n1"), 1);
	assert_int_equal(match_right("?1", "n1"), 1);
	assert_int_equal(match_right("m*", "n1"), -1);
	assert_int_equal(match_right("n-*", "n-*"), MATCH_EXACTLY);
}

/* The node file that serves, or the faults. */
static const char *chosen(struct given *g, const char *name)
{
	struct desired_identity identity = {.name = name, .source = "--node"};
	struct desired desired;

	g->diags.count = 0;
	struct desired_tree *tree = desired_load(g->arena, g->files, g->count, &g->diags);

	if (!tree || desired_effective(g->arena, tree, &identity, &desired, &g->diags)) {
		return given_faults(g);
	}
	return desired.node_file;
}

static void match_node_prefers_names_then_longer_globs(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	given_file(&g, "nodes/all.yaml", "version: 1\nnodes: ['*', 'q1*']\n");
	given_file(&g, "nodes/gpu.yaml", "version: 1\nnodes: ['x-*', 'gpu-*', '*-z']\n");
	given_file(&g, "nodes/seven.yaml", "version: 1\nnodes: [gpu-7, 'gpu-0?', 'q1-*']\n");
	given_file(&g, "nodes/tie.yaml", "version: 1\nnodes: ['*-tie']\n");
	assert_string_equal(chosen(&g, "gpu-7"), "nodes/seven.yaml");
	assert_string_equal(chosen(&g, "gpu-70"), "nodes/gpu.yaml");
	assert_string_equal(chosen(&g, "gpu-01"), "nodes/seven.yaml");
	assert_string_equal(chosen(&g, "x-1"), "nodes/gpu.yaml");
	/* A tie between two does not matter where a third is better. */
	assert_string_equal(chosen(&g, "q1-z"), "nodes/seven.yaml");
	assert_string_equal(chosen(&g, "head"), "nodes/all.yaml");
	assert_string_equal(chosen(&g, "gpu-*"), "nodes/gpu.yaml");
	assert_string_equal(
	    chosen(&g, "gpu-tie"),
	    "nodes/tie.yaml:2:9: nodes: '*-tie' has no better right to node 'gpu-tie' than "
	    "'gpu-*' at nodes/gpu.yaml:2:16 [make one of them longer, or write the name "
	    "itself]\n");
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(match_globs_cover_whole_names),
	    cmocka_unit_test(match_globs_of_many_stars_take_no_exponential_time),
	    cmocka_unit_test(match_right_grows_with_the_literal_part),
	    cmocka_unit_test(match_node_prefers_names_then_longer_globs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
