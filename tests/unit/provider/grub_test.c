// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "host/files.h"
#include "provider/grub.h"

#include <stdlib.h>

/* As update-grub of Debian and Ubuntu writes it, cut down to what has a meaning. */
#define START(preset)                                                                              \
	"if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n"                   \
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n"      \
	"   save_env next_entry\n   set boot_once=true\nelse\n   set default=\"" preset "\"\nfi\n"     \
	"function savedefault {\n  if [ -z \"${boot_once}\" ]; then\n    save_env saved_entry\n  fi\n" \
	"}\n"
#define MENU                                                                                      \
	"menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option "                \
	"'gnulinux-simple-UUID' {\n\tload_video\n\techo\t'Loading Linux ...'\n"                       \
	"\tlinux\t/boot/vmlinuz-6.1.0-56-cloud-amd64 root=UUID=1 ro\n\tinitrd\t/boot/initrd.img\n}\n" \
	"submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option "                       \
	"'gnulinux-advanced-UUID' {\n"                                                                \
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-56-cloud-amd64' --class debian "             \
	"$menuentry_id_option 'gnulinux-6.1.0-56-cloud-amd64-advanced-UUID' {\n"                      \
	"\t\tlinux\t/boot/vmlinuz-6.1.0-56-cloud-amd64 root=UUID=1 ro\n\t}\n"                         \
	"\tmenuentry 'Debian GNU/Linux, with Linux 6.1.0-50-cloud-amd64' --class debian "             \
	"$menuentry_id_option 'gnulinux-6.1.0-50-cloud-amd64-advanced-UUID' {\n"                      \
	"\t\tlinux\t/boot/vmlinuz-6.1.0-50-cloud-amd64 root=UUID=1 ro\n\t}\n}\n"                      \
	"menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {\n\tfwsetup\n}\n"
#define ENV "# GRUB Environment Block\n"

static struct grub_answer ask(const char *config, const char *env)
{
	struct grub_answer answer;

	grub_read(arena, arena_strdup(arena, config), env ? arena_strdup(arena, env) : NULL, &answer);
	return answer;
}

static void without_more_the_first_entry_boots(void **state)
{
	(void)state;
	struct grub_answer a = ask(START("0") MENU, ENV "####");

	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_null(a.boot_next);
	assert_string_equal(ask(MENU, NULL).boot_default, "6.1.0-56-cloud-amd64");
}

static void an_entry_is_named_by_id_title_or_number_through_its_menus(void **state)
{
	(void)state;
	assert_string_equal(
	    ask(START("gnulinux-advanced-UUID>gnulinux-6.1.0-50-cloud-amd64-advanced-UUID") MENU, NULL)
	        .boot_default,
	    "6.1.0-50-cloud-amd64");
	assert_string_equal(
	    ask(START("Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux "
	              "6.1.0-50-cloud-amd64") MENU,
	        NULL)
	        .boot_default,
	    "6.1.0-50-cloud-amd64");
	assert_string_equal(ask(START("1>1") MENU, NULL).boot_default, "6.1.0-50-cloud-amd64");
	assert_string_equal(ask(START("1>0") MENU, NULL).boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(ask(START("1") MENU, NULL).boot_default, "6.1.0-56-cloud-amd64");
}

static void what_names_no_entry_boots_the_first(void **state)
{
	(void)state;
	/* The trap: the ids changed, and the kernel that was chosen silently boots no more. */
	struct grub_answer a =
	    ask(START("gnulinux-advanced-sda1>gnulinux-6.1.0-50-cloud-amd64-advanced-sda1") MENU, NULL);

	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.default_entry, "gnulinux-simple-UUID");
	assert_string_equal(a.stale,
	                    "gnulinux-advanced-sda1>gnulinux-6.1.0-50-cloud-amd64-advanced-sda1");
	a = ask(START("7") MENU, NULL);
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.stale, "7");
	/* The menu is there, the entry in it is gone. */
	a = ask(START("gnulinux-advanced-UUID>gnulinux-6.1.0-47-cloud-amd64-advanced-UUID") MENU, NULL);
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_non_null(a.stale);
	assert_null(ask(START("0") MENU, NULL).stale);
	a = ask(START("0") MENU, ENV "next_entry=gone\n");
	assert_string_equal(a.boot_next, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.stale, "gone");
}

static void a_saved_entry_counts_only_when_the_default_is_saved(void **state)
{
	const char *env =
	    ENV "saved_entry=gnulinux-advanced-UUID>gnulinux-6.1.0-50-cloud-amd64-advanced-UUID\n##";

	(void)state;
	assert_string_equal(ask(START("${saved_entry}") MENU, env).boot_default,
	                    "6.1.0-50-cloud-amd64");
	assert_string_equal(ask(START("0") MENU, env).boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(ask(START("${saved_entry}") MENU, ENV "saved_entry=\n").boot_default,
	                    "6.1.0-56-cloud-amd64");
	assert_string_equal(ask(START("${saved_entry}") MENU, NULL).boot_default,
	                    "6.1.0-56-cloud-amd64");
}

static void a_one_shot_entry_is_told_beside_the_default(void **state)
{
	(void)state;
	struct grub_answer a = ask(START("0") MENU, ENV "next_entry=1>1\n####");

	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.boot_next, "6.1.0-50-cloud-amd64");
	assert_null(ask("set default=\"0\"\n" MENU, ENV "next_entry=1>1\n").boot_next);
}

static void a_number_is_what_starts_as_one(void **state)
{
	(void)state;
	/* strtoul() of GRUB stops at what is no digit and is content. */
	assert_string_equal(ask(START("1 and more>1st") MENU, NULL).boot_default,
	                    "6.1.0-50-cloud-amd64");
}

static void a_block_that_grub_would_not_take_says_nothing(void **state)
{
	(void)state;
	assert_null(ask(START("0") MENU, "next_entry=1>1\n").boot_next);
	assert_null(ask(START("0") MENU, "").boot_next);
	assert_null(grub_env_value(arena, ENV "a=\n", "a"));
	assert_string_equal(grub_env_value(arena, ENV "ab=1\na=b\\\\c\n", "a"), "b\\c");
}

/* ---- What grub-mkconfig of the distributions wrote ---- */

static struct grub_answer golden(const char *name, const char *env)
{
	const char *top = getenv("TOP");
	struct file_bytes bytes;
	struct err err;

	if (files_own_read(arena_printf(arena, "%s/tests/golden/grub/%s.cfg", top ? top : ".", name),
	                   false, 1 << 20, arena, &bytes, &err)) {
		fail_msg("%s", err.text);
	}
	return ask(bytes.data, env);
}

#define DEVICE "5f1e0000-0000-4000-8000-000000000001"
#define MENU_ID "gnulinux-advanced-" DEVICE ">"

static void debian_is_understood(void **state)
{
	struct grub_answer a = golden("debian-12", ENV);

	(void)state;
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.default_entry, "gnulinux-simple-" DEVICE);
	assert_true(a.heeds_next);
	assert_false(a.is_saved);
	/* Two of each kernel, and the first one on top. */
	assert_int_equal(a.count, 7);
	assert_string_equal(grub_entry_of(&a, "6.1.0-9-cloud-amd64")->path,
	                    MENU_ID "gnulinux-6.1.0-9-cloud-amd64-advanced-" DEVICE);
	assert_true(grub_entry_of(&a, "6.1.0-56-cloud-amd64")->has_initrd);
	assert_null(grub_entry_of(&a, "6.1.0-5-cloud-amd64"));
	assert_null(grub_entry_of(&a, "6.1.0-56"));
	a = golden("debian-12",
	           ENV "next_entry=" MENU_ID "gnulinux-6.1.0-50-cloud-amd64-advanced-" DEVICE "\n");
	assert_string_equal(a.boot_next, "6.1.0-50-cloud-amd64");
	assert_null(a.stale);
}

static void debian_without_a_submenu_is_understood(void **state)
{
	struct grub_answer a = golden("debian-12-flat", ENV);

	(void)state;
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.default_entry, "gnulinux-6.1.0-56-cloud-amd64-advanced-" DEVICE);
	assert_string_equal(grub_entry_of(&a, "6.1.0-50-cloud-amd64")->path,
	                    "gnulinux-6.1.0-50-cloud-amd64-advanced-" DEVICE);
}

static void a_saved_default_of_debian_is_understood(void **state)
{
	const char *env =
	    ENV "saved_entry=" MENU_ID "gnulinux-6.1.0-9-cloud-amd64-advanced-" DEVICE "\n####";
	struct grub_answer a = golden("debian-12-saved", env);

	(void)state;
	assert_string_equal(a.boot_default, "6.1.0-9-cloud-amd64");
	assert_true(a.is_saved);
	a = golden("debian-12-saved", ENV "saved_entry=gnulinux-gone\n");
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_string_equal(a.stale, "gnulinux-gone");
	assert_null(golden("debian-12-saved", NULL).stale);
}

static void an_old_title_is_corrected_as_grub_does_it(void **state)
{
	struct grub_answer a = golden("debian-12-old-title", ENV);

	(void)state;
	assert_string_equal(a.boot_default, "6.1.0-50-cloud-amd64");
	assert_null(a.stale);
}

static void ubuntu_is_understood(void **state)
{
	struct grub_answer a = golden("ubuntu-24.04", ENV);

	(void)state;
	assert_string_equal(a.boot_default, "6.8.0-1042-aws");
	a = golden("ubuntu-24.04-pinned", ENV);
	assert_string_equal(a.boot_default, "6.8.0-1039-aws");
	assert_string_equal(a.preset, grub_entry_of(&a, "6.8.0-1039-aws")->path);
	a = golden("ubuntu-24.04-partuuid", ENV);
	assert_string_equal(a.boot_default, "6.8.0-1039-aws");
	assert_string_equal(grub_entry_of(&a, "6.8.0-90-generic")->image, "/vmlinuz-6.8.0-90-generic");
}

static void ubuntu_after_a_failed_boot_starts_what_failed(void **state)
{
	const char *entry = MENU_ID "gnulinux-6.8.0-90-generic-advanced-" DEVICE;
	struct grub_answer a =
	    golden("ubuntu-24.04", arena_printf(arena, ENV "initrdfail=1\nprev_entry=%s\n", entry));

	(void)state;
	assert_string_equal(a.boot_next, "6.8.0-90-generic");
	a = golden("ubuntu-24.04", arena_printf(arena, ENV "initrdfail=1\nnext_entry=%s\n", entry));
	assert_null(a.boot_next);
}

static void an_entry_without_linux_has_no_release(void **state)
{
	(void)state;
	assert_null(ask(START("uefi-firmware") MENU, NULL).boot_default);
	assert_null(ask("", NULL).boot_default);
	assert_null(ask(START("$somebodys_own") MENU, NULL).boot_default);
	assert_int_equal(ask("menuentry a {\n linux /vmlinuz-\n}\n", NULL).count, 0);
}

static void titles_may_hold_quotes_and_signs(void **state)
{
	(void)state;
	struct grub_answer a = ask("set default='a >> b'\nmenuentry 'other' {\n linux /vmlinuz-1\n}\n"
	                           "menuentry \"a > \\\"b\" --id x {\n linux /vmlinuz-2\n}\n"
	                           "menuentry 'a > b' {\n linuxefi (hd0)/vmlinuz-3 root=x\n}\n",
	                           NULL);

	assert_string_equal(a.boot_default, "3");
}

/* As GRUB has it: a submenu that is not closed is no menu at all. */
static void of_a_file_that_is_cut_off_only_whole_entries_count(void **state)
{
	static const char path[] = "gnulinux-advanced-UUID>gnulinux-6.1.0-50-cloud-amd64-advanced-UUID";
	char *text = arena_printf(arena, START("%s") MENU, path);
	struct grub_answer a;

	(void)state;
	assert_int_equal(ask(text, NULL).count, 3);
	*strstr(text, "\t}\n}\nmenuentry 'UEFI") = '\0';
	a = ask(text, NULL);
	assert_int_equal(a.count, 1);
	assert_string_equal(a.stale, path);
	assert_string_equal(a.boot_default, "6.1.0-56-cloud-amd64");
	assert_null(grub_entry_of(&a, "6.1.0-50-cloud-amd64"));
	*strstr(text, "\tinitrd\t") = '\0';
	assert_null(ask(text, NULL).boot_default);
}

static void garbage_is_survived(void **state)
{
	(void)state;
	assert_null(ask("}\n}\n{\nmenuentry {\nsubmenu\nmenuentry 'x\nlinux\nset default=\n'", "=\n\n#")
	                .boot_default);
	assert_null(ask("submenu a {\nsubmenu b {\n", "next_entry").boot_default);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_more_the_first_entry_boots),
	    TEST(an_entry_is_named_by_id_title_or_number_through_its_menus),
	    TEST(what_names_no_entry_boots_the_first),
	    TEST(a_saved_entry_counts_only_when_the_default_is_saved),
	    TEST(a_one_shot_entry_is_told_beside_the_default),
	    TEST(a_number_is_what_starts_as_one),
	    TEST(a_block_that_grub_would_not_take_says_nothing),
	    TEST(debian_is_understood),
	    TEST(debian_without_a_submenu_is_understood),
	    TEST(a_saved_default_of_debian_is_understood),
	    TEST(an_old_title_is_corrected_as_grub_does_it),
	    TEST(ubuntu_is_understood),
	    TEST(ubuntu_after_a_failed_boot_starts_what_failed),
	    TEST(an_entry_without_linux_has_no_release),
	    TEST(titles_may_hold_quotes_and_signs),
	    TEST(of_a_file_that_is_cut_off_only_whole_entries_count),
	    TEST(garbage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
