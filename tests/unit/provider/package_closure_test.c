// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/package_closure.h"

static const char policy[] = "modules:\n"
                             "  Installed: 2.15.6-1\n"
                             "  Candidate: 2.15.7-1\n"
                             "  Version table:\n"
                             "     2.15.7-1 500\n"
                             "        500 https://fsx/ubuntu noble/main amd64 Packages\n"
                             " *** 2.15.6-1 500\n"
                             "        500 https://fsx/ubuntu jammy/main amd64 Packages\n"
                             "        500 http://mirror/fsx jammy/main amd64 Packages\n"
                             "        100 /var/lib/dpkg/status\n"
                             "libc6:\n"
                             "  Installed: 2.36\n"
                             "  Candidate: 2.36\n"
                             "  Version table:\n"
                             " *** 2.36 100\n"
                             "        100 /var/lib/dpkg/status\n";

static void the_places_of_a_version_are_read(void **state)
{
	struct list list = package_closure_places(arena, policy, "modules", "2.15.6-1");

	(void)state;
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0], "https://fsx/ubuntu");
	assert_string_equal(list.items[1], "http://mirror/fsx");
	assert_int_equal(package_closure_places(arena, policy, "modules", "2.15.7-1").count, 1);
	assert_int_equal(package_closure_places(arena, policy, "modules", "2.15.8-1").count, 0);
	assert_int_equal(package_closure_places(arena, policy, "libc6", "2.36").count, 0);
	assert_int_equal(package_closure_places(arena, policy, "mod", "2.15.6-1").count, 0);
	assert_int_equal(package_closure_places(arena, "", "mod", "1").count, 0);
}

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_file_is_known_by_the_index(void **state)
{
	static const char text[] = "Package: tool\nVersion: 1:2.0~rc_1\nArchitecture: amd64\n"
	                           "Size: 4711\nSHA256: " SHA "\nDescription: x\n y: z\n"
	                           "\n"
	                           "Package: tool\nVersion: 1.0\nArchitecture: all\nSize: 1\n"
	                           "MD5sum: x\n";
	struct closure_part part = {.name = "tool", .version = "1:2.0~rc_1"};
	struct closure_part old = {.name = "tool", .version = "1.0"};
	struct closure_part other = {.name = "too", .version = "1.0"};

	(void)state;
	assert_true(package_closure_take(arena, text, &part));
	assert_string_equal(part.file, "tool_1%3a2.0~rc%5f1_amd64.deb");
	assert_string_equal(part.sha256, SHA);
	assert_int_equal(part.size, 4711);
	assert_false(package_closure_take(arena, text, &old)); /* no SHA-256: not to be had */
	assert_false(package_closure_take(arena, text, &other));
	assert_false(package_closure_take(arena, "", &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_places_of_a_version_are_read),
	    TEST(a_file_is_known_by_the_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
