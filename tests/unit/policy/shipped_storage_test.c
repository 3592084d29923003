// SPDX-License-Identifier: MIT
/* The policies for storage: lustre, data_repositories and beegfs with its matrix. */
#include "unit/policy/shipped.h"

/* All that is warned of under rules that begin so, a line each: "RULE: REASON". */
static const char *warned(const struct test_case *c, const char *prefix)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < c->decision.warning_count; i++) {
		const struct note *note = &c->decision.warnings[i];

		if (text_starts(note->rule, prefix)) {
			str_addf(&text, "%s: %s\n", note->rule, note->origin.reason);
		}
	}
	return arena_strdup(c->arena, str_text(&text));
}

static void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part)) {
		fail_msg("\"%s\" should hold \"%s\"", text, part);
	}
}

/* ---- lustre ---- */

#define FACTS_OF_LUSTRE                                              \
	"[{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", "      \
	"\"that_matter\": [\"6.8.0-1039-aws\"]},"                        \
	"{\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true}," \
	"{\"kind\": \"mount\", \"key\": \"/l\", \"live\": true, \"type\": \"lustre\"}]"
#define SOURCE "10.1.30.23@tcp:/12345678"

/* What is warned of a Lustre mount with such a source, options and other fields. */
static void warns_of(const char *source, const char *options, const char *more,
                     const char *expected)
{
	struct test_case *c = case_create();
	const char *want =
	    arena_printf(c->arena,
	                 "{\"mounts\": {\"/l\": {\"source\": \"%s\", \"type\": \"lustre\", "
	                 "\"options\": [%s]%s}}}",
	                 source, options, more);
	struct test_case *run = shipped(want, FACTS_OF_LUSTRE);

	case_done(c);
	if (*expected) {
		assert_part(warned(run, "lustre-"), expected);
	} else {
		assert_string_equal(warned(run, "lustre-"), "");
	}
	case_done(run);
}

#define LIVE ", \"manage\": \"live\""

static void options_that_the_client_knows_are_not_warned_of(void **state)
{
	(void)state;
	warns_of(SOURCE, "\"flock\", \"relatime\", \"retry=3\", \"network=tcp1\"", LIVE, "");
	warns_of(
	    SOURCE,
	    "\"flock\", \"_netdev\", \"nofail\", \"x-systemd.automount\", \"X-mine\", \"comment=a\"",
	    "", "");
	warns_of(SOURCE, "\"flocks\"", LIVE,
	         "lustre-option-unknown: mount.lustre does not know the option flocks");
	warns_of(SOURCE, "\"retry\"", LIVE, "lustre-option-unknown");
}

static void words_of_fstab_belong_to_a_line_of_fstab(void **state)
{
	(void)state;
	warns_of(SOURCE, "\"flock\"", ", \"manage\": \"full\"", "lustre-without-netdev");
	warns_of(SOURCE, "\"flock\"", "", "lustre-without-netdev");
	warns_of(SOURCE, "\"flock\", \"_netdev\"", "", "");
	warns_of(SOURCE, "\"flock\", \"_netdev\"", LIVE, "");
	warns_of(SOURCE, "\"nofail\"", LIVE,
	         "lustre-fstab-option: nofail is for fstab, and with manage: live");
	warns_of(SOURCE, "\"x-systemd.automount\"", LIVE, "lustre-fstab-option: x-systemd.automount");
	warns_of(SOURCE, "\"flock\"", LIVE, "");
}

static void a_source_that_cannot_be_meant_is_said(void **state)
{
	(void)state;
	warns_of("10.1.30.23@tcp:/123456789", "", LIVE, "and 123456789 has 9");
	warns_of("10.1.30.23@tcp:/12345678/folder-below", "", LIVE, "");
	warns_of("10.1.30.23:/fs", "", LIVE, "10.1.30.23 names no network: write 10.1.30.23@tcp");
	warns_of("fs.example.org", "", LIVE, "fs.example.org is not of the form HOST@tcp:/NAME");
	warns_of("x", "\"devil\"", ", \"state\": \"absent\"" LIVE, "");
}

/* ---- data_repositories ---- */

#define ENTRY(path, repository, rest) "\"" path "\": {\"repository\": \"" repository "\"" rest "}"
#define ON_ONE ", \"file_system\": \"fs-1\""

static struct test_case *repositories(const char *entries)
{
	struct test_case *c = case_create();
	const char *want = arena_printf(c->arena, "{\"data_repositories\": {%s}}", entries);
	struct test_case *run = shipped(want, "[{\"kind\": \"node\", \"name\": \"head\"}]");

	case_done(c);
	return run;
}

static void refuses(const char *entries, size_t blocks, const char *reason)
{
	struct test_case *c = repositories(entries);

	assert_int_equal(c->decision.block_count, blocks);
	if (blocks) {
		assert_part(c->decision.blocks[0].origin.reason, reason);
		assert_part(c->decision.blocks[0].origin.reason, ": the service refuses that");
		assert_false(plans(c, "data_repository"));
	}
	case_done(c);
}

static void repositories_of_one_file_system_lie_beside_each_other(void **state)
{
	(void)state;
	refuses(ENTRY("/l/a", "s3://xxx/", ON_ONE) ", " ENTRY("/l/a/b", "s3://yyy/", ON_ONE), 2,
	        "/l/a and /l/a/b lie within each other");
	refuses(ENTRY("/l/a", "s3://xxx", ON_ONE) ", " ENTRY("/l/b", "s3://xxx/deep/", ON_ONE), 2,
	        "s3://xxx and s3://xxx/deep/ (/l/b) lie within each other");
	refuses(ENTRY("/l/a", "s3://xxx/", ON_ONE) ", " ENTRY("/l/b", "s3://xxx", ON_ONE), 2,
	        "lie within");
	refuses(ENTRY("/l/a", "s3://xxx", ON_ONE) ", " ENTRY("/l/ab", "s3://xxxy", ON_ONE), 0, NULL);
	refuses(ENTRY("/l/a", "s3://xxx", ON_ONE) ", " ENTRY("/m/a", "s3://xxx",
	                                                     ", \"file_system\": \"fs-2\""),
	        0, NULL);
	refuses(ENTRY("/l/a", "s3://xxx", "") ", " ENTRY("/l/a/b", "s3://xxx/y", ""), 0, NULL);
}

static void a_file_system_has_eight_of_them_at_the_most(void **state)
{
#define EIGHT                                                                                     \
	ENTRY("/l/1", "s3://xxx/1", ON_ONE)                                                           \
	", " ENTRY("/l/2", "s3://xxx/2", ON_ONE) ", " ENTRY("/l/3", "s3://xxx/3", ON_ONE) ", " ENTRY( \
	    "/l/4", "s3://xxx/4",                                                                     \
	    ON_ONE) ", " ENTRY("/l/5", "s3://xxx/5",                                                  \
	                       ON_ONE) ", " ENTRY("/l/6", "s3://xxx/6",                               \
	                                          ON_ONE) ", " ENTRY("/l/7", "s3://xxx/7",            \
	                                                             ON_ONE) ", " ENTRY("/l/8",       \
	                                                                                "s3://xxx/8", \
	                                                                                ON_ONE)
	(void)state;
	refuses(EIGHT, 0, NULL);
	refuses(EIGHT ", " ENTRY("/l/9", "s3://xxx/9", ON_ONE), 9,
	        "fs-1 is wanted to have 9 associations, and 8 is the most");
}

static void too_many_of_them_are_no_overlap(void **state)
{
	struct test_case *c = repositories(
	    EIGHT ", " ENTRY("/l/9", "s3://xxx/9", ON_ONE) ", " ENTRY("/m", "s3://yyy", ""));

	(void)state;
	assert_string_equal(c->decision.blocks[0].rule, "repositories-limit");
	assert_true(plans(c, "data_repository")); /* of another file system */
	case_done(c);
	c = repositories(ENTRY("/l/a", "s3://xxx/", ON_ONE) ", " ENTRY("/l/a/b", "s3://yyy/", ON_ONE));
	assert_string_equal(c->decision.blocks[0].rule, "repositories-overlap");
	case_done(c);
}

static const char *because(const char *entry)
{
	struct test_case *c = repositories(entry);
	const struct proposal *p = &c->decision.proposals[0];
	static char reason[200];

	snprintf(reason, sizeof reason, "%s", p->origin.reason);
	case_done(c);
	return reason;
}

static void whoever_does_not_own_it_names_the_owner(void **state)
{
	(void)state;
	assert_string_equal(because(ENTRY("/l/a", "s3://xxx", ON_ONE ", \"owner\": \"other\"")),
	                    "wanted by data_repositories; the service is asked by its owner other");
	assert_string_equal(because(ENTRY("/l/a", "s3://xxx", ON_ONE ", \"owner\": \"head\"")),
	                    "wanted by data_repositories, which this node owns");
	assert_string_equal(because(ENTRY("/l/a", "s3://xxx", ON_ONE)), "wanted by data_repositories");
}

static void only_the_owner_writes(void **state)
{
	struct test_case *c = repositories(
	    ENTRY("/l/a", "s3://xxx",
	          ON_ONE ", \"owner\": \"head\", \"manage\": \"owner\", \"region\": \"eu-west-1\", "
	                 "\"import\": [\"NEW\"], \"export\": [\"DELETED\"], \"batch_import\": true, "
	                 "\"chunk_mib\": 512"));
	const struct data_repository *r = &find(c, "data_repository", "/l/a")->want->data_repository;

	(void)state;
	assert_string_equal(r->owner, "head");
	assert_string_equal(r->manage, "owner");
	assert_string_equal(r->region, "eu-west-1");
	assert_string_equal(r->repository, "s3://xxx");
	assert_int_equal(r->import_events.count + r->export_events.count, 2);
	assert_true(r->batch_import.value);
	assert_int_equal(r->chunk_mib.value, 512);
	case_done(c);
	c = repositories(
	    ENTRY("/l/a", "s3://xxx", ON_ONE ", \"owner\": \"other\", \"manage\": \"owner\""));
	r = &find(c, "data_repository", "/l/a")->want->data_repository;
	assert_null(r->owner);
	assert_string_equal(r->manage, "observe");
	case_done(c);
}

/* ---- beegfs ---- */

#define OLD "6.1.0-56-cloud-amd64"
#define NEW "6.12.38+deb12-cloud-amd64"
#define KERNEL(running, boots)                                                         \
	"[{\"kind\": \"kernel\", \"running\": \"" running "\", \"boot_default\": \"" boots \
	"\", \"installed\": [\"" OLD "\", \"" NEW "\"]}"
#define BUILT(release, status)                                                         \
	", {\"kind\": \"dkms\", \"key\": \"beegfs@" release "\", \"version\": \"7.4.4\", " \
	"\"headers\": true, \"status\": \"" status "\"}"
#define CLIENT "{\"modules\": {\"beegfs\": {\"dkms\": \"beegfs\", \"version\": \"7.4.4*\"}}}"

static void says(const char *want, const char *facts, const char *expected)
{
	struct test_case *c = shipped(want, facts);

	if (*expected) {
		assert_part(warned(c, "beegfs-kernel"), expected);
	} else {
		assert_string_equal(warned(c, "beegfs-kernel"), "");
	}
	case_done(c);
}

static void a_kernel_that_the_client_is_not_for_is_said_until_dkms_has_answered(void **state)
{
	static const char *const answers[] = {"installed", "failed", "excluded"};

	(void)state;
	says(CLIENT, KERNEL(NEW, NEW) BUILT(OLD, "added") BUILT(NEW, "added") "]",
	     NEW " is running; BeeGFS 7.4.4 on it is incompatible (");
	says(CLIENT, KERNEL(NEW, NEW) BUILT(OLD, "added") BUILT(NEW, "added") "]",
	     "of the installed kernels " OLD " would do");
	says(CLIENT, KERNEL(OLD, NEW) BUILT(OLD, "added") BUILT(NEW, "added") "]",
	     NEW " will boot next; BeeGFS 7.4.4");
	says("{\"kernel\": {\"release\": \"" NEW "\", \"strategy\": \"none\"}, \"modules\": "
	     "{\"beegfs\": {\"dkms\": \"beegfs\"}}}",
	     KERNEL(OLD, OLD) BUILT(OLD, "added") BUILT(NEW, "added") "]", "");
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct test_case *c = case_create();
		const char *facts = arena_printf(
		    c->arena, KERNEL(NEW, NEW) BUILT(OLD, "added") BUILT(NEW, "%s") "]", answers[i]);

		says(CLIENT, facts, "");
		case_done(c);
	}
	says(CLIENT,
	     KERNEL(NEW, NEW) BUILT(OLD, "added")
	         BUILT(NEW, "added") ", {\"kind\": \"loadable\", \"key\": \"beegfs@" NEW
	                             "\", \"verdict\": \"yes\"}]",
	     "");
	says("{\"modules\": {\"beegfs\": {\"state\": \"absent\"}}}",
	     KERNEL(NEW, NEW) BUILT(NEW, "added") "]", "");
}

#define ONE(release)                                                                            \
	"[{\"kind\": \"kernel\", \"running\": \"" release "\", \"boot_default\": \"" release "\", " \
	"\"installed\": [\"" release "\"]}" BUILT(release, "added") "]"

static void what_is_only_doubted_is_said_too(void **state)
{
	(void)state;
	says(CLIENT, ONE("6.11.2-1-amd64"), "is untested (may work)");
	says(CLIENT, ONE("6.9.2-1-amd64"), "is unknown (nobody says anything about it)");
	says(CLIENT, ONE("6.6.2-1-amd64"), "");
	/* A kernel that is not said to do names the series that are. */
	says(CLIENT, ONE("6.12.2-1-amd64"),
	     "none of the installed kernels is said to do; 6.1 and 6.6 are");
}

#define FOUND(release, version, status)                                                      \
	", {\"kind\": \"dkms\", \"key\": \"beegfs@" release "\", \"version\": \"" version "\", " \
	"\"headers\": true, \"status\": \"" status "\"}"
#define NO_SOURCE(release) \
	", {\"kind\": \"dkms\", \"key\": \"beegfs@" release "\", \"state\": \"absent\"}"
#define WITHOUT_VERSION "{\"modules\": {\"beegfs\": {\"dkms\": \"beegfs\"}}}"

static void it_is_judged_by_the_version_that_dkms_has(void **state)
{
	(void)state;
	/* What is doubted is no advice, and the source tells the version where the tree does not. */
	says(WITHOUT_VERSION,
	     KERNEL(NEW, NEW) FOUND(OLD, "8.3.1", "added") FOUND(NEW, "8.3.1", "added") "]",
	     "BeeGFS 8.3.1 on it is untested (the changes of 6.12 and 6.14 are followed); of the "
	     "installed kernels " OLD " would do");
	says(CLIENT, KERNEL(NEW, NEW) FOUND(OLD, "8.3.1", "added") FOUND(NEW, "8.3.1", "added") "]",
	     "BeeGFS 8.3.1 on it is untested");
	/* Without source nobody knows; a kernel that is said to do would do nevertheless. */
	says(WITHOUT_VERSION, KERNEL(NEW, NEW) NO_SOURCE(OLD) NO_SOURCE(NEW) "]",
	     "BeeGFS of a version that nobody tells (taken for 7.4.4) on it is incompatible");
	says(WITHOUT_VERSION, KERNEL(NEW, NEW) NO_SOURCE(OLD) NO_SOURCE(NEW) "]",
	     "of the installed kernels " OLD " would do");
}

static size_t without_source(const char *want)
{
	struct test_case *c =
	    shipped(want, KERNEL(NEW, NEW) NO_SOURCE(OLD)
	                      NO_SOURCE(NEW) ", {\"kind\": \"module\", \"key\": \"beegfs\", "
	                                     "\"loaded\": true}]");
	size_t said = strstr(warned(c, "beegfs-source"), "no source of beegfs to build from") != NULL;

	case_done(c);
	return said;
}

static void that_there_is_no_source_is_said_unless_it_is_on_its_way(void **state)
{
	(void)state;
	assert_int_equal(without_source(WITHOUT_VERSION), 1);
	/* Loaded, and not said to be of DKMS. */
	assert_int_equal(without_source("{\"modules\": {\"beegfs\": {}}}"), 0);
	assert_int_equal(
	    without_source("{\"modules\": {\"beegfs\": {\"dkms\": \"beegfs\"}}, \"packages\": "
	                   "{\"beegfs-client-dkms\": {}}}"),
	    0);
	assert_int_equal(without_source("{\"modules\": {\"beegfs\": {\"package\": \"b-{kernel}\"}}}"),
	                 0);
}

static void the_epoch_is_no_part_of_the_version(void **state)
{
	(void)state;
	says("{\"modules\": {\"beegfs\": {\"dkms\": \"beegfs\", \"version\": \"20:7.4.4*\"}}}",
	     KERNEL(NEW, NEW) NO_SOURCE(OLD) NO_SOURCE(NEW) "]",
	     "BeeGFS 7.4.4 on it is incompatible (");
	says(WITHOUT_VERSION,
	     KERNEL(NEW, NEW) FOUND(OLD, "20:7.4.4", "added") FOUND(NEW, "20:7.4.4", "added") "]",
	     "BeeGFS 7.4.4 on it is incompatible (");
}

static bool plans_helper(const char *type, const char *service, const char *state,
                         const char *helper)
{
	struct test_case *c = case_create();
	struct test_case *run = shipped(
	    arena_printf(c->arena,
	                 "{\"mounts\": {\"/b\": {\"source\": \"beegfs_nodev\", \"type\": \"%s\"%s%s, "
	                 "\"manage\": \"live\"}}}",
	                 type, service, state),
	    arena_printf(c->arena,
	                 "[{\"kind\": \"service\", \"key\": \"beegfs-helperd.service\"%s}, "
	                 "{\"kind\": \"mount\", \"key\": \"/b\", \"live\": true}]",
	                 helper));
	bool planned = false;

	for (size_t i = 0; i < run->decision.proposal_count; i++) {
		const struct resource *want = run->decision.proposals[i].want;

		if (want->kind->id == KIND_SERVICE && strcmp(want->key, "beegfs-helperd.service") == 0) {
			planned = true;
			assert_true(want->service.active.value);
			assert_int_equal(want->service.enabled.set, !strstr(helper, "static/"));
		}
	}
	case_done(run);
	case_done(c);
	return planned;
}

#define BY_SERVICE ", \"service\": \"beegfs-client.service\""

static void the_helper_runs_beside_a_client_of_a_service(void **state)
{
	(void)state;
	assert_true(plans_helper("beegfs", BY_SERVICE, "", ", \"active\": false"));
	assert_true(plans_helper("beegfs", BY_SERVICE, "",
	                         ", \"active\": false, \"unit_state\": \"static/inactive\""));
	assert_false(plans_helper("beegfs", "", "", ", \"active\": false"));
	assert_false(plans_helper("tmpfs", BY_SERVICE, "", ", \"active\": false"));
	assert_false(plans_helper("beegfs", BY_SERVICE, "", ", \"state\": \"absent\""));
	assert_false(
	    plans_helper("beegfs", BY_SERVICE, ", \"state\": \"absent\"", ", \"active\": false"));
}

/* ---- What is claimed ---- */

static void each_kernel_is_judged_by_the_newest_entry_that_is_not_newer(void **state)
{
	static const struct {
		const char *version, *release, *verdict;
	} rows[] = {
	    {"\"7.4.4-1\"", "6.1.0-50-cloud-amd64", "supported"},
	    {"\"7.4.4\"", "6.6.99", "supported"},
	    {"\"7.4.4\"", "6.8.1", "unknown"},
	    {"\"7.4.4\"", "6.11.0", "untested"},
	    {"\"7.4.4\"", "6.12.0", "incompatible"},
	    {"\"7.4.4\"", "7.0.1", "incompatible"},
	    {"\"7.4.5\"", "6.8.0-1039-aws", "supported"},
	    {"\"7.4.6\"", "6.11.11", "supported"},
	    {"\"7.4.6\"", "6.12.1", "incompatible"},
	    {"\"7.4.7\"", "6.13.5", "untested"},
	    {"\"7.4.7\"", "6.14.0", "incompatible"},
	    /* What 7.4.7 got late is in no 8.0. */
	    {"\"8.0.1\"", "6.12.1", "incompatible"},
	    {"\"8.0.1\"", "6.11.1", "untested"},
	    {"\"8.1.0\"", "6.12.1", "untested"},
	    {"\"20:7.4.7*\"", "6.12.1", "untested"},
	    {"\"9.0\"", "6.12.1", "unknown"},
	    {"\"8.2\"", "6.14.1", "incompatible"},
	    {"\"8.3.0\"", "6.14.1", "untested"},
	    {"\"8.3.0\"", "6.15.1", "unknown"},
	    {"\"8.3.0\"", "5.15.1", "unknown"},
	    /* Who is older than all, or not known, is promised least. */
	    {"\"7.2.1\"", "6.8.1", "unknown"},
	    {"nil", "6.12.1", "incompatible"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_case *c = case_create();

		case_embedded(c, true);
		case_body(c, arena_printf(c->arena,
		                          "plan:warn{rule = \"judged\", reason = "
		                          "(lib.beegfs_matrix.judge(%s, \"%s\"))}",
		                          rows[i].version, rows[i].release));
		assert_runs(c);
		if (strcmp(c->decision.warnings[0].origin.reason, rows[i].verdict) != 0) {
			fail_msg("BeeGFS %s on %s is %s, not %s", rows[i].version, rows[i].release,
			         c->decision.warnings[0].origin.reason, rows[i].verdict);
		}
		case_done(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_that_the_client_knows_are_not_warned_of),
	    cmocka_unit_test(words_of_fstab_belong_to_a_line_of_fstab),
	    cmocka_unit_test(a_source_that_cannot_be_meant_is_said),
	    cmocka_unit_test(repositories_of_one_file_system_lie_beside_each_other),
	    cmocka_unit_test(a_file_system_has_eight_of_them_at_the_most),
	    cmocka_unit_test(too_many_of_them_are_no_overlap),
	    cmocka_unit_test(whoever_does_not_own_it_names_the_owner),
	    cmocka_unit_test(only_the_owner_writes),
	    cmocka_unit_test(a_kernel_that_the_client_is_not_for_is_said_until_dkms_has_answered),
	    cmocka_unit_test(what_is_only_doubted_is_said_too),
	    cmocka_unit_test(it_is_judged_by_the_version_that_dkms_has),
	    cmocka_unit_test(that_there_is_no_source_is_said_unless_it_is_on_its_way),
	    cmocka_unit_test(the_epoch_is_no_part_of_the_version),
	    cmocka_unit_test(the_helper_runs_beside_a_client_of_a_service),
	    cmocka_unit_test(each_kernel_is_judged_by_the_newest_entry_that_is_not_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
