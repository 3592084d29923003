// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <sys/mount.h>
#include <sys/stat.h>

static const char *json(const char *path)
{
	return arena_printf(
	    arena,
	    "{\"kind\": \"data_repository\", \"path\": \"%s\", \"repository\": \"s3://bucket/data/\"}",
	    path);
}

static struct verdict look(const char *path)
{
	return converging_diff(arena, converging_want(arena, json(path)));
}

static void mount_at(const char *path)
{
	scratch_mkdir(path, 0755);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
}

static void a_directory_on_a_live_mount_is_right_for_whoever_does_not_own_it(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	scratch_mkdir(scratch_path("lustre/data"), 0755);
	struct verdict v = look(scratch_path("lustre/data"));

	assert_int_equal(v.outcome, OUTCOME_KEPT);
	scratch_clear();
}

static void a_missing_directory_is_never_made(void **state)
{
	struct stat st;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	const char *path = scratch_path("lustre/data");
	struct verdict v = look(path);

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "is missing on the mounted file system; reconcile never creates it");
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, converging_want(arena, json(path)), NULL),
	    OUTCOME_BLOCKED);
	assert_int_not_equal(lstat(path, &st), 0);
	scratch_clear();
}

static void a_file_in_its_place_is_no_directory(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	mount_at(scratch_path("lustre"));
	scratch_write(scratch_path("lustre/data"), "", 0644);
	assert_int_equal(look(scratch_path("lustre/data")).outcome, OUTCOME_BLOCKED);
	scratch_clear();
}

static void what_lies_on_no_mount_is_said(void **state)
{
	(void)state;
	struct verdict v = look("/no-such-mount-here/data");

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, "/no-such-mount-here/data lies on no mount: its file system is not mounted");
}

#define WANT(rest)                                                                       \
	"{\"kind\": \"data_repository\", \"path\": \"/l/data\", \"repository\": "            \
	"\"s3://bucket/data\", \"file_system\": \"fs-1\", \"owner\": \"head\", \"manage\": " \
	"\"owner\"" rest "}"
#define HAVE(rest)                                                                \
	"{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"directory\": true, " \
	"\"file_system_path\": \"/data\"" rest "}"
#define THERE(state, rest) HAVE(", \"association\": \"dra-1\", \"lifecycle\": \"" state "\"" rest)
#define SAME ", \"repository\": \"s3://bucket/data\""

static void an_association_is_made_changed_or_replaced(void **state)
{
	struct verdict v = compare(WANT(""), HAVE(""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_CREATE);
	v = compare(WANT(", \"import\": [\"NEW\"]"), THERE("AVAILABLE", SAME ", \"import\": []"));
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_int_equal(v.marks, 0);
	v = compare(WANT(""), THERE("AVAILABLE", ", \"repository\": \"s3://other/\""));
	assert_int_equal(v.action, ACTION_REPLACE);
	assert_int_equal(v.marks, MARK_DISRUPTIVE | MARK_IRREVERSIBLE);
	assert_int_equal(compare(WANT(""), THERE("AVAILABLE", SAME)).outcome, OUTCOME_KEPT);
}

static void its_lifecycle_decides(void **state)
{
	(void)state;
	assert_int_equal(compare(WANT(""), THERE("CREATING", SAME)).outcome, OUTCOME_PENDING);
	assert_int_equal(compare(WANT(""), THERE("DELETING", SAME)).outcome, OUTCOME_PENDING);
	assert_int_equal(compare(WANT(""), THERE("MISCONFIGURED", SAME)).outcome, OUTCOME_BLOCKED);
	assert_int_equal(compare(WANT(", \"import\": [\"NEW\"]"), THERE("FAILED", SAME)).outcome,
	                 OUTCOME_BLOCKED);
	assert_int_equal(compare(WANT(", \"import\": [\"NEW\"]"), THERE("MISCONFIGURED", SAME)).outcome,
	                 OUTCOME_CHANGE);
	assert_int_equal(compare(WANT(""), HAVE(", \"unasked\": \"AccessDenied\"")).outcome,
	                 OUTCOME_UNDETERMINED);
}

static void the_owner_must_be_named(void **state)
{
	struct resource *want = converging_want(arena, WANT(""));
	struct err err;

	(void)state;
	want->data_repository.owner = NULL;
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_directory_on_a_live_mount_is_right_for_whoever_does_not_own_it),
	    TEST(a_missing_directory_is_never_made),
	    TEST(a_file_in_its_place_is_no_directory),
	    TEST(what_lies_on_no_mount_is_said),
	    TEST(an_association_is_made_changed_or_replaced),
	    TEST(its_lifecycle_decides),
	    TEST(the_owner_must_be_named),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
