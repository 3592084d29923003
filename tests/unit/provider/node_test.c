// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <sys/utsname.h>
#include <unistd.h>

static void the_machine_is_named(void **state)
{
	const struct node *node = &fact(KIND_NODE, "")->node;
	struct utsname names;

	(void)state;
	uname(&names);
	assert_string_equal(node->architecture, names.machine);
	assert_true(strncmp(node->name, names.nodename, strlen(node->name)) == 0);
	assert_int_equal(strlen(node->boot_id), 36);
	assert_non_null(node->os);
}

static void the_distribution_stands_in_os_release(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	unlink("/etc/os-release"); /* of the namespace */
	scratch_write("/etc/os-release",
	              "PRETTY_NAME=\"X\"\nID=ubuntu\nVERSION_ID=\"22.04\"\nID_LIKE=debian\n", 0644);
	assert_string_equal(fact(KIND_NODE, "")->node.os, "ubuntu");
	assert_string_equal(fact(KIND_NODE, "")->node.os_version, "22.04");
}

static void a_link_leads_to_the_other_place(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (access("/usr/lib/os-release", R_OK)) {
		skip();
	}
	unlink("/etc/os-release");
	assert_int_equal(symlink("../usr/lib/os-release", "/etc/os-release"), 0);
	assert_non_null(fact(KIND_NODE, "")->node.os);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_machine_is_named),
	    TEST(the_distribution_stands_in_os_release),
	    TEST(a_link_leads_to_the_other_place),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
