// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "base/child.h"
#include "base/clock.h"
#include "provider/boot_origin.h"

#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define HISTORY "/var/log/apt/history.log"

static const char apt_unattended[] =
    "\nStart-Date: 2026-11-20  06:12:33\nCommandline: /usr/bin/unattended-upgrade\n"
    "Install: linux-modules-" NEW ":amd64 (6.8.0-1042.44, automatic), linux-image-" NEW
    ":amd64 (6.8.0-1042.44, automatic)\n"
    "Upgrade: linux-aws:amd64 (6.8.0.1039.41, 6.8.0.1042.44)\nEnd-Date: 2026-11-20  06:12:40\n";
static const char apt_by_hand[] =
    "\nStart-Date: 2026-10-02  09:00:00\nCommandline: apt-get dist-upgrade\n"
    "Requested-By: ubuntu (1000)\n"
    "Install: linux-image-" OLD ":amd64 (6.8.0-1039.41, automatic)\n"
    "End-Date: 2026-10-02  09:01:00\n"
    "\nStart-Date: 2026-10-03  09:00:00\nCommandline: apt-get purge x\n"
    "Remove: linux-image-" NEW ":amd64 (6.8.0-1042.44), linux-image-unsigned-" OLD ":amd64 (1)\n"
    "End-Date: 2026-10-03  09:01:00\n";

/* When dpkg wrote the list of its files, as local time. */
static void unpacked(const char *release, int year, int month, int day)
{
	const char *path = arena_printf(arena, "/var/lib/dpkg/info/linux-image-%s.list", release);
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12};
	struct timeval times[2] = {{.tv_sec = mktime(&tm)}, {.tv_sec = mktime(&tm)}};

	scratch_write(path, "/.\n", 0644);
	assert_int_equal(utimes(path, times), 0);
}

static void two_kernels(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	booting_over("/var/lib/dpkg");
	booting_over("/var/log");
	scratch_mkdir("/var/lib/dpkg/updates", 0755);
	scratch_mkdir("/var/lib/dpkg/info", 0755);
	scratch_mkdir("/var/log/apt", 0755);
	scratch_write("/var/lib/dpkg/status",
	              "Package: linux-image-" OLD
	              "\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
	              "Package: linux-image-" NEW
	              "\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n",
	              0644);
}

static struct boot_origin of(const char *release)
{
	struct boot_origin origin;
	struct host *host = booting_host();
	struct err err;

	if (boot_origin_find(host, release, arena, &origin, &err)) {
		fail_msg("%s", err.text);
	}
	return origin;
}

static void who_and_when_are_told_from_the_history_of_apt(void **state)
{
	struct boot_origin origin;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	scratch_write(HISTORY, arena_printf(arena, "%s%s", apt_by_hand, apt_unattended), 0644);
	origin = of(NEW);
	assert_string_equal(origin.brought, "unattended-upgrades");
	assert_string_equal(origin.installed, "2026-11-20T06:12:33Z");
	origin = of(OLD);
	assert_string_equal(origin.brought, "apt-get dist-upgrade by ubuntu");
	assert_string_equal(origin.installed, "2026-10-02T09:00:00Z");
	assert_null(of("6.12.1").brought);
}

static void local_time_is_told_as_utc(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	setenv("TZ", "KST-9", 1);
	tzset();
	scratch_write(HISTORY, apt_unattended, 0644);
	assert_string_equal(of(NEW).installed, "2026-11-19T21:12:33Z");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void pack(const char *path)
{
	const char *const argv[] = {"gzip", path, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 20000};
	struct child_result result;
	struct err err;

	assert_int_equal(child_run(&command, &result, &err), 0);
	assert_int_equal(result.status, 0);
	child_result_free(&result);
}

static void rotated_logs_are_read_too(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	scratch_write(HISTORY, "", 0644);
	scratch_write(HISTORY ".1", apt_unattended, 0644);
	scratch_write(HISTORY ".2", apt_by_hand, 0644);
	pack(HISTORY ".2");
	unpacked(NEW, 2026, 11, 20);
	unpacked(OLD, 2026, 10, 2);
	assert_string_equal(of(NEW).brought, "unattended-upgrades");
	assert_string_equal(of(OLD).brought, "apt-get dist-upgrade by ubuntu");
	assert_string_equal(of(OLD).installed, "2026-10-02T09:00:00Z");
	pack(HISTORY ".1");
	assert_string_equal(of(NEW).brought, "unattended-upgrades");
	assert_string_equal(of(NEW).installed, "2026-11-20T06:12:33Z");
}

static void logs_that_take_too_long_are_given_up(void **state)
{
	int64_t start = clock_ms();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	booting_slow("zgrep");
	for (int i = 1; i < 6; i++) {
		scratch_write(arena_printf(arena, HISTORY ".%d.gz", i), "x", 0644);
	}
	assert_null(of(OLD).brought);
	assert_true(clock_ms() - start < 4500);
	umount2("/usr/local/sbin", MNT_DETACH);
}

static void of_several_times_the_last_one_counts(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	scratch_write(HISTORY,
	              arena_printf(arena, "%s%s", apt_unattended,
	                           "\nStart-Date: 2026-11-21  01:00:00\n"
	                           "Commandline: apt-get --reinstall install linux-image-" NEW "\n"
	                           "Reinstall: linux-image-" NEW ":amd64 (6.8.0-1042.44)\n"
	                           "End-Date: 2026-11-21  01:00:10\n"),
	              0644);
	assert_string_equal(of(NEW).installed, "2026-11-21T01:00:00Z");
	assert_string_equal(of(NEW).brought, "apt-get --reinstall install linux-image-" NEW " by root");
}

static void without_it_the_log_of_dpkg_tells_when(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	scratch_write("/var/log/dpkg.log",
	              "2026-11-20 06:12:36 install linux-image-" NEW ":amd64 <none> 6.8.0-1042.44\n"
	              "2026-11-20 06:12:37 status half-installed linux-image-" NEW ":amd64 1\n"
	              "2026-11-21 06:12:37 remove linux-image-" NEW ":amd64 1 <none>\n",
	              0644);
	assert_string_equal(of(NEW).installed, "2026-11-20T06:12:36Z");
	assert_has(of(NEW).brought, "dpkg");
	assert_null(of(OLD).installed);
	pack("/var/log/dpkg.log");
	assert_int_equal(link("/var/log/dpkg.log.gz", "/var/log/dpkg.log.2.gz"), 0);
	assert_string_equal(of(NEW).installed, "2026-11-20T06:12:36Z");
}

static void logs_that_say_nothing_are_no_error(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	two_kernels();
	assert_null(of(NEW).installed);
	scratch_write(HISTORY,
	              "Install: linux-image-" NEW ":amd64 (1)\n\nStart-Date: soon\nInstall:", 0644);
	assert_int_equal(symlink("/elsewhere", HISTORY ".1"), 0);
	scratch_write(HISTORY ".2.gz", "not packed at all", 0644);
	assert_null(of(NEW).installed);
	assert_null(of(NEW).brought);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_and_when_are_told_from_the_history_of_apt),
	    TEST(local_time_is_told_as_utc),
	    TEST(rotated_logs_are_read_too),
	    TEST(logs_that_take_too_long_are_given_up),
	    TEST(of_several_times_the_last_one_counts),
	    TEST(without_it_the_log_of_dpkg_tells_when),
	    TEST(logs_that_say_nothing_are_no_error),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
