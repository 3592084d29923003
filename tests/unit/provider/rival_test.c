// SPDX-License-Identifier: MIT
#include "observing.h"

#include <sys/stat.h>
#include <unistd.h>

/* The group's /etc may be written; its folders are the machine's. */
static void unit(const char *name, const char *exec)
{
	mkdir("/etc/systemd", 0755);
	mkdir("/etc/systemd/system", 0755);
	scratch_write(arena_printf(arena, "/etc/systemd/system/%s", name),
	              arena_printf(arena, "[Unit]\nAfter=network.target\n[Service]\n%s\n", exec), 0644);
}

static void started(const char *name)
{
	mkdir("/etc/systemd/system/multi-user.target.wants", 0755);
	if (symlink(arena_printf(arena, "../%s", name),
	            arena_printf(arena, "/etc/systemd/system/multi-user.target.wants/%s", name))) {
		fail_msg("no link for %s", name);
	}
}

static void a_unit_that_repairs_at_boot_is_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	unit("lustre-module-check.service", "Type=oneshot\nExecStart=/sbin/modprobe lustre");
	assert_false(has_key(keys_of(KIND_RIVAL), "lustre-module-check.service"));
	started("lustre-module-check.service");
	assert_true(has_key(keys_of(KIND_RIVAL), "lustre-module-check.service"));
	const struct resource *rival = fact(KIND_RIVAL, "lustre-module-check.service");

	assert_int_equal(rival->state, STATE_PRESENT);
	assert_string_equal(rival->rival.kind, "service");
	assert_string_equal(rival->rival.where, "/etc/systemd/system/lustre-module-check.service:5");
	assert_string_equal(rival->rival.does, "/sbin/modprobe lustre");
}

static void what_its_script_does_counts(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *script = scratch_path("fix.sh");

	scratch_write(script, "#!/bin/bash\nset -e\nlsmod | grep lustre ||\n  mount /lustre\n", 0755);
	unit("storage.service", arena_printf(arena, "ExecStart=-/bin/bash %s", script));
	unit("storage.timer", "OnCalendar=daily");
	started("storage.timer");
	const struct resource *rival = fact(KIND_RIVAL, "storage.service");

	assert_int_equal(rival->state, STATE_PRESENT);
	assert_string_equal(rival->rival.kind, "timer");
	assert_string_equal(rival->rival.does, "mount /lustre");
	assert_non_null(strstr(rival->rival.where, "storage.service:4, which runs "));
	assert_non_null(strstr(rival->rival.where, "fix.sh:4"));
}

static void ours_and_what_only_looks_are_none(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	unit("reconcile-boot.service", "ExecStart=/usr/local/bin/reconcile apply /lustre");
	unit("lustre-watch.service", "ExecStart=/bin/df -h /lustre");
	unit("masked-lustre.service", "ExecStart=/sbin/modprobe lustre");
	started("reconcile-boot.service");
	started("lustre-watch.service");
	started("masked-lustre.service");
	assert_int_equal(unlink("/etc/systemd/system/masked-lustre.service"), 0);
	assert_int_equal(symlink("/dev/null", "/etc/systemd/system/masked-lustre.service"), 0);
	struct keys keys = keys_of(KIND_RIVAL);

	assert_false(has_key(keys, "reconcile-boot.service"));
	assert_false(has_key(keys, "lustre-watch.service"));
	assert_false(has_key(keys, "masked-lustre.service"));
	assert_int_equal(fact(KIND_RIVAL, "no-such.service")->state, STATE_ABSENT);
}

static void lines_of_crontabs_are_found_by_their_numbers(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mkdir("/etc/cron.d", 0755);
	scratch_write("/etc/cron.d/lustre",
	              "PATH=/sbin:/bin\n# modprobe lustre\n*/5 * * * * root mountpoint -q /lustre\n"
	              "@reboot root modprobe lustre\n0 6 * * * root mount -a\n",
	              0644);
	struct keys keys = keys_of(KIND_RIVAL);

	assert_false(has_key(keys, "/etc/cron.d/lustre:2"));
	assert_false(has_key(keys, "/etc/cron.d/lustre:3"));
	assert_true(has_key(keys, "/etc/cron.d/lustre:4"));
	assert_true(has_key(keys, "/etc/cron.d/lustre:5"));
	const struct resource *rival = fact(KIND_RIVAL, "/etc/cron.d/lustre:4");

	assert_string_equal(rival->rival.kind, "cron");
	assert_string_equal(rival->rival.does, "modprobe lustre");
}

static void rc_local_and_the_scripts_of_cron_are_read(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mkdir("/etc/cron.hourly", 0755);
	scratch_write("/etc/rc.local", "#!/bin/sh\nmodprobe beegfs\nexit 0\n", 0755);
	scratch_write("/etc/cron.hourly/fix", "#!/bin/sh\nif ! lsmod; then modprobe lnet; fi\n", 0755);
	scratch_write("/etc/cron.hourly/reconcile", "#!/bin/sh\nmodprobe lnet\n", 0755);
	assert_string_equal(fact(KIND_RIVAL, "/etc/rc.local")->rival.where, "/etc/rc.local:2");
	assert_string_equal(fact(KIND_RIVAL, "/etc/rc.local")->rival.kind, "hook");
	assert_true(has_key(keys_of(KIND_RIVAL), "/etc/cron.hourly/fix"));
	assert_false(has_key(keys_of(KIND_RIVAL), "/etc/cron.hourly/reconcile"));
}

static void a_mount_of_a_target_of_fstab_is_one_whatever_its_name(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mkdir("/etc/cron.d", 0755);
	scratch_write("/etc/fstab", "server:/x /data nfs defaults 0 0\n", 0644);
	scratch_write("/etc/cron.d/data", "@reboot root mount /data\n@reboot root mount /else\n", 0644);
	struct keys keys = keys_of(KIND_RIVAL);

	assert_true(has_key(keys, "/etc/cron.d/data:1"));
	assert_false(has_key(keys, "/etc/cron.d/data:2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, observing_setup, observing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_unit_that_repairs_at_boot_is_one),
	    TEST(what_its_script_does_counts),
	    TEST(ours_and_what_only_looks_are_none),
	    TEST(lines_of_crontabs_are_found_by_their_numbers),
	    TEST(rc_local_and_the_scripts_of_cron_are_read),
	    TEST(a_mount_of_a_target_of_fstab_is_one_whatever_its_name),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
