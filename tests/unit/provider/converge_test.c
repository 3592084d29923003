// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "unit/support/converging.h"

#include <string.h>

static struct resource *resource(enum kind_id kind, const char *key)
{
	return resource_create(arena, &kind_table[kind], key);
}

static void a_fact_cannot_be_wanted(void **state)
{
	(void)state;
	assert_int_equal(converge_check(resource(KIND_BOOT_ENTRY, "6.1"), &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "boot_entry"));
}

static void what_is_never_absent_cannot_be_wanted_so(void **state)
{
	(void)state;
	struct resource *want = resource(KIND_COMMAND, "x");

	want->state = STATE_ABSENT;
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "command:x"));
}

static void what_is_undetermined_is_never_in_sync(void **state)
{
	(void)state;
	struct resource *want = resource(KIND_FILE, "/x");
	struct verdict verdict;

	converge_diff(arena, want, resource_undetermined(arena, want->kind, "/x", "no answer"),
	              &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_UNDETERMINED);
	assert_string_equal(verdict.why, "no answer");
	assert_int_equal(verdict.action, ACTION_NONE);
}

static void what_this_version_cannot_change_is_blocked(void **state)
{
	(void)state;
	struct resource *want = resource(KIND_FILESYSTEM, "lustre");
	struct resource *have = resource(KIND_FILESYSTEM, "lustre");
	struct verdict verdict;

	have->state = STATE_ABSENT;
	converge_diff(arena, want, have, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_BLOCKED);
	assert_non_null(strstr(verdict.why, "not in this version"));
	assert_int_equal(verdict.differences.count, 1);
}

static void a_fault_of_the_machine_is_a_fact_that_is_not_known(void **state)
{
	(void)state;
	struct resource *have;

	host.ops = fault_host_table(1, FAULT_BEFORE);
	assert_int_equal(converge_observe(&host, &kind_table[KIND_FILE], scratch_path("f"), NULL, arena,
	                                  &have, &err),
	                 0);
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_non_null(strstr(have->why, "injected"));
}

static void what_became_right_meanwhile_is_not_touched(void **state)
{
	(void)state;
	const char *path = scratch_path("d");
	struct resource *want = resource(KIND_DIRECTORY, path);
	struct change change = {
	    .kind = want->kind,
	    .action = ACTION_CREATE,
	    .want = want,
	    .have = converging_observe(arena, want),
	};
	struct applied applied;

	scratch_mkdir(path, 0700);
	uint64_t stamp = scratch_stamp(path);

	assert_int_equal(converge_apply(&host, &change, arena, &applied, &err), 0);
	assert_int_equal(applied.outcome, OUTCOME_KEPT);
	assert_true(scratch_stamp(path) == stamp);
}

static void what_was_planned_as_an_update_below_a_mount_may_be_made(void **state)
{
	(void)state;
	const char *path = scratch_path("d");
	struct resource *want = resource(KIND_DIRECTORY, path);
	struct change change = {
	    .kind = want->kind,
	    .action = ACTION_UPDATE,
	    .want = want,
	    .have = resource(KIND_DIRECTORY, path),
	};
	struct applied applied;

	assert_int_equal(converge_apply(&host, &change, arena, &applied, &err), 0);
	assert_int_equal(applied.outcome, OUTCOME_CHANGED);
	assert_int_equal(converging_observe(arena, want)->state, STATE_PRESENT);
}

static void nothing_to_do_predicts_what_is_there(void **state)
{
	(void)state;
	struct resource *want = resource(KIND_FILE, "/x"), *have = resource(KIND_FILE, "/x");
	struct change change = {.kind = want->kind, .want = want, .have = have};
	bool exact = false;

	assert_ptr_equal(converge_predict(arena, &change, &exact), have);
	assert_true(exact);
}

static void a_singleton_lists_itself(void **state)
{
	(void)state;
	struct keys keys;

	assert_int_equal(converge_list(&host, &kind_table[KIND_NODE], arena, &keys, &err), 0);
	assert_int_equal(keys.count, 1);
	assert_string_equal(keys.list[0], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_fact_cannot_be_wanted),
	    TEST(what_is_never_absent_cannot_be_wanted_so),
	    TEST(what_is_undetermined_is_never_in_sync),
	    TEST(what_this_version_cannot_change_is_blocked),
	    TEST(a_fault_of_the_machine_is_a_fact_that_is_not_known),
	    TEST(what_became_right_meanwhile_is_not_touched),
	    TEST(what_was_planned_as_an_update_below_a_mount_may_be_made),
	    TEST(nothing_to_do_predicts_what_is_there),
	    TEST(a_singleton_lists_itself),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
