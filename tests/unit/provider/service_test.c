// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

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
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
