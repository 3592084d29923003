// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/grub_default.h"

static struct applied set(const char *release)
{
	struct applied applied = {.outcome = OUTCOME_CHANGED};
	struct err err;

	if (grub_default_set(booting_host(), release, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static const char *config(void)
{
	return scratch_read("/boot/grub/grub.cfg");
}

/* Nothing that decides what boots is another than before. */
static void assert_untouched(const char *before)
{
	assert_string_equal(config(), before);
	assert_int_equal(access(OWN_FILE, F_OK), -1);
}

static void the_id_is_baked_into_a_new_menu(void **state)
{
	struct stat st;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	chmod("/boot/grub/grub.cfg", 0400);
	assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
	assert_has(config(), "set default=\"" ID_OF(OLD) "\"");
	assert_has(scratch_read(OWN_FILE), "\nGRUB_DEFAULT=\"" ID_OF(OLD) "\"\n");
	stat("/boot/grub/grub.cfg", &st);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(access("/run/reconcile-grub.cfg", F_OK), -1);
}

static void an_id_that_moves_is_followed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/run/menu",
	              "submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-V' {\n"
	              "menuentry 'Linux' $menuentry_id_option 'gnulinux-" OLD "-advanced-V' {\n"
	              "\tlinux\t/boot/vmlinuz-" OLD "\n}\n}\n",
	              0644);
	assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
	assert_has(config(), "set default=\"gnulinux-advanced-V>gnulinux-" OLD "-advanced-V\"");
	assert_has(scratch_read(OWN_FILE), "-advanced-V\"\n");
}

static void a_menu_without_that_kernel_is_not_put_in_place(void **state)
{
	const char *before;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	before = arena_strdup(arena, config());
	scratch_write("/run/menu", ENTRY(NEW), 0644);
	struct applied applied = set(OLD);

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "has no entry for " OLD);
	assert_untouched(before);
}

static void a_failing_tool_leaves_all_as_it_was(void **state)
{
	const char *before;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	before = arena_strdup(arena, config());
	scratch_write("/run/broken", "", 0644);
	struct applied applied = set(OLD);

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "grub-mkconfig failed");
	assert_untouched(before);
	/* What was ours before stays ours. */
	scratch_write(OWN_FILE, "GRUB_DEFAULT=\"x\"\n", 0644);
	assert_int_equal(set(OLD).outcome, OUTCOME_FAILED);
	assert_string_equal(scratch_read(OWN_FILE), "GRUB_DEFAULT=\"x\"\n");
}

static void refused(const char *why)
{
	struct applied applied = {.outcome = OUTCOME_CHANGED};
	struct err err;

	assert_int_not_equal(grub_default_set(booting_host(), OLD, arena, &applied, &err), 0);
	assert_has(err.text, why);
}

static void what_cannot_be_made_or_written_leaves_all_as_it_was(void **state)
{
	const char *before;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	before = arena_strdup(arena, config());
	assert_int_equal(mount(NULL, "/boot", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	refused("/boot/grub/grub.cfg");
	assert_untouched(before);
	scratch_write(OWN_FILE, "GRUB_DEFAULT=\"x\"\n", 0644);
	refused("/boot/grub/grub.cfg");
	assert_string_equal(scratch_read(OWN_FILE), "GRUB_DEFAULT=\"x\"\n");
	unlink(OWN_FILE);
	scratch_write("/usr/sbin/grub-mkconfig", "#!/no/such/shell\n", 0755);
	refused("grub-mkconfig");
	assert_untouched(before);
}

static void another_word_that_wins_is_told(void **state)
{
	const char *before;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	before = arena_strdup(arena, config());
	scratch_write("/run/head", HEAD("theirs"), 0644);
	struct applied applied = set(OLD);

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "has theirs as its default");
	assert_untouched(before);
}

static void a_grub_cfg_that_changed_meanwhile_is_made_again(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/run/meddle", "", 0644);
	assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
	assert_int_equal(access("/run/meddle", F_OK), -1);
	/* What came while ours was made is in it all the same. */
	assert_has(config(), "# one more\n");
	assert_has(config(), "set default=\"" ID_OF(OLD) "\"");
}

static void an_id_that_would_be_a_command_is_refused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write("/boot/grub/grub.cfg",
	              "menuentry 'x' --id 'gnulinux-" OLD "-advanced-$(reboot)' {\n"
	              "linux /boot/vmlinuz-" OLD "\n}\n",
	              0600);
	struct applied applied = set(OLD);

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "no id of GRUB's menu names " OLD);
}

static void given_back_our_file_goes_last(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	set(OLD);
	scratch_write("/run/broken", "", 0644);
	assert_int_equal(set(NULL).outcome, OUTCOME_FAILED);
	assert_has(scratch_read(OWN_FILE), ID_OF(OLD));
	unlink("/run/broken");
	assert_int_equal(set(NULL).outcome, OUTCOME_CHANGED);
	assert_int_equal(access(OWN_FILE, F_OK), -1);
	assert_has(config(), "set default=\"0\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_id_is_baked_into_a_new_menu),
	    TEST(an_id_that_moves_is_followed),
	    TEST(a_menu_without_that_kernel_is_not_put_in_place),
	    TEST(a_failing_tool_leaves_all_as_it_was),
	    TEST(what_cannot_be_made_or_written_leaves_all_as_it_was),
	    TEST(another_word_that_wins_is_told),
	    TEST(a_grub_cfg_that_changed_meanwhile_is_made_again),
	    TEST(an_id_that_would_be_a_command_is_refused),
	    TEST(given_back_our_file_goes_last),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
