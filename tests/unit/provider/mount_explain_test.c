// SPDX-License-Identifier: MIT
#include "provider/mount_explain.h"

#include "unit/provider/observing.h"

#include <errno.h>

static const struct resource *of_type(const char *type, const char *source)
{
	return converging_want(
	    arena, arena_printf(arena,
	                        "{\"kind\": \"mount\", \"target\": \"/l\", \"source\": \"%s\", "
	                        "\"type\": \"%s\", \"manage\": \"live\"}",
	                        source, type));
}

static const struct resource *lustre(void)
{
	return of_type("lustre", "10.1.30.23@tcp:/czrc3amv");
}

static void says(const char *complaint, int os, const char *part)
{
	assert_has(mount_explain(arena, lustre(), complaint, os), part);
}

static void words_of_the_client_are_understood(void **state)
{
	(void)state;
	says("mount.lustre: mount x at /fsx failed: No such device\nAre the lustre modules loaded?", 0,
	     "module lustre is not loaded");
	says("failed: Invalid argument\nThis may have multiple causes.", 0, "Lustre 2.10");
	says("mount.lustre: Can't parse NID 'fs-1@tcp'", 0, "does not resolve");
	says("failed: Input/output error\nIs the MGS running?", 0, "1018-1023");
	says("failed: No such file or directory", 0, "mount name");
	says("failed: Connection timed out", 0, "security group");
	says("failed: Address already in use", 0, "port 988");
}

static void an_errno_will_do(void **state)
{
	(void)state;
	says("cannot mount /lustre", EHOSTUNREACH, "no way to the servers");
	says("cannot mount /lustre", ENODEV, "module lustre");
}

static void the_type_matters(void **state)
{
	const struct resource *nfs = of_type("nfs4", "server:/export");

	(void)state;
	assert_has(mount_explain(arena, nfs, "Connection refused", 0), "NFS server");
	assert_null(mount_explain(arena, nfs, "Is the MGS running", 0));
	assert_has(mount_explain(arena, of_type("ext4", "/dev/vdb"), "x", ENODEV), "found no module");
	assert_null(mount_explain(arena, of_type("ext4", "/dev/vdb"), "wrong superblock", EINVAL));
}

static void only_what_the_network_may_explain_is_asked_of_it(void **state)
{
	(void)state;
	assert_true(mount_explain_suspects_network(lustre(), "timed out", 0));
	assert_true(mount_explain_suspects_network(lustre(), "x", EHOSTUNREACH));
	assert_false(mount_explain_suspects_network(lustre(), "Invalid argument", 0));
	assert_false(
	    mount_explain_suspects_network(of_type("nfs", "server:/export"), "timed out", ETIMEDOUT));
}

static void a_server_that_is_there_and_no_lustre_is_told(void **state)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	const char *words;
	struct host host;
	struct err err;

	(void)state;
	host_init(&host, &host_linux_ops, scratch);
	assert_int_equal(
	    mount_explain_network(&host, of_type("lustre", "127.0.0.1@tcp:/x"), arena, &words, &err),
	    0);
	assert_has(words, "port 988 of 127.0.0.1 is not open");
	assert_int_equal(mount_explain_network(&host, of_type("lustre", "no-such.invalid@tcp:/x"),
	                                       arena, &words, &err),
	                 0);
	assert_has(words, "no-such.invalid");
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(words_of_the_client_are_understood),
	    TEST(an_errno_will_do),
	    TEST(the_type_matters),
	    TEST(only_what_the_network_may_explain_is_asked_of_it),
	    TEST(a_server_that_is_there_and_no_lustre_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
