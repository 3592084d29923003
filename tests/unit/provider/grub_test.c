// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/grub.h"

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
	assert_string_equal(
	    ask(START("gnulinux-advanced-sda1>gnulinux-6.1.0-50-cloud-amd64-advanced-sda1") MENU, NULL)
	        .boot_default,
	    "6.1.0-56-cloud-amd64");
	assert_string_equal(ask(START("7") MENU, NULL).boot_default, "6.1.0-56-cloud-amd64");
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

static void an_entry_without_linux_has_no_release(void **state)
{
	(void)state;
	assert_null(ask(START("uefi-firmware") MENU, NULL).boot_default);
	assert_null(ask("", NULL).boot_default);
	assert_null(ask(START("$somebodys_own") MENU, NULL).boot_default);
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
	    TEST(an_entry_without_linux_has_no_release),
	    TEST(titles_may_hold_quotes_and_signs),
	    TEST(garbage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
