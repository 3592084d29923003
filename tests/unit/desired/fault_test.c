// SPDX-License-Identifier: MIT
#include "desired/fault.h"

#include "unit/desired/given.h"

static void fault_shows_texts_that_could_harm_a_terminal(void **state)
{
	struct given g;
	char longest[200];

	(void)state;
	given_init(&g);
	assert_string_equal(fault_quote(&g.faults, "a\033[31m\nb"), "'a\\x1b[31m\\x0ab'");
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(strlen(fault_quote(&g.faults, longest)), 60 + 2 + 3);
	assert_null(fault_nearest(&g.faults, NULL));
	assert_string_equal(fault_nearest(&g.faults, "mode"), "did you mean 'mode'?");
	given_done(&g);
}

static void fault_list_ends_with_a_word_that_there_are_more(void **state)
{
	struct given g;

	(void)state;
	given_init(&g);
	for (unsigned i = 0; i < 3 * FAULTS_MOST; i++) {
		assert_int_equal(fault_is_full(&g.faults), i > FAULTS_MOST);
		fault_add(&g.faults, (struct pos){"x", i + 1, 1}, NULL, "fault %u", i);
	}
	assert_int_equal(g.diags.count, FAULTS_MOST + 1);
	assert_int_equal(g.faults.count, 3 * FAULTS_MOST);
	given_done(&g);
}

static void fault_that_is_listed_is_left_out_when_asked(void **state)
{
	struct given g;
	struct pos at = {"x", 1, 2};

	(void)state;
	given_init(&g);
	g.faults.once = true;
	fault_add(&g.faults, at, NULL, "one");
	fault_add(&g.faults, at, NULL, "one");
	fault_add(&g.faults, at, NULL, "two");
	at.line = 2;
	fault_add(&g.faults, at, NULL, "one");
	assert_int_equal(g.diags.count, 3);
	assert_int_equal(g.faults.count, 4);
	given_done(&g);
}

static void fault_spoilt_values_are_not_empty_ones(void **state)
{
	struct value spoilt = fault_spoilt((struct pos){"x", 1, 1}), empty = value_null();

	(void)state;
	assert_true(fault_is_spoilt(&spoilt));
	assert_false(fault_is_spoilt(&empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fault_shows_texts_that_could_harm_a_terminal),
	    cmocka_unit_test(fault_list_ends_with_a_word_that_there_are_more),
	    cmocka_unit_test(fault_that_is_listed_is_left_out_when_asked),
	    cmocka_unit_test(fault_spoilt_values_are_not_empty_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
