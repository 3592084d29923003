// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/boot_bls.h"

#define MACHINE "1b4e28ba2fa111d2883f0016d3cca427"
#define GUID "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static void entry(const char *folder, const char *name, const char *text)
{
	scratch_write(arena_printf(arena, "%s/%s", folder, name), text, 0644);
}

static void bls(void)
{
	booting_fresh();
	scratch_mkdir("/boot/loader", 0755);
	scratch_mkdir("/boot/loader/entries", 0755);
	entry("/boot/loader/entries", MACHINE "-5.14.0-427.el9.conf",
	      "title Red Hat\nversion 5.14.0-427.el9\nlinux /vmlinuz-5.14.0-427.el9\n"
	      "initrd /initramfs-5.14.0-427.el9.img\n");
	entry("/boot/loader/entries", MACHINE "-5.14.0-503.el9.conf",
	      "title Red Hat\nversion 5.14.0-503.el9\nlinux\t/vmlinuz-5.14.0-503.el9\r\n");
	entry("/boot/loader/entries", "memtest.conf", "title memtest\nefi /memtest.efi\n");
}

static struct boot_loader read_all(void)
{
	struct boot_loader loader;
	struct err err;

	assert_int_equal(boot_loader_read(booting_host(), arena, &loader, &err), 0);
	return loader;
}

static void entries_of_blscfg_are_read_and_setting_them_is_not_proven(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	bls();
	scratch_write("/boot/grub/grub.cfg", "set default=\"${saved_entry}\"\nblscfg\n", 0600);
	scratch_write("/boot/grub/grubenv", BLOCK "saved_entry=" MACHINE "-5.14.0-427.el9\n", 0600);
	struct boot_loader loader = read_all();

	assert_string_equal(loader.name, "bls");
	assert_int_equal(loader.count, 2);
	assert_string_equal(loader.boot_default, "5.14.0-427.el9");
	assert_string_equal(loader.default_entry, MACHINE "-5.14.0-427.el9");
	assert_has(loader.obstacle, "not proven on this boot loader");
	assert_has(loader.once_obstacle, "not proven on this boot loader");
	scratch_write("/boot/grub/grubenv",
	              BLOCK "saved_entry=gone\nnext_entry=" MACHINE "-5.14.0-503.el9\n", 0600);
	loader = read_all();
	assert_null(loader.boot_default);
	assert_string_equal(loader.stale_entry, "gone");
	assert_string_equal(loader.boot_next, "5.14.0-503.el9");
}

/* Four bytes of attributes, then UTF-16. */
static void variable(const char *name, const char *value)
{
	const char *path = arena_printf(arena, "/sys/firmware/efi/efivars/%s" GUID, name);
	size_t n = strlen(value);
	char *bytes = arena_alloc(arena, 4 + 2 * n + 2);
	struct file_write write = {.data = bytes, .length = 4 + 2 * n + 2, .mode = 0644};
	struct err err;

	bytes[0] = 7;
	for (size_t i = 0; i < n; i++) {
		bytes[4 + 2 * i] = value[i];
	}
	if (host_linux_ops.write(booting_host(), path, &write, &err)) {
		fail_msg("%s", err.text);
	}
}

static void systemd_boot_is_read(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	bls();
	unlink("/boot/grub/grub.cfg");
	entry("/boot/loader/entries", "arch-6.12.1+3-0.conf",
	      "version 6.12.1\nlinux /" MACHINE "/6.12.1/linux\n");
	entry("/boot/loader", "loader.conf", "timeout 3\ndefault arch-*\n");
	struct boot_loader loader = read_all();

	assert_string_equal(loader.name, "systemd-boot");
	assert_string_equal(loader.boot_default, "6.12.1");
	assert_string_equal(loader.default_entry, "arch-6.12.1");
	assert_has(loader.obstacle, "not proven on this boot loader");
	if (access("/sys/firmware", F_OK)) {
		return;
	}
	booting_over("/sys/firmware");
	scratch_mkdir("/sys/firmware/efi", 0755);
	scratch_mkdir("/sys/firmware/efi/efivars", 0755);
	variable("LoaderEntryDefault", MACHINE "-5.14.0-427.el9.conf");
	variable("LoaderEntryOneShot", MACHINE "-5.14.0-503.el9.conf");
	loader = read_all();
	assert_string_equal(loader.boot_default, "5.14.0-427.el9");
	assert_string_equal(loader.boot_next, "5.14.0-503.el9");
	variable("LoaderEntryDefault", "gone.conf");
	assert_string_equal(read_all().stale_entry, "gone.conf");
	umount2("/sys/firmware", MNT_DETACH);
}

static void several_that_fit_are_no_answer(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	bls();
	unlink("/boot/grub/grub.cfg");
	entry("/boot/loader", "loader.conf", "default " MACHINE "-*\n");
	struct boot_loader loader = read_all();

	assert_null(loader.boot_default);
	assert_null(loader.stale_entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(entries_of_blscfg_are_read_and_setting_them_is_not_proven),
	    TEST(systemd_boot_is_read),
	    TEST(several_that_fit_are_no_answer),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
