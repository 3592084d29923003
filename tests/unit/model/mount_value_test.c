// SPDX-License-Identifier: MIT
/* key=value options by meaning. */
#include "model/mount_value.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void mount_value_keys_are_what_stands_before_the_equals_sign(void **state)
{
	(void)state;
	assert_int_equal(mount_value_key("size=64m"), 4);
	assert_int_equal(mount_value_key("flock"), 0);
	assert_true(mount_value_same_key("size=64m", "size=1g"));
	assert_true(mount_value_same_key("nfsvers=4.1", "vers=4.2"));
	assert_true(mount_value_same_key("vers=4.1", "nfsvers=4.2"));
	assert_false(mount_value_same_key("size=64m", "sizelimit=64m"));
	assert_false(mount_value_same_key("size", "size"));
	assert_false(mount_value_same_key("size=1", "size"));
}

static void mount_value_compares_numbers_and_modes(void **state)
{
	static const struct {
		const char *want, *have;
		bool live, written;
	} cases[] = {
	    {"size=64m", "size=65536k", true, true},
	    {"size=64M", "size=67108864", true, true},
	    {"size=1g", "size=1048576k", true, true},
	    {"size=1g", "size=1048575k", false, false},
	    {"size=50%", "size=16384k", true, false},
	    {"size=", "size=1", false, false},
	    {"size=64q", "size=64", false, false},
	    {"size=64mm", "size=64m", false, false},
	    {"size=16e", "size=0", false, false},
	    {"size=99999999999999999999", "size=99999999999999999998", false, false},
	    {"nr_inodes=1k", "nr_inodes=1024", true, true},
	    {"mode=0700", "mode=700", true, true},
	    {"mode=700", "mode=0700", true, true},
	    {"mode=0750", "mode=700", false, false},
	    {"mode=0900", "mode=900", false, false},
	    {"umask=022", "umask=0022", true, true},
	    {"uid=ubuntu", "uid=1000", true, false},
	    {"uid=1000", "uid=1001", false, false},
	    {"uid=1000", "uid=1000", true, true},
	    {"vers=4", "vers=4.2", true, true},
	    {"nfsvers=4", "vers=4.2", true, true},
	    {"vers=4.1", "vers=4.2", false, false},
	    {"vers=4", "vers=41", false, false},
	    {"rsize=1048576", "rsize=262144", true, false},
	    {"rsize=262144", "rsize=1048576", false, false},
	    {"sec=krb5", "sec=sys", false, false},
	    {"errors=remount-ro", "errors=remount-ro", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (mount_value_same(cases[i].want, cases[i].have, false) != cases[i].live ||
		    mount_value_same(cases[i].want, cases[i].have, true) != cases[i].written) {
			fail_msg("%s against %s", cases[i].want, cases[i].have);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mount_value_keys_are_what_stands_before_the_equals_sign),
	    cmocka_unit_test(mount_value_compares_numbers_and_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
