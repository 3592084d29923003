// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/reboots.h"
#include "provider/reboot_ledger.h"

#include <sys/utsname.h>

static const char *ledger(void)
{
	return node_path("state/" REBOOT_LEDGER_NAME);
}

static void load(const char *sections)
{
	node_wants(sections);
	assert_int_equal(node_load(), 0);
	history_open(node.engine, STORE_WRITE);
}

static void write_entry(const char *boot_id, const char *into)
{
	struct reboot_entry entry = {.boot_id = boot_id,
	                             .from = "old",
	                             .into = into,
	                             .how = "now",
	                             .at = clock_now(),
	                             .asked = true};
	struct reboot_ledger l = {.list = {entry}, .count = 1};

	mkdir(node_path("state"), 0700);
	scratch_write(ledger(), reboot_ledger_text(node.arena, &l), 0600);
}

static const char *result(void)
{
	const char *text = scratch_read(ledger());
	struct reboot_ledger l;
	struct err err;

	assert_int_equal(reboot_ledger_parse(text, strlen(text), node.arena, &l, &err), 0);
	return l.list[0].result;
}

static void a_ledger_is_begun_with_the_first_run_that_could_come_to_reboot(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	load("holds: [bash]\n");
	reboots_settle(node.engine);
	assert_int_not_equal(access(ledger(), F_OK), 0);
	load("reboot: {when: never}\n");
	reboots_settle(node.engine);
	assert_int_equal(access(ledger(), F_OK), 0);
}

static void without_a_history_none_is_begun(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("reboot: {when: now}\n");
	assert_int_equal(node_load(), 0);
	reboots_settle(node.engine); /* who knows whether it was there before */
	assert_int_not_equal(access(ledger(), F_OK), 0);
}

static void what_came_of_a_reboot_is_noted_once(void **state)
{
	struct utsname names;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	uname(&names);
	load("reboot: {when: now}\n");
	write_entry(node.engine->boot_id, names.release);
	uint64_t stamp = scratch_stamp(ledger());

	reboots_settle(node.engine);
	assert_null(result());
	assert_true(scratch_stamp(ledger()) == stamp);
	write_entry("another", names.release);
	reboots_settle(node.engine);
	assert_string_equal(result(), REBOOT_ARRIVED);
	write_entry("another", "elsewhere");
	reboots_settle(node.engine);
	assert_string_equal(result(), REBOOT_CAME_BACK);
	stamp = scratch_stamp(ledger());
	reboots_settle(node.engine);
	assert_true(scratch_stamp(ledger()) == stamp);
}

static void a_damaged_ledger_is_left_and_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	load("reboot: {when: now}\n");
	assert_int_equal(mkdir(node_path("state"), 0700), 0);
	scratch_write(ledger(), "{\"reconcile", 0600);
	reboots_settle(node.engine);
	assert_true(node_noted("damaged"));
	assert_string_equal(scratch_read(ledger()), "{\"reconcile");
}

static enum outcome planned(const char *running, const char *boots, const char *wanted)
{
	struct strmap *recorded = strmap_create(node.arena);
	struct resource *kernel = resource_create(node.arena, &kind_table[KIND_KERNEL], "");
	struct resource *want = resource_create(node.arena, &kind_table[KIND_KERNEL], "");
	struct resource *reboot = resource_create(node.arena, &kind_table[KIND_REBOOT], "");
	size_t needs[] = {0};
	struct step steps[2] = {
	    {.id = "kernel", .want = want, .have = kernel, .outcome = OUTCOME_CHANGE},
	    {.id = "reboot",
	     .want = reboot,
	     .outcome = OUTCOME_CHANGE,
	     .needs = needs,
	     .need_count = wanted ? 1 : 0},
	};
	struct facts facts;

	kernel->kernel.running = running;
	kernel->kernel.boot_default = boots;
	want->kernel.boot_default = wanted;
	reboot->reboot.into = "new";
	strmap_put(recorded, "kernel", kernel);
	facts_init_recorded(&facts, node.arena, recorded, NULL);
	assert_int_equal(reboots_hold_back(&facts, steps, &steps[1], &node.err), 0);
	return steps[1].outcome;
}

static void a_reboot_is_planned_only_into_what_will_boot(void **state)
{
	(void)state;
	assert_int_equal(planned("old", "old", "new"), OUTCOME_CHANGE);
	assert_int_equal(planned("old", "new", NULL), OUTCOME_CHANGE);
	assert_int_equal(planned("old", "old", NULL), OUTCOME_BLOCKED);
	assert_int_equal(planned("old", "old", "other"), OUTCOME_BLOCKED);
	assert_int_equal(planned("old", NULL, NULL), OUTCOME_BLOCKED);
}

/* With one block of that resource and so many undecided items. */
static enum outcome resumed(const char *blocked, size_t undecided)
{
	struct resource *want = resource_create(node.arena, &kind_table[KIND_SCHEDULER], "");
	struct strmap *set = strmap_create(node.arena);
	struct note note = {.resource = blocked};
	struct undecided item = {.item = "mounts./a", .fact = "mount:/a"};
	struct decision decision = {
	    .blocks = &note, .block_count = 1, .undecided = &item, .undecided_count = undecided};
	struct step step = {.id = "scheduler", .want = want, .outcome = OUTCOME_CHANGE};

	strmap_put(set, "mount:/planned", want);
	reboots_hold_drained(node.arena, &decision, set, &step);
	return step.outcome;
}

static void a_node_that_is_not_whole_gets_no_work(void **state)
{
	(void)state;
	assert_int_equal(resumed(NULL, 0), OUTCOME_CHANGE);
	assert_int_equal(resumed("mount:/planned", 0), OUTCOME_CHANGE); /* a need of it anyway */
	assert_int_equal(resumed("kernel", 0), OUTCOME_CHANGE);
	assert_int_equal(resumed("mount:/a", 0), OUTCOME_BLOCKED);
	assert_int_equal(resumed("module:lustre", 0), OUTCOME_BLOCKED);
	assert_int_equal(resumed(NULL, 1), OUTCOME_BLOCKED);
}

static bool noted(enum outcome outcome)
{
	struct resource *want = resource_create(node.arena, &kind_table[KIND_SCHEDULER], "");
	struct step step = {.id = "scheduler", .want = want, .outcome = outcome};
	const struct plan plan = {.steps = &step, .step_count = 1};
	struct reboot_ledger l;
	struct utsname names;
	struct err err;

	uname(&names);
	write_entry("another", names.release);
	const char *text = scratch_read(ledger());

	assert_int_equal(reboot_ledger_parse(text, strlen(text), node.arena, &l, &err), 0);
	l.list[0].how = "slurm";
	l.list[0].result = REBOOT_ARRIVED;
	scratch_write(ledger(), reboot_ledger_text(node.arena, &l), 0600);
	reboots_note_resumed(node.engine, &plan);
	text = scratch_read(ledger());
	assert_int_equal(reboot_ledger_parse(text, strlen(text), node.arena, &l, &err), 0);
	return l.list[0].resumed;
}

static void the_end_of_a_drain_is_noted_when_it_was_seen(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	load("reboot: {when: slurm}\n");
	assert_true(noted(OUTCOME_KEPT));
	assert_true(noted(OUTCOME_CHANGED));
	assert_false(noted(OUTCOME_UNDETERMINED));
	assert_false(noted(OUTCOME_BLOCKED));
	assert_false(noted(OUTCOME_PENDING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        a_ledger_is_begun_with_the_first_run_that_could_come_to_reboot, node_setup,
	        node_teardown),
	    cmocka_unit_test_setup_teardown(without_a_history_none_is_begun, node_setup, node_teardown),
	    cmocka_unit_test_setup_teardown(what_came_of_a_reboot_is_noted_once, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(a_reboot_is_planned_only_into_what_will_boot, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(a_node_that_is_not_whole_gets_no_work, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(the_end_of_a_drain_is_noted_when_it_was_seen, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(a_damaged_ledger_is_left_and_named, node_setup,
	                                    node_teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
