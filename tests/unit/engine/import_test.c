// SPDX-License-Identifier: MIT
#include "recorded.h"

#include "engine/import.h"

#define WHOLE KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," LOADS_OLD "," MOUNTED("")
#define PACKAGE(name, version)                  \
	",{\"kind\": \"package\", \"key\": \"" name \
	"\", \"state\": \"present\", \"version\": \"" version "\"}"

static struct import import;

static const char *text_of(const char *facts)
{
	struct doctor *d = recorded_doctor(facts);

	str_free(&import.text);
	if (import_make(node.engine, d, false, &import, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return str_text(&import.text);
}

static int end(void **state)
{
	str_free(&import.text);
	return node_teardown(state);
}

static void the_package_is_a_template_of_its_name(void **state)
{
	(void)state;
	const char *text = text_of(WHOLE PACKAGE("lustre-client-modules-6.8.0-1039-aws", "2.15.6-1"));

	assert_has(text, "package: \"lustre-client-modules-{kernel}\"");
	assert_has(text, "filesystem: lustre");
	/* Not of the running kernel, and of a release that is not installed any more. */
	assert_has(text_of(WHOLE PACKAGE("lustre-client-modules-5.15.0-1015-aws", "2.12-1")),
	           "package: \"lustre-client-modules-{kernel}\"");
}

static void a_metapackage_is_no_template(void **state)
{
	(void)state;
	const char *text = text_of(WHOLE PACKAGE("lustre-client-modules-aws", "6.8.0.1039.1")
	                               PACKAGE("lustre-client-utils", "2.15.6-1fsx21"));

	assert_null(strstr(text, "    package:"));
	assert_has(text, "lustre-client-utils: {version: \"2.15.*\"}");
	assert_null(strstr(text, "  lustre-client-modules-aws:"));
}

static void what_others_own_is_only_kept_alive(void **state)
{
	(void)state;
	assert_has(text_of(WHOLE), "manage: full");
	assert_has(text_of(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," MOUNTED(
	               ", \"fstab_options\": [\"noauto\", \"x-systemd.automount\", \"_netdev\"]")),
	           "manage: live");
	assert_null(strstr(str_text(&import.text), "_netdev"));
	assert_has(text_of(KERNEL("6.8.0-1039-aws",
	                          "6.8.0-1039-aws") "," MOUNTED(", \"unit\": \"lustre.mount\"")),
	           "manage: live");
}

static void an_option_not_in_force_is_said_and_left_out(void **state)
{
	(void)state;
	const char *text = text_of(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," MOUNTED(
	    ", \"fstab_options\": [\"defaults\", \"ro\", \"_netdev\"]"));

	assert_has(text, "options: [_netdev]");
	assert_has(text, "# fstab says ro, which is not in force");
}

static void the_kernel_is_left_to_a_person(void **state)
{
	(void)state;
	const char *text = text_of(KERNEL("6.8.0-1042-aws", "6.8.0-1042-aws") "," LOADS_OLD "," NOT_NEW
	                                                                      "," UNMOUNTED(""));

	assert_null(strstr(text, "\nkernel:"));
	assert_has(text, "#   kernel: {strategy: follow}");
	assert_has(text, "#   kernel: {strategy: pin, release: 6.8.0-1039-aws}");
	assert_int_equal(import.broken_count, 1);
	assert_has(import.broken[0], "/lustre is NOT MOUNTED");
}

static void holds_are_taken_over(void **state)
{
	(void)state;
	assert_has(text_of(WHOLE ",{\"kind\": \"hold\", \"key\": \"linux-aws\", \"state\": "
	                         "\"present\"}"),
	           "holds:\n  - linux-aws\n");
}

static void what_cannot_stand_in_a_tree_is_left_out_and_the_rest_is_written(void **state)
{
	static const char held[] =
	    ",{\"kind\": \"hold\", \"key\": \"libc6:i386\", \"state\": \"present\"}"
	    ",{\"kind\": \"hold\", \"key\": \"2048\", \"state\": \"present\"}";

	(void)state;
	const char *text = text_of(arena_printf(
	    node.arena, "%s%s%s", WHOLE, PACKAGE("lustre-client-utils:arm64", "2.15.6-1"), held));

	assert_has(text, "holds:\n  - \"2048\"\n");
	assert_null(strstr(text, ":i386"));
	assert_null(strstr(text, ":arm64"));
	assert_int_equal(import.left_count, 2);
	assert_has(import.left[0], "package lustre-client-utils:arm64");
	assert_has(import.left[1], "hold libc6:i386");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, node_setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_package_is_a_template_of_its_name),
	    TEST(a_metapackage_is_no_template),
	    TEST(what_others_own_is_only_kept_alive),
	    TEST(an_option_not_in_force_is_said_and_left_out),
	    TEST(the_kernel_is_left_to_a_person),
	    TEST(holds_are_taken_over),
	    TEST(what_cannot_stand_in_a_tree_is_left_out_and_the_rest_is_written),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
