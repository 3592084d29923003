// SPDX-License-Identifier: MIT
#include "recorded.h"

#include "engine/check.h"

static int64_t figure(const struct check *check, const char *name)
{
	for (size_t i = 0; i < check->part_count; i++) {
		if (strcmp(check->parts[i].name, name) == 0) {
			return check->parts[i].value;
		}
	}
	fail_msg("no figure %s", name);
	return -1;
}

static void a_loss_is_critical_to_those_who_ask_for_it(void **state)
{
	static const char facts[] =
	    KERNEL("6.8.0-1039-aws", "6.8.0-1042-aws") "," LOADS_OLD "," NOT_NEW "," MOUNTED("");
	struct check check;

	(void)state;
	assert_int_equal(check_next_boot(recorded_engine(facts), &check, &node.err), 0);
	assert_int_equal(check.health, DOCTOR_CRITICAL);
	assert_true(figure(&check, "next_boot_lost") > 0);
	assert_int_equal(check_node(recorded_engine(facts), 0, &check, &node.err), 0);
	assert_int_equal(check.health, DOCTOR_WARNING);
	assert_has(check.text, "6.8.0-1042-aws");
}

static void what_is_not_proved_is_unknown(void **state)
{
	struct check check;

	(void)state;
	assert_int_equal(
	    check_next_boot(recorded_engine(KERNEL("6.8.0-1039-aws", "6.8.0-1042-aws") "," LOADS_OLD
	                                                                               "," MOUNTED("")),
	                    &check, &node.err),
	    0);
	assert_int_equal(check.health, DOCTOR_UNKNOWN);
	assert_int_equal(figure(&check, "next_boot_lost"), 0);
	assert_true(figure(&check, "next_boot_unproven") > 0);
}

#define NO_INITRD                                                                      \
	"{\"kind\": \"boot_entry\", \"key\": \"6.8.0-1042-aws\", \"state\": \"present\", " \
	"\"incomplete\": \"there is no initrd\"}"
#define MOUNT_UNTOLD                                                                          \
	"{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"undetermined\", \"why\": \"no " \
	"answer\"}"

static void a_mount_of_which_nothing_is_known_leaves_open_what_is_lost(void **state)
{
	struct check check;

	(void)state;
	assert_int_equal(check_next_boot(recorded_engine(KERNEL("6.8.0-1039-aws",
	                                                        "6.8.0-1042-aws") "," MOUNT_UNTOLD),
	                                 &check, &node.err),
	                 0);
	assert_int_equal(check.health, DOCTOR_UNKNOWN);
	assert_string_equal(check.text, "/lustre UNKNOWN: no answer");
}

static void a_kernel_that_cannot_boot_is_no_kernel_to_boot(void **state)
{
	static const char facts[] = KERNEL("6.8.0-1039-aws", "6.8.0-1042-aws") "," NO_INITRD;
	struct check check;

	(void)state;
	assert_int_equal(check_next_boot(recorded_engine(facts), &check, &node.err), 0);
	assert_int_equal(check.health, DOCTOR_CRITICAL);
	assert_int_equal(check_node(recorded_engine(facts), 0, &check, &node.err), 0);
	assert_int_equal(check.health, DOCTOR_WARNING);
	assert_has(check.text, "there is no initrd");
}

static void the_worst_is_said_first_and_nothing_twice(void **state)
{
	struct check check;

	(void)state;
	assert_int_equal(check_node(recorded_engine(KERNEL("6.8.0-1039-aws",
	                                                   "6.8.0-1042-aws") "," LOADS_OLD "," NOT_NEW
	                                                                     "," UNMOUNTED("")),
	                            0, &check, &node.err),
	                 0);
	assert_int_equal(check.health, DOCTOR_CRITICAL);
	assert_true(text_starts(check.text, "/lustre NOT MOUNTED"));
	const char *next = strstr(check.text, "; 6.8.0-1042-aws");

	assert_non_null(next);
	assert_null(strstr(next + 2, "; 6.8.0-1042-aws"));
	assert_int_equal(figure(&check, "not_mounted"), 1);
}

static void a_tree_asked_for_and_not_there_is_an_error(void **state)
{
	struct check check;

	(void)state;
	node.options.tree = node_path("none");
	node.engine = engine_open(&node.options, &node.watch);
	assert_int_equal(check_next_boot(node.engine, &check, &node.err), -ERR_INPUT);
}

static void json_says_the_same(void **state)
{
	struct check check;

	(void)state;
	assert_int_equal(check_next_boot(recorded_engine(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws")),
	                                 &check, &node.err),
	                 0);
	struct value v = check_to_value(node.arena, &check);

	assert_string_equal(value_text(&v, "health"), "OK");
	assert_int_equal(value_number(&v, "exit_code", -1), 0);
	assert_int_equal(value_number(value_get(&v, "figures"), "next_boot_lost", -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_loss_is_critical_to_those_who_ask_for_it),
	    node_test(what_is_not_proved_is_unknown),
	    node_test(a_mount_of_which_nothing_is_known_leaves_open_what_is_lost),
	    node_test(a_kernel_that_cannot_boot_is_no_kernel_to_boot),
	    node_test(the_worst_is_said_first_and_nothing_twice),
	    node_test(a_tree_asked_for_and_not_there_is_an_error),
	    node_test(json_says_the_same),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
