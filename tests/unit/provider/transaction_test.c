// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "base/clock.h"
#include "provider/transaction.h"

#include <unistd.h>

/* The machine, but for the package manager's state and the program that is run. */
static struct host_package_manager given;
static const char *ran; /* the argv of the last run, by blanks */
static struct host host;

static int give_manager(struct host *h, struct host_package_manager *ret, struct err *err)
{
	(void)h;
	(void)err;
	*ret = given;
	return 0;
}

static int note_and_run(struct host *h, const struct child_command *command,
                        struct child_result *ret, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct child_command shorter = *command;

	for (const char *const *word = command->argv; *word; word++) {
		str_addf(&text, "%s ", *word);
	}
	ran = arena_strdup(arena, str_text(&text));
	if (strcmp(command->argv[0], "systemd-run") == 0) {
		static const char *const instead[] = {"true", NULL};

		shorter.argv = instead;
	}
	if (command->keep_at_deadline) {
		assert_int_equal(command->timeout_ms, TRANSACTION_MS);
		shorter.timeout_ms = 1500;
	}
	return host_linux_ops.run(h, &shorter, ret, err);
}

static int start(void **state)
{
	static struct host_ops ops;

	observing_setup(state);
	ops = host_linux_ops;
	ops.package_manager = give_manager;
	ops.run = note_and_run;
	given = (struct host_package_manager){.lock_command = ""};
	host_init(&host, &ops, arena);
	return 0;
}

static int stop(void **state)
{
	host_done(&host);
	return observing_teardown(state);
}

static const char *busy(void)
{
	struct host_package_manager manager;
	const char *why;
	struct err err;

	assert_int_equal(transaction_busy(&host, arena, &manager, &why, &err), 0);
	return why;
}

static struct transaction run(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct transaction done;
	struct err err;

	assert_int_equal(transaction_run(&host, &given, argv, arena, &done, &err), 0);
	return done;
}

static void the_holder_of_the_lock_is_named(void **state)
{
	(void)state;
	assert_null(busy());
	given.lock_pid = INT32_MAX - 1; /* nobody's */
	assert_string_equal(busy(), "the package manager's lock is held by process 2147483646");
	given.lock_command = "unattended-upgr";
	assert_string_equal(
	    busy(), "the package manager's lock is held by process 2147483646 (unattended-upgr)");
	given.lock_pid = getpid();
	assert_has(busy(), "(unattended-upgr) since 2");
	given.lock_pid = -1;
	assert_has(busy(), "outside of this container");
}

static void what_it_said_is_kept_and_a_complaint_is_the_reason(void **state)
{
	(void)state;
	struct transaction t = run("echo fine");

	assert_int_equal(t.outcome, OUTCOME_CHANGED);
	assert_string_equal(t.detail, "fine\n");
	t = run("echo out; echo 'W: warning' >&2; echo 'E: Unable to locate package x' >&2; exit 100");
	assert_int_equal(t.outcome, OUTCOME_FAILED);
	assert_string_equal(t.why, "sh: Unable to locate package x");
	assert_has(t.detail, "out\nW: warning\n");
	t = run("echo only words >&2; exit 1");
	assert_string_equal(t.why, "sh: only words");
	t = run("exit 7");
	assert_string_equal(t.why, "sh ended with status 7");
	t = run("kill -9 $$");
	assert_int_equal(t.outcome, OUTCOME_FAILED);
	assert_has(t.why, "signal 9");
}

static void a_lock_that_somebody_took_meanwhile_is_no_failure(void **state)
{
	(void)state;
	struct transaction t =
	    run("echo 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by "
	        "process 1 (apt)' >&2; exit 100");

	assert_int_equal(t.outcome, OUTCOME_BLOCKED);
}

static void what_is_waited_for_is_what_the_change_has_left(void **state)
{
	(void)state;
	static const char *const argv[] = {"true", NULL};
	struct transaction done;
	struct err err;

	host.ops = &host_linux_ops;
	host.patience = clock_ms() + 1200;
	static const char *const slow[] = {"sleep", "3", NULL};

	assert_int_equal(transaction_run(&host, &given, slow, arena, &done, &err), 0);
	assert_int_equal(done.outcome, OUTCOME_PENDING);
	/* The next one of the same change may begin all the same. */
	assert_int_equal(transaction_run(&host, &given, argv, arena, &done, &err), 0);
	assert_int_equal(done.outcome, OUTCOME_CHANGED);
}

static void at_the_deadline_it_is_left_alone(void **state)
{
	(void)state;
	const char *mark = arena_strdup(arena, scratch_path("went-on"));
	struct transaction t = run(arena_printf(arena, "sleep 2.2; touch %s", mark));

	assert_int_equal(t.outcome, OUTCOME_PENDING);
	assert_has(t.why, "still runs");
	for (int i = 0; i < 200 && access(mark, F_OK); i++) {
		usleep(50000);
	}
	assert_int_equal(access(mark, F_OK), 0);
	scratch_clear();
}

static void it_gets_the_environment_in_which_nobody_answers(void **state)
{
	(void)state;
	const char *said =
	    run("echo $DEBIAN_FRONTEND $NEEDRESTART_MODE $UCF_FORCE_CONFFOLD [$USER]").detail;

	assert_string_equal(said, "noninteractive l 1 []\n");
}

static void under_systemd_it_becomes_a_unit_of_its_own(void **state)
{
	(void)state;
	given.under_systemd = true;
	assert_int_equal(run("x").outcome, OUTCOME_CHANGED);
	assert_true(strncmp(ran, "systemd-run ", 12) == 0);
	assert_has(ran, " --wait --collect ");
	assert_has(ran, " --property=KillMode=process ");
	assert_has(ran, " --property=KillSignal=SIGCONT ");
	assert_has(ran, " --unit=reconcile-package-");
	assert_has(ran, " --setenv=DEBIAN_FRONTEND=noninteractive ");
	assert_has(ran, " -- sh -c x ");
}

static void a_question_is_answered_or_its_failure_explained(void **state)
{
	const char *const good[] = {"echo", "Inst a", NULL};
	const char *const bad[] = {"sh", "-c", "echo 'E: broken' >&2; exit 100", NULL};
	const char *why;
	struct err err;
	char *out;

	(void)state;
	assert_int_equal(transaction_ask(&host, good, arena, &out, &why, &err), 0);
	assert_string_equal(out, "Inst a\n");
	assert_null(why);
	assert_int_equal(transaction_ask(&host, bad, arena, &out, &why, &err), 0);
	assert_string_equal(why, "sh: broken");
}

/* Of all the questions of one observation; and what is not told is no complaint of apt's. */
static void within_an_observation_no_question_takes_longer_than_that(void **state)
{
	static const char *const silent[] = {"sleep", "50", NULL};
	struct err err = {0};
	const char *why;
	char *out;

	(void)state;
	host.deadline = clock_ms() + 300;
	assert_int_equal(transaction_ask(&host, silent, arena, &out, &why, &err), -ERR_LIMIT);
	assert_has(err.text, "sleep does not answer in time");
	ran = NULL;
	host.deadline = clock_ms() - 1;
	assert_int_equal(transaction_ask(&host, silent, arena, &out, &why, &err), -ERR_LIMIT);
	assert_null(ran);
	host.deadline = 0;
}

#define TEST_RUN(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_RUN(the_holder_of_the_lock_is_named),
	    TEST_RUN(what_it_said_is_kept_and_a_complaint_is_the_reason),
	    TEST_RUN(a_lock_that_somebody_took_meanwhile_is_no_failure),
	    TEST_RUN(what_is_waited_for_is_what_the_change_has_left),
	    TEST_RUN(at_the_deadline_it_is_left_alone),
	    TEST_RUN(it_gets_the_environment_in_which_nobody_answers),
	    TEST_RUN(under_systemd_it_becomes_a_unit_of_its_own),
	    TEST_RUN(a_question_is_answered_or_its_failure_explained),
	    TEST_RUN(within_an_observation_no_question_takes_longer_than_that),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
