// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/pause.h"

static const char boot[] = "11111111-2222-3333-4444-555555555555";

static struct pause look(void)
{
	struct pause pause;

	if (!node.engine) {
		node.engine = engine_open(&node.options, &node.watch);
	}
	pause_look(node.engine, &pause);
	return pause;
}

static const char *paused(void)
{
	struct pause pause = look();

	return pause_text(node.arena, &pause);
}

static void begin(const char *reason, int64_t span, bool at_time)
{
	const struct pause_wish wish = {reason, at_time ? 0 : span, at_time ? clock_now() + span : 0};
	struct err err;

	if (pause_begin(&node.options, &wish, node.arena, &err)) {
		fail_msg("%s", err.text);
	}
}

static int resume(struct err *err)
{
	if (!node.engine) {
		node.engine = engine_open(&node.options, &node.watch);
	}
	return pause_end(node.engine, err);
}

static void a_pause_holds_until_somebody_resumes(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	assert_null(paused());
	begin("maintenance", 0, false);
	struct pause pause = look();

	assert_true(pause.paused);
	assert_string_equal(pause.reason, "maintenance");
	assert_has(pause.who, "root");
	assert_true(pause.since > 0 && !pause.until && !pause.touched);
	assert_has(paused(), "maintenance (root");
	assert_has(paused(), ", since 20");
	assert_has(paused(), "Z); `reconcile resume` ends it");
	assert_int_equal(resume(&err), 0);
	assert_null(paused());
	assert_int_equal(resume(&err), 0); /* once more is fine */
}

static void one_with_an_end_says_when(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	char stamp[24];

	begin("a disk is changed", 3600, false);
	struct pause pause = look();

	assert_true(pause.until - pause.since >= 3599 && pause.until - pause.since <= 3601);
	assert_has(paused(), arena_printf(node.arena, ", until %s)", clock_stamp(pause.until, stamp)));
	begin("another one", 60, true);
	pause = look();
	assert_string_equal(pause.reason, "another one");
	assert_true(pause.until - pause.since >= 58 && pause.until - pause.since <= 60);
	/* The very time that was asked for, however long it took to get here. */
	const struct pause_wish late = {.reason = "r", .until = clock_now() - 1};
	struct err err;

	assert_int_equal(pause_begin(&node.options, &late, node.arena, &err), -ERR_INPUT);
	assert_has(err.text, "has passed");
	assert_has(paused(), "another one");
}

/* Made at 1 000 000 s of the wall clock and 500 s of this boot, for an hour. */
static struct pause at(bool at_time, int64_t now, int64_t up, bool other_boot)
{
	struct pause pause;
	const char *text = arena_printf(
	    node.arena,
	    "{\"reconcile_pause\": 1, \"reason\": \"r\", \"who\": \"w\", \"since\": 1000000, "
	    "\"until\": 1003600, \"at_time\": %s, \"since_ms\": 500000, \"boot_id\": \"%s\"}",
	    at_time ? "true" : "false", boot);

	const struct pause_moment at = {now, up * 1000, other_boot ? "other" : boot};

	pause_parse(text, strlen(text), &at, node.arena, &pause);
	assert_true(pause.paused != pause.is_over);
	return pause;
}

static void a_span_is_what_passes_whatever_the_wall_clock_says(void **state)
{
	(void)state;
	assert_true(at(false, 1000010, 510, false).paused);
	assert_true(at(false, 1003599, 4099, false).paused);
	assert_true(at(false, 1003600, 4100, false).is_over);
	/* The clock jumps ahead, or back. */
	assert_true(at(false, 9999999, 510, false).paused);
	assert_int_equal(at(false, 9999999, 510, false).until, 9999999 + 3590);
	assert_true(at(false, 5, 510, false).paused);
	assert_int_equal(at(false, 5, 510, false).until, 5 + 3590);
	assert_true(at(false, 5, 4100, false).is_over);
}

static void a_time_of_day_comes_with_the_wall_clock_and_after_the_span_at_the_latest(void **state)
{
	(void)state;
	assert_int_equal(at(true, 1000010, 510, false).until, 1003600);
	assert_true(at(true, 1003600, 4100, false).is_over);
	assert_true(at(true, 1003600, 510, false).is_over); /* jumped ahead */
	assert_true(at(true, 5, 510, false).paused);
	assert_int_equal(at(true, 5, 510, false).until, 5 + 3590);
	assert_true(at(true, 5, 4100, false).is_over); /* jumped back: no longer than meant */
}

static void after_a_reboot_the_wall_clock_tells_and_the_boot_bounds_it(void **state)
{
	(void)state;
	for (int at_time = 0; at_time < 2; at_time++) {
		assert_true(at(at_time, 1003599, 20, true).paused);
		assert_true(at(at_time, 1003600, 20, true).is_over);
		assert_true(at(at_time, 5, 20, true).paused); /* no clock yet */
		assert_true(at(at_time, 5, 3599, true).paused);
		assert_true(at(at_time, 5, 3600, true).is_over);
	}
}

static struct pause of_text(const char *text)
{
	const struct pause_moment at = {1000, 1000, boot};
	struct pause pause;

	pause_parse(text, strlen(text), &at, node.arena, &pause);
	return pause;
}

static void damage_never_resumes(void **state)
{
	(void)state;
	static const char *const damaged[] = {
	    "{",
	    "{}",
	    "{\"reconcile_pause\": 2, \"until\": 5}",
	    "{\"reconcile_pause\": 1, \"until\": 5, \"since\": 900",
	    "{\"reconcile_pause\": \"1\", \"since\": 1, \"until\": 2}",
	};

	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		struct pause pause = of_text(damaged[i]);

		assert_true(pause.paused);
		assert_int_equal(pause.until, 0);
		assert_string_equal(pause.reason, "the file that says so is damaged");
	}
	/* An end that makes no sense is none. */
	assert_true(of_text("{\"reconcile_pause\": 1, \"since\": 900, \"until\": 800}").paused);
	assert_true(of_text("{\"reconcile_pause\": 1, \"until\": 800}").paused);
	assert_true(of_text("{\"reconcile_pause\": 1, \"since\": 900, \"until\": \"800\"}").paused);
}

static void what_earlier_versions_wrote_is_read(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	scratch_mkdir(node_path("state"), 0700);
	scratch_write(node_path("state/pause"), "maintenance (root, 2026-11-21T08:00:00Z)", 0600);
	assert_string_equal(paused(),
	                    "maintenance (root, 2026-11-21T08:00:00Z); `reconcile resume` ends it");
	assert_int_equal(resume(&err), 0);
	assert_null(paused());
}

static void an_empty_pause_file_is_a_pause(void **state)
{
	(void)state;
	scratch_mkdir(node_path("state"), 0700);
	scratch_write(node_path("state/pause"), "", 0600);
	assert_string_equal(paused(), "no reason was given; `reconcile resume` ends it");
}

static void a_pause_that_cannot_be_read_is_a_pause(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();

	scratch_mkdir(node_path("state"), 0700);
	scratch_mkdir(node_path("state/pause"), 0700);
	assert_has(paused(), node_path("state/pause"));
	assert_int_equal(rmdir(node_path("state/pause")), 0);
	scratch_write(node_path("state/pause"), arena_printf(node.arena, "%070000d", 0), 0600);
	assert_has(paused(), node_path("state/pause"));
}

static void a_touched_file_pauses_as_well_and_is_not_resumed_by_us(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct err err;

	assert_int_equal(mkdir("/etc/reconcile", 0755), 0);
	scratch_write("/etc/reconcile/PAUSE", "", 0644);
	assert_has(paused(), "/etc/reconcile/PAUSE is there (since 20");
	assert_has(paused(), "`rm /etc/reconcile/PAUSE` ends it");
	assert_true(look().touched);
	assert_int_equal(resume(&err), -ERR_INPUT);
	assert_has(err.text, "remove it first");
	/* Any text in it is the reason, in one line. */
	scratch_write("/etc/reconcile/PAUSE", "the rack\nis moved\033\n\n", 0644);
	assert_has(paused(), "/etc/reconcile/PAUSE is there: the rack is moved\\x1b (since 20");
	assert_int_equal(unlink("/etc/reconcile/PAUSE"), 0);
	assert_int_equal(mkdir("/etc/reconcile/PAUSE", 0755), 0);
	assert_true(look().paused); /* whatever it is */
	assert_int_equal(rmdir("/etc/reconcile/PAUSE"), 0);
	assert_int_equal(rmdir("/etc/reconcile"), 0);
	assert_null(paused());
}

static void without_permission_it_is_said_that_it_cannot_be_seen(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct pause_wish wish = {.reason = "x"};
	struct err err, err_resume;

	begin("maintenance", 0, false);
	assert_int_equal(seteuid(1234), 0);
	struct pause pause = look();
	int refused = pause_begin(&node.options, &wish, node.arena, &err);
	int kept = resume(&err_resume);

	assert_int_equal(seteuid(0), 0);
	assert_false(pause.paused);
	assert_non_null(pause.unseen);
	assert_has(pause.unseen, "Permission denied");
	assert_int_equal(refused, -ERR_INPUT);
	assert_string_equal(err.text, "pause needs root");
	assert_int_equal(kept, -ERR_INPUT);
	assert_string_equal(err_resume.text, "resume needs root");
}

static void a_plan_says_that_the_node_is_paused(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();

	node_wants("resources:\n  - {kind: directory, path: $/d}\n");
	begin("maintenance", 0, false);
	assert_has(node_plan()->paused, "maintenance");
}

static void the_next_run_goes_on_after_the_end_and_forgets_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("resources:\n  - {kind: directory, path: $/d}\n");
	begin("maintenance", 3600, false);
	assert_int_equal(node_apply(NULL), 7);
	assert_has(node.result.paused, "maintenance (root");
	assert_true(node_noted("paused: maintenance"));
	node_close();
	scratch_write(node_path("state/pause"),
	              "{\"reconcile_pause\": 1, \"reason\": \"long ago\", \"who\": \"root\", "
	              "\"since\": 1000000, \"until\": 1003600, \"boot_id\": \"x\"}",
	              0600);
	assert_null(node_plan()->paused);
	assert_true(node_has("state/pause")); /* plan writes nothing */
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_noted("the pause of root (long ago) ended at 1970-01-12T14:46:40Z"));
	assert_false(node_has("state/pause"));
}

static void pause_now(void)
{
	begin("stop at once", 0, false);
}

static void a_run_under_way_goes_no_further(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	node_wants("resources:\n  - {kind: directory, path: $/d}\n");
	node.disturb = pause_now;
	assert_int_equal(node_apply(NULL), 7);
	assert_false(node_has("d"));
	assert_true(node_noted("broken off: paused: stop at once"));
	assert_int_equal(node.result.plan->steps[0].outcome, OUTCOME_SKIPPED);
	node_close();
	assert_has(node_run(1), "\"exit_code\":7");
	assert_has(node_run(1), "paused: stop at once");
	node.disturb = NULL;
	node.options.ignore_pause = true;
	assert_int_equal(node_apply(NULL), 0);
	assert_true(node_has("d"));
}

static void as_a_value_it_says_all_or_that_there_is_none(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct pause pause = look();
	struct value v = pause_to_value(node.arena, &pause);

	assert_false(value_truth(&v, "paused", true));
	assert_null(value_text(&v, "reason"));
	begin("maintenance", 3600, false);
	pause = look();
	v = pause_to_value(node.arena, &pause);
	assert_true(value_truth(&v, "paused", false));
	assert_string_equal(value_text(&v, "reason"), "maintenance");
	assert_has(value_text(&v, "who"), "root");
	assert_int_equal(value_number(&v, "until", 0) - value_number(&v, "since", 0),
	                 pause.until - pause.since);
	assert_string_equal(value_text(&v, "file"), node_path("state/pause"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(a_pause_holds_until_somebody_resumes),
	    node_test(one_with_an_end_says_when),
	    node_test(a_span_is_what_passes_whatever_the_wall_clock_says),
	    node_test(a_time_of_day_comes_with_the_wall_clock_and_after_the_span_at_the_latest),
	    node_test(after_a_reboot_the_wall_clock_tells_and_the_boot_bounds_it),
	    node_test(damage_never_resumes),
	    node_test(what_earlier_versions_wrote_is_read),
	    node_test(an_empty_pause_file_is_a_pause),
	    node_test(a_pause_that_cannot_be_read_is_a_pause),
	    node_test(a_touched_file_pauses_as_well_and_is_not_resumed_by_us),
	    node_test(without_permission_it_is_said_that_it_cannot_be_seen),
	    node_test(a_plan_says_that_the_node_is_paused),
	    node_test(the_next_run_goes_on_after_the_end_and_forgets_it),
	    node_test(a_run_under_way_goes_no_further),
	    node_test(as_a_value_it_says_all_or_that_there_is_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
