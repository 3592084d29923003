// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/str.h"
#include "host/packages_inner.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS                                                                             \
	"Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n" \
	"Maintainer: a <a@example.org>\nDescription: d\n\n"                                    \
	"Package: tool\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1.0-1\n"      \
	"Maintainer: a <a@example.org>\nDescription: d\n\n"                                    \
	"Package: half\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 2\n" \
	"Maintainer: a <a@example.org>\nDescription: d\n\n"

static struct arena *arena;
static struct host host;

/* A dpkg database of our own, over that of the machine, for as long as this process lives. */
static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	host_init(&host, &host_linux_ops, arena);
	if (!scratch_is_private()) {
		return 0;
	}
	if (mount("tmpfs", PACKAGES_DPKG, "tmpfs", 0, "mode=0755")) {
		return -1;
	}
	scratch_mkdir(PACKAGES_DPKG "/updates", 0755);
	scratch_mkdir(PACKAGES_DPKG "/info", 0755);
	scratch_write(PACKAGES_DPKG "/lock", "", 0640);
	scratch_write(PACKAGES_DPKG "/lock-frontend", "", 0640);
	scratch_write(PACKAGES_DPKG "/status", STATUS, 0644);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_done(&host);
	arena_free(arena);
	return scratch_is_private() ? umount2(PACKAGES_DPKG, MNT_DETACH) : 0;
}

static struct host_package look(const char *name)
{
	struct host_package package;
	struct err err;

	if (packages_look(&host, name, &package, &err)) {
		fail_msg("%s", err.text);
	}
	return package;
}

static struct host_package_manager manager(void)
{
	struct host_package_manager m;
	struct err err;

	if (packages_manager(&host, &m, &err)) {
		fail_msg("%s", err.text);
	}
	return m;
}

static void what_was_read_is_kept_until_it_is_forgotten(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_string_equal(look("tool").version, "1.0-1");
	assert_true(look("tool").held);
	assert_false(look("other").known);
	/* As dpkg does it: a new file in the place of the old. */
	scratch_write(PACKAGES_DPKG "/status-new",
	              "Package: other\nStatus: install ok installed\nVersion: 1\n", 0644);
	assert_int_equal(rename(PACKAGES_DPKG "/status-new", PACKAGES_DPKG "/status"), 0);
	assert_false(look("other").known);
	host_forget(&host);
	assert_true(look("other").known);
}

static void an_answer_outlives_what_it_was_read_from(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct host_package package = look("tool");

	host_forget(&host);
	assert_string_equal(package.version, "1.0-1");
	assert_string_equal(package.status, "installed");
}

static void without_dpkg_the_reason_is_told(void **state)
{
	struct host_package package;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	unlink(PACKAGES_DPKG "/status");
	assert_int_equal(packages_look(&host, "tool", &package, &err), -ERR_HOST);
	assert_non_null(strstr(err.text, "dpkg does not manage the packages of this node"));
}

static void with_a_journal_dpkg_itself_is_asked(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	/* As dpkg leaves it when it is killed: the status file is behind. */
	scratch_write(
	    PACKAGES_DPKG "/updates/0001",
	    "Package: tool\nStatus: install ok unpacked\nArchitecture: amd64\nVersion: 2.0-1\n"
	    "Maintainer: a <a@example.org>\nDescription: d\n",
	    0644);
	assert_true(manager().interrupted);
	assert_string_equal(look("tool").version, "2.0-1");
	assert_string_equal(look("tool").status, "unpacked");
	assert_false(look("other").known);
	unlink(PACKAGES_DPKG "/updates/0001");
	scratch_write(PACKAGES_DPKG "/updates/tmp.i", "", 0644);
	host_forget(&host);
	assert_false(manager().interrupted);
	assert_string_equal(look("tool").version, "1.0-1");
}

static void what_waits_for_configuration_is_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct host_package_manager m = manager();

	assert_int_equal(m.unconfigured.count, 1);
	assert_string_equal(m.unconfigured.items[0], "half");
	assert_int_equal(m.lock_pid, 0);
	assert_string_equal(m.lock_command, "");
}

static void all_names_are_listed(void **state)
{
	struct list names;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(packages_list(&host, &names, &err), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[1], "tool");
}

static void the_database_of_this_machine_can_be_read(void **state)
{
	struct host_package package;
	struct err err;

	(void)state;
	if (scratch_is_private() || access(PACKAGES_DPKG "/status", R_OK)) {
		print_message("# skip: another database lies over it, or there is none\n");
		skip();
	}
	assert_int_equal(packages_look(&host, "dpkg", &package, &err), 0);
	assert_string_equal(package.status, "installed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_read_is_kept_until_it_is_forgotten, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(an_answer_outlives_what_it_was_read_from, setup, teardown),
	    cmocka_unit_test_setup_teardown(without_dpkg_the_reason_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(with_a_journal_dpkg_itself_is_asked, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_waits_for_configuration_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(all_names_are_listed, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_database_of_this_machine_can_be_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
