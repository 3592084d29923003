// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/mount.h"

#include <errno.h>

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

static void fresh_systemd(void)
{
	booting_over("/etc");
	booting_over("/run");
	booting_over("/usr/lib/systemd");
	scratch_mkdir("/etc/systemd", 0755);
	scratch_mkdir("/etc/systemd/system", 0755);
	scratch_mkdir("/run/systemd", 0755);
	scratch_mkdir("/run/systemd/system", 0755);
	scratch_mkdir("/usr/lib/systemd/system", 0755);
}

static void put(const char *folder, const char *name, const char *source)
{
	scratch_write(arena_printf(arena, "%s/systemd/system/%s", folder, name),
	              arena_printf(arena, "[Mount]\n;What=old\n# What=older\nWhat=%s\n", source), 0644);
}

static void the_unit_that_systemd_prefers_is_the_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	fresh_systemd();
	put("/usr/lib", "l.automount", "a");
	assert_string_equal(read_it("/l").unit, "l.automount");
	put("/usr/lib", "l.mount", "b");
	assert_string_equal(read_it("/l").unit, "l.mount");
	assert_string_equal(read_it("/l").unit_source, "b");
	put("/run", "l.mount", "c");
	assert_string_equal(read_it("/l").unit_source, "c");
	put("/etc", "l.mount", "d");
	assert_string_equal(read_it("/l").unit_source, "d");
}

static void names_are_escaped_as_systemd_does_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	fresh_systemd();
	put("/etc", "-.mount", "root");
	put("/etc", "\\x2ehidden.d-a\\x20b.mount", "dots");
	assert_string_equal(read_it("/").unit_source, "root");
	assert_string_equal(read_it("/.hidden.d/a b").unit_source, "dots");
}

static int fail_to_read(struct host *host, const char *path, size_t most, struct arena *a,
                        struct file_bytes *ret_bytes, struct err *err)
{
	(void)host;
	(void)most;
	(void)a;
	(void)ret_bytes;
	return err_set(err, ERR_HOST, EIO, "%s", path);
}

/* Else a unit on a broken disk would be no unit. */
static void what_cannot_be_read_for_another_reason_is_a_fault(void **state)
{
	struct host_ops ops = host_linux_ops;
	struct mount mount = {0};
	struct host host;
	struct err err;

	(void)state;
	ops.read = fail_to_read;
	host_init(&host, &ops, arena);
	assert_int_equal(mount_read_unit(&host, "/l", arena, &mount, &err), -ERR_HOST);
	assert_int_equal(err.os, EIO);
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_unit_is_found_by_its_target),
	    TEST(what_is_not_for_us_to_read_says_nothing),
	    TEST(the_unit_that_systemd_prefers_is_the_one),
	    TEST(names_are_escaped_as_systemd_does_it),
	    TEST(what_cannot_be_read_for_another_reason_is_a_fault),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
