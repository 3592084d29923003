// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "base/child.h"
#include "provider/release.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In rising order. */
static const char *const rising[] = {
    "5.15.0-1015-aws",
    "6.1.0-9-cloud-amd64",
    "6.1.0-50-amd64",
    "6.1.0-50-cloud-amd64",
    "6.8.0-git2",
    "6.8.0_pre1",
    "6.8.0-rc7",
    "6.8.0",
    "6.8.0-90-generic",
    "6.8.0-1039-aws",
    "6.8.0-1042-aws",
    "6.9.0-rc1",
    "6.9.0",
    "6.12-rc1-amd64",
    "6.12-amd64",
    "6.12.0~rc2-1",
    "6.12.0-1",
    "6.12.9-amd64",
    "6.12.9+bpo-amd64",
    "6.12.9+deb12-amd64",
    "6.12.10+deb12-amd64",
};

static void releases_are_ordered_as_versions_and_not_as_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			int r = release_compare(rising[i], rising[k]);

			if (r != (i > k) - (i < k)) {
				fail_msg("%s, %s: %d", rising[i], rising[k], r);
			}
		}
	}
}

/* That of the tests in a boot loader's root, else of this machine. */
static const char *find_library(void)
{
	const char *top = getenv("TOP");
	glob_t found = {0};
	const char *path = "/usr/share/grub/grub-mkconfig_lib";

	if (glob(arena_printf(arena, "%s/build/cache/grubroot-*/tree%s", top ? top : ".", path), 0,
	         NULL, &found) == 0) {
		path = arena_strdup(arena, found.gl_pathv[0]);
	}
	globfree(&found);
	return path;
}

/* What GRUB says of each two: one character per pair, 1 when the first is newer. */
static const char *ask_grub(const char *library)
{
	const char **argv = arena_array(arena, ARRAY_LEN(rising) + 8, sizeof *argv);
	const struct child_command command = {.argv = argv, .timeout_ms = 120000};
	struct child_result result;
	struct err err;
	size_t n = 0;

	argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = "command -v dpkg >/dev/null && . \"$0\" || exit 9\n"
	            "for a; do for b; do\n"
	            "version_test_gt \"x-$a\" \"x-$b\" 2>/dev/null && printf 1 || printf 0\n"
	            "done; done";
	argv[n++] = library;
	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		argv[n++] = rising[i];
	}
	assert_int_equal(child_run(&command, &result, &err), 0);
	const char *text = result.status ? NULL : arena_strdup(arena, str_text(&result.out));

	child_result_free(&result);
	return text;
}

static void grub_orders_them_likewise(void **state)
{
	const char *library = find_library();
	const char *said = access(library, R_OK) ? NULL : ask_grub(library);

	(void)state;
	if (!said) {
		print_message("# skip: there is no grub-mkconfig_lib, or no dpkg\n");
		skip();
	}
	assert_int_equal(strlen(said), ARRAY_LEN(rising) * ARRAY_LEN(rising));
	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			if ((said[i * ARRAY_LEN(rising) + k] == '1') !=
			    (release_compare(rising[i], rising[k]) > 0)) {
				fail_msg("%s, %s: GRUB says otherwise", rising[i], rising[k]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(releases_are_ordered_as_versions_and_not_as_text),
	    TEST(grub_orders_them_likewise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
