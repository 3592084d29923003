// SPDX-License-Identifier: MIT
/* Packages are made by dpkg-deb itself. */
#include "unit/provider/answering.h"

#include <unistd.h>

static void tool(const char *const *argv)
{
	const struct child_command command = {.argv = argv, .timeout_ms = 60000};
	struct child_result result;
	struct err err;

	if (child_run(&command, &result, &err)) {
		fail_msg("%s", err.text);
	}
	if (result.status) {
		fail_msg("%s: %s", argv[0], str_text(&result.err));
	}
	child_result_free(&result);
}

#define TOOL(...) tool((const char *const[]){__VA_ARGS__, NULL})

static const char *in_scratch(const char *name)
{
	return arena_printf(arena, "%s/%s", scratch_dir(), name);
}

static void folder(const char *path)
{
	TOOL("mkdir", "-p", in_scratch(arena_printf(arena, "tree%s", path)));
}

/* In the package that is to be made. */
static void file(const char *path, const char *text)
{
	const char *name = strrchr(path, '/');

	folder(arena_strndup(arena, path, (size_t)(name - path)));
	scratch_write(in_scratch(arena_printf(arena, "tree%s", path)), text, 0644);
}

static int setup(void **state)
{
	observing_setup(state);
	scratch_clear();
	file("/DEBIAN/control", "Package: x\nVersion: 1\nArchitecture: all\n"
	                        "Maintainer: F <f@example.org>\nDescription: made by a test\n");
	return 0;
}

static const struct resource *built(void)
{
	const char *deb = in_scratch("x y.deb");

	TOOL("dpkg-deb", "-Znone", "--build", in_scratch("tree"), deb);
	return fact(KIND_ARCHIVE, deb);
}

static bool brings(const struct resource *have, const char *path)
{
	for (size_t i = 0; i < have->archive.files.count; i++) {
		if (strcmp(have->archive.files.items[i], path) == 0) {
			return true;
		}
	}
	return false;
}

#define NEEDS_DPKG_DEB()                         \
	do {                                         \
		if (access("/usr/bin/dpkg-deb", X_OK)) { \
			skip();                              \
		}                                        \
	} while (0)

static void modules_images_and_helpers_are_told_and_nothing_else(void **state)
{
	(void)state;
	NEEDS_DPKG_DEB();
	file("/lib/modules/6.1.0-1/updates/lustre.ko", "x");
	file("/usr/lib/modules/6.1.0-1/with blank.ko.zst", "x");
	file("/boot/vmlinuz-6.1.0-1", "x");
	file("/usr/sbin/mount.lustre", "x");
	file("/usr/share/doc/x.ko", "x");
	file("/lib/modules/6.1.0-1/modules.builtin", "x");
	TOOL("ln", "-s", "mount.lustre", in_scratch("tree/usr/sbin/mount.lustre4"));
	TOOL("ln", in_scratch("tree/usr/sbin/mount.lustre"), in_scratch("tree/usr/sbin/mount.zfs"));
	folder("/usr/sbin/mount.d");
	const struct resource *have = built();

	assert_int_equal(have->state, STATE_PRESENT);
	assert_true(brings(have, "/lib/modules/6.1.0-1/updates/lustre.ko"));
	assert_true(brings(have, "/usr/lib/modules/6.1.0-1/with blank.ko.zst"));
	assert_true(brings(have, "/boot/vmlinuz-6.1.0-1"));
	assert_true(brings(have, "/usr/sbin/mount.lustre"));
	assert_true(brings(have, "/usr/sbin/mount.lustre4"));
	assert_true(brings(have, "/usr/sbin/mount.zfs"));
	assert_int_equal(have->archive.files.count, 6);
}

static void a_kernel_with_thousands_of_modules_is_read_whole(void **state)
{
	(void)state;
	NEEDS_DPKG_DEB();
	folder("/lib/modules/6.1.0-1/kernel/a-folder-of-many");
	for (int i = 0; i < 3000; i++) {
		scratch_write(
		    in_scratch(arena_printf(
		        arena, "tree/lib/modules/6.1.0-1/kernel/a-folder-of-many/module_%d.ko", i)),
		    "", 0644);
	}
	assert_int_equal(built()->archive.files.count, 3000);
}

static void what_cannot_be_read_falls_back_to_the_sums_or_is_undetermined(void **state)
{
	(void)state;
	NEEDS_DPKG_DEB();
	file("/lib/modules/6.1.0-1/lustre.ko", "x");
	file("/DEBIAN/md5sums", "9dd4e461268c8034f5c8564e155c67a6  lib/modules/6.1.0-1/lustre.ko\n"
	                        "9dd4e461268c8034f5c8564e155c67a6  usr/share/x\n");
	assert_int_equal(built()->archive.files.count, 1);
	/* cut off within its files: the control part is whole */
	TOOL("truncate", "-s", "-9000", in_scratch("x y.deb"));
	const struct resource *have = fact(KIND_ARCHIVE, in_scratch("x y.deb"));

	assert_int_equal(have->state, STATE_PRESENT);
	assert_true(brings(have, "/lib/modules/6.1.0-1/lustre.ko"));
	TOOL("truncate", "-s", "100", in_scratch("x y.deb"));
	have = fact(KIND_ARCHIVE, in_scratch("x y.deb"));
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "dpkg-deb");
	assert_int_equal(fact(KIND_ARCHIVE, in_scratch("none.deb"))->state, STATE_ABSENT);
}

static void a_look_that_must_be_short_asks_no_longer_than_that(void **state)
{
	const char *deb = in_scratch("asked.deb");

	(void)state;
	scratch_write(deb, "", 0644);
	ANSWER({.words = "--contents"});
	answering_host.look_ms = 20000;
	assert_int_equal(answering_fact(KIND_ARCHIVE, deb)->state, STATE_PRESENT);
	assert_int_equal(asked_ms, 3000); /* its own deadline is shorter */
	answering_host.look_ms = 500;
	assert_int_equal(answering_fact(KIND_ARCHIVE, deb)->state, STATE_PRESENT);
	assert_in_range(asked_ms, 1, 500);
	/* The second question has what the first one left. */
	ANSWER({.words = "--contents", .timed_out = true}, {.words = "md5sums", .timed_out = true});
	const struct resource *have = answering_fact(KIND_ARCHIVE, deb);

	assert_in_range(asked_ms, 1, 500);
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "dpkg-deb does not answer");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, observing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(modules_images_and_helpers_are_told_and_nothing_else),
	    TEST(a_kernel_with_thousands_of_modules_is_read_whole),
	    TEST(what_cannot_be_read_falls_back_to_the_sums_or_is_undetermined),
	    ANSWERED(a_look_that_must_be_short_asks_no_longer_than_that),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
