// SPDX-License-Identifier: MIT
// takes: 20
#include "unit/provider/answering.h"

#include "base/clock.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define WANT(rest) "{\"kind\": \"service\", \"unit\": \"ssh.service\"" rest "}"
#define HAVE(rest) "{\"kind\": \"service\", \"key\": \"ssh.service\"" rest "}"

static void without_systemd_nothing_is_known(void **state)
{
	(void)state;
	if (access("/run/systemd/system", F_OK) == 0) {
		skip();
	}
	const struct resource *have = fact(KIND_SERVICE, "ssh.service");

	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_string_equal(have->why, "systemd does not run here");
}

/* A systemctl that says what one would, in front of the real one. */
static const struct resource *with_systemctl(const char *says)
{
	if (mkdir("/run/systemd", 0755) == 0 || access("/run/systemd", F_OK) == 0) {
		assert_int_equal(mount("tmpfs", "/run/systemd", "tmpfs", 0, "mode=0755"), 0);
	}
	scratch_mkdir("/run/systemd/system", 0755);
	assert_int_equal(mount("tmpfs", "/usr/local/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write("/usr/local/sbin/systemctl", arena_printf(arena, "#!/bin/sh\n%s\n", says), 0755);
	const struct resource *have = fact(KIND_SERVICE, "ssh.service");

	assert_int_equal(umount("/usr/local/sbin"), 0);
	assert_int_equal(umount("/run/systemd"), 0);
	return have;
}

static void what_systemd_says_of_a_unit_is_taken(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct resource *have =
	    with_systemctl("[ \"$6\" = ssh.service ] || exit 9; echo LoadState=loaded; "
	                   "echo UnitFileState=enabled; echo ActiveState=failed");

	assert_int_equal(have->state, STATE_PRESENT);
	assert_true(have->service.enabled.value);
	assert_false(have->service.active.value);
	assert_false(have->service.masked.value);
	assert_string_equal(have->service.unit_state, "enabled/failed");
}

static void a_unit_that_is_not_found_is_absent(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(
	    with_systemctl("echo LoadState=not-found; echo UnitFileState=; echo ActiveState=inactive")
	        ->state,
	    STATE_ABSENT);
}

static void a_masked_unit_says_so(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct resource *have = with_systemctl(
	    "echo LoadState=masked; echo UnitFileState=masked; echo ActiveState=inactive");

	assert_true(have->service.masked.value);
	assert_string_equal(have->service.unit_state, "masked/inactive");
}

static void a_failing_systemctl_leaves_it_open(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct resource *have = with_systemctl("echo 'Failed to connect to bus' >&2; exit 1");

	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "Failed to connect to bus");
}

static void what_differs_is_a_change(void **state)
{
	struct verdict v = compare(WANT(", \"active\": true"), HAVE(", \"active\": false"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.marks, 0);
	assert_string_equal(changes(&v, "active"), "no > yes");
	v = compare(WANT(", \"active\": true"), HAVE(", \"active\": true, \"enabled\": true"));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(WANT(", \"active\": true"), HAVE(", \"active\": true, \"needs_reload\": true"));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "needs_reload"), "yes > no");
}

static void stopping_is_disruptive(void **state)
{
	struct verdict v = compare(WANT(", \"active\": false"), HAVE(", \"active\": true"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.marks, MARK_DISRUPTIVE);
	v = compare(WANT(", \"active\": false, \"enabled\": false"),
	            HAVE(", \"active\": false, \"enabled\": true"));
	assert_int_equal(v.marks, 0);
}

static void blocked_by(const char *want, const char *have, const char *why)
{
	struct verdict v = compare(want, have);

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, why);
}

static void what_stands_in_the_way_is_said(void **state)
{
	(void)state;
	blocked_by(WANT(", \"active\": true"), HAVE(", \"state\": \"absent\""), "no such unit");
	blocked_by(WANT(", \"active\": true"), HAVE(", \"active\": false, \"masked\": true"),
	           "masked: false would unmask it");
	blocked_by(WANT(", \"enabled\": true"),
	           HAVE(", \"enabled\": false, \"unit_state\": \"static/active\""), "[Install]");
	blocked_by(WANT(", \"enabled\": true"),
	           HAVE(", \"enabled\": false, \"unit_state\": \"generated/active\""), "generated");
	blocked_by(WANT(", \"enabled\": true"),
	           HAVE(", \"enabled\": false, \"unit_state\": \"indirect/active\""),
	           "only through others");
	blocked_by(WANT(", \"enabled\": true"),
	           HAVE(", \"enabled\": false, \"unit_state\": \"transient/active\""), "transient");
	blocked_by(WANT(", \"enabled\": true"),
	           HAVE(", \"enabled\": false, \"unit_state\": \"bad/inactive\""), "cannot read");
	assert_int_equal(compare(WANT(", \"active\": false"),
	                         HAVE(", \"active\": true, \"unit_state\": \"enabled/deactivating\""))
	                     .outcome,
	                 OUTCOME_PENDING);
	assert_int_equal(compare(WANT(", \"active\": true"),
	                         HAVE(", \"active\": false, \"unit_state\": \"enabled/activating\""))
	                     .outcome,
	                 OUTCOME_PENDING);
	assert_int_equal(
	    compare(WANT(", \"active\": true, \"masked\": false"),
	            HAVE(", \"active\": false, \"masked\": true, \"unit_state\": \"masked/inactive\""))
	        .outcome,
	    OUTCOME_CHANGE);
}

static void contradictions_are_refused(void **state)
{
	struct resource *want = converging_want(arena, WANT(", \"masked\": true"));
	struct err err;

	(void)state;
	want->service.active = (struct truth){.set = true, .value = true};
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	want->service = (struct service){.active = {.set = true}};
	want->key = "fsx.mount";
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_has(err.text, "mount absent");
	want->key = "fsx.automount";
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	want->key = "ssh.service";
	want->service = (struct service){.masked = {.set = true, .value = true},
	                                 .enabled = {.set = true, .value = true}};
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	want->service.enabled.value = false;
	assert_int_equal(converge_check(want, &err), 0);
}

/* A systemctl that keeps what it is told in files, so that a run can be cut off anywhere. */
static const char keeper[] =
    "#!/bin/sh\n"
    "cd /run/systemd/system || exit 9\n"
    "while :; do case $1 in -*) shift ;; *) break ;; esac; done\n"
    "case $1 in\n"
    "show) test -e enabled && f=enabled || f=disabled; test -e active && a=active || a=inactive\n"
    "  echo LoadState=loaded; echo UnitFileState=$f; echo ActiveState=$a ;;\n"
    "enable) touch enabled ;; disable) rm -f enabled ;;\n"
    "start) touch active ;; stop) rm -f active ;;\n"
    "esac\n";

static void forget(void)
{
	unlink("/run/systemd/system/enabled");
	unlink("/run/systemd/system/active");
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	(void)!mkdir("/run/systemd", 0755);
	assert_int_equal(mount("tmpfs", "/run/systemd", "tmpfs", 0, "mode=0755"), 0);
	scratch_mkdir("/run/systemd/system", 0755);
	assert_int_equal(mount("tmpfs", "/usr/local/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write("/usr/local/sbin/systemctl", keeper, 0755);
	converging_sweep(WANT(", \"enabled\": true, \"active\": true"), forget, NULL);
	assert_int_equal(umount("/usr/local/sbin"), 0);
	assert_int_equal(umount("/run/systemd"), 0);
}

/* ---- Told to a systemd that the test answers for ---- */

#define UNIT(file, active) \
	"LoadState=loaded\nUnitFileState=" file "\nActiveState=" active "\nResult=success\nJob=\n"
#define TOLD "systemctl --no-ask-password --no-block --quiet "

#define SHOWN                       \
	"systemctl --no-pager show -p " \
	"LoadState,UnitFileState,ActiveState,Result,NeedDaemonReload,Job -- ssh.service\n"

static const struct service *seen(const char *said)
{
	ANSWER({.words = "show", .out = said});
	const struct resource *have = answering_fact(KIND_SERVICE, "ssh.service");

	assert_int_equal(have->state, STATE_PRESENT);
	return &have->service;
}

static void each_word_of_systemd_is_understood(void **state)
{
	(void)state;
	assert_true(seen(UNIT("enabled", "reloading"))->active.value);
	assert_true(seen(UNIT("enabled", "refreshing"))->active.value);
	assert_false(seen(UNIT("enabled", "activating"))->active.value);
	assert_true(seen(UNIT("enabled-runtime", "active"))->enabled.value);
	assert_true(seen(UNIT("alias", "active"))->enabled.value);
	assert_false(seen(UNIT("static", "active"))->enabled.value);
	assert_false(seen(UNIT("indirect", "active"))->enabled.value);
	assert_true(seen(UNIT("masked-runtime", "inactive"))->masked.value);
	assert_true(seen("LoadState=masked\nUnitFileState=\nActiveState=inactive\n")->masked.value);
	assert_string_equal(seen("LoadState=loaded\nUnitFileState=\nActiveState=active")->unit_state,
	                    "loaded/active");
	assert_true(seen(UNIT("enabled", "active") "NeedDaemonReload=yes\n")->needs_reload.value);
	assert_false(seen(UNIT("enabled", "active") "NeedDaemonReload=no\n")->needs_reload.value);
}

static void systemd_is_not_asked_where_it_does_not_run(void **state)
{
	(void)state;
	systemd_folder = FILE_REGULAR;
	assert_int_equal(answering_fact(KIND_SERVICE, "ssh.service")->state, STATE_UNDETERMINED);
	assert_string_equal(str_text(&asked), "");
}

static const char *why_unknown(struct answer answer)
{
	answer.words = "show";
	ANSWER(answer);
	const struct resource *have = answering_fact(KIND_SERVICE, "ssh.service");

	assert_int_equal(have->state, STATE_UNDETERMINED);
	return have->why;
}

static void what_systemctl_complains_of_is_said(void **state)
{
	(void)state;
	assert_string_equal(why_unknown((struct answer){.timed_out = true, .status = 15}),
	                    "systemd does not answer: systemctl show");
	assert_string_equal(why_unknown((struct answer){.signalled = true}),
	                    "systemctl show ended with 0 and said nothing");
	assert_string_equal(why_unknown((struct answer){.status = 1, .err = "No \x1b[1mbus\nat all\n"}),
	                    "systemctl show failed: No \\x1b[1mbus");
}

static void a_unit_is_told_what_it_takes_and_in_order(void **state)
{
	(void)state;
	ANSWER(
	    {.words = "show", .times = 1, .out = UNIT("disabled", "failed") "NeedDaemonReload=yes\n"},
	    {.words = "show", .out = UNIT("enabled", "active")});
	struct applied done =
	    answering_apply(WANT(", \"enabled\": true, \"active\": true"),
	                    HAVE(", \"enabled\": false, \"active\": false, \"needs_reload\": true"));

	assert_int_equal(done.outcome, OUTCOME_CHANGED);
	assert_string_equal(asked_with(TOLD),
	                    TOLD "daemon-reload\n" TOLD "enable -- ssh.service\n" TOLD
	                         "reset-failed -- ssh.service\n" TOLD "start -- ssh.service\n");
}

static void told(const char *want, const char *found, const char *verbs)
{
	str_clear(&asked);
	ANSWER({.words = "show", .times = 1, .out = found},
	       {.words = "show", .out = UNIT("enabled", "active")});
	struct applied done = answering_apply(want, HAVE(", \"enabled\": false, \"active\": true"));
	AUTO(str_free) struct str said = {0};
	char *rest = arena_strdup(arena, asked_with(TOLD));

	assert_int_equal(done.outcome, OUTCOME_CHANGED);
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		line += strlen(TOLD);
		str_addf(&said, "%.*s ", (int)strcspn(line, " "), line);
	}
	assert_string_equal(str_text(&said), verbs);
}

static void what_is_right_already_is_not_told(void **state)
{
	(void)state;
	told(WANT(", \"enabled\": true, \"active\": true"), UNIT("disabled", "active"), "enable ");
	told(WANT(", \"enabled\": true, \"active\": false"), UNIT("enabled", "active"), "stop ");
	told(WANT(", \"enabled\": false, \"active\": false"), UNIT("enabled", "active"),
	     "disable stop ");
	told(WANT(", \"masked\": true, \"active\": false"), UNIT("enabled", "active"), "stop mask ");
	told(WANT(", \"masked\": false, \"enabled\": true"),
	     "LoadState=masked\nUnitFileState=masked\nActiveState=inactive\n", "unmask enable ");
}

static struct applied started(struct answer first, struct answer then)
{
	first.words = then.words = "show";
	first.times = 1;
	str_clear(&asked);
	ANSWER({.words = "show", .times = 1, .out = UNIT("enabled", "inactive")}, first, then,
	       {.words = "journalctl", .out = "no such disk\n"});
	return answering_apply(WANT(", \"active\": true"), HAVE(", \"active\": false"));
}

static void a_unit_that_is_started_is_waited_for(void **state)
{
	struct answer up = {.out = UNIT("enabled", "active")};

	(void)state;
	assert_int_equal(started((struct answer){.out = UNIT("enabled", "activating")}, up).outcome,
	                 OUTCOME_CHANGED);
	assert_int_equal(
	    started((struct answer){.out = UNIT("enabled", "inactive") "Job=77\n"}, up).outcome,
	    OUTCOME_CHANGED);
}

static int64_t told_at;

static void note_the_time(void)
{
	told_at = clock_ms();
}

static void see_that_time_has_passed(void)
{
	assert_true(clock_ms() - told_at > 500);
}

/* Type=simple is active the moment it was forked: one that dies at once is seen to. */
static void a_unit_is_given_a_moment_to_die_before_it_is_believed(void **state)
{
	(void)state;
	ANSWER({.words = "show", .times = 1, .out = UNIT("enabled", "inactive")},
	       {.words = "start", .act = note_the_time},
	       {.words = "show", .out = UNIT("enabled", "active"), .act = see_that_time_has_passed});
	answering_apply(WANT(", \"active\": true"), HAVE(", \"active\": false"));
	assert_true(told_at > 0);
}

static void a_unit_that_did_not_start_is_failed_with_its_own_words(void **state)
{
	struct answer down = {.out = "LoadState=loaded\nUnitFileState=static\nActiveState=failed\n"
	                             "Result=exit-code\nJob=0\n"};
	struct applied done = started(down, down);

	(void)state;
	assert_int_equal(done.outcome, OUTCOME_FAILED);
	assert_string_equal(done.why, "ssh.service was started and is failed: exit-code");
	assert_string_equal(done.detail, "no such disk\n");
	assert_has(asked_with("journalctl"), "-u ssh.service");
	/* No job is job 0: before it was told and once afterwards. */
	assert_string_equal(asked_with("show"), SHOWN SHOWN);
}

static void a_unit_that_fails_while_it_stops_has_stopped(void **state)
{
	(void)state;
	ANSWER({.words = "show", .times = 1, .out = UNIT("enabled", "active")},
	       {.words = "show", .times = 1, .out = UNIT("enabled", "deactivating")},
	       {.words = "show", .out = UNIT("enabled", "failed")});
	struct applied done = answering_apply(WANT(", \"active\": false"), HAVE(", \"active\": true"));

	assert_int_equal(done.outcome, OUTCOME_CHANGED);
}

static void the_first_call_that_fails_is_the_last(void **state)
{
	(void)state;
	ANSWER({.words = "show", .out = UNIT("disabled", "inactive")},
	       {.words = "enable", .status = 1, .err = "Failed to enable unit: read-only\n"});
	struct applied done =
	    answering_apply(WANT(", \"enabled\": true, \"active\": true"), HAVE(", \"active\": false"));

	assert_int_equal(done.outcome, OUTCOME_FAILED);
	assert_string_equal(done.why, "systemctl enable failed: Failed to enable unit: read-only");
	assert_string_equal(asked_with("start"), "");
	assert_null(done.detail);
}

static void its_own_file_comes_before_the_unit(void **state)
{
	struct keys keys = {0};

	(void)state;
	converge_needs(arena, converging_want(arena, WANT(", \"active\": true")), &keys);
	assert_true(has_key(keys, "file:/etc/systemd/system/ssh.service"));
}

static void what_is_foreseen_is_what_is_wanted(void **state)
{
	const struct resource *want =
	    converging_want(arena, WANT(", \"enabled\": true, \"active\": true"));
	struct change change = {.kind = want->kind,
	                        .action = ACTION_UPDATE,
	                        .want = want,
	                        .have = recorded(HAVE(", \"masked\": false, \"needs_reload\": true"))};
	bool exact = true;
	const struct resource *after = converge_predict(arena, &change, &exact);

	(void)state;
	assert_true(after->service.enabled.value);
	assert_true(after->service.active.value);
	assert_true(after->service.masked.set && !after->service.masked.value);
	assert_true(after->service.needs_reload.set && !after->service.needs_reload.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_systemd_nothing_is_known),
	    TEST(what_systemd_says_of_a_unit_is_taken),
	    TEST(a_unit_that_is_not_found_is_absent),
	    TEST(a_masked_unit_says_so),
	    TEST(a_failing_systemctl_leaves_it_open),
	    TEST(what_differs_is_a_change),
	    TEST(stopping_is_disruptive),
	    TEST(what_stands_in_the_way_is_said),
	    TEST(contradictions_are_refused),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    ANSWERED(each_word_of_systemd_is_understood),
	    ANSWERED(systemd_is_not_asked_where_it_does_not_run),
	    ANSWERED(what_systemctl_complains_of_is_said),
	    ANSWERED(a_unit_is_told_what_it_takes_and_in_order),
	    ANSWERED(what_is_right_already_is_not_told),
	    ANSWERED(a_unit_that_is_started_is_waited_for),
	    ANSWERED(a_unit_is_given_a_moment_to_die_before_it_is_believed),
	    ANSWERED(a_unit_that_did_not_start_is_failed_with_its_own_words),
	    ANSWERED(a_unit_that_fails_while_it_stops_has_stopped),
	    ANSWERED(the_first_call_that_fails_is_the_last),
	    ANSWERED(its_own_file_comes_before_the_unit),
	    ANSWERED(what_is_foreseen_is_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
