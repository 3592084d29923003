// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/host_inner.h"

#include <string.h>

static void every_operation_is_there(void **state)
{
	(void)state;
	void *operations[sizeof host_linux_ops / sizeof(void *)];

	memcpy(operations, &host_linux_ops, sizeof operations);
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		assert_non_null(operations[i]);
	}
}

static void what_was_never_read_can_be_forgotten(void **state)
{
	(void)state;
	host_forget(&host);
	host_done(&host);
	assert_null(host.cache);
}

static void a_program_is_run_and_heard(void **state)
{
	(void)state;
	const char *argv[] = {"echo", "here", NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 10000};
	struct child_result result;

	assert_int_equal(host.ops->run(&host, &command, &result, &err), 0);
	assert_int_equal(result.status, 0);
	assert_string_equal(str_text(&result.out), "here\n");
	child_result_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_operation_is_there),
	    TEST(what_was_never_read_can_be_forgotten),
	    TEST(a_program_is_run_and_heard),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
