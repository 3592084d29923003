// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/mount.h"

static struct mount read_it(const char *target)
{
	struct mount mount = {0};
	struct err err;

	if (mount_read_unit(booting_host(), target, arena, &mount, &err)) {
		fail_msg("%s", err.text);
	}
	return mount;
}

static void a_unit_is_found_by_its_target(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_over("/etc");
	scratch_mkdir("/etc/systemd", 0755);
	scratch_mkdir("/etc/systemd/system", 0755);
	assert_null(read_it("/l").unit);
	scratch_write("/etc/systemd/system/l-a\\x2db.mount",
	              "[Mount]\n#What=no\nWhat=10.0.0.1@tcp:/fs\nType = lustre\nOptions =flock,,ro\n",
	              0644);
	struct mount mount = read_it("/l/a-b");

	assert_string_equal(mount.unit, "l-a\\x2db.mount");
	assert_string_equal(mount.unit_source, "10.0.0.1@tcp:/fs");
	assert_string_equal(mount.unit_type, "lustre");
	assert_int_equal(mount.unit_options.count, 2);
	assert_string_equal(mount.unit_options.items[1], "ro");
}

static void what_is_not_for_us_to_read_says_nothing(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_over("/etc");
	scratch_mkdir("/etc/systemd", 0755);
	scratch_mkdir("/etc/systemd/system", 0700);
	scratch_write("/etc/systemd/system/l.mount", "[Mount]\nWhat=x\n", 0644);
	assert_non_null(read_it("/l").unit);
	assert_int_equal(seteuid(65534), 0);
	struct mount mount = read_it("/l");

	assert_int_equal(seteuid(0), 0);
	assert_null(mount.unit);
	scratch_mkdir("/etc/systemd/system/folder.mount", 0755);
	assert_null(read_it("/folder").unit);
	/* Masked. */
	assert_int_equal(symlink("/dev/null", "/etc/systemd/system/masked.mount"), 0);
	assert_null(read_it("/masked").unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_unit_is_found_by_its_target),
	    TEST(what_is_not_for_us_to_read_says_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
