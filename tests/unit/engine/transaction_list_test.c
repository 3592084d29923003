// SPDX-License-Identifier: MIT
#include "engine/transaction_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD3 "VERSION 3\nAPT::Architecture=amd64\nDPkg::X=a%20b\n\n"

static struct arena *arena;
static struct transaction_list list;
static struct err err;

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

static int parse(const char *text)
{
	return transaction_list_parse(arena_strdup(arena, text), arena, &list, &err);
}

static void each_package_comes_once_as_it_will_stand(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD3 "tool - - none < 2.0 amd64 none /var/cache/a b.deb\n"
	                             "tool - - none < 2.0 amd64 none **CONFIGURE**\n"
	                             "gone 1.0 all none > - - none **REMOVE**\n"
	                             "newer 1.0 amd64 same < 1.1 amd64 same /x.deb\n"),
	                 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.list[0].name, "tool");
	assert_null(list.list[0].old);
	assert_string_equal(list.list[0].new, "2.0");
	assert_string_equal(list.list[1].old, "1.0");
	assert_null(list.list[1].new);
	assert_string_equal(list.list[1].architecture, "all");
	assert_string_equal(list.list[2].old, "1.0");
	assert_string_equal(list.list[2].new, "1.1");
}

static void what_is_removed_and_installed_again_stays(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD3 "tool 1.0 amd64 none > - - none **REMOVE**\n"
	                             "tool - - none < 2.0 amd64 none /x.deb\n"),
	                 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.list[0].old, "1.0");
	assert_string_equal(list.list[0].new, "2.0");
}

static void version_2_is_read_as_well(void **state)
{
	(void)state;
	assert_int_equal(parse("VERSION 2\nA=b\n\ntool - < 2.0 /x.deb\ngone 1.0 > - **REMOVE**\n"), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.list[0].new, "2.0");
	assert_string_equal(list.list[0].archive, "/x.deb");
	assert_null(list.list[1].new);
	assert_null(list.list[1].archive);
}

static void what_apt_does_not_write_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\n",
	    "/var/cache/apt/archives/x.deb\n", /* version 1 */
	    "VERSION 4\n\n",
	    "VERSION 3",
	    "VERSION 3\nA=b\n",                                /* cut off */
	    HEAD3 "tool 1.0 amd64 none > - - none **REMOVE**", /* cut off */
	    HEAD3 "tool 1.0\n",
	    HEAD3 "tool - - none < 2.0 amd64 none\n",
	    HEAD3 " - - none < 2.0 amd64 none /x\n",
	    HEAD3 "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(parse(texts[i]), -ERR_INPUT);
	}
	assert_int_equal(parse(HEAD3), 0);
	assert_int_equal(list.count, 0);
}

static void only_images_have_a_release(void **state)
{
	(void)state;
	assert_string_equal(transaction_list_release("linux-image-6.8.0-1042-aws"), "6.8.0-1042-aws");
	assert_string_equal(transaction_list_release("linux-image-unsigned-6.1.0-9-cloud-amd64"),
	                    "6.1.0-9-cloud-amd64");
	assert_null(transaction_list_release("linux-image-aws"));
	assert_null(transaction_list_release("linux-image-6.12"));
	assert_null(transaction_list_release("linux-modules-6.8.0-1042-aws"));
	assert_null(transaction_list_release("tool"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_package_comes_once_as_it_will_stand, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_removed_and_installed_again_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(version_2_is_read_as_well, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_apt_does_not_write_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_images_have_a_release, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
