// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "provider/ownership.h"

#include <string.h>
#include <unistd.h>

static void what_is_not_wanted_is_roots(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct ownership nothing = {0}, some = {.mode = "4711", .group = "daemon"};
	struct ownership_ids ids;

	assert_int_equal(ownership_resolve(&nothing, 0644, &ids, &err), 0);
	assert_int_equal(ids.mode, 0644);
	assert_int_equal(ids.uid, 0);
	assert_int_equal(ids.gid, 0);
	assert_false(ids.foreign);
	assert_int_equal(ownership_resolve(&some, 0644, &ids, &err), 0);
	assert_int_equal(ids.mode, 04711);
	assert_int_not_equal(ids.gid, 0);
	assert_true(ids.foreign);
}

static void a_user_has_one_name_whichever_is_wanted(void **state)
{
	(void)state;
	struct file_look look = {.uid = 1, .gid = 0};
	struct ownership by_number = {.owner = "1", .group = "0"}, by_name = {.owner = "daemon"};
	struct ownership other = {.owner = "nobody-at-all", .group = "7"}, nothing = {0};
	const char *owner, *group;

	ownership_name(&look, &by_number, arena, &owner, &group);
	assert_string_equal(owner, "1");
	assert_string_equal(group, "0");
	ownership_name(&look, &by_name, arena, &owner, &group);
	assert_string_equal(owner, "daemon");
	assert_string_equal(group, "root");
	ownership_name(&look, &other, arena, &owner, &group);
	assert_string_equal(owner, "daemon");
	assert_string_equal(group, "root");
	ownership_name(&look, &nothing, arena, &owner, &group);
	assert_string_equal(owner, "daemon");
}

static void an_owner_that_does_not_exist_is_an_error(void **state)
{
	(void)state;
	struct ownership wanted = {.owner = "nobody-at-all"};
	struct ownership_ids ids;

	assert_int_equal(ownership_resolve(&wanted, 0644, &ids, &err), -ERR_INPUT);
}

static void a_missing_folder_above_is_busy(void **state)
{
	(void)state;

	assert_int_equal(ownership_need_parent(&host, scratch_path("x"), arena, &err), 0);
	assert_int_equal(ownership_need_parent(&host, scratch_path("no/x"), arena, &err), -ERR_BUSY);
	assert_int_equal(ownership_need_parent(&host, "/", arena, &err), 0);
}

static void what_is_right_is_not_touched(void **state)
{
	(void)state;
	struct ownership wanted = {.mode = "0640"};

	scratch_write(scratch_path("f"), "x", 0640);
	uint64_t stamp = scratch_stamp(scratch_path("f"));

	assert_int_equal(ownership_mend(&host, scratch_path("f"), &wanted, &err), 0);
	assert_true(scratch_stamp(scratch_path("f")) == stamp);
}

static void a_prediction_takes_wish_then_past_then_default(void **state)
{
	(void)state;
	struct ownership had = {.mode = "0700", .owner = "daemon", .group = "bin"};
	const char *mode = NULL, *owner = "nobody", *group = NULL;

	ownership_predict(&had, true, "0644", &mode, &owner, &group);
	assert_string_equal(mode, "0700");
	assert_string_equal(owner, "nobody");
	assert_string_equal(group, "bin");
	mode = owner = group = NULL;
	ownership_predict(&had, false, "0644", &mode, &owner, &group);
	assert_string_equal(mode, "0644");
	assert_string_equal(owner, "root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_not_wanted_is_roots),
	    TEST(an_owner_that_does_not_exist_is_an_error),
	    TEST(a_missing_folder_above_is_busy),
	    TEST(what_is_right_is_not_touched),
	    TEST(a_prediction_takes_wish_then_past_then_default),
	    TEST(a_user_has_one_name_whichever_is_wanted),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
