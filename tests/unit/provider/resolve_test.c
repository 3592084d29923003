// SPDX-License-Identifier: MIT
#include "provider/resolve.h"

#include "unit/provider/observing.h"

static struct host host;

static int open_host(void **state)
{
	observing_setup(state);
	host_init(&host, &host_linux_ops, arena);
	return 0;
}

static int close_host(void **state)
{
	host_done(&host);
	return observing_teardown(state);
}

static const char *source(const char *text, const char *type)
{
	const char *resolved;
	struct err err;

	if (resolve_source(&host, text, type, arena, &resolved, &err)) {
		fail_msg("%s", err.text);
	}
	return resolved;
}

static void an_address_is_its_own(void **state)
{
	struct list list;
	const char *why;
	struct err err;

	(void)state;
	assert_int_equal(resolve_host(&host, "10.1.30.23", arena, &list, &why, &err), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0], "10.1.30.23");
	assert_null(why);
}

static void a_name_nobody_knows_has_none_and_a_reason(void **state)
{
	struct list list;
	const char *why;
	struct err err;

	(void)state;
	assert_int_equal(resolve_host(&host, "no-such-host.invalid", arena, &list, &why, &err), 0);
	assert_int_equal(list.count, 0);
	assert_has(why, "no-such-host.invalid");
}

static void servers_of_a_source_are_replaced_one_by_one(void **state)
{
	(void)state;
	assert_string_equal(source("10.0.0.1@tcp,10.0.0.2@o2ib:10.0.0.3@tcp:/fs/sub", "lustre"),
	                    "10.0.0.1@tcp,10.0.0.2@o2ib:10.0.0.3@tcp:/fs/sub");
	assert_has(source("localhost@tcp:/fs", "lustre"), "@tcp:/fs");
	assert_null(strstr(source("localhost@tcp:/fs", "lustre"), "localhost"));
	assert_has(source("localhost:/export", "nfs4"), ":/export");
	assert_null(source("no-such-host.invalid@tcp:/fs", "lustre"));
	assert_null(source("tmpfs", "tmpfs"));
	assert_null(source("", "lustre"));
	assert_null(source("[fd00::1]:/export", "nfs"));
}

#define HOSTED(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HOSTED(an_address_is_its_own),
	    HOSTED(a_name_nobody_knows_has_none_and_a_reason),
	    HOSTED(servers_of_a_source_are_replaced_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
