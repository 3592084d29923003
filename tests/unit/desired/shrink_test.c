// SPDX-License-Identifier: MIT
#include "unit/desired/given.h"

static struct value state_of(struct given *g, const char *text)
{
	struct desired_identity identity = {.name = "n"};
	struct desired desired;

	g->count = 0;
	given_file(g, "nodes/n.yaml", arena_printf(g->arena, "version: 1\nnodes: [n]\n%s", text));
	struct desired_tree *tree = desired_load(g->arena, g->files, g->count, &g->diags);

	assert_non_null(tree);
	assert_int_equal(desired_effective(g->arena, tree, &identity, &desired, &g->diags), 0);
	return desired.state;
}

#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *before, *now;
	bool alarming;
	const char *text;
} cases[] = {
    {"", "", false, "nothing of the last applied state is gone"},
    {"", "holds: [aa]\n", false, "nothing of the last applied state is gone"},
    {"holds: []\n", "", false, "nothing of the last applied state is gone"},
    {"holds: [aa]\n", "", true, "1 section of the last applied state is gone (holds)"},
    {"holds: [aa]\nmode: safe\nkernel: {release: '6'}\nreboot: {when: now}\n", "", true,
     "4 sections of the last applied state are gone (holds, kernel, mode, ...)"},
    {"holds: [aa]\n", "holds: []\n", false,
     "1 of 1 entries of the last applied state are gone (holds.aa)"},
    {"holds: [aa, bb]\npackages: {cc: {}, dd: {}, ee: {}}\n", "holds: []\npackages: {ee: {}}\n",
     false,
     "4 of 5 entries of the last applied state are gone (holds.aa, holds.bb, packages.cc, ...)"},
    {"holds: [aa, bb, cc, dd, ee, ff]\n", "holds: [ff, gg, hh, ii, jj, kk]\n", true,
     "5 of 6 entries of the last applied state are gone (holds.aa, holds.bb, holds.cc, ...)"},
    {"holds: [aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm, nn, oo]\n",
     "holds: [ff, gg, hh, ii, jj, kk, ll, mm, nn, oo]\n", false,
     "5 of 15 entries of the last applied state are gone (holds.aa, holds.bb, holds.cc, ...)"},
    {"holds: [aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm, nn]\n",
     "holds: [ff, gg, hh, ii, jj, kk, ll, mm, nn]\n", true,
     "5 of 14 entries of the last applied state are gone (holds.aa, holds.bb, holds.cc, ...)"},
    {"accept: " SHA "\nholds: [aa]\n", "holds: [aa]\n", false,
     "nothing of the last applied state is gone"},
    {"packages: {aa: {}}\n", "packages: {aa: {state: absent}}\n", false,
     "nothing of the last applied state is gone"},
};

static void shrink_alarms_when_a_section_or_many_entries_are_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct given g;

		given_init(&g);
		struct value before = state_of(&g, cases[i].before), now = state_of(&g, cases[i].now);
		struct desired_shrink shrink = desired_shrink(g.arena, &before, &now);

		assert_string_equal(shrink.text, cases[i].text);
		assert_int_equal(shrink.alarming, cases[i].alarming);
		given_done(&g);
	}
}

static void shrink_knows_nothing_of_sections_of_other_versions(void **state)
{
	struct given g;
	struct value before = value_map(), inner = value_map(), now = value_map(), none = value_null();

	(void)state;
	given_init(&g);
	value_put(g.arena, &inner, "x", value_int(1));
	value_put(g.arena, &before, "flags", inner);
	assert_true(desired_shrink(g.arena, &before, &now).alarming);
	assert_int_equal(desired_shrink(g.arena, &before, &now).before, 0);
	assert_false(desired_shrink(g.arena, &before, &before).alarming);
	assert_false(desired_shrink(g.arena, &none, &now).alarming);
	given_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shrink_alarms_when_a_section_or_many_entries_are_gone),
	    cmocka_unit_test(shrink_knows_nothing_of_sections_of_other_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
