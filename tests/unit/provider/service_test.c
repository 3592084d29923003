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

static void a_change_is_not_in_this_version(void **state)
{
	struct verdict v;

	(void)state;
	v = compare(WANT(", \"active\": true"), HAVE(", \"active\": false, \"enabled\": true"));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "changing services is not in this version of reconcile");
	assert_string_equal(changes(&v, "active"), "no > yes");
	v = compare(WANT(", \"active\": true"), HAVE(", \"active\": true, \"enabled\": true"));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(WANT(", \"active\": true"), HAVE(", \"state\": \"absent\""));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "no such unit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_systemd_nothing_is_known),   TEST(what_systemd_says_of_a_unit_is_taken),
	    TEST(a_unit_that_is_not_found_is_absent), TEST(a_masked_unit_says_so),
	    TEST(a_failing_systemctl_leaves_it_open), TEST(a_change_is_not_in_this_version),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
