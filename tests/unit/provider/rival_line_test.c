// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "provider/rival_line.h"

#include "base/mem.h"

#include <string.h>

static const char *const target_names[] = {"/scratch", "/home"};
static const struct list targets = {.set = true, .count = 2, .items = target_names};

static void what_mounts_loads_or_installs_is_a_rival(void **state)
{
	static const char *const lines[] = {
	    "modprobe lustre",
	    "/sbin/modprobe -v lustre || exit 1",
	    "mount /lustre",
	    "if ! mountpoint -q /fsx; then mount /fsx; fi",
	    "  sudo apt-get install -y lustre-client-modules-$(uname -r)",
	    "apt install -y \"lustre-client-modules-$KERNEL\"",
	    "systemctl restart fsx.mount",
	    "/bin/sh -c 'sleep 5; mount -t lustre 10.1.30.23@tcp:/czrc3amv /data'",
	    "timeout 60 mount /scratch",
	    "mount -a",
	    "umount -l /lustre && mount /lustre",
	    "lustre_rmmod",
	    "dkms install beegfs/7.4.4",
	    "[ -d /sys/module/lustre ] || modprobe lustre",
	    "root modprobe beegfs",
	    "OUT=$(mount /lustre 2>&1)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (!rival_line_repairs(lines[i], &targets)) {
			fail_msg("not seen: %s", lines[i]);
		}
	}
}

static void what_only_looks_is_none(void **state)
{
	static const char *const lines[] = {
	    "",
	    "# modprobe lustre",
	    "lsmod | grep lustre",
	    "mount | grep lustre",
	    "mountpoint -q /lustre",
	    "df -h /lustre",
	    "dpkg -l | grep lustre-client-modules",
	    "apt-cache search lustre-client-modules",
	    "apt-get update",
	    "apt-get install -y curl",
	    "echo \"run modprobe lustre\"",
	    "logger 'mount /lustre failed'",
	    "systemctl status fsx.mount",
	    "systemctl restart ssh",
	    "mount /dev/sdb1 /mnt",
	    "modprobe loop",
	    "mkdir -p /lustre",
	    "reconcile apply --yes && mount /lustre",
	    "/usr/local/bin/reconcile run --once",
	    "test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily",
	    "/sbin/modprobe -abq %i",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (rival_line_repairs(lines[i], &targets)) {
			fail_msg("taken for a rival: %s", lines[i]);
		}
	}
}

static void words_of_any_length_do_no_harm(void **state)
{
	char line[4096];

	(void)state;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	assert_false(rival_line_repairs(line, &targets));
	for (size_t i = 0; i < sizeof line - 1; i += 2) {
		line[i] = ' ';
	}
	assert_false(rival_line_repairs(line, &targets));
	memcpy(line, "modprobe lustre", 15);
	assert_true(rival_line_repairs(line, &targets));
}

static void the_script_that_a_line_runs_is_found(void **state)
{
	static const struct {
		const char *line, *script;
	} cases[] = {
	    {"/usr/local/bin/check-lustre.sh --fix", "/usr/local/bin/check-lustre.sh"},
	    {"-/opt/fix.sh", "/opt/fix.sh"},
	    {"/bin/bash /opt/fix.sh", "/opt/fix.sh"},
	    {"bash -e \"/opt/fix.sh\"", "/opt/fix.sh"},
	    {"A=1 /opt/fix.sh >/dev/null", "/opt/fix.sh"},
	    {"timeout 60 /opt/fix.sh", "/opt/fix.sh"},
	    {"cd / && run-parts /etc/cron.daily", NULL},
	    {"", NULL},
	    {"true", NULL},
	};
	char script[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool found = rival_line_script(cases[i].line, script, sizeof script);

		if (found != (cases[i].script != NULL)) {
			fail_msg("%s: %s", cases[i].line, found ? script : "nothing found");
		}
		if (found) {
			assert_string_equal(script, cases[i].script);
		}
	}
	assert_false(
	    rival_line_script("/a/very/long/path/that/does/not/fit/into/the/buffer/at/all/as/it/is",
	                      script, sizeof script));
}

static void ours_is_told_by_its_name(void **state)
{
	(void)state;
	assert_true(rival_line_is_ours("reconcile-boot.service"));
	assert_true(rival_line_is_ours("/usr/local/bin/reconcile run --once"));
	assert_false(rival_line_is_ours("/tmp/reconcile-test/fix.sh"));
	assert_false(rival_line_is_ours("dump-reconciled"));
	assert_false(rival_line_is_ours("my-reconcile-like"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_mounts_loads_or_installs_is_a_rival),
	    cmocka_unit_test(what_only_looks_is_none),
	    cmocka_unit_test(words_of_any_length_do_no_harm),
	    cmocka_unit_test(the_script_that_a_line_runs_is_found),
	    cmocka_unit_test(ours_is_told_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
