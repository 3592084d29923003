// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

/* A /boot and a /lib/modules of our own, in the namespace. */
static void empty(const char *path)
{
	umount2(path, MNT_DETACH);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "mode=0755"), 0);
}

static const struct kernel *look(void)
{
	const struct resource *have = fact(KIND_KERNEL, "");

	assert_int_equal(have->state, STATE_PRESENT);
	return &have->kernel;
}

static void the_running_kernel_is_told(void **state)
{
	struct utsname names;

	(void)state;
	uname(&names);
	assert_string_equal(look()->running, names.release);
	assert_non_null(look()->command_line);
	assert_true(look()->installed.set);
}

static void kernels_with_an_image_are_installed_oldest_first(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	empty("/boot");
	scratch_write("/boot/vmlinuz-6.8.0-1043-aws", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-90-generic", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-1039-aws", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-1039-aws.old", "", 0600);
	scratch_write("/boot/vmlinuz-0-rescue-1234", "", 0600);
	scratch_write("/boot/initrd.img-6.8.0-1039-aws", "", 0600);
	const struct list *installed = &look()->installed;

	assert_int_equal(installed->count, 3);
	assert_string_equal(installed->items[0], "6.8.0-90-generic");
	assert_string_equal(installed->items[1], "6.8.0-1039-aws");
	assert_string_equal(installed->items[2], "6.8.0-1043-aws");
	assert_null(look()->boot_default);
	umount2("/boot", MNT_DETACH);
}

static void without_images_the_indexed_trees_count(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (access("/lib/modules", F_OK)) {
		print_message("# skip: there is no /lib/modules to lay another one over\n");
		skip();
	}
	empty("/boot");
	empty("/lib/modules");
	scratch_mkdir("/lib/modules/6.8.0-1039-aws", 0755);
	scratch_mkdir("/lib/modules/6.8.0-1038-aws", 0755);
	scratch_write("/lib/modules/6.8.0-1039-aws/modules.dep", "", 0644);
	assert_int_equal(look()->installed.count, 1);
	assert_string_equal(look()->installed.items[0], "6.8.0-1039-aws");
	umount2("/lib/modules", MNT_DETACH);
	umount2("/boot", MNT_DETACH);
}

static void the_boot_loader_says_what_comes_next(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	empty("/boot");
	scratch_mkdir("/boot/grub", 0755);
	scratch_write("/boot/grub/grub.cfg",
	              "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\nelse\n"
	              " set default=\"1\"\nfi\n"
	              "menuentry 'a' {\n linux /boot/vmlinuz-6.8.0-1043-aws\n}\n"
	              "menuentry 'b' {\n linux /boot/vmlinuz-6.8.0-1039-aws\n}\n",
	              0600);
	assert_string_equal(look()->boot_default, "6.8.0-1039-aws");
	assert_null(look()->boot_next);
	scratch_write("/boot/grub/grubenv", "# GRUB Environment Block\nnext_entry=a\n######", 0600);
	assert_string_equal(look()->boot_next, "6.8.0-1043-aws");
	umount2("/boot", MNT_DETACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_running_kernel_is_told),
	    TEST(kernels_with_an_image_are_installed_oldest_first),
	    TEST(without_images_the_indexed_trees_count),
	    TEST(the_boot_loader_says_what_comes_next),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
