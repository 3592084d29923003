// SPDX-License-Identifier: MIT
#include "recorded.h"

static const char old[] = "6.8.0-1039-aws";

static void all_well_is_ok(void **state)
{
	(void)state;
	struct doctor *d =
	    recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," LOADS_OLD "," MOUNTED(""));

	assert_int_equal(d->health, DOCTOR_OK);
	assert_int_equal(d->kernel_count, 1);
	assert_true(d->kernels[0].running && d->kernels[0].is_default && d->kernels[0].next);
	assert_int_equal(d->verdict_count, 1);
	assert_string_equal(d->verdicts[0].verdict, "yes");
}

static void a_loss_to_come_is_a_warning(void **state)
{
	(void)state;
	struct doctor *d = recorded_doctor(
	    KERNEL("6.8.0-1039-aws", "6.8.0-1042-aws") "," LOADS_OLD "," NOT_NEW "," MOUNTED(""));

	assert_int_equal(d->mounts, DOCTOR_OK);
	assert_int_equal(d->health, DOCTOR_WARNING);
	assert_non_null(d->next_boot);
	assert_true(d->next_boot->lost > 0);
}

static void a_missing_mount_is_blamed_on_its_module(void **state)
{
	(void)state;
	struct doctor *d = recorded_doctor(
	    KERNEL("6.8.0-1042-aws", "6.8.0-1042-aws") "," LOADS_OLD "," NOT_NEW "," UNMOUNTED(""));

	assert_int_equal(d->health, DOCTOR_CRITICAL);
	assert_has(d->list[0].why,
	           "the running kernel 6.8.0-1042-aws cannot load lustre: no lustre.ko");
	/* The way back is shown as well. */
	assert_int_equal(d->kernel_count, 2);
	assert_string_equal(d->kernels[1].release, old);
	assert_false(d->kernels[1].running || d->kernels[1].next);
}

static void an_automount_hides_no_missing_module(void **state)
{
	(void)state;
	const char *armed = "{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"present\", "
	                    "\"live\": false, \"automount\": true, " FSTAB_LUSTRE "}";
	struct doctor *d = recorded_doctor(arena_printf(
	    node.arena, "%s,%s", KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," LOADS_OLD, armed));

	assert_int_equal(d->list[0].standing, DOCTOR_ARMED);
	assert_int_equal(d->health, DOCTOR_OK);
	d = recorded_doctor(arena_printf(
	    node.arena, "%s,%s", KERNEL("6.8.0-1042-aws", "6.8.0-1042-aws") "," NOT_NEW, armed));
	assert_int_equal(d->list[0].standing, DOCTOR_ARMED);
	assert_int_equal(d->health, DOCTOR_CRITICAL);
}

/* A hardened node: nothing is loaded any more until it boots again. */
#define CLOSED                                                                         \
	"{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"present\", \"closed\": true, " \
	"\"running\": \"6.8.0-1039-aws\", \"boot_default\": \"6.8.0-1039-aws\", "          \
	"\"installed\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"]}," LOADS_OLD
#define MODULE(loaded) \
	"{\"kind\": \"module\", \"key\": \"lustre\", \"state\": \"present\", \"loaded\": " loaded "}"

static void a_kernel_that_takes_no_more_modules_is_blamed_for_what_is_not_loaded(void **state)
{
	(void)state;
	struct doctor *d = recorded_doctor(CLOSED "," MODULE("false") "," UNMOUNTED(""));

	assert_int_equal(d->health, DOCTOR_CRITICAL);
	assert_has(d->list[0].why, "cannot load lustre: kernel.modules_disabled is set");
	assert_string_equal(d->verdicts[0].cause, "closed");
	/* Neither the next boot nor another kernel has to do with it. */
	assert_true(d->next_boot && d->next_boot->release && !d->next_boot->loss_count);
	assert_int_equal(d->kernel_count, 1);
	/* What was loaded before it was closed is there. */
	d = recorded_doctor(CLOSED "," MODULE("true") "," UNMOUNTED(""));
	assert_string_equal(d->verdicts[0].verdict, "yes");
	assert_false(d->list[0].why && strstr(d->list[0].why, "modules_disabled"));
	d = recorded_doctor(CLOSED "," MODULE("true") "," MOUNTED(""));
	assert_int_equal(d->health, DOCTOR_OK);
}

static void what_cannot_be_told_is_unknown_only_where_something_is_at_stake(void **state)
{
	(void)state;
	assert_int_equal(recorded_doctor(MOUNTED(""))->health, DOCTOR_UNKNOWN);
	assert_int_equal(recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws"))->health,
	                 DOCTOR_OK);
	struct doctor *d = recorded_doctor(
	    KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") ",{\"kind\": \"mount\", \"key\": \"/home\", "
	                                               "\"state\": \"present\", \"live\": true, "
	                                               "\"source\": \"s:/h\", \"type\": \"nfs4\"}");

	assert_int_equal(d->count, 1);
	assert_string_equal(d->list[0].module, "nfs");
	assert_int_equal(d->verdict_count, 0); /* nfs comes with the kernel */
	assert_int_equal(d->health, DOCTOR_OK);
}

#define NO_INITRD                                                                      \
	"{\"kind\": \"boot_entry\", \"key\": \"6.8.0-1042-aws\", \"state\": \"present\", " \
	"\"incomplete\": \"there is no initrd\"}"

static void a_kernel_that_cannot_boot_is_a_loss_also_where_nothing_is_wanted(void **state)
{
	struct doctor *d = recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1042-aws") "," NO_INITRD);

	(void)state;
	assert_int_equal(d->health, DOCTOR_WARNING);
	assert_has(d->next_boot->sentence, "could not boot as it is: there is no initrd");
	d = recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," NO_INITRD);
	assert_int_equal(d->health, DOCTOR_OK);
	assert_null(d->next_boot);
}

static void a_verdict_that_is_none_says_nothing(void **state)
{
	struct doctor *d = recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," MOUNTED(
	    "") ",{\"kind\": \"loadable\", \"key\": \"lustre@6.8.0-1039-aws\", \"state\": "
	        "\"present\", \"verdict\": \"maybe\"}");

	(void)state;
	assert_string_equal(d->verdicts[0].verdict, "unproven");
	assert_has(d->verdicts[0].reason, "'maybe'");
	assert_int_equal(d->health, DOCTOR_UNKNOWN);
}

static void a_recording_without_rivals_says_not_that_there_are_none(void **state)
{
	(void)state;
	assert_non_null(recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws"))->rivals_why);
	assert_null(recorded_doctor("{\"kind\": \"rival\", \"key\": \"cron.d/x\", \"state\": "
	                            "\"absent\"}")
	                ->rivals_why);
}

static void the_worse_health_wins(void **state)
{
	(void)state;
	assert_int_equal(doctor_worse(DOCTOR_UNKNOWN, DOCTOR_WARNING), DOCTOR_WARNING);
	assert_int_equal(doctor_worse(DOCTOR_OK, DOCTOR_UNKNOWN), DOCTOR_UNKNOWN);
	assert_int_equal(doctor_worse(DOCTOR_CRITICAL, DOCTOR_UNKNOWN), DOCTOR_CRITICAL);
	assert_int_equal(doctor_worse(DOCTOR_WARNING, DOCTOR_CRITICAL), DOCTOR_CRITICAL);
}

static void the_commands_fit(void **state)
{
	(void)state;
	struct doctor *d = recorded_doctor(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws"));

	assert_has(d->next[0].line, d->root ? "import -o /etc/reconcile" : "doctor");
}

static void a_recording_without_a_running_kernel_tells_of_none(void **state)
{
	static const char *const facts[] = {
	    "{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"present\", "
	    "\"boot_default\": \"6.1.0\"}",
	    "{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"absent\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		assert_has(recorded_doctor(facts[i])->kernel_why, "do not say which kernel runs");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(all_well_is_ok),
	    node_test(a_loss_to_come_is_a_warning),
	    node_test(a_missing_mount_is_blamed_on_its_module),
	    node_test(an_automount_hides_no_missing_module),
	    node_test(a_kernel_that_takes_no_more_modules_is_blamed_for_what_is_not_loaded),
	    node_test(what_cannot_be_told_is_unknown_only_where_something_is_at_stake),
	    node_test(a_kernel_that_cannot_boot_is_a_loss_also_where_nothing_is_wanted),
	    node_test(a_verdict_that_is_none_says_nothing),
	    node_test(a_recording_without_rivals_says_not_that_there_are_none),
	    node_test(the_worse_health_wins),
	    node_test(the_commands_fit),
	    node_test(a_recording_without_a_running_kernel_tells_of_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
