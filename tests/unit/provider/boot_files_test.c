// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/boot_files.h"

static struct list releases(void)
{
	struct list list;
	struct err err;

	assert_int_equal(boot_files_releases(booting_host(), arena, &list, &err), 0);
	return list;
}

static void kernels_with_an_image_are_installed_oldest_first(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_over("/boot");
	scratch_write("/boot/vmlinuz-6.8.0-1043-aws", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-90-generic", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-1039-aws", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-rc7", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-1039-aws.old", "", 0600);
	scratch_write("/boot/vmlinuz-6.8.0-1044-aws.dpkg-new", "", 0600);
	scratch_write("/boot/vmlinuz-0-rescue-1234", "", 0600);
	scratch_write("/boot/initrd.img-6.8.0-1039-aws", "", 0600);
	struct list installed = releases();

	assert_int_equal(installed.count, 4);
	assert_string_equal(installed.items[0], "6.8.0-rc7");
	assert_string_equal(installed.items[1], "6.8.0-90-generic");
	assert_string_equal(installed.items[2], "6.8.0-1039-aws");
	assert_string_equal(installed.items[3], "6.8.0-1043-aws");
	umount2("/boot", MNT_DETACH);
}

static void without_images_the_indexed_trees_count(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_over("/boot");
	booting_over("/lib/modules");
	scratch_mkdir("/lib/modules/6.8.0-1039-aws", 0755);
	scratch_mkdir("/lib/modules/6.8.0-1038-aws", 0755);
	scratch_write("/lib/modules/6.8.0-1039-aws/modules.dep", "", 0644);
	struct list installed = releases();

	assert_int_equal(installed.count, 1);
	assert_string_equal(installed.items[0], "6.8.0-1039-aws");
	umount2("/lib/modules", MNT_DETACH);
	umount2("/boot", MNT_DETACH);
}

static struct boot_files look_for(const char *release, const char *running)
{
	struct boot_files files;
	struct err err;

	assert_int_equal(boot_files_find(booting_host(), release, running, arena, &files, &err), 0);
	return files;
}

static void what_is_missing_of_a_kernel_is_said(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_fresh();
	struct boot_files files = look_for(OLD, NEW);

	assert_null(files.fault);
	assert_string_equal(files.image, "/boot/vmlinuz-" OLD);
	assert_string_equal(files.initrd, "/boot/initrd.img-" OLD);
	unlink("/lib/modules/" OLD "/modules.dep");
	assert_has(look_for(OLD, NEW).fault, "modules.dep");
	scratch_write("/boot/initrd.img-" OLD, "", 0600);
	files = look_for(OLD, NEW);
	assert_string_equal(files.fault, "/boot/initrd.img-" OLD " is empty");
	assert_null(files.initrd);
	unlink("/boot/initrd.img-" OLD);
	assert_has(look_for(OLD, NEW).fault, "there is no /boot/initrd.img-" OLD);
	scratch_write("/boot/vmlinuz-" OLD, "", 0600);
	assert_has(look_for(OLD, NEW).fault, "is empty");
	unlink("/boot/vmlinuz-" OLD);
	assert_string_equal(look_for(OLD, NEW).fault, "its image is not in /boot");
}

static void what_is_not_for_us_to_see_is_neither_there_nor_missing(void **state)
{
	struct list releases;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_fresh();
	assert_int_equal(chmod("/boot", 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	struct boot_files files = look_for(OLD, NEW);
	int r = boot_files_releases(booting_host(), arena, &releases, &err);

	assert_int_equal(seteuid(0), 0);
	assert_null(files.image);
	assert_has(files.fault, "not for us to see");
	assert_int_equal(r, 0);
	assert_int_equal(releases.count, 2); /* by the trees of their modules */
}

static void no_ram_disk_is_asked_for_where_the_running_kernel_has_none(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_fresh();
	unlink("/boot/initrd.img-" OLD);
	assert_non_null(look_for(OLD, NEW).fault);
	unlink("/boot/initrd.img-" NEW);
	assert_null(look_for(OLD, NEW).fault);
	/* The one that runs is not from this /boot: it shows nothing. */
	assert_non_null(look_for(OLD, "6.1.0-other").fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(kernels_with_an_image_are_installed_oldest_first),
	    TEST(without_images_the_indexed_trees_count),
	    TEST(what_is_missing_of_a_kernel_is_said),
	    TEST(what_is_not_for_us_to_see_is_neither_there_nor_missing),
	    TEST(no_ram_disk_is_asked_for_where_the_running_kernel_has_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
