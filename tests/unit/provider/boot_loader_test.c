// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "base/str.h"
#include "provider/boot_loader.h"

#include <stdlib.h>

#include <stdio.h>
#include <time.h>

#ifdef __SANITIZE_ADDRESS__ /* which looks through all that follows at the end of each line */
enum { VERY_MANY = 4000 };
#else
enum { VERY_MANY = 60000 };
#endif

static struct boot_loader read_it(void)
{
	struct boot_loader loader;
	struct err err;

	if (boot_loader_read(booting_host(), arena, &loader, &err)) {
		fail_msg("%s", err.text);
	}
	return loader;
}

static void entries_are_named_by_their_ids(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	struct boot_loader loader = read_it();

	assert_string_equal(loader.name, "grub");
	assert_int_equal(loader.count, 2);
	assert_string_equal(boot_loader_choice(&loader, OLD)->path, ID_OF(OLD));
	assert_string_equal(boot_loader_choice(&loader, NEW)->path, ID_OF(NEW));
	assert_null(boot_loader_choice(&loader, "6.8.0"));
	assert_null(loader.own_default);
	assert_null(loader.obstacle);
}

static void an_entry_that_only_a_title_names_cannot_be_chosen(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/boot/grub/custom.cfg",
	              "menuentry 'mine' {\n linux /boot/vmlinuz-6.12.1\n}\nset default=mine\n", 0600);
	struct boot_loader loader = read_it();

	/* GRUB reads that file last. */
	assert_string_equal(loader.boot_default, "6.12.1");
	assert_null(boot_loader_choice(&loader, "6.12.1"));
	assert_int_equal(loader.count, 3);
}

static void our_file_is_read_back(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_mkdir("/etc/default/grub.d", 0755);
	scratch_write(OWN_FILE, "# hello\nGRUB_DEFAULT=\"a>b\"\n", 0644);
	assert_string_equal(read_it().own_default, "a>b");
	scratch_write(OWN_FILE, "# GRUB_DEFAULT=\"a>b\"\n", 0644);
	assert_string_equal(read_it().own_default, "");
}

static void a_file_that_has_the_last_word_is_an_obstacle(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_mkdir("/etc/default/grub.d", 0755);
	scratch_write("/etc/default/grub.d/50-cloud.cfg", "GRUB_DEFAULT=0\n", 0644);
	scratch_write("/etc/default/grub.d/zzz.cfg", "#GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\n", 0644);
	scratch_write("/etc/default/grub.d/zzz.bak", "GRUB_DEFAULT=0\n", 0644);
	assert_null(read_it().obstacle);
	scratch_write("/etc/default/grub.d/zzz.cfg", "  export GRUB_DEFAULT=0\n", 0644);
	assert_has(read_it().obstacle, "/etc/default/grub.d/zzz.cfg sets GRUB_DEFAULT");
}

static void a_grub_mkconfig_that_would_not_read_our_file_is_an_obstacle(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n. /etc/default/grub\n", 0755);
	assert_has(read_it().obstacle, "does not read /etc/default/grub.d");
	unlink("/usr/sbin/grub-mkconfig");
	assert_has(read_it().obstacle, "there is no /usr/sbin/grub-mkconfig");
	/* What boots is told all the same. */
	assert_string_equal(read_it().boot_default, NEW);
}

static void grub_must_be_able_to_forget_what_it_started_once(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	assert_has(read_it().once_obstacle, "GRUB cannot write to tmpfs");
	scratch_write("/boot/grub/grub.cfg", "set default=0\n" MENU_OF_TWO, 0600);
	assert_has(read_it().once_obstacle, "does not look for an entry to start once");
	scratch_write("/boot/grub/grub.cfg", HEAD("0") MENU_OF_TWO, 0600);
	assert_int_equal(symlink("/elsewhere", "/boot/grub/grubenv"), 0);
	assert_has(read_it().once_obstacle, "symbolic link");
}

static void a_grub_of_another_kind_is_only_read(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	assert_int_equal(rename("/boot/grub", "/boot/grub2"), 0);
	struct boot_loader loader = read_it();

	assert_string_equal(loader.boot_default, NEW);
	assert_has(loader.obstacle, "not proven");
}

static void what_is_not_for_us_to_read_is_not_told(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/boot/grub/grub.cfg", HEAD("${saved_entry}") MENU_OF_TWO, 0600);
	/* A link stands for what nobody may read: root may read all. */
	assert_int_equal(symlink("/elsewhere", "/boot/grub/grubenv"), 0);
	assert_null(read_it().boot_default);
	unlink("/boot/grub/grub.cfg");
	assert_int_equal(symlink("/elsewhere", "/boot/grub/grub.cfg"), 0);
	struct boot_loader loader = read_it();

	assert_string_equal(loader.name, "grub");
	assert_null(loader.boot_default);
	assert_has(loader.obstacle, "not for us to read");
}

static void what_cannot_be_read_hides_only_itself(void **state)
{
	char *huge = mem_alloc((5 << 20) + 1);

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_mkdir("/etc/default/grub.d", 0755);
	scratch_mkdir("/etc/default/grub.d/zzz-folder.cfg", 0755);
	assert_string_equal(read_it().boot_default, NEW);
	assert_null(read_it().obstacle);
	memset(huge, '#', 5 << 20);
	huge[5 << 20] = '\0';
	scratch_write("/boot/grub/grub.cfg", huge, 0600);
	free(huge);
	struct boot_loader loader = read_it();

	assert_string_equal(loader.name, "grub");
	assert_has(loader.obstacle, "is larger than");
	assert_has(loader.once_obstacle, "is larger than");
}

/* Whoever writes such a menu must not keep us from telling what runs. */
static void a_menu_of_any_length_is_read_in_time(void **state)
{
	AUTO(str_free) struct str menu = {0};
	clock_t start = clock();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	str_add(&menu, HEAD("0"));
	for (int i = 0; i < VERY_MANY; i++) {
		str_addf(&menu, "menuentry x --id y {\nlinux /boot/vmlinuz-" OLD "\n}\n");
	}
	str_add(&menu, ENTRY(NEW));
	scratch_write("/boot/grub/grub.cfg", str_text(&menu), 0600);
	struct boot_loader loader = read_it();

	assert_string_equal(loader.boot_default, OLD);
	assert_non_null(boot_loader_choice(&loader, NEW));
	assert_null(boot_loader_choice(&loader, OLD));
	assert_true(clock() - start < (clock_t)4 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(entries_are_named_by_their_ids),
	    TEST(an_entry_that_only_a_title_names_cannot_be_chosen),
	    TEST(our_file_is_read_back),
	    TEST(a_file_that_has_the_last_word_is_an_obstacle),
	    TEST(a_grub_mkconfig_that_would_not_read_our_file_is_an_obstacle),
	    TEST(grub_must_be_able_to_forget_what_it_started_once),
	    TEST(a_grub_of_another_kind_is_only_read),
	    TEST(what_is_not_for_us_to_read_is_not_told),
	    TEST(what_cannot_be_read_hides_only_itself),
	    TEST(a_menu_of_any_length_is_read_in_time),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
