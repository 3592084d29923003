// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/reboot_ledger.h"

static const char now[] = "boot-1", later[] = "boot-2";

static struct reboot_entry entry(const char *into, bool trial)
{
	return (struct reboot_entry){.boot_id = now,
	                             .from = "old",
	                             .into = into,
	                             .how = "now",
	                             .at = 1000000,
	                             .uptime = 100,
	                             .trial = trial,
	                             .asked = true};
}

static struct reboot_ledger one(const char *into, bool trial)
{
	const struct reboot_entry e = entry(into, trial);
	struct reboot_ledger ledger = {0};

	reboot_ledger_add(&ledger, &e);
	return ledger;
}

static void what_is_written_is_read_back(void **state)
{
	struct reboot_ledger ledger = one("new", true), back;
	struct err err;

	(void)state;
	ledger.list[0].result = REBOOT_CAME_BACK;
	ledger.list[0].renew = "x is old";
	ledger.list[0].resumed = true;
	const char *text = reboot_ledger_text(arena, &ledger);

	assert_int_equal(reboot_ledger_parse(text, strlen(text), arena, &back, &err), 0);
	assert_int_equal(back.count, 1);
	assert_string_equal(back.list[0].boot_id, now);
	assert_string_equal(back.list[0].into, "new");
	assert_string_equal(back.list[0].from, "old");
	assert_string_equal(back.list[0].how, "now");
	assert_string_equal(back.list[0].result, REBOOT_CAME_BACK);
	assert_int_equal(back.list[0].at, 1000000);
	assert_int_equal(back.list[0].uptime, 100);
	assert_string_equal(back.list[0].renew, "x is old");
	assert_true(back.list[0].trial && back.list[0].asked && back.list[0].resumed);
}

static void what_is_damaged_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "{",
	    "{}",
	    "[]",
	    "{\"reconcile_reboots\": 1}",
	    "{\"reconcile_reboots\": 2, \"reboots\": []}",
	    "{\"reconcile_reboots\": 1, \"reboots\": [{}]}",
	    "{\"reconcile_reboots\": 1, \"reboots\": [{\"boot_id\": 1}]}",
	};
	const struct reboot_ledger whole = one("new", false);
	const char *text = reboot_ledger_text(arena, &whole);
	struct reboot_ledger ledger;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(reboot_ledger_parse(texts[i], strlen(texts[i]), arena, &ledger, &err),
		                 -ERR_INPUT);
	}
	/* Cut off anywhere but before the newline at its end. */
	for (size_t n = 0; n + 2 < strlen(text); n++) {
		assert_int_equal(reboot_ledger_parse(text, n, arena, &ledger, &err), -ERR_INPUT);
	}
}

static bool settle(struct reboot_ledger *ledger, const char *boot_id, const char *running,
                   const char *boot_default)
{
	const struct reboot_boot boot = {boot_id, running, boot_default, ledger->list[0].at + 60};

	return reboot_ledger_settle(ledger, &boot);
}

static void another_boot_id_is_the_proof(void **state)
{
	struct reboot_ledger ledger = one("new", false);

	(void)state;
	assert_false(settle(&ledger, now, "old", NULL));
	assert_false(settle(&ledger, now, "new", NULL)); /* running it proves nothing */
	assert_null(reboot_ledger_open(&ledger)->result);
	assert_true(settle(&ledger, later, "new", NULL));
	assert_string_equal(ledger.list[0].result, REBOOT_ARRIVED);
	assert_null(reboot_ledger_open(&ledger));
	assert_false(settle(&ledger, "boot-3", "old", NULL)); /* long over */
	ledger = one("new", false);
	assert_true(settle(&ledger, later, "old", NULL));
	assert_string_equal(ledger.list[0].result, REBOOT_CAME_BACK);
	assert_non_null(reboot_ledger_open(&ledger));
}

static void what_failed_and_came_all_the_same_counts(void **state)
{
	struct reboot_ledger ledger = one("new", false);

	(void)state;
	for (int i = 0; i < 2; i++) {
		ledger.list[0].result = REBOOT_FAILED;
		ledger.list[0].asked = false;
		assert_false(settle(&ledger, now, "old", NULL));
		assert_int_equal(reboot_ledger_attempts(&ledger, "new", NULL), 0);
		assert_int_equal(reboot_ledger_last_day(&ledger, 1000000), 0);
		assert_true(settle(&ledger, later, i ? "new" : "old", NULL));
		assert_string_equal(ledger.list[0].result, i ? REBOOT_ARRIVED : REBOOT_CAME_BACK);
		assert_int_equal(reboot_ledger_attempts(&ledger, "new", NULL), i ? 0 : 1);
		assert_int_equal(reboot_ledger_last_day(&ledger, 1000000), 1);
	}
	/* Slurm's: so that its drain is taken away. */
	ledger.list[0].how = "slurm";
	assert_non_null(reboot_ledger_drained(&ledger, "new"));
	/* A trial that arrived so is one that waits for its verdict. */
	ledger = one("new", true);
	ledger.list[0].result = REBOOT_FAILED;
	assert_true(settle(&ledger, later, "new", "old"));
	assert_string_equal(reboot_ledger_open(&ledger)->result, REBOOT_ARRIVED);
}

/* An operator's, days after ours was refused. */
static void a_boot_long_after_what_failed_is_somebody_elses(void **state)
{
	struct reboot_ledger ledger = one("new", false);
	struct reboot_boot boot = {later, "old", NULL, ledger.list[0].at + 3600};

	(void)state;
	ledger.list[0].result = REBOOT_FAILED;
	assert_false(reboot_ledger_settle(&ledger, &boot));
	assert_string_equal(ledger.list[0].result, REBOOT_FAILED);
	assert_int_equal(reboot_ledger_attempts(&ledger, "new", NULL), 0);
	/* Slurm's waits for the jobs. */
	ledger.list[0].how = "slurm";
	assert_true(reboot_ledger_settle(&ledger, &boot));
	/* One that did not fail was ours, whenever it came. */
	ledger = one("new", false);
	assert_true(reboot_ledger_settle(&ledger, &boot));
}

/* One boot ends once, however often that was asked for. */
static void of_several_that_failed_in_one_boot_the_last_counts(void **state)
{
	struct reboot_ledger ledger = one("new", false);
	struct reboot_entry e = entry("new", false);

	(void)state;
	ledger.list[0].result = e.result = REBOOT_FAILED;
	reboot_ledger_add(&ledger, &e);
	assert_true(settle(&ledger, later, "old", NULL));
	assert_string_equal(ledger.list[0].result, REBOOT_FAILED);
	assert_string_equal(ledger.list[1].result, REBOOT_CAME_BACK);
	assert_int_equal(reboot_ledger_last_day(&ledger, 1000000), 1);
	assert_false(settle(&ledger, "boot-3", "old", NULL));
}

static void a_trial_is_over_when_it_became_the_default_or_left_again(void **state)
{
	struct reboot_ledger ledger = one("new", true);

	(void)state;
	settle(&ledger, later, "new", "old");
	assert_string_equal(reboot_ledger_open(&ledger)->result, REBOOT_ARRIVED);
	struct reboot_ledger again = ledger;

	assert_true(settle(&ledger, later, "new", "new"));
	assert_string_equal(ledger.list[0].result, REBOOT_KEPT);
	assert_null(reboot_ledger_open(&ledger));
	assert_true(settle(&again, "boot-3", "old", "old"));
	assert_string_equal(again.list[0].result, REBOOT_CAME_BACK);
	ledger = one("new", true);
	assert_true(settle(&ledger, later, "new", "new")); /* both at one look */
	assert_string_equal(ledger.list[0].result, REBOOT_KEPT);
}

static void only_what_went_well_ends_the_count(void **state)
{
	static const char *const results[] = {REBOOT_CAME_BACK, NULL, REBOOT_FAILED, REBOOT_ARRIVED};
	static const int64_t plain[] = {1, 2, 2, 0}, trial[] = {1, 2, 2, 3};

	(void)state;
	for (int is_trial = 0; is_trial < 2; is_trial++) {
		struct reboot_ledger ledger = {0};

		for (size_t i = 0; i < ARRAY_LEN(results); i++) {
			struct reboot_entry e = entry("new", is_trial), other = entry("other", false);

			e.result = results[i];
			reboot_ledger_add(&ledger, &other);
			reboot_ledger_add(&ledger, &e);
			assert_int_equal(reboot_ledger_attempts(&ledger, "new", NULL),
			                 (is_trial ? trial : plain)[i]);
		}
	}
}

static void a_day_has_24_hours_whatever_the_clock_does(void **state)
{
	struct reboot_ledger ledger = one("new", false);

	(void)state;
	assert_int_equal(reboot_ledger_last_day(&ledger, 1000000 + 3600), 1);
	assert_int_equal(reboot_ledger_last_day(&ledger, 1000000 + 86401), 0);
	assert_int_equal(reboot_ledger_last_day(&ledger, 1000000 - 86400), 1); /* set back */
	ledger.list[0].result = REBOOT_FAILED;
	assert_int_equal(reboot_ledger_last_day(&ledger, 1000000 + 3600), 0);
}

static void it_is_not_awaited_for_ever(void **state)
{
	struct reboot_entry e = entry("new", false);

	(void)state;
	assert_true(reboot_ledger_is_awaited(&e, 100 + 899));
	assert_false(reboot_ledger_is_awaited(&e, 100 + 900));
	e.how = "slurm";
	assert_true(reboot_ledger_is_awaited(&e, 100 + 86400));
	e.asked = false; /* cut off between the ledger and the command */
	assert_true(reboot_ledger_is_awaited(&e, 100 + 119));
	assert_false(reboot_ledger_is_awaited(&e, 100 + 120));
}

static void it_does_not_grow_for_ever(void **state)
{
	struct reboot_ledger ledger = {0};

	(void)state;
	for (int i = 0; i < REBOOT_ENTRIES + 5; i++) {
		struct reboot_entry e = entry(arena_printf(arena, "k%d", i), false);

		reboot_ledger_add(&ledger, &e);
	}
	assert_int_equal(ledger.count, REBOOT_ENTRIES);
	assert_string_equal(ledger.list[0].into, "k5");
	assert_string_equal(reboot_ledger_open(&ledger)->into,
	                    arena_printf(arena, "k%d", REBOOT_ENTRIES + 4));
}

static void a_drain_of_ours_lasts_until_it_is_noted_to_be_over(void **state)
{
	struct reboot_ledger ledger = one("new", false);

	(void)state;
	ledger.list[0].result = REBOOT_ARRIVED;
	assert_null(reboot_ledger_drained(&ledger, "new")); /* it was no reboot by Slurm */
	ledger.list[0].how = "slurm";
	assert_non_null(reboot_ledger_drained(&ledger, "new"));
	assert_null(reboot_ledger_drained(&ledger, "old"));
	ledger.list[0].result = REBOOT_CAME_BACK;
	assert_null(reboot_ledger_drained(&ledger, "new"));
	ledger.list[0].result = NULL;
	assert_null(reboot_ledger_drained(&ledger, "new"));
	ledger.list[0].result = REBOOT_KEPT;
	assert_non_null(reboot_ledger_drained(&ledger, "new"));
	reboot_ledger_resume(&ledger);
	assert_null(reboot_ledger_drained(&ledger, "new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_written_is_read_back),
	    TEST(what_is_damaged_is_refused),
	    TEST(another_boot_id_is_the_proof),
	    TEST(what_failed_and_came_all_the_same_counts),
	    TEST(a_boot_long_after_what_failed_is_somebody_elses),
	    TEST(of_several_that_failed_in_one_boot_the_last_counts),
	    TEST(a_drain_of_ours_lasts_until_it_is_noted_to_be_over),
	    TEST(a_trial_is_over_when_it_became_the_default_or_left_again),
	    TEST(only_what_went_well_ends_the_count),
	    TEST(a_day_has_24_hours_whatever_the_clock_does),
	    TEST(it_is_not_awaited_for_ever),
	    TEST(it_does_not_grow_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
