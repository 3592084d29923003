// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/packages_inner.h"

#include <string.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct host_candidate parse(const char *name, const char *text)
{
	struct host_candidate candidate;

	packages_policy_parse(arena, arena_strdup(arena, text), name, &candidate);
	return candidate;
}

static void versions_are_those_that_a_source_offers_newest_first(void **state)
{
	struct host_candidate c =
	    parse("linux-aws", "linux-aws:\n"
	                       "  Installed: 6.8.0.1038.1038\n"
	                       "  Candidate: 6.8.0.1043.1043\n"
	                       "  Version table:\n"
	                       "     6.8.0.1039.1039 500\n"
	                       "        500 file:/srv/repository field/main amd64 Packages\n"
	                       "     6.8.0.1043.1043 500 (phased 20%)\n"
	                       "        500 http://a.example noble/main amd64 Packages\n"
	                       "        500 http://b.example noble/main amd64 Packages\n"
	                       " *** 6.8.0.1038.1038 100\n"
	                       "        100 /var/lib/dpkg/status\n");

	(void)state;
	assert_true(c.known);
	assert_string_equal(c.version, "6.8.0.1043.1043");
	assert_string_equal(c.origin, "http://a.example noble/main amd64 Packages");
	assert_int_equal(c.versions.count, 2);
	assert_string_equal(c.versions.items[0], "6.8.0.1043.1043");
	assert_string_equal(c.versions.items[1], "6.8.0.1039.1039");
}

static void what_is_only_installed_is_no_offer(void **state)
{
	struct host_candidate c =
	    parse("own", "own:\n  Installed: 1\n  Candidate: 1\n  Version table:\n"
	                 " *** 1 100\n        100 /var/lib/dpkg/status\n");

	(void)state;
	assert_false(c.known);
	assert_null(c.version);
	assert_true(c.versions.set);
	assert_int_equal(c.versions.count, 0);
	assert_false(parse("own", "").known);
}

static void a_version_that_the_preferences_forbid_is_known_but_no_candidate(void **state)
{
	struct host_candidate c =
	    parse("p", "p:\n  Installed: (none)\n  Candidate: (none)\n  Package pin: 2\n"
	               "  Version table:\n     2 -1\n        500 http://a.example x/main amd64 "
	               "Packages\n");

	(void)state;
	assert_true(c.known);
	assert_null(c.version);
	assert_int_equal(c.versions.count, 1);
	assert_string_equal(c.versions.items[0], "2");
}

#define OFFER(header, version)                                                                \
	header "\n  Installed: (none)\n  Candidate: " version "\n  Version table:\n     " version \
	       " 500\n        500 http://a.example x/main amd64 Packages\n"

static void what_apt_found_by_a_pattern_is_no_offer_of_the_name(void **state)
{
	static const char others[] = OFFER("a-6.1.0-64k:", "9") OFFER("a-6x1.0:", "8");

	(void)state;
	assert_false(parse("a-6.1.0", others).known);
	assert_null(parse("a-6.1.0", others).version);
	assert_int_equal(parse("a-6.1.0", others).versions.count, 0);
	assert_string_equal(
	    parse("a-6.1.0", OFFER("b:", "3") OFFER("a-6.1.0:", "1") OFFER("c:", "2")).version, "1");
}

static void the_architecture_of_the_machine_may_be_left_away(void **state)
{
	(void)state;
	assert_true(parse("a:amd64", OFFER("a:", "1")).known);
	assert_true(parse("a:i386", OFFER("a:i386:", "1")).known);
	assert_true(parse("a", OFFER("a:i386:", "1")).known);
	assert_false(parse("a:i386", OFFER("a:arm64:", "1")).known);
	assert_false(parse("a:i386", OFFER("ab:i386:", "1")).known);
}

static void this_machine_can_be_asked_and_is_not_changed(void **state)
{
	struct host host;
	struct host_candidate c;
	struct err err;
	int64_t age;

	(void)state;
	host_init(&host, &host_linux_ops, arena);
	if (packages_index_age(&host, &age, &err) || age < 0) {
		print_message("# skip: no package index here\n");
		skip();
	}
	uint64_t before = scratch_stamp("/var/cache/apt");

	if (packages_candidate(&host, "no-such-package-in-any-index", &c, &err)) {
		fail_msg("%s", err.text);
	}
	assert_false(c.known);
	assert_int_equal(packages_candidate(&host, "dpkg", &c, &err), 0);
	assert_int_equal(packages_candidate(&host, "bas.", &c, &err), 0);
	assert_false(c.known);
	assert_true(scratch_stamp("/var/cache/apt") == before);
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(versions_are_those_that_a_source_offers_newest_first, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(what_is_only_installed_is_no_offer, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_version_that_the_preferences_forbid_is_known_but_no_candidate, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_apt_found_by_a_pattern_is_no_offer_of_the_name, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(the_architecture_of_the_machine_may_be_left_away, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(this_machine_can_be_asked_and_is_not_changed, setup,
	                                    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
