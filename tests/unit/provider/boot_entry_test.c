// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

static const struct boot_entry *look(const char *release)
{
	const struct resource *have = fact(KIND_BOOT_ENTRY, release);

	assert_int_equal(have->state, STATE_PRESENT);
	return &have->boot_entry;
}

static void what_there_is_of_a_kernel_is_told(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	const struct boot_entry *entry = look(OLD);

	assert_string_equal(entry->entry, ID_OF(OLD));
	assert_string_equal(entry->image, "/boot/vmlinuz-" OLD);
	assert_string_equal(entry->initrd, "/boot/initrd.img-" OLD);
	assert_null(entry->incomplete);
	assert_null(entry->brought);
	assert_int_equal(fact(KIND_BOOT_ENTRY, "6.12.1")->state, STATE_ABSENT);
}

static void what_keeps_it_from_booting_is_told(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	booting_kernel("6.12.1");
	assert_string_equal(look("6.12.1")->incomplete, "it has no entry in the menu of grub");
	assert_null(look("6.12.1")->entry);
	unlink("/boot/initrd.img-" OLD);
	assert_has(look(OLD)->incomplete, "there is no /boot/initrd.img-" OLD);
	/* Still in the menu: that is what boots into a panic. */
	unlink("/boot/vmlinuz-" OLD);
	assert_string_equal(look(OLD)->entry, ID_OF(OLD));
	assert_string_equal(look(OLD)->incomplete, "its image is not in /boot");
	/* Of a boot loader that cannot be read nothing is missing. */
	unlink("/boot/grub/grub.cfg");
	assert_null(look(NEW)->incomplete);
}

static void all_that_are_installed_are_listed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	booting_kernel("6.12.1");
	struct keys keys = keys_of(KIND_BOOT_ENTRY);

	assert_int_equal(keys.count, 3);
	assert_string_equal(keys.list[0], OLD);
	assert_string_equal(keys.list[1], NEW);
	assert_string_equal(keys.list[2], "6.12.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_there_is_of_a_kernel_is_told),
	    TEST(what_keeps_it_from_booting_is_told),
	    TEST(all_that_are_installed_are_listed),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
