// SPDX-License-Identifier: MIT
#include "provider/data_repository.h"

#include "unit/provider/observing.h"

static struct data_repository have;
static const struct data_repository want = {.repository = "s3://bucket/data"};

static void take(const char *json)
{
	struct value value;
	struct err err;

	if (json_parse_foreign(json, strlen(json), "test", arena, &value, &err)) {
		fail_msg("%s", err.text);
	}
	have = (struct data_repository){.file_system_path = "/data"};
	data_repository_take(arena, &value, &want, &have);
}

#define FS(rest) "{\"file_system\": {\"LustreConfiguration\": {" rest "}}"
#define OF(path, repository, state)                                                            \
	"{\"AssociationId\": \"dra-1\", \"Lifecycle\": \"" state "\", \"FileSystemPath\": \"" path \
	"\", \"DataRepositoryPath\": \"" repository "\", \"CreationTime\": 1732147200.25, "        \
	"\"S3\": {\"AutoImportPolicy\": {\"Events\": [\"NEW\"]}}}"
#define LIST(item) FS("") ", \"associations\": [" item "]}"

static void the_association_of_the_directory_is_found(void **state)
{
	(void)state;
	take(LIST(OF("/data/", "s3://bucket/data/", "AVAILABLE")));
	assert_string_equal(have.association, "dra-1");
	assert_string_equal(have.repository, "s3://bucket/data"); /* as it was written */
	assert_int_equal(have.import_events.count, 1);
	assert_int_equal(have.export_events.count, 0);
	assert_true(have.export_events.set);
}

static void what_hinders_a_new_one_is_told(void **state)
{
	(void)state;
	take(LIST(OF("/other", "s3://x/", "CREATING")));
	assert_null(have.association);
	assert_string_equal(have.lifecycle, "busy");
	take(LIST(OF("/data/inner", "s3://x/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/other", "s3://bucket/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/database", "s3://bucket/database", "AVAILABLE")));
	assert_null(have.lifecycle);
#define A OF("/o", "s3://x/", "AVAILABLE") ", "
	take(LIST(A A A A A A A OF("/o", "s3://x/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
#undef A
}

static void the_older_way_is_read(void **state)
{
	(void)state;
	take(FS("\"DataRepositoryConfiguration\": {\"ImportPath\": \"s3://b\"}") "}");
	assert_string_equal(have.legacy, "ImportPath=s3://b ExportPath=none AutoImportPolicy=NONE");
	take(FS("\"DeploymentType\": \"SCRATCH_1\"") "}");
	assert_string_equal(have.legacy, "SCRATCH_1");
	take(FS("\"DeploymentType\": \"PERSISTENT_2\"") "}");
	assert_null(have.legacy);
}

static void whatever_the_service_says_is_survived(void **state)
{
	static const char *const texts[] = {
	    "{}", "[]", "{\"associations\": 1, \"file_system\": []}",
	    "{\"associations\": [1, {}, null], \"file_system\": {\"LustreConfiguration\": 1}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		take(texts[i]);
		assert_null(have.association);
	}
}

/* What has no id can neither be told from others nor changed: nothing is known then. */
static void an_association_without_its_marks_is_not_taken_for_none(void **state)
{
	(void)state;
	take("{\"associations\": [{\"FileSystemPath\": \"/data\"}]}");
	assert_null(have.association);
	assert_has(have.unasked, "without an id");
	take("{\"associations\": [{\"FileSystemPath\": \"/data\", \"AssociationId\": \"dra-1\"}]}");
	assert_string_equal(have.association, "dra-1");
	assert_string_equal(have.lifecycle, "unknown");
	assert_null(have.unasked);
	/* Also where it is somebody else's, of which less is told. */
	take("{\"associations\": [{\"FileSystemPath\": \"/data/below\"}]}");
	assert_has(have.failure, "overlap");
	assert_null(strstr(have.failure, "null"));
}

static const char *request(enum action action, const char *wanted, const char *found)
{
	struct change change = {.kind = &kind_table[KIND_DATA_REPOSITORY],
	                        .action = action,
	                        .want = converging_want(arena, wanted),
	                        .have = recorded(found)};

	return data_repository_request(arena, &change);
}

#define WANT                                                                                     \
	"{\"kind\": \"data_repository\", \"path\": \"/l/data\", \"repository\": \"s3://bucket/d\", " \
	"\"file_system\": \"fs-1\", \"import\": [\"NEW\"]}"
#define HAVE                                                                                  \
	"{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"file_system_path\": \"/data\", " \
	"\"association\": \"dra-1\", \"export\": [\"DELETED\"]}"

static void requests_say_what_the_service_needs(void **state)
{
	(void)state;
	const char *create = request(ACTION_CREATE, WANT, HAVE);

	assert_has(create, "\"FileSystemPath\":\"/data\"");
	assert_has(create, "\"ClientRequestToken\":\"reconcile-");
	assert_string_equal(create, request(ACTION_CREATE, WANT, HAVE));
	assert_has(request(ACTION_UPDATE, WANT, HAVE),
	           "\"S3\":{\"AutoExportPolicy\":{\"Events\":[\"DELETED\"]},\"AutoImportPolicy\"");
	assert_has(request(ACTION_REPLACE, WANT, HAVE), "\"DeleteDataInFileSystem\":false");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_association_of_the_directory_is_found),
	    TEST(what_hinders_a_new_one_is_told),
	    TEST(the_older_way_is_read),
	    TEST(whatever_the_service_says_is_survived),
	    TEST(an_association_without_its_marks_is_not_taken_for_none),
	    TEST(requests_say_what_the_service_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
