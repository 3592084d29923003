// SPDX-License-Identifier: MIT
#include "unit/provider/rebooting.h"

static void the_ledger_is_there_before_the_command(void **state)
{
	(void)state;
	PREPARE();
	program("systemctl", arena_printf(arena, "cp %s /var/lib/then", ledger));
	converge(NOW, NULL);
	assert_has(scratch_read("/var/lib/then"), "\"into\": \"9.9.9-wanted\"");
	assert_has(scratch_read("/var/lib/then"), "\"asked\": false");
}

static void without_the_ledger_nothing_is_rebooted(void **state)
{
	const char *why;

	(void)state;
	PREPARE();
	mkdir(REBOOT_LEDGER_DIR, 0755);
	scratch_write(REBOOT_LEDGER_DIR "/history.db", "", 0600);
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "missing");
	scratch_write(ledger, "{\"reconcile_reboots\": 1, \"reboo", 0600);
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "damaged");
	unlink(ledger);
	assert_int_equal(mkdir(ledger, 0700), 0); /* it cannot be written */
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_int_equal(rmdir(ledger), 0);
	assert_string_equal(words(), "");
}

static void only_into_what_will_boot(void **state)
{
	const char *why;

	(void)state;
	PREPARE();
	menu("9.9.9-other");
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "9.9.9-other would boot, not 9.9.9-wanted");
	unlink("/boot/grub/grub.cfg");
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "cannot be told");
	assert_string_equal(words(), "");
	assert_int_not_equal(access(ledger, F_OK), 0);
}

static void a_command_that_fails_is_no_reboot_unless_another_boot_follows(void **state)
{
	static const char *const ends[] = {"echo no; exit 1", "kill -TERM $$; sleep 9"};
	const char *why;

	(void)state;
	PREPARE();
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		prepare();
		program("systemctl", ends[i]);
		assert_int_equal(converge(NOW, &why), OUTCOME_FAILED);
		assert_string_equal(written().list[0].result, REBOOT_FAILED);
		assert_null(have(NOW)->open);
		assert_int_equal(have(NOW)->last_day.value, 0);
		assert_int_equal(have(NOW)->attempts.count, 0);

		struct reboot_ledger since = written();

		since.list[0].boot_id = "another";
		scratch_write(ledger, reboot_ledger_text(arena, &since), 0600);
		assert_string_equal(have(NOW)->result, "came back");
		assert_int_equal(have(NOW)->last_day.value, 1);
		assert_string_equal(have(NOW)->attempts.items[0], "9.9.9-wanted=1");
		assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
		assert_has(why, "per_day");
	}
}

static void a_trial_is_open_until_it_is_the_default(void **state)
{
	struct utsname names;

	(void)state;
	PREPARE();
	uname(&names);
	as_if_booted(names.release, true, 1);
	assert_string_equal(have(NOW)->result, "arrived");
	assert_true(have(NOW)->open_trial.value);
	menu(names.release);
	scratch_write(arena_printf(arena, "/boot/vmlinuz-%s", names.release), "x", 0600);
	assert_null(have(NOW)->open);
}

static void slurm_drains_it_before(void **state)
{
	const char *want = WANT("\"when\": \"slurm\""), *why;

	(void)state;
	PREPARE();
	assert_int_equal(converge(want, &why), OUTCOME_BLOCKED);
	assert_has(why, "no scontrol");
	slurm("IDLE+DRAIN Reason=disk is old [root@2026-11-21T06:10:05]", "");
	assert_int_equal(converge(want, &why), OUTCOME_BLOCKED);
	assert_has(why, "disk is old");
	unlink(said);
	slurm("IDLE", "");
	assert_int_equal(converge(want, &why), OUTCOME_PENDING);
	assert_has(words(), "State=DRAIN Reason=reconcile: reboot into 9.9.9-wanted");
	/* Any nextstate would end the drain when the node is back. */
	assert_has(strstr(words(), "State=DRAIN"), "scontrol reboot x\n");
	assert_null(strstr(words(), "systemctl"));
	prepare();
	slurm("IDLE", "[ \"$1\" != reboot ] || exit 1");
	assert_int_equal(converge(want, &why), OUTCOME_FAILED);
	assert_has(strstr(words(), "scontrol reboot"), "State=RESUME");
}

/* A scontrol that gives up waiting says nothing of what slurmctld does. */
static void a_drain_is_taken_back_only_when_slurm_will_not_reboot(void **state)
{
	static const char fails[] = "[ \"$1\" != reboot ] || { touch /var/lib/tried; exit 1; }";
	const char *want = WANT("\"when\": \"slurm\""), *why;

	(void)state;
	PREPARE();
	slurm("IDLE+DRAIN+REBOOT_REQUESTED Reason=reconcile: reboot into 9.9.9-wanted", fails);
	assert_int_equal(converge(want, &why), OUTCOME_PENDING);
	assert_null(strstr(words(), "State=RESUME"));
	assert_true(written().list[0].asked);
	assert_string_equal(have(want)->result, "waiting");
	prepare();
	unlink("/var/lib/tried");
	slurm("IDLE", arena_printf(arena, "%s\n[ ! -e /var/lib/tried ] || exit 1", fails));
	assert_int_equal(converge(want, &why), OUTCOME_FAILED);
	assert_null(strstr(words(), "State=RESUME"));
	assert_has(why, "x stays drained, since Slurm does not say whether it will reboot it");
	assert_string_equal(written().list[0].result, REBOOT_FAILED);
}

static void a_slurm_that_does_not_answer_is_not_asked_to_reboot(void **state)
{
	const char *want = WANT("\"when\": \"slurm\""), *why;

	(void)state;
	PREPARE();
	program("scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1");
	assert_int_equal(converge(want, &why), OUTCOME_BLOCKED);
	assert_has(why, "cannot be told");
	assert_has(why, "Unable to contact slurm controller");
	assert_null(strstr(words(), "DRAIN"));
	assert_int_not_equal(access(ledger, F_OK), 0);
}

/* Whatever fails, and whenever: at most one reboot is asked for in one boot and counted, and a
 * faultless run afterwards asks for it when none was. */
static void a_fault_anywhere_makes_no_second_reboot(void **state)
{
	(void)state;
	PREPARE();
	const struct resource *want = converging_want(arena, NOW);

	for (int when = FAULT_BEFORE; when <= FAULT_AFTER; when++) {
		for (unsigned n = 1;; n++) {
			prepare();
			converging_apply(arena, fault_host_table(n, (enum fault_when)when), want, NULL);
			if (!fault_host_hit()) {
				break;
			}
			bool asked = *words() != '\0';

			/* A command that was carried out is one that was written down before. */
			assert_true(!asked || access(ledger, F_OK) == 0);
			enum outcome outcome = converging_apply(arena, &host_linux_ops, want, NULL);

			if (outcome != OUTCOME_PENDING) {
				fail_msg("%s %u: %s", fault_host_hit(), n, outcome_name(outcome));
			}
			/* When the command itself said that it failed, it may be asked once more. */
			bool twice = strcmp(fault_host_hit(), "run") == 0;

			if (!twice && strcmp(words(), "systemctl reboot\n") != 0 && *words()) {
				fail_msg("%s %u: %s", fault_host_hit(), n, words());
			}
			assert_true(written().count <= 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_ledger_is_there_before_the_command),
	    TEST(without_the_ledger_nothing_is_rebooted),
	    TEST(only_into_what_will_boot),
	    TEST(a_command_that_fails_is_no_reboot_unless_another_boot_follows),
	    TEST(a_trial_is_open_until_it_is_the_default),
	    TEST(slurm_drains_it_before),
	    TEST(a_drain_is_taken_back_only_when_slurm_will_not_reboot),
	    TEST(a_slurm_that_does_not_answer_is_not_asked_to_reboot),
	    TEST(a_fault_anywhere_makes_no_second_reboot),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
