// SPDX-License-Identifier: MIT
/* What can be seen of loading without loading anything: tests/vm loads. */
#include "unit/support/scratch.h"

#include "host/host_inner.h"

#include <errno.h>
#include <string.h>

static struct arena *arena;
static struct host host;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	host_init(&host, &host_linux_ops, arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_done(&host);
	arena_free(arena);
	return 0;
}

static void what_no_index_names_is_not_loaded(void **state)
{
	const struct module_request request = {.name = "no_such_module"};
	struct module_done done = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(modules_load(&host, &request, &done, &err), -ERR_HOST);
	if (strstr(err.text, "libkmod")) {
		skip();
	}
	assert_non_null(strstr(err.text, "names no module no_such_module"));
}

static void what_is_not_there_is_not_unloaded(void **state)
{
	struct module_done done = {0};
	struct err err = {0};

	(void)state;
	if (modules_load_undo(&host, "no_such_module", &done, &err)) {
		assert_non_null(strstr(err.text, "libkmod"));
		skip();
	}
	assert_true(done.error != 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_no_index_names_is_not_loaded),
	    TEST(what_is_not_there_is_not_unloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
