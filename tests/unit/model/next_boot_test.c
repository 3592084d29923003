// SPDX-License-Identifier: MIT
#include "model/next_boot.h"

#include "base/json.h"
#include "base/str.h"
#include "model/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct next_boot_loss losses[] = {
    {.id = "module:lustre", .verdict = "no", .cause = "missing", .reason = "there is none"},
};

static struct next_boot sample(void)
{
	return (struct next_boot){
	    .release = "6.8.0-1042-aws",
	    .running = "6.8.0-1039-aws",
	    .brought = "unattended-upgrades",
	    .losses = losses,
	    .loss_count = 1,
	    .lost = 1,
	    .sentence = "one line",
	};
}

static void next_boot_as_a_value_has_what_is_known_and_no_more(void **state)
{
	struct arena *arena = arena_create();
	struct next_boot next = sample();
	struct value value = next_boot_to_value(arena, &next);
	const struct value *list = value_get(&value, "losses");

	(void)state;
	assert_string_equal(value_text(&value, "release"), "6.8.0-1042-aws");
	assert_string_equal(value_text(&value, "sentence"), "one line");
	assert_int_equal(value_number(&value, "lost", -1), 1);
	assert_null(value_get(&value, "installed"));
	assert_null(value_get(&value, "why"));
	assert_int_equal(list->count, 1);
	assert_string_equal(value_text(&list->items[0], "cause"), "missing");
	arena_free(arena);
}

static void a_loss_counts_as_blocked_until_the_plan_remedies_it(void **state)
{
	struct next_boot next = sample();
	struct plan plan = {.next_boot = &next};

	(void)state;
	assert_int_equal(plan_count(&plan).of[OUTCOME_BLOCKED], 1);
	assert_int_equal(plan_exit_code(&plan), 4);
	next.remedied = true;
	assert_int_equal(plan_exit_code(&plan), 0);
	next.remedied = false;
	next.lost = 0; /* not told is not lost */
	assert_int_equal(plan_exit_code(&plan), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(next_boot_as_a_value_has_what_is_known_and_no_more),
	    cmocka_unit_test(a_loss_counts_as_blocked_until_the_plan_remedies_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
