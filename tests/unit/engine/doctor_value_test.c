// SPDX-License-Identifier: MIT
#include "recorded.h"

static void json_holds_what_was_found(void **state)
{
	(void)state;
	struct doctor *d =
	    recorded_doctor(KERNEL("6.8.0-1042-aws", "6.8.0-1042-aws") "," NOT_NEW "," UNMOUNTED(
	        "") ",{\"kind\": \"rival\", \"key\": \"x.service\", "
	            "\"state\": \"present\", \"means\": \"timer\", "
	            "\"does\": \"mount /lustre\"}");
	struct value v = doctor_to_value(node.arena, d);

	assert_string_equal(value_text(&v, "health"), "CRITICAL");
	assert_int_equal(value_number(&v, "exit_code", -1), 2);
	assert_string_equal(value_text(&v, "node"), "n");
	const struct value *mount = &value_get(&v, "mounts")->items[0];

	assert_string_equal(value_text(mount, "standing"), "NOT MOUNTED");
	assert_string_equal(value_text(mount, "module"), "lustre");
	assert_int_equal(value_get(mount, "size")->type, VALUE_NULL);
	assert_true(value_truth(&value_get(&v, "kernels")->items[0], "running", false));
	assert_string_equal(value_text(&value_get(&v, "modules")->items[0], "verdict"), "no");
	assert_string_equal(value_text(&value_get(&v, "rivals")->items[0], "kind"), "timer");
	assert_int_equal(value_get(&v, "index_age")->type, VALUE_NULL);
	assert_int_equal(value_get(&v, "next_boot")->type, VALUE_MAP);
	assert_int_equal(value_get(&v, "run_next")->count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(json_holds_what_was_found),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
