// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#define WANT(rest) "{\"kind\": \"dkms\", \"module\": \"beegfs@6.12.43\"" rest "}"
#define HAVE(rest) "{\"kind\": \"dkms\", \"key\": \"beegfs@6.12.43\"" rest "}"
#define OF(status) HAVE(", \"version\": \"7.4.4\", \"status\": \"" status "\"")

static void what_is_installed_is_kept(void **state)
{
	(void)state;
	assert_int_equal(compare(WANT(""), OF("installed")).outcome, OUTCOME_KEPT);
	assert_int_equal(compare(WANT(", \"version\": \"7.4.*\""), OF("installed")).outcome,
	                 OUTCOME_KEPT);
}

static void what_was_only_added_or_built_is_run(void **state)
{
	struct verdict v = compare(WANT(""), OF("added"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_RUN);
	assert_true(v.marks & MARK_UNDER_JOBS);
	assert_string_equal(changes(&v, "status"), "added > installed");
	assert_int_equal(compare(WANT(""), OF("built")).outcome, OUTCOME_CHANGE);
}

static void blocked_by(const char *have, const char *why)
{
	struct verdict v = compare(WANT(""), have);

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, why);
}

static void each_failure_is_told_apart(void **state)
{
	(void)state;
	blocked_by(HAVE(", \"version\": \"7.4.4\", \"status\": \"failed\", "
	                "\"log\": \"x.c:1: error: gone\", \"log_file\": \"/l\""),
	           "x.c:1: error: gone (/l)");
	blocked_by(OF("no headers"), "linux-headers-6.12.43");
	blocked_by(OF("excluded"), "BUILD_EXCLUSIVE_KERNEL");
	blocked_by(HAVE(", \"state\": \"absent\""), "no source of beegfs");
}

static void another_version_is_the_packages_matter(void **state)
{
	struct verdict v = compare(WANT(", \"version\": \"8.*\""), OF("installed"));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "7.4.4 only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_installed_is_kept),
	    TEST(what_was_only_added_or_built_is_run),
	    TEST(each_failure_is_told_apart),
	    TEST(another_version_is_the_packages_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
