// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#include "base/clock.h"

#include <sys/mount.h>
#include <unistd.h>

#define OPTION "APT::NeverAutoRemove"
#define OURS "/etc/apt/apt.conf.d/zz-reconcile-apt--neverautoremove.conf"
#define LATER "/etc/apt/apt.conf.d/zzz-later"
#define WANT(rest) "{\"kind\": \"apt_option\", \"option\": \"" OPTION "\"" rest "}"
#define HAVE(rest) "{\"kind\": \"apt_option\", \"key\": \"" OPTION "\"" rest "}"
#define ONE ", \"items\": [\"^a$\"]"
#define GONE ", \"state\": \"absent\""

/* ---- What would be done ---- */

static void each_wanted_item_must_be_in_the_list(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(compare(WANT(ONE), HAVE(", \"items\": [\"x\", \"^a$\"]")).outcome,
	                 OUTCOME_KEPT);
	v = compare(WANT(ONE), HAVE(", \"items\": [\"^a\", \"^a$x\"]"));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_CREATE);
	assert_has(changes(&v, "items"), "> ^a$");
	assert_int_equal(compare(WANT(ONE), HAVE(GONE)).action, ACTION_CREATE);
}

static void a_file_of_ours_holds_what_is_wanted_and_nothing_else(void **state)
{
	struct verdict v = compare(WANT(ONE), HAVE(", \"items\": [\"^a$\", \"old\"], "
	                                           "\"ours\": [\"^a$\", \"old\"]"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_has(changes(&v, "ours"), "old");
	assert_string_equal(changes(&v, "items"), "");
	v = compare(WANT(", \"items\": [\"b\", \"^a$\"]"), HAVE(", \"items\": [\"^a$\", \"b\"], "
	                                                        "\"ours\": [\"^a$\", \"b\"]"));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
}

static void gone_is_only_what_was_ours(void **state)
{
	struct verdict v = compare(WANT(GONE), HAVE(", \"items\": [\"x\", \"^a$\"], "
	                                            "\"ours\": [\"^a$\"]"));

	(void)state;
	assert_int_equal(v.action, ACTION_REMOVE);
	assert_string_equal(changes(&v, "ours"), "^a$ > ");
	assert_int_equal(compare(WANT(GONE), HAVE(", \"items\": [\"x\"]")).outcome, OUTCOME_KEPT);
	assert_int_equal(compare(WANT(GONE), HAVE(GONE)).outcome, OUTCOME_KEPT);
}

static void what_stands_in_the_way_blocks_only_what_it_is_in_the_way_of(void **state)
{
	const char *have = HAVE(", \"ours\": [], \"obstacle\": \"no file\"");
	struct verdict v = compare(WANT(ONE), have);

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_string_equal(v.why, "no file");
	assert_int_equal(compare(WANT(GONE), have).outcome, OUTCOME_CHANGE);
}

static const struct resource *predicted(const char *want, const char *have, bool *ret_exact)
{
	const struct resource *wanted = converging_want(arena, want);
	struct verdict verdict = compare(want, have);
	struct change change = {
	    .kind = wanted->kind,
	    .action = verdict.action,
	    .want = wanted,
	    .have = recorded(have),
	};

	return converge_predict(arena, &change, ret_exact);
}

static void assert_items(const struct list *list, const char *joined)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < list->count; i++) {
		str_addf(&text, "%s%s", i ? " " : "", list->items[i]);
	}
	assert_string_equal(str_text(&text), joined);
}

static void what_others_put_there_is_foreseen_to_stay(void **state)
{
	const char *have = HAVE(", \"items\": [\"x\", \"a\", \"y\", \"a\", \"b\"], "
	                        "\"ours\": [\"a\", \"b\"]");
	const struct resource *after;
	bool exact;

	(void)state;
	after = predicted(WANT(GONE), have, &exact);
	assert_true(exact);
	assert_int_equal(after->state, STATE_PRESENT);
	assert_items(&after->apt_option.items, "x a y");
	assert_false(after->apt_option.ours.set);
	after = predicted(WANT(", \"items\": [\"c\"]"), have, &exact);
	assert_items(&after->apt_option.items, "x a y c");
	assert_items(&after->apt_option.ours, "c");
	after = predicted(WANT(GONE), HAVE(", \"items\": [\"a\"], \"ours\": [\"a\"]"), &exact);
	assert_int_equal(after->state, STATE_ABSENT);
	predicted(WANT(ONE), HAVE(", \"ours\": [\"rubbish\"]"), &exact);
	assert_false(exact);
}

static void refuse(const char *items, const char *word)
{
	struct resource *want = converging_want(arena, WANT(ONE));
	const char *const list[] = {items};
	struct err err;

	want->apt_option.items = (struct list){true, items ? 1 : 0, list};
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_has(err.text, word);
}

static void what_would_be_no_pattern_is_refused(void **state)
{
	(void)state;
	refuse(NULL, "names none");
	refuse("", "empty");
	refuse("^linux-(", "expected an extended regular expression");
}

/* ---- On a machine ---- */

static void the_list_of_this_machine_can_be_read(void **state)
{
	const struct resource *have = fact(KIND_APT_OPTION, OPTION);

	(void)state;
	if (have->state == STATE_UNDETERMINED) {
		assert_has(have->why, "apt-config");
		skip();
	}
	assert_int_equal(fact(KIND_APT_OPTION, "No::Such")->state, STATE_ABSENT);
}

static void an_apt_config_that_does_not_answer_is_not_awaited(void **state)
{
	int64_t start = clock_ms();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mount("tmpfs", "/usr/local/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write("/usr/local/sbin/apt-config", "#!/bin/sh\nexec sleep 60\n", 0755);
	const struct resource *have = fact(KIND_APT_OPTION, OPTION);

	umount2("/usr/local/sbin", MNT_DETACH);
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "apt-config does not answer");
	assert_true(clock_ms() - start < 4900);
}

static void shell(const char *script)
{
	TOOL("sh", "-euc", script);
}

static void forget(void)
{
	shell("rm -rf " OURS " " LATER);
}

static void write_ours(void)
{
	forget();
	converging_twice(arena, converging_want(arena, WANT(ONE)), OURS);
}

static void every_byte_survives_the_round_trip(void **state)
{
	static const char *const odd[] = {
	    "^linux-image-6\\\\.1\\\\.0-50-cloud-amd64$",
	    "^g\\\\+\\\\+$",
	    "a\\\"b",
	    "100%25",
	    "% 2f",
	    "//x",
	    "#clear ",
	    "a;b{c}",
	    "a b  c",
	    "x=y",
	    "\\\\\\\\",
	    "\303\251",
	    "'",
	    "/* c */",
	};

	(void)state;
	APTROOT_NEEDED();
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		forget();
		converging_twice(
		    arena,
		    converging_want(arena,
		                    arena_printf(arena,
		                                 "{\"kind\": \"apt_option\", \"option\": "
		                                 "\"Unattended-Upgrade::Package-Blacklist\", \"items\": "
		                                 "[\"first\", \"%s\", \"last\"]}",
		                                 odd[i])),
		    "/etc/apt/apt.conf.d/zz-reconcile-unattended-upgrade--package-blacklist.conf");
	}
	shell("rm /etc/apt/apt.conf.d/zz-reconcile-*");
}

static void what_clears_the_list_later_is_named_and_nothing_is_left(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	forget();
	shell("echo '#clear apt::neverautoremove;' >" LATER);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, WANT(ONE)), &why),
	    OUTCOME_FAILED);
	assert_has(why, LATER);
	assert_int_not_equal(access(OURS, F_OK), 0);
	forget();
}

static void what_was_there_is_put_back_when_it_had_no_effect(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	write_ours();
	shell("cp " OURS " /tmp/was; echo '#clear APT::NeverAutoRemove;' >/etc/apt/apt.conf");
	assert_int_equal(converging_apply(arena, &host_linux_ops,
	                                  converging_want(arena, WANT(", \"items\": [\"b\"]")), &why),
	                 OUTCOME_FAILED);
	assert_has(why, "/etc/apt/apt.conf");
	shell("cmp " OURS " /tmp/was; rm /etc/apt/apt.conf");
}

static void a_file_of_ours_that_apt_stumbles_over_is_made_anew(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	write_ours();
	shell("echo 'nonsense {{{' >>" OURS);
	converging_twice(arena, converging_want(arena, WANT(ONE)), OURS);
	shell("echo 'nonsense {{{' >>" OURS);
	converging_twice(arena, converging_want(arena, WANT(GONE)), NULL);
}

static void over_a_file_of_somebody_else_nothing_is_known(void **state)
{
	const struct resource *have;

	(void)state;
	APTROOT_NEEDED();
	write_ours();
	shell("echo 'nonsense {{{' >" LATER);
	have = fact(KIND_APT_OPTION, OPTION);
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, LATER);
	forget();
}

static void a_single_value_hides_the_list(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	forget();
	shell("echo 'APT::NeverAutoRemove \"^x$\";' >" LATER);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, WANT(ONE)), &why),
	    OUTCOME_BLOCKED);
	assert_has(why, "single value \"^x$\"");
	forget();
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	forget();
	shell("ln -s /tmp/elsewhere " OURS);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, WANT(ONE)), NULL),
	    OUTCOME_BLOCKED);
	assert_int_not_equal(access("/tmp/elsewhere", F_OK), 0);
	converging_twice(arena, converging_want(arena, WANT(GONE)), NULL);
}

static void write_another(void)
{
	forget();
	shell("echo 'APT::NeverAutoRemove:: \"b\";' >" OURS);
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	converging_sweep(WANT(ONE), forget, OURS);
	converging_sweep(WANT(ONE), write_another, OURS);
	converging_sweep(WANT(GONE), write_ours, NULL);
}

static int with_namespace(void **state)
{
	observing_setup(state);
	return scratch_setup(state);
}

static int and_without(void **state)
{
	observing_teardown(state);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_wanted_item_must_be_in_the_list),
	    TEST(a_file_of_ours_holds_what_is_wanted_and_nothing_else),
	    TEST(gone_is_only_what_was_ours),
	    TEST(what_stands_in_the_way_blocks_only_what_it_is_in_the_way_of),
	    TEST(what_others_put_there_is_foreseen_to_stay),
	    TEST(what_would_be_no_pattern_is_refused),
	    TEST(the_list_of_this_machine_can_be_read),
	    TEST(every_byte_survives_the_round_trip),
	    TEST(what_clears_the_list_later_is_named_and_nothing_is_left),
	    TEST(what_was_there_is_put_back_when_it_had_no_effect),
	    TEST(a_file_of_ours_that_apt_stumbles_over_is_made_anew),
	    TEST(over_a_file_of_somebody_else_nothing_is_known),
	    TEST(a_single_value_hides_the_list),
	    TEST(a_link_in_its_place_is_not_followed),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    /* The last one: it hides the apt of those before. */
	    cmocka_unit_test_setup_teardown(an_apt_config_that_does_not_answer_is_not_awaited,
	                                    with_namespace, and_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
