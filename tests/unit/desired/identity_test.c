// SPDX-License-Identifier: MIT
#include "unit/desired/given.h"

static const char *parse(struct given *g, const char *text, struct desired_identity *ret_identity)
{
	int r = desired_identity_parse(g->arena, given_file(g, "/etc/node.yaml", text), ret_identity,
	                               &g->diags);

	assert_int_equal(r, g->diags.count ? -ERR_INPUT : 0);
	return given_faults(g);
}

static void identity_has_a_name_and_perhaps_roles(void **state)
{
	struct given g;
	struct desired_identity id;

	(void)state;
	given_init(&g);
	assert_string_equal(parse(&g, "name: compute-7\nroles: [compute, gpu]\n", &id), "");
	assert_string_equal(id.name, "compute-7");
	assert_string_equal(id.source, "/etc/node.yaml");
	assert_int_equal(id.role_count, 2);
	assert_string_equal(id.roles[1], "gpu");
	assert_int_equal(id.role_at[1].col, 18);
	assert_string_equal(parse(&g, "version: 1\nname: head\n", &id), "");
	assert_int_equal(id.role_count, 0);
	given_done(&g);
}

static void identity_that_is_wrong_says_where(void **state)
{
	static const struct {
		const char *text, *faults;
	} cases[] = {
	    {"", "1:1: the file is empty, expected a map\n"},
	    {"- a\n", "1:1: expected a map with name and roles, found a list [write name: NAME]\n"},
	    {"roles: [a]\n", "1:1: name is missing: of the node [write name: NAME]\n"},
	    {"name: 'a*'\n",
	     "1:7: name: \"a*\" has a character that names do not have, expected a name of "
	     "letters, digits, dots, dashes and underscores\n"},
	    {"name: 7\n", "1:7: name: expected text, found a whole number: write \"7\"\n"},
	    {"nam: a\nname: b\nzzzzzzzz: 1\n",
	     "1:1: unknown key 'nam' [did you mean 'name'?]\n"
	     "3:1: unknown key 'zzzzzzzz' [expected name and roles]\n"},
	    {"name: a\nroles: gpu\n",
	     "2:8: roles: expected a list of names, found \"gpu\" [write a list of one: [VALUE]]\n"},
	    {"name:\n",
	     "1:1: name: an empty value, expected a name of letters, digits, dots, dashes and "
	     "underscores [give it a value, or remove it]\n"},
	    {"name: [\n",
	     "2:1: expected a value [put a value that holds YAML's own characters in quotes]\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct given g;
		struct desired_identity id = {.name = "untouched"};

		given_init(&g);
		assert_string_equal(parse(&g, cases[i].text, &id), cases[i].faults);
		assert_string_equal(id.name, "untouched");
		given_done(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identity_has_a_name_and_perhaps_roles),
	    cmocka_unit_test(identity_that_is_wrong_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
