// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/package_explain.h"

#define TABLE "The following packages have unmet dependencies:\n"

/* What apt-get says when asked about the next package of a chain; then nothing any more. */
static const char *answer;
static const char *offered;

static int run(struct host *host, const struct child_command *command,
               struct child_result *ret_result, struct err *err)
{
	(void)host;
	(void)command;
	(void)err;
	*ret_result = (struct child_result){.status = 100};
	str_add(&ret_result->out, answer);
	answer = "";
	return 0;
}

static int candidate(struct host *host, const char *name, struct host_candidate *ret_candidate,
                     struct err *err)
{
	(void)host;
	(void)name;
	(void)err;
	*ret_candidate = (struct host_candidate){.known = offered != NULL, .version = offered};
	return 0;
}

static const char *explain(const char *said, const char *then)
{
	struct host_ops ops = host_linux_ops;
	const char *why = "apt-get: no";
	struct host host;
	struct err err;

	ops.run = run;
	ops.candidate = candidate;
	answer = then;
	host_init(&host, &ops, arena);
	assert_int_equal(package_explain(&host, "top", arena_strdup(arena, said), arena, &why, &err),
	                 0);
	host_done(&host);
	return why;
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	offered = NULL;
	assert_string_equal(explain(TABLE " top : Depends: part but it is not installable\n", ""),
	                    "top needs part, which is not published");
	assert_string_equal(explain(TABLE " top : Depends: part (= 2) but 1 is to be installed\n", ""),
	                    "top needs part (= 2), but 1 is what there would be");
	assert_string_equal(explain("E: something else\n", ""), "apt-get: no");
}

static void a_chain_is_followed_to_its_end(void **state)
{
	static const char top[] = TABLE " top : Depends: middle but it is not going to be installed\n";

	(void)state;
	offered = NULL;
	assert_string_equal(explain(top, TABLE " middle : Depends: end but it is not installable\n"),
	                    "top needs middle, which needs end, which is not published");
	assert_string_equal(explain(TABLE " middle : Depends: end but it is not installable\n", ""),
	                    "top brings middle, which needs end, which is not published");
	assert_string_equal(explain(top, ""), "top needs middle, which apt would not install");
	offered = "1.0";
	assert_string_equal(explain(top, ""), "top needs middle, but 1.0 is what there would be");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_missing_is_named),
	    TEST(a_chain_is_followed_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
