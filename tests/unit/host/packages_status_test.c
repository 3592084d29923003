// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/str.h"
#include "host/packages_inner.h"

#include <string.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct packages_table *parse(const char *text)
{
	return packages_table_parse(arena, arena_strdup(arena, text), strlen(text));
}

#define DPKG                                                                                  \
	"Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: foreign\n" \
	"Version: 1.21.22\n\n"

static void a_stanza_says_what_is_selected_and_installed(void **state)
{
	const struct packages_table *table = parse(
	    DPKG "Package: lustre-client-modules-6.8.0-1039-aws\nStatus: hold ok installed\n"
	         "Priority: optional\nSection: kernel\nArchitecture: amd64\n"
	         "Version: 2.15.6-1fsx21\nDescription: client\n Version: 9\n .\n Status: no no no\n");
	const struct host_package *p =
	    packages_table_find(table, "lustre-client-modules-6.8.0-1039-aws");

	(void)state;
	assert_non_null(p);
	assert_true(p->known && p->held);
	assert_string_equal(p->want, "hold");
	assert_string_equal(p->flag, "ok");
	assert_string_equal(p->status, "installed");
	assert_string_equal(p->version, "2.15.6-1fsx21");
	assert_int_equal(packages_table_count(table), 2);
	assert_null(packages_table_find(table, "lustre-client-modules-6.8.0-1043-aws"));
	assert_null(packages_table_find(table, "lustre"));
}

static void the_own_architecture_is_meant_unless_another_is_named(void **state)
{
	const struct packages_table *table = parse(
	    "Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n" DPKG
	    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n\n"
	    "Package: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3\n\n"
	    "Package: wine32\nStatus: install ok installed\nArchitecture: i386\nVersion: 4\n\n");
	const char *name;

	(void)state;
	assert_string_equal(packages_table_find(table, "libc6")->version, "2");
	assert_string_equal(packages_table_find(table, "libc6:i386")->version, "1");
	assert_string_equal(packages_table_find(table, "libc6:native")->version, "2");
	assert_string_equal(packages_table_find(table, "adduser")->version, "3");
	assert_null(packages_table_find(table, "libc6:arm64"));
	assert_null(packages_table_find(table, "wine32"));
	assert_non_null(packages_table_find(table, "wine32:any"));
	packages_table_at(table, 0, &name);
	assert_string_equal(name, "libc6:i386");
	packages_table_at(table, 2, &name);
	assert_string_equal(name, "libc6");
}

static void what_was_never_installed_has_no_version(void **state)
{
	const struct packages_table *table =
	    parse("Package: x\nStatus: hold ok not-installed\n\nPackage: no-status\nVersion: 1\n\n\n");
	const struct host_package *p = packages_table_find(table, "x");

	(void)state;
	assert_non_null(p);
	assert_true(p->held);
	assert_null(p->version);
	assert_null(p->architecture);
	assert_null(packages_table_find(table, "no-status"));
}

static void garbage_and_cut_off_files_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	assert_int_equal(packages_table_count(parse("")), 0);
	assert_int_equal(packages_table_count(parse("\n\n\n")), 0);
	assert_int_equal(packages_table_count(parse("Package:\nStatus: install\n")), 0);
	assert_int_equal(packages_table_count(parse("Package: a\nStatus: install ok installed")), 1);
	assert_int_equal(packages_table_count(parse("Packages: a\nStatus : x\n:\n")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_stanza_says_what_is_selected_and_installed, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(the_own_architecture_is_meant_unless_another_is_named,
	                                    setup, teardown),
	    cmocka_unit_test_setup_teardown(what_was_never_installed_has_no_version, setup, teardown),
	    cmocka_unit_test_setup_teardown(garbage_and_cut_off_files_are_read_as_far_as_they_go, setup,
	                                    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
