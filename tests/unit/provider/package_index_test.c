// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#include <unistd.h>

#define WANT(rest) "{\"kind\": \"package_index\", \"source\": \"apt\"" rest "}"
#define HAVE(rest) "{\"kind\": \"package_index\", \"key\": \"apt\"" rest "}"

static void it_is_refreshed_when_older_than_wanted(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(compare(WANT(", \"max_age\": \"2h\""), HAVE(", \"age\": 7200")).outcome,
	                 OUTCOME_KEPT);
	v = compare(WANT(", \"max_age\": \"2h\""), HAVE(", \"age\": 7201"));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_RUN);
	assert_has(changes(&v, "age"), "old > refreshed, at most 2h old");
	assert_int_equal(compare(WANT(""), HAVE(", \"age\": 86400")).outcome, OUTCOME_KEPT);
	assert_int_equal(compare(WANT(""), HAVE(", \"age\": 86401")).outcome, OUTCOME_CHANGE);
}

static void one_that_is_older_than_a_source_is_refreshed_however_young(void **state)
{
	struct verdict v = compare(WANT(""), HAVE(", \"age\": 5, \"outdated\": \"/etc/x.list\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_has(changes(&v, "age"), "> refreshed, since a source has changed");
}

static void an_index_that_is_not_there_is_made(void **state)
{
	struct verdict v = compare(WANT(""), HAVE(""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_has(changes(&v, "age"), " > refreshed");
}

static void no_index_is_younger_than_now(void **state)
{
	struct resource *want = converging_want(arena, WANT(""));
	struct err err;

	(void)state;
	want->package_index.max_age = "0s";
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_has(err.text, "max_age");
}

static void make_old(void)
{
	TOOL("sh", "-c", "rm -rf /var/lib/apt/lists/* /var/lib/apt/periodic/*");
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	converging_sweep(WANT(", \"max_age\": \"1h\""), make_old, NULL);
}

static void what_the_source_said_is_kept_when_it_fails(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	make_old();
	TOOL("sh", "-c",
	     "mv /etc/apt/sources.list.d/field.list /srv/field.list; "
	     "echo 'deb [trusted=yes] file:/no/such/source x main' >/etc/apt/sources.list.d/bad.list");
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, WANT("")), &why),
	    OUTCOME_FAILED);
	assert_has(why, "/no/such/source");
	assert_int_not_equal(access("/var/lib/apt/periodic/update-success-stamp", F_OK), 0);
	TOOL("sh", "-c",
	     "mv /srv/field.list /etc/apt/sources.list.d/field.list; "
	     "rm /etc/apt/sources.list.d/bad.list");
	converging_twice(arena, converging_want(arena, WANT("")),
	                 "/var/lib/apt/periodic/update-success-stamp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_refreshed_when_older_than_wanted),
	    TEST(one_that_is_older_than_a_source_is_refreshed_however_young),
	    TEST(an_index_that_is_not_there_is_made),
	    TEST(no_index_is_younger_than_now),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	    TEST(what_the_source_said_is_kept_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
