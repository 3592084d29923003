// SPDX-License-Identifier: MIT
#include "capture.h"

#include "cli/render.h"

#include <stdlib.h>

static struct arena *arena;
static struct plan plan;
static struct step steps[8];
static struct str text;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	plan = (struct plan){
	    .basis = {.node = "n1", .identity = "--node", .tree_path = "/tree", .mode = "safe"},
	    .steps = steps,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	str_free(&text);
	arena_free(arena);
	return 0;
}

static const struct origin *origin(const char *reason)
{
	struct origin *o = arena_alloc(arena, sizeof *o);

	*o = (struct origin){
	    .policy = "resources",
	    .lua = {"policies/resources.lua", 9, 0},
	    .yaml = {"state/nodes/n1.yaml", 4, 5},
	    .reason = reason,
	};
	return o;
}

static struct step *add(enum kind_id kind, const char *key, enum action action,
                        enum outcome outcome)
{
	struct step *step = &steps[plan.step_count++];

	*step = (struct step){
	    .want = resource_create(arena, &kind_table[kind], key),
	    .id = resource_id(arena, &kind_table[kind], key),
	    .action = action,
	    .outcome = outcome,
	    .origins = origin("wanted by resources"),
	    .origin_count = 1,
	};
	return step;
}

static struct resource *want_of(struct step *step)
{
	struct resource *want = resource_copy(arena, step->want);

	step->want = want;
	return want;
}

static const char *shown(bool all)
{
	str_clear(&text);
	render_plan(&text, false, &plan, all);
	return str_text(&text);
}

static void a_create_shows_what_it_will_be(void **state)
{
	(void)state;
	struct step *step = add(KIND_DIRECTORY, "/srv/data", ACTION_CREATE, OUTCOME_CHANGE);
	struct resource *want = want_of(step);

	want->directory.mode = "0750";
	want->directory.owner = "root";
	differences_add(arena, &step->differences, "state", "absent", "present");
	assert_string_equal(shown(false), "Node n1 (named by --node), tree /tree, mode safe\n"
	                                  "\n"
	                                  "  + directory /srv/data  create\n"
	                                  "      mode     0750\n"
	                                  "      owner    root\n"
	                                  "      because  wanted by resources\n"
	                                  "      policy   resources (policies/resources.lua:9)\n"
	                                  "      wanted   state/nodes/n1.yaml:4:5\n"
	                                  "\n"
	                                  "Plan: 1 to change.\n");
}

static void a_change_shows_from_what_to_what(void **state)
{
	(void)state;
	struct step *step = add(KIND_MOUNT, "/fsx", ACTION_UPDATE, OUTCOME_CHANGE);

	step->marks = MARK_DISRUPTIVE;
	differences_add(arena, &step->differences, "options", "noatime", "relatime,flock");
	differences_add(arena, &step->differences, "fstab_options", NULL, "flock");
	assert_string_equal(shown(false), "Node n1 (named by --node), tree /tree, mode safe\n"
	                                  "\n"
	                                  "  ~ mount /fsx  change  [disruptive]\n"
	                                  "      options        noatime → relatime,flock\n"
	                                  "      fstab_options  not set → flock\n"
	                                  "      because        wanted by resources\n"
	                                  "      policy         resources (policies/resources.lua:9)\n"
	                                  "      wanted         state/nodes/n1.yaml:4:5\n"
	                                  "\n"
	                                  "Plan: 1 to change.\n");
}

static void a_remove_is_plain_to_see(void **state)
{
	(void)state;
	struct step *step = add(KIND_FILE, "/etc/old", ACTION_REMOVE, OUTCOME_CHANGE);
	struct origin *prune = arena_alloc(arena, sizeof *prune);

	*prune = (struct origin){.policy = "--prune", .reason = "nothing wants it any more"};
	step->origins = prune;
	differences_add(arena, &step->differences, "state", "present", "absent");
	assert_has(shown(false), "  - file /etc/old  remove\n"
	                         "      state    present → absent\n"
	                         "      because  nothing wants it any more\n"
	                         "      policy   --prune\n"
	                         "\n");
}

static void what_is_not_done_says_why(void **state)
{
	(void)state;
	add(KIND_MOUNT, "/a", ACTION_NONE, OUTCOME_BLOCKED)->why = "no module\nfor this kernel";
	add(KIND_MOUNT, "/b", ACTION_NONE, OUTCOME_UNDETERMINED)->why = "it does not answer";
	add(KIND_MOUNT, "/c", ACTION_NONE, OUTCOME_PENDING)->why = "a reboot is needed";
	add(KIND_MOUNT, "/d", ACTION_NONE, OUTCOME_SKIPPED)->why = "not selected by --only";
	const char *out = shown(false);

	assert_has(out, "  ! mount /a  blocked\n"
	                "      why not  no module\n"
	                "               for this kernel\n"
	                "      because  wanted by resources\n");
	assert_has(out, "  ? mount /b  undetermined\n      why not  it does not answer\n");
	assert_has(out, "  … mount /c  pending\n      why not  a reboot is needed\n");
	assert_has(out, "  · mount /d  skipped\n      why not  not selected by --only\n");
	assert_has(out, "Plan: 1 blocked, 1 pending, 1 undetermined, 1 skipped.\n");
}

static void what_is_in_sync_shows_only_when_asked(void **state)
{
	(void)state;
	add(KIND_DIRECTORY, "/d", ACTION_NONE, OUTCOME_KEPT);
	assert_string_equal(shown(false), "Node n1 (named by --node), tree /tree, mode safe\n"
	                                  "\n"
	                                  "Plan: 1 in sync.\n");
	assert_has(shown(true), "  = directory /d  in sync\n");
}

static void nothing_wanted_is_said(void **state)
{
	(void)state;
	assert_has(shown(false), "Plan: nothing is wanted on this node.\n");
}

static void what_lies_on_a_mount_to_come_shows_what_is_wanted(void **state)
{
	(void)state;
	struct step *step = add(KIND_DIRECTORY, "/m/d", ACTION_UPDATE, OUTCOME_CHANGE);

	want_of(step)->directory.mode = "0700";
	step->marks = MARK_AFTER_MOUNT;
	differences_add(arena, &step->differences, "state", "known after mount", "present");
	assert_has(shown(false), "  ~ directory /m/d  change  [known after mount]\n"
	                         "      mode     0700\n"
	                         "      because");
}

static void a_block_shows_once_and_without_a_step_by_itself(void **state)
{
	(void)state;
	struct note notes[] = {
	    {.rule = "no-module", .resource = "mount:/a", .origin = *origin("no module")},
	    {.rule = "no-package", .resource = "module:m", .origin = *origin("not published")},
	    {.rule = "kernel-moved", .origin = *origin("it moved")},
	};

	add(KIND_MOUNT, "/a", ACTION_NONE, OUTCOME_BLOCKED)->why = "no module";
	plan.blocks = notes;
	plan.block_count = ARRAY_LEN(notes);
	const char *out = shown(false);

	assert_null(strstr(out, "no-module"));
	assert_has(out, "  ! no-package: module:m\n      because  not published\n");
	assert_has(out, "  ! kernel-moved\n      because  it moved\n");
	assert_has(out, "Plan: 3 blocked.\n");
}

static void warnings_and_what_is_undecided_show(void **state)
{
	(void)state;
	struct note warning = {.rule = "old", .resource = "mount:/a", .origin = *origin("it is old")};
	struct undecided item = {
	    .item = "mounts./fsx", .fact = "mount:/fsx", .origin = *origin("it hangs")};

	plan.warnings = &warning;
	plan.warning_count = 1;
	plan.undecided = &item;
	plan.undecided_count = 1;
	assert_has(shown(false), "  ? mounts./fsx could not be decided: mount:/fsx is undetermined\n"
	                         "      because  it hangs\n");
	assert_has(shown(false), "  w warning: old: mount:/a\n      because  it is old\n");
	assert_has(shown(false), "Plan: 1 undetermined.\n");
}

static void conditions_and_orphans_show(void **state)
{
	(void)state;
	struct orphan orphans[] = {{.id = "file:/a", .made_at = 0, .run = 7}};

	plan.orphans = orphans;
	plan.orphan_count = 1;
	plan.unproven = "a policy read X";
	plan.more = 2;
	plan.paused = "maintenance";
	plan.lock_holder = "process 7 (run)";
	plan.basis.stale_tree = true;
	plan.basis.stale_reason = "it is broken";
	assert_has(shown(false),
	           "Made by reconcile, and nothing wants it any more (`apply --prune` takes "
	           "it away):\n"
	           "  file:/a  (run 7, 1970-01-01T00:00:00Z)\n");
	assert_has(shown(false), "Unproven: a policy read X; plan again afterwards.\n");
	assert_has(shown(false), "A further pass will have 2 more to do.\n");
	assert_has(shown(false), "This node is paused: maintenance.\n");
	assert_has(shown(false), "Another run is under way: process 7 (run).\n");
	assert_has(shown(false), "  ! The tree is not used (it is broken): this is the last good one, "
	                         "which last served at 1970-01-01T00:00:00Z.\n");
}

static void a_stale_tree_is_told_with_the_result_also_when_the_plan_was_shown(void **state)
{
	(void)state;
	const struct render_end end = {.plan = &plan, .run = 3, .shown = true};
	AUTO(str_free) struct str s = {0};

	add(KIND_DIRECTORY, "/d", ACTION_CREATE, OUTCOME_CHANGED);
	plan.basis.stale_tree = true;
	plan.basis.stale_reason = "it is broken";
	render_result(&s, false, &end);
	assert_has(str_text(&s), "  ! The tree is not used (it is broken): this is the last good one");
	assert_has(str_text(&s), "Applied: 1 changed, 1 blocked (run 3).\n");
}

static void names_are_aligned_to_the_widest_but_not_to_one_that_is_far_too_long(void **state)
{
	(void)state;
	char far_too_long[100] = "/";
	AUTO(str_free) struct str s = {0};

	memset(far_too_long + 1, 'x', 80);
	assert_int_equal(render_width(&plan), 0);
	add(KIND_DIRECTORY, "/d", ACTION_CREATE, OUTCOME_CHANGE);
	struct step *step = add(KIND_DIRECTORY, "/longer", ACTION_CREATE, OUTCOME_CHANGE);

	assert_int_equal(render_width(&plan), strlen("directory /longer"));
	add(KIND_DIRECTORY, far_too_long, ACTION_CREATE, OUTCOME_CHANGE);
	add(KIND_DIRECTORY, "/in/sync/and/longer", ACTION_NONE, OUTCOME_KEPT);
	size_t width = render_width(&plan);

	assert_int_equal(width, strlen("directory /longer"));
	step->outcome = OUTCOME_CHANGED;
	render_done(&s, false, step, width + 2);
	assert_string_equal(str_text(&s), "  ✓ directory /longer    changed\n");
}

static void colour_changes_nothing_but_colour(void **state)
{
	(void)state;
	AUTO(str_free) struct str coloured = {0}, without = {0};

	add(KIND_DIRECTORY, "/d", ACTION_CREATE, OUTCOME_CHANGE);
	add(KIND_MOUNT, "/m", ACTION_NONE, OUTCOME_BLOCKED)->why = "no";
	render_plan(&coloured, true, &plan, true);
	assert_has(str_text(&coloured), "\033[32m+\033[0m \033[1mdirectory /d\033[0m");
	for (const char *p = str_text(&coloured); *p; p++) {
		if (*p == '\033') {
			p = strchr(p, 'm');
		} else {
			str_addc(&without, *p);
		}
	}
	assert_string_equal(str_text(&without), shown(true));
}

static void nothing_from_outside_is_shown_raw(void **state)
{
	(void)state;
	struct step *step = add(KIND_FILE, "/a\033[2J", ACTION_UPDATE, OUTCOME_CHANGE);
	struct note block = {.rule = "r\033[2J", .origin = *origin("why\033[2J")};

	step->detail = "tool says\033[2J";
	differences_add(arena, &step->differences, "content", "a\033[2J", "b\r");
	plan.blocks = &block;
	plan.block_count = 1;
	assert_null(strchr(shown(false), '\033'));
	assert_null(strchr(shown(false), '\r'));
	assert_has(shown(false), "/a\\x1b[2J");
	assert_has(shown(false), "r\\x1b[2J");
}

static void what_a_tool_said_stands_under_its_own_column(void **state)
{
	(void)state;
	struct step *step = add(KIND_MOUNT, "/m", ACTION_CREATE, OUTCOME_FAILED);

	step->why = "mount failed";
	step->detail = "line one\nline two\n";
	assert_has(shown(false), "  ✗ mount /m  failed\n"
	                         "      why not  mount failed\n"
	                         "      output   line one\n"
	                         "               line two\n"
	                         "      because");
}

static const char *result(const struct plan *after, int64_t run, bool was_shown)
{
	const struct render_end end = {&plan, after, run, was_shown};

	str_clear(&text);
	render_result(&text, false, &end);
	return str_text(&text);
}

static void a_result_names_what_did_not_go_well(void **state)
{
	(void)state;
	struct undecided item = {.item = "mounts./x", .fact = "mount:/x", .origin = *origin("hangs")};

	add(KIND_DIRECTORY, "/good", ACTION_CREATE, OUTCOME_CHANGED);
	add(KIND_MOUNT, "/bad", ACTION_CREATE, OUTCOME_FAILED)->why = "no such device";
	assert_null(strstr(result(NULL, 3, true), "/good"));
	assert_has(result(NULL, 3, true), "  ✗ mount /bad  failed\n      why not  no such device\n");
	assert_has(result(NULL, 3, true), "Applied: 1 changed, 1 failed (run 3).\n");
	assert_has(result(NULL, 0, true), "Applied: 1 changed, 1 failed.\n");
	/* What the shown plan did not say, the result says. */
	plan.undecided = &item;
	plan.undecided_count = 1;
	assert_null(strstr(result(NULL, 3, true), "could not be decided"));
	assert_has(result(NULL, 3, false), "mounts./x could not be decided");
}

static void what_is_left_for_a_further_pass_is_shown(void **state)
{
	(void)state;
	struct step left[1];
	struct plan after = {.steps = left, .step_count = 1};

	add(KIND_DIRECTORY, "/next", ACTION_CREATE, OUTCOME_CHANGE);
	left[0] = steps[0];
	plan.step_count = 0;
	assert_has(result(&after, 1, true), "Planned once more afterwards, there is more to do:\n\n"
	                                    "  + directory /next  create\n");
}

static void a_line_of_progress_is_aligned(void **state)
{
	(void)state;
	struct step *step = add(KIND_FILE, "/ä", ACTION_CREATE, OUTCOME_CHANGED);

	step->duration_ms = 2300;
	render_done(&text, false, step, 12);
	assert_string_equal(str_text(&text), "  ✓ file /ä       changed in 2.3s\n");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_create_shows_what_it_will_be),
	    test(a_change_shows_from_what_to_what),
	    test(a_remove_is_plain_to_see),
	    test(what_is_not_done_says_why),
	    test(what_is_in_sync_shows_only_when_asked),
	    test(nothing_wanted_is_said),
	    test(what_lies_on_a_mount_to_come_shows_what_is_wanted),
	    test(a_block_shows_once_and_without_a_step_by_itself),
	    test(warnings_and_what_is_undecided_show),
	    test(conditions_and_orphans_show),
	    test(a_stale_tree_is_told_with_the_result_also_when_the_plan_was_shown),
	    test(names_are_aligned_to_the_widest_but_not_to_one_that_is_far_too_long),
	    test(colour_changes_nothing_but_colour),
	    test(nothing_from_outside_is_shown_raw),
	    test(what_a_tool_said_stands_under_its_own_column),
	    test(a_result_names_what_did_not_go_well),
	    test(what_is_left_for_a_further_pass_is_shown),
	    test(a_line_of_progress_is_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
