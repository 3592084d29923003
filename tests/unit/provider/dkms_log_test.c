// SPDX-License-Identifier: MIT
#include "provider/dkms_log.h"

#include "unit/provider/observing.h"

/* As dkms 3.0.10 leaves it, of a build with real headers. */
static const char log_of_612[] =
    "DKMS make.log for beegfs-7.4.4 for kernel 6.12.43+deb12-cloud-amd64 (x86_64)\n"
    "Sat Nov 21 04:10:00 UTC 2026\n"
    "make: Entering directory '/usr/src/linux-headers-6.12.43+deb12-cloud-amd64'\n"
    "  CC [M]  /var/lib/dkms/beegfs/7.4.4/build/beegfs.o\n"
    "/var/lib/dkms/beegfs/7.4.4/build/beegfs.c:3:10: fatal error: asm/unaligned.h: No such file or "
    "directory\n"
    "    3 | #include <asm/unaligned.h>\n"
    "compilation terminated.\n"
    "make[2]: *** [scripts/Makefile.build:243: beegfs.o] Error 1\n"
    "make: *** [Makefile:1939: build] Error 2\n";

static void it_tells_for_which_kernel_it_was(void **state)
{
	(void)state;
	assert_true(dkms_log_is_for(log_of_612, "6.12.43+deb12-cloud-amd64"));
	assert_false(dkms_log_is_for(log_of_612, "6.12.43+deb12"));
	assert_false(dkms_log_is_for(log_of_612, "6.1.0-50-cloud-amd64"));
	assert_true(dkms_log_is_for("DKMS make.log for a-1 for kernel 6.1\nmore", "6.1"));
	assert_true(dkms_log_is_for("DKMS make.log for a-1 for kernel 6.1", "6.1"));
	assert_false(dkms_log_is_for("", "6.1"));
	assert_false(dkms_log_is_for("DKMS make.log\n for kernel 6.1 ", "6.1"));
}

static void the_compilers_word_is_the_one_that_matters(void **state)
{
	(void)state;
	assert_string_equal(dkms_log_lines(arena, log_of_612),
	                    "/var/lib/dkms/beegfs/7.4.4/build/beegfs.c:3:10: fatal error: "
	                    "asm/unaligned.h: No such file or directory");
}

static void make_speaks_when_nobody_else_did(void **state)
{
	(void)state;
	assert_string_equal(dkms_log_lines(arena, "header\nmake: *** No rule to make target 'all'.\n"),
	                    "make: *** No rule to make target 'all'.");
	assert_string_equal(dkms_log_lines(arena, "make: *** Error 2\nbye\n"), "make: *** Error 2");
}

static void linker_and_modpost_are_heard_too(void **state)
{
	(void)state;
	assert_string_equal(dkms_log_lines(arena, "ld: a.o: undefined reference to `b'\nbye\n"),
	                    "ld: a.o: undefined reference to `b'");
	assert_string_equal(dkms_log_lines(arena, "ERROR: modpost: \"x\" undefined!\nbye\n"),
	                    "ERROR: modpost: \"x\" undefined!");
}

static void a_long_line_is_cut(void **state)
{
	char line[400];

	(void)state;
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	assert_true(strlen(dkms_log_lines(arena, line)) < 200);
}

static void at_most_three_lines_are_shown(void **state)
{
	(void)state;
	assert_string_equal(dkms_log_lines(arena,
	                                   "a.c:1:1: error: 1\na.c:2:1: error: 2\na.c:3:1: error: 3\n"
	                                   "a.c:4:1: error: 4\n"),
	                    "a.c:1:1: error: 1; a.c:2:1: error: 2; a.c:3:1: error: 3");
}

static void without_a_complaint_the_last_words_are_shown(void **state)
{
	(void)state;
	assert_string_equal(dkms_log_lines(arena, "one\nKilled\n\n"), "Killed");
	assert_string_equal(dkms_log_lines(arena, ""), "");
}

static void a_failure_that_would_not_come_again_is_not_final(void **state)
{
	(void)state;
	assert_true(dkms_log_is_final(log_of_612, false));
	/* Cut off in the middle, or still being written. */
	assert_false(dkms_log_is_final("DKMS make.log\n  CC [M]  beegfs.o\n", false));
	assert_true(dkms_log_is_final("DKMS make.log\n./build: not for this kernel\n", true));
	assert_false(dkms_log_is_final("a.c:1:1: fatal error: error writing to /tmp/a.s: "
	                               "No space left on device\nmake: *** Error 1\n",
	                               true));
	assert_false(dkms_log_is_final("", false));
	assert_false(dkms_log_is_final("virtual memory exhausted: x\nmake: *** Error 1\n", true));
	assert_false(dkms_log_is_final("cc: Cannot allocate memory\nmake: *** Error 1\n", true));
	assert_false(dkms_log_is_final("gcc: fatal error: Killed signal terminated program cc1\n"
	                               "make: *** Error 1\n",
	                               true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_tells_for_which_kernel_it_was),
	    TEST(the_compilers_word_is_the_one_that_matters),
	    TEST(make_speaks_when_nobody_else_did),
	    TEST(linker_and_modpost_are_heard_too),
	    TEST(a_long_line_is_cut),
	    TEST(at_most_three_lines_are_shown),
	    TEST(without_a_complaint_the_last_words_are_shown),
	    TEST(a_failure_that_would_not_come_again_is_not_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
