// SPDX-License-Identifier: MIT
#include "provider/mount_explain.h"

#include "unit/provider/answering.h"

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
	says("mount.lustre: mount x at /fsx failed: No such device or address\nThe target service "
	     "failed to start (bad config log?)",
	     0, "configuration log");
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
	says("cannot mount /lustre", ENXIO, "configuration log");
	says("cannot mount /lustre", EIO, "outbound rules");
	says("cannot mount /lustre", ENOENT, "mount name");
	says("cannot mount /lustre", EADDRINUSE, "port 988");
	says("cannot mount /lustre", EINVAL, "Lustre 2.10");
	says("cannot mount /lustre", ETIMEDOUT, "nobody answered");
	says("cannot mount /lustre", ECONNREFUSED, "runs no Lustre server");
	says("cannot mount /lustre", ESHUTDOWN, "maintenance");
}

static void the_type_matters(void **state)
{
	const struct resource *nfs = of_type("nfs4", "server:/export");

	(void)state;
	assert_has(mount_explain(arena, nfs, "Connection refused", 0), "NFS server");
	assert_has(mount_explain(arena, nfs, "x", ECONNREFUSED), "no NFS server");
	assert_has(mount_explain(arena, nfs, "x", ETIMEDOUT), "TCP 2049");
	assert_has(mount_explain(arena, nfs, "x", EACCES), "does not export");
	assert_has(mount_explain(arena, nfs, "x", ENOENT), "no such export");
	assert_has(mount_explain(arena, of_type("beegfs", "beegfs_nodev"), "x", ENODEV),
	           "dkms status beegfs");
	assert_null(mount_explain(arena, of_type("beegfs", "beegfs_nodev"), "No such device or address",
	                          ENXIO));
	assert_null(mount_explain(arena, nfs, "Is the MGS running", 0));
	assert_has(mount_explain(arena, of_type("ext4", "/dev/vdb"), "x", ENODEV), "found no module");
	assert_null(mount_explain(arena, of_type("ext4", "/dev/vdb"), "wrong superblock", EINVAL));
}

static void only_what_the_network_may_explain_is_asked_of_it(void **state)
{
	(void)state;
	assert_true(mount_explain_suspects_network(lustre(), "timed out", 0));
	assert_true(mount_explain_suspects_network(lustre(), "x", EHOSTUNREACH));
	assert_true(mount_explain_suspects_network(lustre(), "Is the MGS running", 0));
	assert_true(mount_explain_suspects_network(lustre(), "x", ESHUTDOWN));
	assert_false(mount_explain_suspects_network(lustre(), "Invalid argument", 0));
	assert_false(mount_explain_suspects_network(lustre(), "No such device", ENODEV));
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
	assert_has(words, "port 988 of 127.0.0.1 is refused");
	assert_int_equal(mount_explain_network(&host, of_type("lustre", "no-such.invalid@tcp:/x"),
	                                       arena, &words, &err),
	                 0);
	assert_has(words, "no-such.invalid");
	host_done(&host);
}

static const char *network_of(const char *source)
{
	const char *words;
	struct err err;

	if (mount_explain_network(&answering_host, of_type("lustre", source), arena, &words, &err)) {
		fail_msg("%s", err.text);
	}
	return words;
}

static void which_ports_answer_is_said(void **state)
{
	(void)state;
	assert_string_equal(network_of("10.0.0.1@tcp:/x"),
	                    "no port of 10.0.0.1 answers (asked: 988, 1018, 1019, 1020, 1021, 1022, "
	                    "1023)");
	answering_ports[0] = PORT_UNREACHABLE;
	answering_ports[1] = PORT_REFUSED;
	assert_string_equal(network_of("10.0.0.1@tcp:/x"),
	                    "port 988 of 10.0.0.1 does not answer; refused: 1018; no answer from 1019, "
	                    "1020, 1021, 1022, 1023");
	answering_ports[0] = PORT_REFUSED;
	answering_ports[1] = PORT_OPEN;
	assert_string_equal(network_of("10.0.0.1@tcp:/x"),
	                    "port 988 of 10.0.0.1 is refused; open: 1018; no answer from 1019, 1020, "
	                    "1021, 1022, 1023");
	answering_ports[0] = PORT_OPEN;
	assert_string_equal(
	    network_of("10.0.0.1@tcp:/x"),
	    "port 988 of 10.0.0.1 is open; no answer from 1019, 1020, 1021, 1022, 1023");
	for (size_t i = 0; i < ARRAY_LEN(answering_ports); i++) {
		answering_ports[i] = PORT_OPEN;
	}
	assert_string_equal(network_of("10.0.0.1@tcp:/x"), "port 988 of 10.0.0.1 is open");
}

static void the_first_server_of_the_source_is_asked(void **state)
{
	(void)state;
	network_of("10.0.0.1,10.0.0.2@tcp:/x");
	network_of("10.0.0.3:10.0.0.4@tcp:/x");
	assert_string_equal(str_text(&asked), "ports of 10.0.0.1\nports of 10.0.0.3\n");
	str_clear(&asked);
	assert_null(network_of("@tcp:/x"));
	assert_string_equal(str_text(&asked), "");
}

static struct applied failed_with(enum err_code code, int os, const char *words)
{
	struct err complaint, err;
	struct applied applied;

	err_set(&complaint, code, os, "%s", words);
	if (mount_explain_failure(&answering_host, lustre(), &complaint, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static void a_failure_stands_with_what_it_means_and_what_the_network_says(void **state)
{
	struct applied applied = failed_with(ERR_HOST, ETIMEDOUT, "cannot mount /l");

	(void)state;
	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "cannot mount /l");
	assert_has(applied.detail, "nobody answered");
	assert_has(applied.detail, "\nno port of 10.1.30.23 answers");
	str_clear(&asked);
	assert_has(failed_with(ERR_HOST, EINVAL, "cannot mount /l").detail, "Lustre 2.10");
	assert_string_equal(str_text(&asked), "");
	applied = failed_with(ERR_BUSY, EBUSY, "cannot mount /l");
	assert_int_equal(applied.outcome, OUTCOME_BLOCKED);
	assert_null(applied.detail);
}

static const char *silence_of(const struct resource *want)
{
	const char *words;
	struct err err;

	if (mount_explain_silence(&answering_host, want, arena, &words, &err)) {
		fail_msg("%s", err.text);
	}
	return words;
}

static void one_that_is_not_heard_of_again_is_explained_as_one_that_timed_out(void **state)
{
	(void)state;
	answering_ports[0] = PORT_SILENT;
	answering_ports[1] = PORT_SILENT;
	assert_has(silence_of(lustre()), "nobody answered: a security group");
	assert_has(silence_of(lustre()), "\nno port of 10.1.30.23 answers");
	answering_ports[0] = PORT_OPEN;
	assert_has(silence_of(lustre()), "at work on a recovery");
	assert_has(silence_of(lustre()), "\nport 988 of 10.1.30.23 is open");
	str_clear(&asked);
	assert_has(silence_of(of_type("nfs4", "server:/export")), "TCP 2049");
	assert_null(silence_of(of_type("ext4", "/dev/vdb")));
	assert_string_equal(str_text(&asked), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(words_of_the_client_are_understood),
	    TEST(an_errno_will_do),
	    TEST(the_type_matters),
	    TEST(only_what_the_network_may_explain_is_asked_of_it),
	    TEST(a_server_that_is_there_and_no_lustre_is_told),
	    ANSWERED(which_ports_answer_is_said),
	    ANSWERED(the_first_server_of_the_source_is_asked),
	    ANSWERED(one_that_is_not_heard_of_again_is_explained_as_one_that_timed_out),
	    ANSWERED(a_failure_stands_with_what_it_means_and_what_the_network_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
