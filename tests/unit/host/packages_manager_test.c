// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "host/packages_inner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	if (!scratch_is_private()) {
		return 0;
	}
	if (mount("tmpfs", PACKAGES_DPKG, "tmpfs", 0, "mode=0755")) {
		return -1;
	}
	scratch_write(PACKAGES_DPKG "/lock", "", 0640);
	scratch_write(PACKAGES_DPKG "/lock-frontend", "", 0640);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return scratch_is_private() ? umount2(PACKAGES_DPKG, MNT_DETACH) : 0;
}

/* In a child: holds the lock until the other end hangs up. */
static int hold(int fd, void *context)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int file = open(context, O_RDWR | O_CLOEXEC);
	char byte = 'x';

	if (file < 0 || fcntl(file, F_SETLK, &lock) || write(fd, &byte, 1) != 1) {
		return 1;
	}
	return read(fd, &byte, 1) != 0;
}

static struct child start_holder(const char *path)
{
	struct child child;
	struct err err;
	char byte;

	assert_int_equal(child_fork(hold, (void *)path, NULL, &child, &err), 0);
	assert_int_equal(read(child.fd, &byte, 1), 1);
	return child;
}

static void a_held_lock_names_its_holder(void **state)
{
	static const char *const files[] = {PACKAGES_DPKG "/lock", PACKAGES_DPKG "/lock-frontend"};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(packages_lock_holder(), 0);
	for (size_t i = 0; i < 2; i++) {
		struct child child = start_holder(files[i]);

		assert_int_equal(packages_lock_holder(), child.pid);
		assert_true(child_end(&child, 5000, NULL));
		assert_int_equal(packages_lock_holder(), 0);
	}
}

static int ask_as_nobody(int fd, void *context)
{
	int holder;

	(void)context;
	if (setgid(65534) || setuid(65534)) {
		return 1;
	}
	holder = packages_lock_holder();
	return write(fd, &holder, sizeof holder) != sizeof holder;
}

static void without_root_the_list_of_locks_tells(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct child child = start_holder(PACKAGES_DPKG "/lock"), nobody;
	struct err err;
	int holder = -2;

	assert_int_equal(child_fork(ask_as_nobody, NULL, NULL, &nobody, &err), 0);
	assert_int_equal(read(nobody.fd, &holder, sizeof holder), sizeof holder);
	assert_int_equal(holder, child.pid);
	assert_true(child_end(&nobody, 5000, NULL));
	assert_true(child_end(&child, 5000, NULL));
}

static void a_process_is_named_as_far_as_it_can_be_told(void **state)
{
	(void)state;
	assert_string_not_equal(packages_command_of(arena, getpid()), "");
	assert_string_equal(packages_command_of(arena, 0), "");
	assert_string_equal(packages_command_of(arena, -1), "");
}

static void only_numbered_files_are_a_journal(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_false(packages_has_journal());
	scratch_mkdir(PACKAGES_DPKG "/updates", 0755);
	scratch_write(PACKAGES_DPKG "/updates/tmp.i", "x", 0644);
	assert_false(packages_has_journal());
	scratch_write(PACKAGES_DPKG "/updates/0003", "x", 0644);
	assert_true(packages_has_journal());
}

static void in_a_namespace_of_our_own_no_unit_is_started(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_false(packages_under_systemd());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_held_lock_names_its_holder, setup, teardown),
	    cmocka_unit_test_setup_teardown(without_root_the_list_of_locks_tells, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_process_is_named_as_far_as_it_can_be_told, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(only_numbered_files_are_a_journal, setup, teardown),
	    cmocka_unit_test_setup_teardown(in_a_namespace_of_our_own_no_unit_is_started, setup,
	                                    teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
