// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/simulate.h"

static struct simulation parse(const char *text)
{
	struct simulation simulation;

	simulate_parse(arena, arena_strdup(arena, text), &simulation);
	return simulation;
}

static void what_apt_would_do_is_read(void **state)
{
	struct simulation s =
	    parse("Reading package lists...\nThe following NEW packages will be installed:\n  Inst x\n"
	          "Remv old [1.0]\nRemv older [1:2.0-1] [dependant:amd64 ]\n"
	          "Inst lustre-client-utils [2.15.5] (2.15.6-1fsx25 field:field [all]) []\n"
	          "Inst libc6:i386 (2.36-9 Debian:12/stable [i386])\n"
	          "Conf libc6:i386 (2.36-9 Debian:12/stable [i386])\n");

	(void)state;
	assert_int_equal(s.count, 4);
	assert_string_equal(s.list[0].name, "old");
	assert_string_equal(s.list[0].before, "1.0");
	assert_null(s.list[0].version);
	assert_string_equal(s.list[1].name, "older");
	assert_null(s.list[1].version);
	assert_string_equal(s.list[2].name, "lustre-client-utils");
	assert_string_equal(s.list[2].before, "2.15.5");
	assert_string_equal(s.list[2].version, "2.15.6-1fsx25");
	assert_string_equal(s.list[3].name, "libc6:i386");
	assert_string_equal(s.list[3].version, "2.36-9");
	assert_null(s.list[3].before);
	assert_false(s.cut_short);
}

static void output_that_was_cut_is_not_trusted(void **state)
{
	(void)state;
	assert_true(parse("Inst a (1)\n[4711 bytes left out]\nInst z (1)\n").cut_short);
	assert_false(parse("").cut_short);
	assert_int_equal(parse("Inst\nRemv \n").count, 0);
}

static void a_kernel_is_known_by_its_name(void **state)
{
	(void)state;
	assert_true(simulate_is_kernel("linux-image-6.8.0-1043-aws"));
	assert_true(simulate_is_kernel("linux-modules-6.8.0-1043-aws"));
	assert_true(simulate_is_kernel("linux-image-aws"));
	assert_false(simulate_is_kernel("linux-headers-6.8.0-1043-aws"));
	assert_false(simulate_is_kernel("lustre-client-modules-6.8.0-1043-aws"));
}

static void only_a_kernel_of_the_same_release_was_asked_for(void **state)
{
	(void)state;
	assert_true(simulate_is_asked("linux-image-6.8.0-1043-aws", "linux-modules-6.8.0-1043-aws"));
	assert_true(
	    simulate_is_asked("linux-modules-extra-6.8.0-1043-aws", "linux-image-6.8.0-1043-aws"));
	assert_true(simulate_is_asked("linux-image-aws", "linux-image-aws"));
	assert_false(simulate_is_asked("linux-image-aws", "linux-image-6.8.0-1043-aws"));
	assert_false(
	    simulate_is_asked("lustre-client-modules-6.8.0-1043-aws", "linux-image-6.8.0-1043-aws"));
	assert_false(simulate_is_asked("linux-image-6.8.0-1039-aws", "linux-image-6.8.0-1043-aws"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_apt_would_do_is_read),
	    TEST(output_that_was_cut_is_not_trusted),
	    TEST(a_kernel_is_known_by_its_name),
	    TEST(only_a_kernel_of_the_same_release_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
