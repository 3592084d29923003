// SPDX-License-Identifier: MIT
#include "host/modules_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct modules_proof *proof;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	proof = modules_proof_create(arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct host_symbols told(void)
{
	struct host_symbols symbols;

	modules_proof_tell(proof, &symbols);
	return symbols;
}

static void nothing_imported_is_settled(void **state)
{
	(void)state;
	assert_true(modules_proof_is_settled(proof));
	assert_int_equal(told().total, 0);
	modules_proof_offer(proof, "a", 1, "x");
	assert_null(told().bad);
}

static void the_first_offer_counts(void **state)
{
	(void)state;
	modules_proof_import(proof, "a", 1, "m");
	modules_proof_offer(proof, "a", 1, "x");
	modules_proof_offer(proof, "a", 2, "y");
	assert_true(modules_proof_is_settled(proof));
	assert_null(told().bad);
	assert_int_equal(told().proved, 1);
}

static void the_layout_is_told_before_others(void **state)
{
	(void)state;
	modules_proof_import(proof, "a", 1, "m");
	modules_proof_import(proof, "module_layout", 1, "m");
	modules_proof_import(proof, "b", 1, "m");
	modules_proof_offer(proof, "a", 2, "x");
	assert_string_equal(told().bad, "a");
	assert_false(modules_proof_is_settled(proof));
	modules_proof_offer(proof, "module_layout", 3, "y");
	assert_true(modules_proof_is_settled(proof));
	assert_string_equal(told().bad, "module_layout");
	assert_int_equal(told().bad_offered, 3);
	assert_string_equal(told().bad_by, "y");
}

static void of_two_that_import_differently_one_is_wrong(void **state)
{
	(void)state;
	modules_proof_import(proof, "a", 1, "m");
	modules_proof_import(proof, "a", 1, "n");
	modules_proof_import(proof, "a", 2, "o");
	assert_int_equal(told().total, 2);
	modules_proof_offer(proof, "a", 1, "x");
	assert_string_equal(told().bad_in, "o");
	assert_int_equal(told().proved, 2);
}

static bool symvers(const char *text)
{
	return modules_proof_symvers(proof, text, strlen(text), "/h/Module.symvers");
}

static void a_text_that_is_no_list_of_symbols_counts_for_nothing(void **state)
{
	(void)state;
	modules_proof_import(proof, "a", 1, "m");
	assert_false(symvers(""));
	assert_false(symvers("\n\n\n\n"));
	assert_false(symvers("0x00000002\tb\tvmlinux\tEXPORT_SYMBOL\t\n"));
	assert_false(told().complete);
	assert_null(told().missing);
}

static void a_list_that_was_cut_off_is_not_complete(void **state)
{
	(void)state;
	modules_proof_import(proof, "a", 1, "m");
	assert_true(symvers("0x00000009\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x0000"));
	assert_false(told().complete);
	assert_true(symvers("0x00000009\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"));
	assert_true(told().complete);
	assert_string_equal(told().missing, "a");
}

/* Any imports and offers, against the plain meaning. */
static void random_ones_are_judged_as_one_by_one(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		uint32_t imports[6], offers[6] = {0};
		bool bad = false;
		size_t spoken = 0;

		proof = modules_proof_create(arena);
		for (size_t i = 0; i < 6; i++) {
			char symbol[] = {(char)('a' + i), '\0'};

			imports[i] = 1 + (unsigned)rand_r(&seed) % 3;
			modules_proof_import(proof, symbol, imports[i], "m");
		}
		for (int k = rand_r(&seed) % 12; k > 0; k--) {
			size_t i = (size_t)rand_r(&seed) % 6;
			uint32_t crc = 1 + (unsigned)rand_r(&seed) % 3;
			char symbol[] = {(char)('a' + i), '\0'};

			modules_proof_offer(proof, symbol, crc, "x");
			offers[i] = offers[i] ? offers[i] : crc;
		}
		for (size_t i = 0; i < 6; i++) {
			bad |= offers[i] && offers[i] != imports[i];
			spoken += offers[i] != 0;
		}
		assert_int_equal(told().proved, spoken);
		assert_int_equal(told().bad != NULL, bad);
		assert_int_equal(modules_proof_is_settled(proof), spoken == 6);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_imported_is_settled),
	    TEST(the_first_offer_counts),
	    TEST(the_layout_is_told_before_others),
	    TEST(of_two_that_import_differently_one_is_wrong),
	    TEST(a_text_that_is_no_list_of_symbols_counts_for_nothing),
	    TEST(a_list_that_was_cut_off_is_not_complete),
	    TEST(random_ones_are_judged_as_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
