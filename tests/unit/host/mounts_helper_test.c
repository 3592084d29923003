// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/mounts_inner.h"

#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct list nothing = {.set = true};

static int mount_as(const char *type, const char *source, const char *path)
{
	struct mount_request request = {
	    .target = path, .source = source, .type = type, .options = &nothing};

	return mounts_helper_mount(&request, path, "", &err);
}

static const char *failed(int os, const char *type, const char *source, const char *said)
{
	struct mount_request request = {.target = "/t", .source = source, .type = type};

	assert_true(mounts_helper_fail(&err, os, &request, said) < 0);
	return err.text;
}

static void a_failure_is_told_in_the_words_that_help(void **state)
{
	(void)state;
	assert_string_equal(failed(EACCES, "tmpfs", "x", "no, not here"),
	                    "cannot mount /t: no, not here: Permission denied");
	assert_int_equal(err.code, ERR_HOST);
	assert_string_equal(failed(ENOENT, "tmpfs", "/dev/x", ""),
	                    "cannot mount /t: source /dev/x: No such file or directory");
	assert_non_null(strstr(failed(ENODEV, "nosuchfs", "x", NULL), "no file system type nosuchfs"));
	assert_null(strstr(failed(ENODEV, "tmpfs", "x", NULL), "no file system type"));
	/* Once is enough. */
	assert_string_equal(
	    failed(EINVAL, "lustre", "x", "failed: Invalid argument Are the options ok?"),
	    "cannot mount /t: failed: Invalid argument Are the options ok?");
	assert_int_equal(err.os, EINVAL);
	failed(EBUSY, "tmpfs", "x", NULL);
	assert_int_equal(err.code, ERR_BUSY);
}

/* Puts a mount program where it is looked for. */
static void helper(const char *type, const char *script)
{
	(void)!umount2("/usr/sbin", MNT_DETACH);
	assert_int_equal(mount("tmpfs", "/usr/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write(arena_printf(arena, "/usr/sbin/mount.%s", type),
	              arena_printf(arena, "#!/bin/sh\n%s\n", script), 0755);
}

static int check(const char *type)
{
	struct mount_request request = {.target = "/t", .type = type};

	return mounts_helper_check(&request, &err);
}

static void a_type_that_needs_its_program_is_not_tried_without_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	helper("fuse", "exit 0");
	assert_int_equal(check("lustre"), -ERR_HOST);
	assert_non_null(strstr(err.text, "/sbin/mount.lustre"));
	assert_int_equal(check("fuse.sshfs"), 0);
	assert_int_equal(check("tmpfs"), 0);
	assert_int_equal(umount2("/usr/sbin", MNT_DETACH), 0);
}

static void what_a_helper_said_and_how_it_ended_is_the_error(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	/* How it ends when it cannot read its own source is no errno. */
	helper("lustre", "echo \"Can't parse NID 'x@tcp'\" >&2; exit 1");
	assert_true(mount_as("lustre", "x@tcp:/fsx", path) < 0);
	assert_non_null(strstr(err.text, "Can't parse NID"));
	assert_null(strstr(err.text, "Operation not permitted"));
	assert_int_equal(err.os, 0);
	helper("lustre", "echo 'This may have' >&2; echo 'multiple causes.' >&2; exit 22");
	assert_int_equal(mount_as("lustre", "10.0.0.1@tcp:/fs", path), -ERR_HOST);
	assert_int_equal(err.os, EINVAL); /* mount.lustre ends with an errno */
	assert_non_null(
	    strstr(err.text, "mount.lustre ended with status 22: This may have multiple causes."));
	helper("nfs", "exit 32");
	assert_int_equal(mount_as("nfs", "s:/x", path), -ERR_HOST);
	assert_int_equal(err.os, 0);
	assert_non_null(strstr(err.text, "mount.nfs ended with status 32, and no word"));
	helper("nfs", "exit 0");
	assert_int_equal(mount_as("nfs", "s:/x", path), 0);
	assert_int_equal(umount2("/usr/sbin", MNT_DETACH), 0);
}

static void our_stderr_is_ours_again_after_a_mount(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	char before[200] = "", after[200] = "";

	scratch_mkdir(scratch_path("m"), 0755);
	assert_true(readlink("/proc/self/fd/2", before, sizeof before - 1) > 0);
	assert_int_equal(mount_as("tmpfs", "x", scratch_path("m")), 0);
	assert_true(readlink("/proc/self/fd/2", after, sizeof after - 1) > 0);
	assert_string_equal(before, after);
}

static void a_source_that_is_no_device_stays_what_it_is(void **state)
{
	(void)state;
	assert_string_equal(mounts_resolve("10.1.30.23@tcp:/fs", arena), "10.1.30.23@tcp:/fs");
	assert_string_equal(mounts_resolve("/dev/null", arena), "/dev/null");
	assert_string_equal(mounts_resolve("LABEL=no-such-label-anywhere", arena),
	                    "LABEL=no-such-label-anywhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_failure_is_told_in_the_words_that_help),
	    TEST(a_type_that_needs_its_program_is_not_tried_without_it),
	    TEST(what_a_helper_said_and_how_it_ended_is_the_error),
	    TEST(our_stderr_is_ours_again_after_a_mount),
	    TEST(a_source_that_is_no_device_stays_what_it_is),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
