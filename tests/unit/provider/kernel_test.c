// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include <sys/utsname.h>

#define WANT(rest) "{\"kind\": \"kernel\", " rest "}"
#define DEFAULT(release) "\"boot_default\": \"" release "\""
#define NEXT(release) "\"boot_next\": \"" release "\""
#define HAVE(rest)                                                                           \
	"{\"kind\": \"kernel\", \"key\": \"\", \"running\": \"" OLD "\", \"loader\": \"grub\", " \
	"\"installed\": [\"" OLD "\", \"" NEW "\", \"6.12.1\"], \"entries\": [\"" OLD            \
	"=" ID_OF(OLD) "\", \"" NEW "=" ID_OF(NEW) "\"]" rest "}"
#define BOOTS_NEW ", \"boot_default\": \"" NEW "\", \"default_entry\": \"gnulinux-simple-U\""
#define BOOTS_OLD                                                                             \
	", \"boot_default\": \"" OLD "\", \"default_entry\": \"" ID_OF(OLD) "\", \"own_entry\": " \
	                                                                    "\"" ID_OF(OLD) "\""

/* ---- Facts ---- */

static void the_running_kernel_is_told(void **state)
{
	struct utsname names;

	(void)state;
	uname(&names);
	assert_string_equal(booting_look()->running, names.release);
	assert_non_null(booting_look()->command_line);
	assert_true(booting_look()->installed.set);
}

static void what_boots_is_told_with_its_entries(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	const struct kernel *kernel = booting_look();

	assert_string_equal(kernel->loader, "grub");
	assert_string_equal(kernel->boot_default, NEW);
	assert_string_equal(kernel->default_entry, "gnulinux-simple-U");
	assert_null(kernel->own_entry);
	assert_null(kernel->boot_next);
	assert_null(kernel->obstacle);
	assert_int_equal(kernel->entries.count, 2);
	assert_string_equal(kernel->entries.items[1], OLD "=" ID_OF(OLD));
	unlink("/boot/initrd.img-" OLD);
	assert_int_equal(booting_look()->entries.count, 1);
}

static void without_a_boot_loader_nothing_boots(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	unlink("/boot/grub/grub.cfg");
	const struct kernel *kernel = booting_look();

	assert_null(kernel->loader);
	assert_null(kernel->boot_default);
	assert_has(kernel->obstacle, "no boot loader");
	assert_has(kernel->once_obstacle, "no boot loader");
}

/* ---- What is compared ---- */

static void a_default_that_nobody_chose_is_no_pin(void **state)
{
	struct verdict v = compare(WANT(DEFAULT(NEW)), HAVE(BOOTS_NEW));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "boot_default"), "");
	assert_string_equal(changes(&v, "own_entry"), " > " ID_OF(NEW));
	assert_int_equal(compare(WANT(DEFAULT(OLD)), HAVE(BOOTS_OLD)).outcome, OUTCOME_KEPT);
}

static void a_file_of_ours_that_is_not_in_force_is_a_change(void **state)
{
	struct verdict v = compare(WANT(DEFAULT(OLD)), HAVE(BOOTS_NEW ", \"own_entry\": \"\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "boot_default"), NEW " > " OLD);
	/* Also while giving it back was cut off. */
	v = compare(WANT(DEFAULT("distribution")), HAVE(BOOTS_NEW ", \"own_entry\": \"\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(compare(WANT(DEFAULT("distribution")), HAVE(BOOTS_NEW)).outcome, OUTCOME_KEPT);
}

static void only_what_could_boot_is_set(void **state)
{
	struct verdict v = compare(WANT(DEFAULT("6.12.1")), HAVE(BOOTS_NEW));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "no entry in the menu");
	v = compare(WANT(DEFAULT("6.12.2")), HAVE(BOOTS_NEW));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "6.12.2 is not installed");
	v = compare(WANT(NEXT("6.12.2")), HAVE(BOOTS_NEW));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
}

static void an_obstacle_blocks_what_is_not_so_already(void **state)
{
	struct verdict v = compare(WANT(DEFAULT(OLD)), HAVE(BOOTS_NEW ", \"obstacle\": \"why not\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "why not");
	v = compare(WANT(DEFAULT(NEW)), HAVE(BOOTS_NEW ", \"obstacle\": \"why not\""));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(WANT(NEXT(OLD)), HAVE(BOOTS_NEW ", \"once_obstacle\": \"cannot write\""));
	assert_string_equal(v.why, "cannot write");
	/* To forget is no matter of what GRUB can write. */
	v = compare(WANT(NEXT("none")),
	            HAVE(BOOTS_NEW ", \"boot_next\": \"" OLD "\", \"once_obstacle\": \"cannot\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
}

static void one_that_cannot_be_done_keeps_the_other_from_being_done(void **state)
{
	struct verdict v = compare(WANT(DEFAULT(OLD) ", " NEXT(NEW)),
	                           HAVE(BOOTS_NEW ", \"once_obstacle\": \"cannot write\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "cannot write");
}

static void nothing_wanted_is_nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(
	    compare(WANT("\"state\": \"present\""), HAVE(BOOTS_NEW ", \"boot_next\": \"" OLD "\""))
	        .outcome,
	    OUTCOME_KEPT);
}

static void a_glob_is_no_release(void **state)
{
	struct diags diags = {.arena = arena};
	struct value value;
	struct err err;
	const char *json = WANT(DEFAULT("6.8.0-*"));

	(void)state;
	assert_int_equal(json_parse(json, strlen(json), "test", arena, &value, &err), 0);
	const struct resource *want = resource_from_value(arena, &value, USE_WANTED, &diags);

	assert_non_null(want);
	assert_int_not_equal(converge_check(want, &err), 0);
	assert_has(err.text, "not a glob");
}

static void what_is_predicted_needs_no_change_any_more(void **state)
{
	static const struct {
		const char *want, *have;
		bool exact;
	} rows[] = {
	    {WANT(DEFAULT(OLD)), HAVE(BOOTS_NEW), true},
	    {WANT(DEFAULT(OLD) ", " NEXT(NEW)), HAVE(BOOTS_NEW), true},
	    {WANT(NEXT("none")), HAVE(BOOTS_NEW ", \"boot_next\": \"" OLD "\""), true},
	    {WANT(DEFAULT("distribution")), HAVE(BOOTS_OLD), false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct change change = {
		    .kind = &kind_table[KIND_KERNEL],
		    .action = ACTION_UPDATE,
		    .want = converging_want(arena, rows[i].want),
		    .have = recorded(rows[i].have),
		};
		struct verdict verdict;
		bool exact;
		const struct resource *after = converge_predict(arena, &change, &exact);

		assert_int_equal(exact, rows[i].exact);
		converge_diff(arena, change.want, after, &verdict);
		assert_int_equal(verdict.outcome, OUTCOME_KEPT);
	}
}

static void the_image_comes_first(void **state)
{
	struct keys ids;

	(void)state;
	converge_needs(arena, converging_want(arena, WANT(DEFAULT(OLD) ", " NEXT("none"))), &ids);
	assert_int_equal(ids.count, 1);
	assert_string_equal(ids.list[0], "package:linux-image-" OLD);
}

/* ---- What is done ---- */

static void a_default_is_set_once_and_given_back(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	converging_twice(arena, converging_want(arena, WANT(DEFAULT(OLD))), "/boot/grub/grub.cfg");
	assert_string_equal(booting_look()->boot_default, OLD);
	assert_string_equal(booting_look()->own_entry, ID_OF(OLD));
	converging_twice(arena, converging_want(arena, WANT(DEFAULT("distribution"))),
	                 "/boot/grub/grub.cfg");
	assert_string_equal(booting_look()->boot_default, NEW);
	assert_int_equal(access(OWN_FILE, F_OK), -1);
}

static void whatever_fails_the_next_run_converges(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	converging_sweep(WANT(DEFAULT(OLD)), booting_fresh, "/boot/grub/grub.cfg");
}

static void pinned(void)
{
	booting_fresh();
	scratch_mkdir("/etc/default/grub.d", 0755);
	scratch_write(OWN_FILE, "GRUB_DEFAULT=\"" ID_OF(OLD) "\"\n", 0644);
	scratch_write("/boot/grub/grub.cfg", HEAD(ID_OF(OLD)) MENU_OF_TWO, 0600);
}

static void whatever_fails_in_giving_back_the_next_run_converges(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	converging_sweep(WANT(DEFAULT("distribution")), pinned, "/boot/grub/grub.cfg");
}

static void nothing_is_started_once_on_a_file_system_that_grub_cannot_write(void **state)
{
	const char *why;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, WANT(NEXT(OLD))), &why),
	    OUTCOME_BLOCKED);
	assert_has(why, "GRUB cannot write to tmpfs");
	assert_int_equal(access("/boot/grub/grubenv", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_running_kernel_is_told),
	    TEST(what_boots_is_told_with_its_entries),
	    TEST(without_a_boot_loader_nothing_boots),
	    TEST(a_default_that_nobody_chose_is_no_pin),
	    TEST(a_file_of_ours_that_is_not_in_force_is_a_change),
	    TEST(only_what_could_boot_is_set),
	    TEST(an_obstacle_blocks_what_is_not_so_already),
	    TEST(one_that_cannot_be_done_keeps_the_other_from_being_done),
	    TEST(nothing_wanted_is_nothing_to_do),
	    TEST(a_glob_is_no_release),
	    TEST(what_is_predicted_needs_no_change_any_more),
	    TEST(the_image_comes_first),
	    TEST(a_default_is_set_once_and_given_back),
	    TEST(whatever_fails_the_next_run_converges),
	    TEST(whatever_fails_in_giving_back_the_next_run_converges),
	    TEST(nothing_is_started_once_on_a_file_system_that_grub_cannot_write),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
