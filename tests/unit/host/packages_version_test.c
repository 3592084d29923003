// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "host/packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void the_order_is_that_of_the_manual(void **state)
{
	/* Each line is in rising order (deb-version(7), Debian policy 5.6.12). */
	static const char *const rising[][2] = {
	    {"~~", "~~a"},
	    {"~~a", "~"},
	    {"~", ""},
	    {"", "a"},
	    {"1.0~rc1", "1.0"},
	    {"1.0", "1.0a"},
	    {"1.0a", "1.0+"},
	    {"1.0-1", "1.0-1.1"},
	    {"1.0-9", "1.0-10"},
	    {"2.15.6-1fsx21", "2.15.6-1fsx25"},
	    {"6.8.0-90-generic", "6.8.0-1039-aws"},
	    {"9", "1:0"},
	    {"1:9", "2:0"},
	    {"1.2-3", "1.2-4"},
	    {"1-2", "1-1-1"},
	    {"99999999999999999998", "99999999999999999999"},
	};
	static const char *const equal[][2] = {
	    {"1.0", "0:1.0"}, {"1.0", "1.0-0"}, {"1.00", "1.0"}, {"01", "1"}, {"1.0-", "1.0"}};

	(void)state;
	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
		if (packages_compare(rising[i][0], rising[i][1]) != -1 ||
		    packages_compare(rising[i][1], rising[i][0]) != 1) {
			fail_msg("%s < %s", rising[i][0], rising[i][1]);
		}
	}
	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
		assert_int_equal(packages_compare(equal[i][0], equal[i][1]), 0);
		assert_int_equal(packages_compare(equal[i][1], equal[i][0]), 0);
	}
}

/* What this program prints, run to its end; NULL: it is not there. */
static char *output_of(const char *const *argv, int *ret_status)
{
	struct child_command command = {.argv = argv, .timeout_ms = 60000};
	struct child_result result;
	struct err err;

	if (child_run(&command, &result, &err)) {
		return NULL;
	}
	char *text = mem_strdup(str_text(&result.out));

	*ret_status = result.status;
	child_result_free(&result);
	return text;
}

/* Parts of versions as they are published, and of what is no more than allowed. */
static const char *const parts[] = {
    "0", "1",   "9",  "10", "6.8.0", "2.15.6",  "1042",    "0001",     "a",
    "Z", "rc1", "~",  "~~", "~rc1",  "+",       "+b1",     "+deb12u1", "~bpo12+1",
    ".", "..",  "-1", "-0", "-1~",   "-1fsx21", "ubuntu2",
};

/* Longer numbers than perl can count to: of dpkg's library only dpkg itself is right about them. */
static const char long_number[] = "99999999999999999999";

/* A version that dpkg accepts: an upstream part that starts with a digit, no empty revision. */
static void make_version(char text[256], bool any, unsigned *seed)
{
	size_t n = (size_t)rand_r(seed) % 6, at = 0;

	if (rand_r(seed) % 5 == 0) {
		at += (size_t)sprintf(text, "%d:", rand_r(seed) % 3);
	}
	text[at++] = (char)('0' + rand_r(seed) % 3);
	while (n-- > 0) {
		at += (size_t)sprintf(text + at, "%s",
		                      parts[(size_t)rand_r(seed) % (sizeof parts / sizeof *parts)]);
	}
	bool is_long = any && rand_r(seed) % 4 == 0;

	sprintf(text + at, "%s%s", is_long ? long_number : "", rand_r(seed) % 2 ? "1" : "a");
}

/* Every other pair differs in little, or not at all but in spelling. */
static void make_pair(char a[256], char b[256], bool any, unsigned *seed)
{
	unsigned same = *seed;

	make_version(a, any, seed);
	if (rand_r(seed) % 2) {
		make_version(b, any, seed);
		return;
	}
	make_version(b, any, &same);
	size_t at = (size_t)rand_r(seed) % strlen(b);

	b[at] = b[at] >= '0' && b[at] <= '9' ? (char)('0' + rand_r(seed) % 10) : b[at];
}

static void random_pairs_are_ordered_as_dpkg_does(void **state)
{
	static const char *const relations[] = {"lt", "eq", "gt"};
	unsigned seed = 20260522;
	char a[256], b[256];

	(void)state;
	for (int i = 0; i < 300; i++) {
		int status = -1;

		make_pair(a, b, true, &seed);
		int order = packages_compare(a, b);
		const char *const argv[] = {"dpkg", "--compare-versions", a, relations[order + 1], b, NULL};
		char *text = output_of(argv, &status);

		if (!text) {
			print_message("# skip: there is no dpkg\n");
			skip();
		}
		free(text);
		if (status) {
			fail_msg("%s %s %s, dpkg says otherwise", a, relations[order + 1], b);
		}
		assert_int_equal(packages_compare(b, a), -order);
	}
}

/* In one process, by the library that comes with dpkg's own tools. */
static void thousands_of_pairs_are_ordered_as_its_library_does(void **state)
{
	static const char program[] = "use Dpkg::Version; my $n = 0;"
	                              "while (<>) { my ($x, $o, $y) = split; $n++;"
	                              "  my $is = version_compare($x, $y);"
	                              "  print \"$x $o $y: $is\\n\" if $is != $o; }"
	                              "print \"$n pairs\\n\";";
	char path[] = "/tmp/versions.XXXXXX", a[256], b[256];
	const char *const argv[] = {"perl", "-e", program, path, NULL};
	unsigned seed = 20261120;
	int status = -1, fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 20000; i++) {
		make_pair(a, b, false, &seed);
		fprintf(f, "%s %d %s\n", a, packages_compare(a, b), b);
	}
	fclose(f);
	char *text = output_of(argv, &status);

	unlink(path);
	if (!text || status) {
		free(text);
		print_message("# skip: perl has no Dpkg::Version here\n");
		skip();
	}
	assert_string_equal(text, "20000 pairs\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_order_is_that_of_the_manual),
	    cmocka_unit_test(random_pairs_are_ordered_as_dpkg_does),
	    cmocka_unit_test(thousands_of_pairs_are_ordered_as_its_library_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
