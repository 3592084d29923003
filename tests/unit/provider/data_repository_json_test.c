// SPDX-License-Identifier: MIT
#include "provider/data_repository.h"

#include "unit/provider/observing.h"

static struct data_repository have;
static const struct data_repository want = {.repository = "s3://bucket/data",
                                            .file_system = "fs-9"};

static const char *mounted;

static void take(const char *json)
{
	struct value value;
	struct err err;

	if (json_parse_foreign(json, strlen(json), "test", arena, &value, &err)) {
		fail_msg("%s", err.text);
	}
	have = (struct data_repository){.file_system_path = "/data"};
	data_repository_take(arena, &value, &want, mounted, &have);
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

static void all_that_is_told_of_it_is_taken(void **state)
{
	(void)state;
	take("{\"associations\": [{\"AssociationId\": \"dra-1\", \"FileSystemPath\": \"/data\", "
	     "\"Lifecycle\": \"MISCONFIGURED\", \"FailureDetails\": {\"Message\": \"no bucket\"}, "
	     "\"FileSystemId\": \"fs-1\", \"DataRepositoryPath\": \"s3://other\", "
	     "\"ImportedFileChunkSize\": 512, \"S3\": {\"AutoExportPolicy\": {\"Events\": "
	     "[\"NEW\", 7, \"DELETED\"]}}}]}");
	assert_string_equal(have.lifecycle, "MISCONFIGURED");
	assert_string_equal(have.failure, "no bucket");
	assert_string_equal(have.file_system, "fs-1");
	assert_string_equal(have.repository, "s3://other");
	assert_true(have.chunk_mib.set);
	assert_int_equal(have.chunk_mib.value, 512);
	assert_int_equal(have.import_events.count, 0);
	assert_int_equal(have.export_events.count, 2);
	assert_string_equal(have.export_events.items[1], "DELETED");
	take(LIST(OF("/data", "s3://bucket/data", "AVAILABLE")));
	assert_false(have.chunk_mib.set);
	assert_null(have.failure);
}

static void what_hinders_a_new_one_is_told(void **state)
{
	(void)state;
	take(LIST(OF("/other", "s3://x/", "CREATING")));
	assert_null(have.association);
	assert_string_equal(have.lifecycle, "busy");
	take(LIST(OF("/other", "s3://x/", "UPDATING")));
	assert_string_equal(have.lifecycle, "busy");
	take(LIST(OF("/other", "s3://x/", "DELETING")));
	assert_string_equal(have.lifecycle, "busy");
	/* The first hindrance is told. */
	take(LIST(OF("/data/inner", "s3://x/", "AVAILABLE") ", " OF("/o", "s3://y/", "CREATING")));
	assert_string_equal(have.lifecycle, "impossible");
	/* Within another by its path, which has no slash at its end. */
	take(LIST(OF("/", "s3://x/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/data/inner", "s3://bucket/data2", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/data/inner", "s3://x/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/other", "s3://bucket/", "AVAILABLE")));
	assert_string_equal(have.lifecycle, "impossible");
	take(LIST(OF("/database", "s3://bucket/database", "AVAILABLE")));
	assert_null(have.lifecycle);
	take(LIST(OF("/dat", "s3://buck", "AVAILABLE")));
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

static void another_file_system_says_nothing_of_this_directory(void **state)
{
#define NAMED(name)                   \
	FS("\"MountName\": \"" name "\"") \
	", \"associations\": [" OF("/data", "s3://x/", "AVAILABLE") "]}"
	(void)state;
	mounted = "czrc3amv";
	take(NAMED("czrc3amv"));
	assert_string_equal(have.association, "dra-1");
	take(NAMED("abcdefgh"));
	assert_null(have.association);
	assert_string_equal(have.lifecycle, "impossible");
	assert_has(have.failure, "fs-9 is mounted as abcdefgh, and what is mounted here is czrc3amv");
	take(LIST(OF("/data", "s3://x/", "AVAILABLE"))); /* who does not tell a name */
	assert_string_equal(have.association, "dra-1");
	mounted = NULL;
	take(NAMED("abcdefgh"));
	assert_string_equal(have.association, "dra-1");
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

#define HAVE_NONE                                                                  \
	"{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"file_system_path\": " \
	"\"/data\"}"
/* Differs in what no request of these says. */
#define HAVE_MORE                                                                             \
	"{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"file_system_path\": \"/data\", " \
	"\"association\": \"dra-1\", \"export\": [\"DELETED\"], \"import\": [\"CHANGED\"]}"
#define WANTING(rest)                                                                            \
	"{\"kind\": \"data_repository\", \"path\": \"/l/data\", \"repository\": \"s3://bucket/d\", " \
	"\"file_system\": \"fs-1\", " rest "}"

/* Both policies are said: nobody tells what the service makes of one that is left out. */
static void what_is_not_wanted_otherwise_stays(void **state)
{
	static const char both[] =
	    "{\"kind\": \"data_repository\", \"key\": \"/l/data\", \"file_system_path\": \"/data\", "
	    "\"association\": \"dra-1\", \"import\": [\"NEW\"], \"export\": [\"DELETED\"]}";

	(void)state;
	assert_has(request(ACTION_UPDATE, WANTING("\"chunk_mib\": 512"), both),
	           "\"S3\":{\"AutoExportPolicy\":{\"Events\":[\"DELETED\"]},"
	           "\"AutoImportPolicy\":{\"Events\":[\"NEW\"]}}");
	assert_has(request(ACTION_UPDATE, WANTING("\"import\": []"), both),
	           "\"S3\":{\"AutoExportPolicy\":{\"Events\":[\"DELETED\"]},"
	           "\"AutoImportPolicy\":{\"Events\":[]}}");
	assert_has(
	    request(ACTION_UPDATE, WANTING("\"import\": [], \"export\": []"), both),
	    "\"S3\":{\"AutoExportPolicy\":{\"Events\":[]},\"AutoImportPolicy\":{\"Events\":[]}}");
	assert_has(request(ACTION_UPDATE, WANTING("\"chunk_mib\": 512"), HAVE),
	           "\"S3\":{\"AutoExportPolicy\":{\"Events\":[\"DELETED\"]}}");
	assert_null(strstr(request(ACTION_CREATE, WANTING("\"import\": []"), HAVE_NONE), "S3"));
}

static const char *token(const char *text)
{
	const char *at = strstr(text, "\"ClientRequestToken\":\"");

	assert_non_null(at);
	return arena_strndup(arena, at, strcspn(at + 22, "\"") + 22);
}

static void another_wish_and_another_situation_have_a_token_of_their_own(void **state)
{
	const char *first = token(request(ACTION_UPDATE, WANT, HAVE));

	(void)state;
	assert_string_equal(first, token(request(ACTION_UPDATE, WANT, HAVE)));
	assert_string_not_equal(
	    first, token(request(ACTION_UPDATE, WANTING("\"import\": [\"CHANGED\"]"), HAVE)));
	assert_string_not_equal(first, token(request(ACTION_UPDATE, WANT, HAVE_MORE)));
}

static void requests_say_what_the_service_needs(void **state)
{
	(void)state;
	const char *create = request(ACTION_CREATE, WANT, HAVE);

	assert_has(create, "\"FileSystemPath\":\"/data\"");
	assert_has(create, "\"ClientRequestToken\":\"reconcile-");
	assert_string_equal(create, request(ACTION_CREATE, WANT, HAVE));
	assert_has(create, "\"FileSystemId\":\"fs-1\"");
	assert_has(create, "\"DataRepositoryPath\":\"s3://bucket/d\"");
	assert_null(strstr(create, "BatchImport"));
	assert_null(strstr(create, "ImportedFileChunkSize"));
	create = request(ACTION_CREATE, WANTING("\"batch_import\": true, \"chunk_mib\": 512"), HAVE);
	assert_has(create, "\"BatchImportMetaDataOnCreate\":true");
	assert_has(create, "\"ImportedFileChunkSize\":512");
	assert_has(request(ACTION_UPDATE, WANT, HAVE), "\"AssociationId\":\"dra-1\"");
	assert_has(request(ACTION_UPDATE, WANT, HAVE),
	           "\"S3\":{\"AutoExportPolicy\":{\"Events\":[\"DELETED\"]},\"AutoImportPolicy\"");
	assert_has(request(ACTION_REPLACE, WANT, HAVE), "\"DeleteDataInFileSystem\":false");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_association_of_the_directory_is_found),
	    TEST(all_that_is_told_of_it_is_taken),
	    TEST(what_hinders_a_new_one_is_told),
	    TEST(the_older_way_is_read),
	    TEST(another_file_system_says_nothing_of_this_directory),
	    TEST(whatever_the_service_says_is_survived),
	    TEST(an_association_without_its_marks_is_not_taken_for_none),
	    TEST(requests_say_what_the_service_needs),
	    TEST(what_is_not_wanted_otherwise_stays),
	    TEST(another_wish_and_another_situation_have_a_token_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
