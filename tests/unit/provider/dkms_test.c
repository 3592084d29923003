// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- On a machine ---- */

#define TREE "/var/lib/dkms/beegfs/7.4.4"

static void added(void)
{
	booting_over("/var/lib/dkms");
	booting_over("/lib/modules");
	booting_over("/usr/src");
	booting_over("/var/lib/reconcile");
	scratch_mkdir("/var/lib/dkms/beegfs", 0755);
	scratch_mkdir(TREE, 0755);
	scratch_mkdir(TREE "/source", 0755);
	scratch_mkdir(TREE "/build", 0755);
	scratch_mkdir("/lib/modules/6.12.43", 0755);
	scratch_mkdir("/lib/modules/6.12.43/build", 0755);
}

static const struct dkms *seen(void)
{
	const struct resource *have = fact(KIND_DKMS, "beegfs@6.12.43");

	assert_int_equal(have->state, STATE_PRESENT);
	return &have->dkms;
}

#define HEAD_OF_LOG "DKMS make.log for beegfs-7.4.4 for kernel 6.12.43 (x86_64)\n"

/* Else it would be built anew at every run. */
static void a_log_of_any_size_tells_of_the_failure(void **state)
{
	size_t n = 9 << 20;
	char *text = mem_alloc(n + 1);

	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	assert_string_equal(seen()->status, "added");
	memset(text, ' ', n);
	for (size_t i = 99; i < n; i += 100) {
		text[i] = '\n';
	}
	memcpy(text, HEAD_OF_LOG, strlen(HEAD_OF_LOG));
	strcpy(text + n - 40, "\nx.c:1:2: error: gone\n");
	scratch_write(TREE "/build/make.log", text, 0644);
	free(text);
	assert_string_equal(seen()->status, "failed");
	assert_has(seen()->log, "x.c:1:2: error: gone");
}

static void a_log_that_is_no_text_is_told_without_its_bytes(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_write(TREE "/build/make.log", HEAD_OF_LOG "\x1b[31mx.c: error: \xff\x01\n", 0644);
	assert_string_equal(seen()->status, "failed");
	assert_null(strchr(seen()->log, '\x1b'));
	assert_null(strchr(seen()->log, '\xff'));
}

static void what_is_not_for_us_to_see_is_not_known(void **state)
{
	const struct resource *have;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	assert_int_equal(chmod("/var/lib/dkms/beegfs", 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	have = fact(KIND_DKMS, "beegfs@6.12.43");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "/var/lib/dkms/beegfs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_installed_is_kept),
	    TEST(what_was_only_added_or_built_is_run),
	    TEST(each_failure_is_told_apart),
	    TEST(another_version_is_the_packages_matter),
	    TEST(a_log_of_any_size_tells_of_the_failure),
	    TEST(a_log_that_is_no_text_is_told_without_its_bytes),
	    TEST(what_is_not_for_us_to_see_is_not_known),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
