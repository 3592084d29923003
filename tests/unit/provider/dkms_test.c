// SPDX-License-Identifier: MIT
#include "unit/provider/answering.h"

#include "unit/provider/booting.h"

#include "provider/table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Freed by the caller. Of few lines: a sanitizer looks through all that follows at the end of
 * each. */
static char *long_text(size_t n)
{
	char *text = mem_alloc(n + 1);

	memset(text, ' ', n);
	for (size_t i = 9999; i < n; i += 10000) {
		text[i] = '\n';
	}
	text[n] = '\0';
	return text;
}

/* Else it would be built anew at every run. */
static void a_log_of_any_size_tells_of_the_failure(void **state)
{
	size_t n = 9 << 20;
	char *text = long_text(n);

	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	assert_string_equal(seen()->status, "added");
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

static const char *status(void)
{
	return seen()->status;
}

static void what_dkms_did_is_read_from_its_tree(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	/* Neither that of another kernel nor a folder without a source is meant. */
	scratch_mkdir("/var/lib/dkms/beegfs/kernel-6.12.43-rt-x86_64", 0755);
	scratch_mkdir("/var/lib/dkms/beegfs/9.9.9", 0755);
	assert_string_equal(status(), "added");
	assert_null(seen()->obstacle);
	scratch_mkdir(TREE "/6.12.43", 0755);
	assert_string_equal(status(), "built");
	scratch_mkdir("/var/lib/dkms/beegfs/kernel-6.12.43-x86_64", 0755);
	assert_string_equal(status(), "installed");
}

static void of_several_versions_the_newest_is_meant_and_that_is_said(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_mkdir("/var/lib/dkms/beegfs/7.4.10", 0755);
	scratch_mkdir("/var/lib/dkms/beegfs/7.4.10/source", 0755);
	assert_string_equal(seen()->version, "7.4.10");
	assert_has(seen()->obstacle, "2 versions of beegfs");
}

static void what_has_no_source_is_not_listed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_mkdir("/var/lib/dkms/gone", 0755);
	struct keys keys = keys_of(KIND_DKMS);

	assert_int_equal(keys.count, 1);
	assert_true(has_key(keys, "beegfs@6.12.43"));
}

static const char *excluded_by(const char *pattern)
{
	scratch_write("/usr/src/beegfs-7.4.4/dkms.conf",
	              arena_printf(arena, "AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL=%s\n", pattern),
	              0644);
	return status();
}

/* What a shell would have to work out says nothing that could be relied on. */
static void a_plain_pattern_excludes_a_kernel(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_mkdir("/usr/src/beegfs-7.4.4", 0755);
	assert_string_equal(excluded_by("\"^6\\.(1|6)\\.\""), "excluded");
	assert_string_equal(excluded_by("'^5\\.'"), "excluded");
	assert_string_equal(excluded_by("\"^6\\.12\""), "added");
	assert_string_equal(excluded_by("\"`uname -r`\""), "added");
	assert_string_equal(excluded_by("\"$(uname -r)\""), "added");
	assert_string_equal(excluded_by("\"x${release}\""), "added");
	assert_string_equal(excluded_by("\"(\""), "added");
	assert_string_equal(excluded_by("\"\""), "added");
}

#define LOG TREE "/build/make.log"
#define FAILED_LOG HEAD_OF_LOG "x.c:1:2: error: gone\n"
#define KEPT "/var/lib/reconcile/dkms/beegfs-7.4.4-6.12.43.log"

/* Sets the time of what lies there so many seconds before now. */
static void aged(const char *path, time_t seconds)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_failure_counts_until_something_it_depends_on_changes(void **state)
{
	static const char *const depends[] = {
	    "/usr/src/beegfs-7.4.4", "/usr/src/beegfs-7.4.4/dkms.conf", "/lib/modules/6.12.43/build",
	    "/usr/src/linux-headers-6.12.43"};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_mkdir(depends[0], 0755);
	scratch_write(depends[1], "", 0644);
	scratch_mkdir(depends[3], 0755);
	scratch_write(LOG, FAILED_LOG, 0644);
	aged(LOG, 500);
	for (size_t i = 0; i < ARRAY_LEN(depends); i++) {
		for (size_t k = 0; k < ARRAY_LEN(depends); k++) {
			aged(depends[k], 1000);
		}
		assert_string_equal(status(), "failed");
		aged(depends[i], 100);
		assert_string_equal(status(), "added");
	}
}

static void the_log_of_another_kernel_or_of_a_build_cut_off_tells_no_failure(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_write(LOG, "DKMS make.log for beegfs-7.4.4 for kernel 6.13.1 (x86_64)\nx: error: y\n",
	              0644);
	assert_string_equal(status(), "added");
	scratch_write(LOG, HEAD_OF_LOG "  CC [M]  beegfs.o\n", 0644);
	assert_string_equal(status(), "added");
	/* What was kept had come to its end. */
	scratch_mkdir("/var/lib/reconcile/dkms", 0755);
	scratch_write(KEPT, HEAD_OF_LOG "./build: not here\n", 0644);
	assert_string_equal(status(), "failed");
	assert_string_equal(seen()->log_file, KEPT);
}

static void a_log_that_cannot_be_read_is_as_good_as_none(void **state)
{
	const struct resource *have;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	scratch_write(LOG, FAILED_LOG, 0600);
	assert_int_equal(seteuid(65534), 0);
	have = fact(KIND_DKMS, "beegfs@6.12.43");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(have->state, STATE_PRESENT);
	assert_string_equal(have->dkms.status, "added");
	assert_int_equal(truncate(LOG, 300 << 20), 0);
	assert_string_equal(status(), "added");
}

/* ---- Building, where the test is dkms ---- */

#define FLOCK "flock -n -E 75 /var/lib/dkms "

static struct applied build(void)
{
	return answering_apply(WANT(""), OF("added"));
}

static void fails(void)
{
	scratch_write(LOG, FAILED_LOG, 0644);
}

static void a_build_is_asked_for_once_and_under_a_lock(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	assert_int_equal(build().outcome, OUTCOME_CHANGED);
	assert_string_equal(str_text(&asked), FLOCK "dkms install beegfs/7.4.4 -k 6.12.43\n");
	assert_int_not_equal(access(KEPT, F_OK), 0);
	/* Nor is it given up while it runs. */
	assert_true(provider_table[KIND_DKMS]->waits_at_deadline);
	str_clear(&asked);
	answering_manager.lock_pid = 4711;
	struct applied done = build();

	assert_int_equal(done.outcome, OUTCOME_BLOCKED);
	assert_has(done.why, "4711");
	assert_string_equal(str_text(&asked), "");
	answering_manager.lock_pid = 0;
	ANSWER({.words = "dkms install", .status = 75});
	done = build();
	assert_int_equal(done.outcome, OUTCOME_BLOCKED);
	assert_has(done.why, "DKMS is still at work");
}

static void a_build_that_fails_says_why_and_its_log_is_kept(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	ANSWER(
	    {.words = "dkms install", .status = 10, .err = "Error! Bad return status\n", .act = fails});
	struct applied done = build();

	assert_int_equal(done.outcome, OUTCOME_FAILED);
	assert_string_equal(done.why,
	                    "beegfs 7.4.4 does not build for 6.12.43: x.c:1:2: error: gone (" LOG ")");
	assert_string_equal(scratch_read(KEPT), FAILED_LOG);
	assert_int_equal(unlink(LOG), 0);
	assert_string_equal(status(), "failed");
}

static void fails_at_length(void)
{
	size_t n = 3 << 20;
	char *text = long_text(n);

	memcpy(text, FAILED_LOG, strlen(FAILED_LOG));
	scratch_write(LOG, text, 0644);
	free(text);
}

static void of_a_long_log_only_what_matters_is_kept(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	ANSWER({.words = "dkms install", .status = 10, .act = fails_at_length});
	assert_int_equal(build().outcome, OUTCOME_FAILED);
	assert_has(scratch_read(KEPT), "(what matters)\nx.c:1:2: error: gone\n");
	assert_true(strlen(scratch_read(KEPT)) < 200);
	assert_int_equal(unlink(LOG), 0);
	assert_string_equal(status(), "failed");
}

static void dkms_is_heard_where_it_leaves_no_log(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	added();
	ANSWER({.words = "dkms install", .status = 3, .err = "Error! no such source\n"});
	assert_string_equal(build().why, "dkms: Error! no such source");
	assert_int_not_equal(access(KEPT, F_OK), 0);
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
	    TEST(what_dkms_did_is_read_from_its_tree),
	    TEST(of_several_versions_the_newest_is_meant_and_that_is_said),
	    TEST(what_has_no_source_is_not_listed),
	    TEST(a_plain_pattern_excludes_a_kernel),
	    TEST(a_failure_counts_until_something_it_depends_on_changes),
	    TEST(the_log_of_another_kernel_or_of_a_build_cut_off_tells_no_failure),
	    TEST(a_log_that_cannot_be_read_is_as_good_as_none),
	    ANSWERED(a_build_is_asked_for_once_and_under_a_lock),
	    ANSWERED(a_build_that_fails_says_why_and_its_log_is_kept),
	    ANSWERED(of_a_long_log_only_what_matters_is_kept),
	    ANSWERED(dkms_is_heard_where_it_leaves_no_log),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
