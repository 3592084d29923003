// SPDX-License-Identifier: MIT
#include "unit/provider/rebooting.h"

#include <time.h>

static void it_is_written_down_and_then_asked_for_once(void **state)
{
	const char *why;

	(void)state;
	PREPARE();
	assert_int_equal(converge(NOW, &why), OUTCOME_PENDING);
	assert_has(why, "going down");
	assert_string_equal(words(), "systemctl reboot\n");
	assert_int_equal(written().count, 1);
	assert_true(written().list[0].asked);
	assert_string_equal(written().list[0].into, "9.9.9-wanted");
	assert_string_equal(have(NOW)->open, "9.9.9-wanted");
	assert_string_equal(have(NOW)->result, "waiting");
	assert_int_equal(converge(NOW, &why), OUTCOME_PENDING);
	assert_string_equal(words(), "systemctl reboot\n");
}

static void never_is_never(void **state)
{
	struct utsname names;
	const char *why;

	(void)state;
	PREPARE();
	uname(&names);
	assert_int_equal(converge(WANT("\"when\": \"never\""), &why), OUTCOME_PENDING);
	assert_has(why, "reboot.when is never");
	assert_int_equal(converge(arena_printf(arena,
	                                       "{\"kind\": \"reboot\", \"when\": \"now\", "
	                                       "\"into\": \"%s\"}",
	                                       names.release),
	                          &why),
	                 OUTCOME_KEPT);
	assert_string_equal(words(), "");
}

static void attempts_and_reboots_of_a_day_are_bounded(void **state)
{
	const char *why;

	(void)state;
	PREPARE();
	as_if_booted("9.9.9-wanted", false, 2);
	assert_string_equal(have(NOW)->result, "came back");
	assert_string_equal(have(NOW)->attempts.items[0], "9.9.9-wanted=2");
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "attempts_per_kernel");
	assert_int_equal(converge(WANT("\"when\": \"now\", \"attempts_per_kernel\": 3"), &why),
	                 OUTCOME_PENDING);
	struct reboot_ledger l = written();

	l.list[2].boot_id = "another";
	l.list[2].into = l.list[2].from = "elsewhere";
	scratch_write(ledger, reboot_ledger_text(arena, &l), 0600);
	assert_int_equal(have(NOW)->last_day.value, 1);
	assert_int_equal(converge(WANT("\"when\": \"now\", \"attempts_per_kernel\": 9"), &why),
	                 OUTCOME_BLOCKED);
	assert_has(why, "per_day");
	assert_string_equal(words(), "systemctl reboot\n");
}

static void outside_its_window_it_waits(void **state)
{
	time_t now = (time_t)clock_now();
	const char *why;
	struct tm tm;

	(void)state;
	PREPARE();
	gmtime_r(&now, &tm);
	const char *closed = arena_printf(arena, "daily %02d:00-%02d:30 UTC", (tm.tm_hour + 5) % 24,
	                                  (tm.tm_hour + 5) % 24);
	const char *open =
	    arena_printf(arena, "daily %02d:00-%02d:00 UTC", tm.tm_hour, (tm.tm_hour + 2) % 24);
	assert_int_equal(
	    converge(arena_printf(arena, WANT("\"when\": \"window\", \"window\": \"%s\""), closed),
	             &why),
	    OUTCOME_BLOCKED);
	assert_has(why, "opens at");
	assert_string_equal(words(), "");
	assert_int_equal(
	    converge(arena_printf(arena, WANT("\"when\": \"window\", \"window\": \"%s\""), open), &why),
	    OUTCOME_PENDING);
	assert_string_equal(words(), "systemctl reboot\n");
}

static void the_way_back_from_a_trial_is_no_second_reboot_of_the_day(void **state)
{
	struct reboot_entry trial = {.boot_id = "another",
	                             .from = "9.9.9-wanted",
	                             .how = "now",
	                             .at = clock_now(),
	                             .trial = true,
	                             .asked = true};
	struct reboot_ledger l = {.list = {trial}, .count = 1};
	struct utsname names;
	const char *why;

	(void)state;
	PREPARE();
	uname(&names);
	l.list[0].into = names.release;
	mkdir(REBOOT_LEDGER_DIR, 0755);
	scratch_write(ledger, reboot_ledger_text(arena, &l), 0600);
	assert_int_equal(converge(NOW, &why), OUTCOME_PENDING);
	assert_string_equal(words(), "systemctl reboot\n");
	unlink(said);
	l.list[0].trial = false;
	scratch_write(ledger, reboot_ledger_text(arena, &l), 0600);
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "per_day");
	assert_string_equal(words(), "");
}

#define RENEW(rest)                                                             \
	arena_printf(arena,                                                         \
	             "{\"kind\": \"reboot\", \"into\": \"%s\", \"when\": \"now\", " \
	             "\"per_day\": 9, \"renew\": \"" rest "\"}",                    \
	             names.release)

/* That the kernel came up again says nothing, as long as the same is to be put right. */
static void into_the_kernel_that_runs_only_to_put_something_right(void **state)
{
	struct utsname names;
	const char *why;

	(void)state;
	PREPARE();
	uname(&names);
	menu(names.release);
	scratch_write(arena_printf(arena, "/boot/vmlinuz-%s", names.release), "x", 0600);
	for (unsigned i = 0; i < 2; i++) {
		unlink(said);
		assert_int_equal(converge(RENEW("lustre is old"), &why), OUTCOME_PENDING);
		assert_string_equal(words(), "systemctl reboot\n");
		assert_int_equal(converge(RENEW("lustre is old"), &why), OUTCOME_PENDING);
		assert_string_equal(words(), "systemctl reboot\n");
		struct reboot_ledger l = written();

		l.list[i].boot_id = "another";
		scratch_write(ledger, reboot_ledger_text(arena, &l), 0600);
	}
	unlink(said);
	assert_int_equal(converge(RENEW("lustre is old"), &why), OUTCOME_BLOCKED);
	assert_has(why, "2 reboots did not put it right: lustre is old");
	assert_string_equal(words(), "");
	assert_int_equal(have(RENEW("lustre is old"))->attempts.count, 0);
	assert_int_equal(converge(RENEW("lustre is old again"), &why), OUTCOME_PENDING);
	assert_string_equal(words(), "systemctl reboot\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_written_down_and_then_asked_for_once),
	    TEST(never_is_never),
	    TEST(attempts_and_reboots_of_a_day_are_bounded),
	    TEST(outside_its_window_it_waits),
	    TEST(into_the_kernel_that_runs_only_to_put_something_right),
	    TEST(the_way_back_from_a_trial_is_no_second_reboot_of_the_day),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
