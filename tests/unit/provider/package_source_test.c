// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#define WANT(rest) "{\"kind\": \"package_source\", \"name\": \"fsx\"" rest "}"
#define HAVE(rest) "{\"kind\": \"package_source\", \"key\": \"fsx\"" rest "}"
#define PLACE ", \"uri\": \"file:/srv/repository\""
#define MAIN ", \"components\": [\"main\"]"
#define FIELD ", \"suites\": [\"field\"]" MAIN
#define KEY                                                         \
	"-----BEGIN PGP PUBLIC KEY BLOCK-----\\n\\nmQECAwQ=\\n=0TPE\\n" \
	"-----END PGP PUBLIC KEY BLOCK-----\\n"
#define SIGNED ", \"signed_by\": \"/etc/apt/keyrings/fsx.gpg\""

static void refused(const char *json, const char *reason)
{
	struct diags diags = {.arena = arena};
	struct value value;
	struct err err = {0};

	assert_int_equal(json_parse(json, strlen(json), "test", arena, &value, &err), 0);
	const struct resource *want = resource_from_value(arena, &value, USE_WANTED, &diags);

	assert_non_null(want);
	assert_int_equal(converge_check(want, &err), -ERR_INPUT);
	assert_has(err.text, reason);
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	refused(WANT(", \"uri\": \"host/path\"" FIELD), "names no way");
	refused("{\"kind\": \"package_source\", \"name\": \"a:b\"" PLACE FIELD "}",
	        "the file is called by");
	refused(WANT(", \"uri\": \"http://a#b\"" FIELD), "# [ ]");
	refused(WANT(PLACE ", \"suites\": [\"field\"]"), "needs some (main)");
	refused(WANT(PLACE ", \"suites\": [\"./\"]" MAIN), "has no components");
	refused(WANT(PLACE FIELD ", \"signed_by\": \"/k\""), "expected /k.gpg or /k.asc");
	refused(WANT(PLACE FIELD ", \"public_key\": \"" KEY "\""), "needs signed_by");
	refused(WANT(PLACE FIELD SIGNED ", \"public_key\": \"x\""), "no armoured key");
}

static void what_differs_is_told(void **state)
{
	struct verdict v;

	(void)state;
	v = compare(WANT(PLACE FIELD SIGNED),
	            HAVE(PLACE FIELD SIGNED ", \"file\": \"/etc/apt/sources.list.d/x.list:1\""));
	assert_int_equal(v.outcome, OUTCOME_KEPT);
	v = compare(WANT(PLACE FIELD SIGNED),
	            HAVE(PLACE FIELD ", \"file\": \"/etc/apt/sources.list.d/x.list:1\""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_has(changes(&v, "file"), "x.list:1 > mended there");
	v = compare(WANT(PLACE FIELD SIGNED ", \"public_key\": \"" KEY "\""),
	            HAVE(PLACE FIELD SIGNED
	                 ", \"key_digest\": "
	                 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""));
	assert_int_equal(v.action, ACTION_UPDATE);
	assert_has(changes(&v, "public_key"), "SHA-256 0123456789abcdef... > SHA-256 ");
	v = compare(WANT(PLACE FIELD SIGNED), HAVE(PLACE FIELD ", \"obstacle\": \"shared\""));
	assert_int_equal(v.outcome, OUTCOME_BLOCKED);
	v = compare(WANT(PLACE FIELD), HAVE(", \"state\": \"absent\""));
	assert_int_equal(v.action, ACTION_CREATE);
	assert_has(changes(&v, "file"), "/etc/apt/sources.list.d/fsx.sources");
}

static void make_wrong(void)
{
	TOOL("sh", "-c",
	     "rm -rf /etc/apt/keyrings /etc/apt/sources.list.d/fsx.sources; "
	     "echo 'deb [trusted=yes] file:/srv/repository field extra' "
	     ">/etc/apt/sources.list.d/field.list");
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	converging_sweep(WANT(PLACE FIELD SIGNED ", \"public_key\": \"" KEY "\""), make_wrong,
	                 "/etc/apt/sources.list.d/field.list");
	converging_sweep(WANT(", \"state\": \"absent\"" PLACE), make_wrong, NULL);
	make_wrong();
}

static void a_fact_is_found_by_name_and_by_place(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	make_wrong();
	assert_int_equal(fact(KIND_PACKAGE_SOURCE, "fsx")->state, STATE_ABSENT);
	assert_int_equal(fact(KIND_PACKAGE_SOURCE, "field")->state, STATE_PRESENT);
	const struct resource *have = fact(KIND_PACKAGE_SOURCE, "file:/srv/repository/");

	assert_int_equal(have->state, STATE_PRESENT);
	assert_string_equal(have->package_source.suites.items[0], "field");
	assert_has(have->package_source.file, "field.list:1");
	assert_int_equal(fact(KIND_PACKAGE_SOURCE, "file:/srv/nowhere")->state, STATE_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_contradicts_itself_is_refused),
	    TEST(what_differs_is_told),
	    TEST(a_fact_is_found_by_name_and_by_place),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
