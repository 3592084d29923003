// SPDX-License-Identifier: MIT
#include "unit/provider/answering.h"

#include "provider/table.h"

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
	assert_int_equal(mount("10.0.0.1@tcp:/fs", path, "tmpfs", 0, NULL), 0);
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

static void what_is_no_lustre_has_no_association(void **state)
{
	static const char *const sources[] = {"tmpfs", "10.0.0.1:/fs", "user@host:/fs",
	                                      "user@tcpip:/fs", "host:/a@tcp:/b"};
	static const char *const servers[] = {"10.0.0.1@tcp:/fs", "10.0.0.1@tcp1:/fs/sub",
	                                      "a@o2ib:b@o2ib:/fs", "10.0.0.1@tcp,10.0.0.2@tcp:/fs"};
	const char *path = scratch_path("lustre");
	const char *data = scratch_path("lustre/data");

	(void)state;
	SCRATCH_NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_LEN(sources) + ARRAY_LEN(servers); i++) {
		bool lustre = i >= ARRAY_LEN(sources);
		const char *source = lustre ? servers[i - ARRAY_LEN(sources)] : sources[i];

		scratch_mkdir(path, 0755);
		assert_int_equal(mount(source, path, "tmpfs", 0, NULL), 0);
		scratch_mkdir(data, 0755);
		struct verdict v = look(data);

		if ((v.outcome == OUTCOME_KEPT) != lustre) {
			fail_msg("%s: %s", source, v.why);
		}
		scratch_clear();
	}
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
	assert_has(v.why,
	           "/no-such-mount-here/data lies on no Lustre mount: its file system is not mounted");
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
	v = compare(WANT(", \"export\": [\"NEW\"]"), THERE("AVAILABLE", SAME ", \"export\": []"));
	assert_int_equal(v.action, ACTION_UPDATE);
	v = compare(WANT(", \"chunk_mib\": 512"), THERE("AVAILABLE", SAME ", \"chunk_mib\": 1024"));
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_string_equal(changes(&v, "chunk_mib"), "1024 > 512");
	v = compare(WANT(", \"import\": []"), THERE("AVAILABLE", SAME ", \"import\": [\"NEW\"]"));
	assert_string_equal(changes(&v, "import"), "NEW > none");
	v = compare(WANT(", \"import\": [\"NEW\"]"), THERE("AVAILABLE", SAME ", \"import\": []"));
	assert_string_equal(changes(&v, "import"), "none > NEW");
}

static void blocked_by(const char *have, const char *why)
{
	struct verdict v = compare(WANT(""), have);

	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why, why);
}

static void what_the_service_would_refuse_is_not_asked_for(void **state)
{
	(void)state;
	blocked_by(HAVE(", \"legacy\": \"ImportPath=s3://b\""), "in the older way (ImportPath=s3://b)");
	blocked_by(HAVE(", \"lifecycle\": \"impossible\", \"failure\": \"it would overlap\""),
	           "it would overlap");
	struct verdict v =
	    compare(WANT(""), HAVE(", \"lifecycle\": \"busy\", \"failure\": \"waits for dra-2\""));

	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_string_equal(v.why, "waits for dra-2");
	blocked_by("{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"directory\": false, "
	           "\"association\": \"dra-1\", \"lifecycle\": \"AVAILABLE\"" SAME "}",
	           "dra-1 is AVAILABLE, and /l/data is missing");
}

#define OBSERVED                                                                         \
	"{\"kind\": \"data_repository\", \"path\": \"/l/data\", \"repository\": "            \
	"\"s3://bucket/data\", \"file_system\": \"fs-1\", \"owner\": \"head\", \"import\": " \
	"[\"NEW\"]}"

static void what_is_only_observed_is_never_changed(void **state)
{
	struct verdict v = compare(OBSERVED, HAVE(""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "has no association for /data; it is only observed");
	v = compare(OBSERVED, THERE("AVAILABLE", SAME ", \"import\": []"));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "dra-1 is not as wanted; it is only observed");
}

static void its_lifecycle_decides(void **state)
{
	(void)state;
	assert_int_equal(compare(WANT(""), THERE("CREATING", SAME)).outcome, OUTCOME_PENDING);
	assert_int_equal(compare(WANT(""), THERE("DELETING", SAME)).outcome, OUTCOME_PENDING);
	assert_int_equal(compare(WANT(""), THERE("UPDATING", SAME)).outcome, OUTCOME_PENDING);
	assert_int_equal(compare(WANT(""), THERE("MISCONFIGURED", SAME)).outcome, OUTCOME_BLOCKED);
	assert_int_equal(compare(WANT(", \"import\": [\"NEW\"]"), THERE("FAILED", SAME)).outcome,
	                 OUTCOME_BLOCKED);
	assert_int_equal(compare(WANT(", \"import\": [\"NEW\"]"), THERE("MISCONFIGURED", SAME)).outcome,
	                 OUTCOME_CHANGE);
	assert_int_equal(compare(WANT(""), HAVE(", \"unasked\": \"AccessDenied\"")).outcome,
	                 OUTCOME_UNDETERMINED);
}

static void what_is_wrong_with_it_is_not_hidden_by_what_differs(void **state)
{
	struct verdict v =
	    compare(WANT(", \"import\": [\"NEW\"]"),
	            THERE("MISCONFIGURED", SAME ", \"import\": [], \"failure\": \"no permission\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "lifecycle"), "MISCONFIGURED: no permission > AVAILABLE");
	assert_string_equal(changes(&v, "import"), "none > NEW");
	v = compare(WANT(", \"import\": [\"NEW\"]"), THERE("AVAILABLE", SAME ", \"import\": []"));
	assert_string_equal(changes(&v, "lifecycle"), "");
}

static void a_failed_one_is_replaced_where_another_repository_is_wanted(void **state)
{
#define FAILED(rest) THERE("FAILED", ", \"failure\": \"no bucket\"" rest)
	struct verdict v = compare(WANT(""), FAILED(", \"repository\": \"s3://gone/\""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_int_equal(v.action, ACTION_REPLACE);
	assert_int_equal(v.marks, MARK_DISRUPTIVE | MARK_IRREVERSIBLE);
	assert_string_equal(changes(&v, "lifecycle"), "FAILED: no bucket > AVAILABLE");
	/* The same again would fail again: that is for whoever puts right what is wrong. */
	v = compare(WANT(""), FAILED(SAME));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	assert_has(v.why,
	           "dra-1 is FAILED, which is final: no bucket; once that is put right, delete it");
	assert_has(v.why, "--association-id dra-1 --no-delete-data-in-file-system");
	v = compare(OBSERVED, FAILED(", \"repository\": \"s3://gone/\""));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
}

static void the_owner_must_be_named(void **state)
{
	struct resource *want = converging_want(arena, WANT(""));
	struct err err;

	(void)state;
	want->data_repository.owner = NULL;
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	want->data_repository.owner = "head";
	assert_int_equal(converge_check(want, &err), 0);
	want->data_repository.file_system = NULL;
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
}

static const char *inside(const char *source, const char *below)
{
	const char *path = scratch_path("lustre");

	scratch_clear();
	scratch_mkdir(path, 0755);
	assert_int_equal(mount(source, path, "tmpfs", 0, NULL), 0);
	return converging_observe(
	           arena, converging_want(arena, json(arena_printf(arena, "%s%s", path, below))))
	    ->data_repository.file_system_path;
}

static void the_path_within_the_file_system_counts_the_folder_that_is_mounted(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_string_equal(inside("10.0.0.1@tcp:/fs", "/data"), "/data");
	assert_string_equal(inside("10.0.0.1@tcp:/fs", ""), "/");
	assert_string_equal(inside("10.0.0.1@tcp:/fs/", "/data"), "/data");
	assert_string_equal(inside("10.0.0.1@tcp:/fs/sub", "/data/a"), "/sub/data/a");
	assert_string_equal(inside("10.0.0.1@tcp:/fs/sub", ""), "/sub");
	scratch_clear();
}

/* ---- Where the test is the service ---- */

static const struct data_repository *asked_about(const char *more)
{
	const char *path = scratch_path("lustre");
	const struct resource *want = converging_want(
	    arena, arena_printf(arena,
	                        "{\"kind\": \"data_repository\", \"path\": \"%s\", "
	                        "\"repository\": \"s3://bucket/d\", \"region\": \"eu-west-1\", "
	                        "\"owner\": \"head\"%s}",
	                        path, more));
	struct resource *have;
	struct err err;

	scratch_clear();
	mount_at(path);
	if (converge_observe(&answering_host, want->kind, want->key, want, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	scratch_clear();
	return &have->data_repository;
}

static void only_an_owner_that_names_the_file_system_asks(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	answering_program("reconcile-fsx");
	assert_string_equal(asked_about("")->unasked, "file_system is not set");
	assert_string_equal(str_text(&asked), "");
	ANSWER(
	    {.words = "describe", .status = 1, .out = "{\"trouble\":\"denied\",\"message\":\"no\"}"});
	assert_string_equal(asked_about(", \"file_system\": \"fs-1\"")->unasked, "no");
	assert_has(str_text(&asked), "/reconcile-fsx describe fs-1 eu-west-1 ");
	answering_no_program();
}

static struct applied carried_out(enum action action, const struct resource *have)
{
	struct resource *want = converging_want(arena, WANT(", \"region\": \"eu-west-1\""));
	struct change change = {.kind = want->kind, .action = action, .want = want, .have = have};
	struct applied applied = {.outcome = OUTCOME_CHANGED};
	struct err err;

	if (provider_table[KIND_DATA_REPOSITORY]->apply(&answering_host, &change, arena, &applied,
	                                                &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static void each_change_is_one_request_and_takes_its_time(void **state)
{
	const struct resource *none, *there;
	struct applied done;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	answering_program("reconcile-fsx");
	none = recorded(HAVE(""));
	there = recorded(THERE("AVAILABLE", SAME));
	ANSWER(
	    {.words = " create ", .out = "{\"Association\":{\"AssociationId\":\"dra-9\"}}"},
	    {.words = " update ", .out = "{}"},
	    {.words = " delete ", .status = 1, .out = "{\"trouble\":\"refused\",\"message\":\"no\"}"});
	done = carried_out(ACTION_CREATE, none);
	assert_int_equal(done.outcome, OUTCOME_PENDING);
	assert_string_equal(done.why, "the service creates dra-9; that takes minutes");
	done = carried_out(ACTION_UPDATE, there);
	assert_int_equal(done.outcome, OUTCOME_PENDING);
	assert_string_equal(done.why, "the service updates dra-1; that takes minutes");
	done = carried_out(ACTION_REPLACE, there);
	assert_int_equal(done.outcome, OUTCOME_FAILED);
	assert_string_equal(done.why, "no");
	ANSWER({.words = " delete ", .out = "{}"});
	done = carried_out(ACTION_REPLACE, there);
	assert_int_equal(done.outcome, OUTCOME_PENDING);
	assert_has(done.why, "dra-1 is being deleted, and what lies on the file system stays");
	answering_no_program();
}

static void what_the_service_makes_of_it_is_not_foreseen(void **state)
{
	struct resource *want = converging_want(arena, WANT(""));
	struct change change = {.kind = want->kind,
	                        .action = ACTION_UPDATE,
	                        .want = want,
	                        .have = recorded(THERE("AVAILABLE", SAME))};
	bool exact = true;

	(void)state;
	assert_string_equal(converge_predict(arena, &change, &exact)->data_repository.lifecycle,
	                    "UPDATING");
	assert_false(exact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_directory_on_a_live_mount_is_right_for_whoever_does_not_own_it),
	    TEST(what_is_no_lustre_has_no_association),
	    TEST(a_missing_directory_is_never_made),
	    TEST(a_file_in_its_place_is_no_directory),
	    TEST(what_lies_on_no_mount_is_said),
	    TEST(an_association_is_made_changed_or_replaced),
	    TEST(its_lifecycle_decides),
	    TEST(what_is_wrong_with_it_is_not_hidden_by_what_differs),
	    TEST(a_failed_one_is_replaced_where_another_repository_is_wanted),
	    TEST(the_owner_must_be_named),
	    TEST(what_the_service_would_refuse_is_not_asked_for),
	    TEST(what_is_only_observed_is_never_changed),
	    TEST(the_path_within_the_file_system_counts_the_folder_that_is_mounted),
	    ANSWERED(only_an_owner_that_names_the_file_system_asks),
	    ANSWERED(each_change_is_one_request_and_takes_its_time),
	    TEST(what_the_service_makes_of_it_is_not_foreseen),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
