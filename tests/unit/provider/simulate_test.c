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

static void what_cannot_be_had_is_named(void **state)
{
	static const char said[] = "Some packages could not be installed.\n"
	                           " this : Depends: nothing but it is no line of the table\n"
	                           "The following packages have unmet dependencies:\n"
	                           " modules : Depends: utils (= 2.15) but it is not installable or\n"
	                           "                    other but it is not installable\n"
	                           "E: Unable to correct problems, you have held broken packages.\n";
	static const char instead[] = "Unsatisfied dependencies:\n"
	                              " a:arm64 : PreDepends: b (>= 2) but 1.0 is to be installed\n";
	struct unmet unmet = {0};

	(void)state;
	assert_true(simulate_unmet(arena, arena_strdup(arena, said), &unmet));
	assert_string_equal(unmet.name, "modules");
	assert_string_equal(unmet.dependency, "utils (= 2.15)");
	assert_string_equal(unmet.needed, "utils");
	assert_true(unmet.unknown);
	assert_null(unmet.there);
	assert_true(simulate_unmet(arena, arena_strdup(arena, instead), &unmet));
	assert_string_equal(unmet.name, "a:arm64");
	assert_string_equal(unmet.needed, "b");
	assert_string_equal(unmet.there, "1.0");
	assert_false(unmet.unknown);
	assert_false(simulate_unmet(arena, arena_strdup(arena, "E: no\n"), &unmet));
}

static void a_dependency_without_a_name_is_none(void **state)
{
	static const char *const said[] = {"  : Depends: part but it is not installable",
	                                   " whole : Depends: but it is not installable"};
	struct unmet unmet;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		assert_false(simulate_unmet(
		    arena, arena_printf(arena, "x have unmet dependencies:\n%s\n", said[i]), &unmet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_apt_would_do_is_read),     TEST(output_that_was_cut_is_not_trusted),
	    TEST(what_cannot_be_had_is_named),   TEST(a_dependency_without_a_name_is_none),
	    TEST(a_kernel_is_known_by_its_name), TEST(only_a_kernel_of_the_same_release_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
