// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/allow.h"

static struct allowed_list list;
static struct err err;

static int put(const char *release, int64_t until)
{
	const struct allowed allowed = {
	    .release = release, .reason = "why", .who = "root", .since = clock_now(), .until = until};

	return allow_put(&node.options, &allowed, node.arena, &err);
}

static size_t in_force(int64_t now)
{
	assert_int_equal(allow_read(node.options.state_dir, now, node.arena, &list, &err), 0);
	return list.count;
}

static void an_override_holds_until_its_end(void **state)
{
	const int64_t now = clock_now();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(in_force(now), 0);
	assert_int_equal(put("6.8.0-1042-aws", now + 60), 0);
	assert_int_equal(put("6.8.0-1043-aws", now + 120), 0);
	assert_int_equal(in_force(now), 2);
	assert_string_equal(allow_find(&list, "6.8.0-1042-aws")->reason, "why");
	assert_null(allow_find(&list, "6.8.0-1044-aws"));
	assert_int_equal(in_force(now + 60), 1);
	assert_int_equal(in_force(now + 120), 0);
}

static void a_second_one_of_a_kernel_replaces_the_first(void **state)
{
	const int64_t now = clock_now();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(put("6.8.0-1042-aws", now + 60), 0);
	assert_int_equal(put("6.8.0-1042-aws", now + 600), 0);
	assert_int_equal(in_force(now + 100), 1);
	assert_int_equal(allow_remove(&node.options, "6.8.0-1042-aws", node.arena, &err), 0);
	assert_int_equal(in_force(now), 0);
	assert_int_equal(allow_remove(&node.options, "6.8.0-1042-aws", node.arena, &err), -ERR_INPUT);
}

static void a_damaged_list_allows_nothing_and_says_so(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"reconcile_allow\": 2, \"allowed\": []}",
	                                    "{\"reconcile_allow\": 1, \"allowed\": [{\"kernel\": 1}]}"};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mkdir(node.options.state_dir, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		scratch_write(node_path("state/allow.json"), texts[i], 0600);
		assert_int_equal(allow_read(node.options.state_dir, 0, node.arena, &list, &err),
		                 -ERR_INPUT);
	}
}

static void it_is_recorded_in_the_history(void **state)
{
	struct value runs;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	node.engine = engine_open(&node.options, &node.watch);
	allow_record(node.engine, "allow kernel x until then: why");
	assert_int_equal(store_runs(node.engine->store, node.arena, 1, &runs, &err), 0);
	assert_int_equal(runs.count, 1);
	assert_string_equal(value_text(&runs.items[0], "command"), "allow kernel x until then: why");
	assert_string_equal(value_text(&runs.items[0], "status"), "ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_override_holds_until_its_end, node_setup, node_teardown),
	    cmocka_unit_test_setup_teardown(a_second_one_of_a_kernel_replaces_the_first, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(a_damaged_list_allows_nothing_and_says_so, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(it_is_recorded_in_the_history, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
