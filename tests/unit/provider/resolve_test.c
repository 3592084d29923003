// SPDX-License-Identifier: MIT
#include "provider/resolve.h"

#include "base/clock.h"

#include "unit/provider/answering.h"

#include <sys/mount.h>

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
	if (scratch_is_private()) {
		scratch_write("/etc/hosts", "127.0.0.1 localhost\n", 0644);
	}
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

/* All the servers of a source together have no more time than one observation can spare. */
static void a_resolver_that_is_slow_is_not_awaited_once_for_each_server(void **state)
{
	int64_t start = clock_ms();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mount("tmpfs", "/usr/local/sbin", "tmpfs", 0, "mode=0755"), 0);
	scratch_write("/usr/local/sbin/getent", "#!/bin/sh\nsleep 1\necho 10.0.0.1 STREAM x\n", 0755);
	assert_null(source("a@tcp:b@tcp:c@tcp:d@tcp:e@tcp:f@tcp:/fs", "lustre"));
	umount2("/usr/local/sbin", MNT_DETACH);
	assert_true(clock_ms() - start < 4000);
}

/* ---- Where the test is the resolver ---- */

#define ADDRESSES                                                      \
	"10.0.0.1        STREAM fs.example.org\n10.0.0.1        DGRAM  \n" \
	"10.0.0.1        RAW    \nfd00::1         STREAM \nno-address      STREAM \n\n"

static struct list addresses_of(const char *name, const char **ret_why)
{
	struct list list;
	struct err err;

	if (resolve_host(&answering_host, name, arena, &list, ret_why, &err)) {
		fail_msg("%s", err.text);
	}
	return list;
}

static const char *answered_source(const char *text, const char *type)
{
	const char *resolved;
	struct err err;

	if (resolve_source(&answering_host, text, type, arena, &resolved, &err)) {
		fail_msg("%s", err.text);
	}
	return resolved;
}

static void each_address_is_taken_once_and_nothing_else(void **state)
{
	const char *why;

	(void)state;
	ANSWER({.words = "getent", .out = ADDRESSES});
	struct list list = addresses_of("-fs", &why);

	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0], "10.0.0.1");
	assert_string_equal(list.items[1], "fd00::1");
	assert_null(why);
	/* Whatever it is called, it is no option. */
	assert_string_equal(str_text(&asked), "getent ahosts -- -fs\n");
	str_clear(&asked);
	assert_int_equal(addresses_of("fd00::1", &why).count, 1);
	assert_string_equal(str_text(&asked), "");
}

/* Half of an answer is none: the other half might be what counts. */
static void a_resolver_that_does_not_come_to_an_end_has_said_nothing(void **state)
{
	const char *why;

	(void)state;
	ANSWER({.words = "getent", .out = ADDRESSES, .timed_out = true});
	assert_int_equal(addresses_of("fs", &why).count, 0);
	assert_string_equal(why, "the resolver does not answer for fs");
	ANSWER({.words = "getent", .status = 2});
	assert_int_equal(addresses_of("fs", &why).count, 0);
	assert_string_equal(why, "there is no address for fs");
}

static void a_server_of_several_addresses_stands_with_all_of_them(void **state)
{
	(void)state;
	ANSWER({.words = "-- fs", .out = ADDRESSES});
	assert_string_equal(answered_source("fs@tcp1:10.0.0.9@tcp:/x", "lustre"),
	                    "10.0.0.1@tcp1,fd00::1@tcp1:10.0.0.9@tcp:/x");
}

/* Commas and colons part the servers of Lustre alone. */
static void nfs_has_one_server(void **state)
{
	(void)state;
	ANSWER({.words = "-- a,b", .out = "10.0.0.3 STREAM\n"});
	assert_string_equal(answered_source("a,b:/export", "nfs"), "10.0.0.3:/export");
	str_clear(&asked);
	assert_string_equal(answered_source("fd00::2:/export", "nfs"), "fd00::2:/export");
	assert_null(answered_source("[fd00::2]:/export", "nfs"));
	assert_string_equal(str_text(&asked), "");
}

#define HOSTED(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HOSTED(an_address_is_its_own),
	    HOSTED(a_name_nobody_knows_has_none_and_a_reason),
	    HOSTED(servers_of_a_source_are_replaced_one_by_one),
	    HOSTED(a_resolver_that_is_slow_is_not_awaited_once_for_each_server),
	    ANSWERED(each_address_is_taken_once_and_nothing_else),
	    ANSWERED(a_resolver_that_does_not_come_to_an_end_has_said_nothing),
	    ANSWERED(a_server_of_several_addresses_stands_with_all_of_them),
	    ANSWERED(nfs_has_one_server),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
