// SPDX-License-Identifier: MIT
/* How reconcile-fsx is called and what is made of its answer. The program itself is in
 * tests/behaviour/fsx_helper.bats. */
#include "unit/provider/answering.h"

#include "provider/fsx_call.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fsx_answer ask(const char *verb, const char *region)
{
	struct fsx_answer answer;
	struct err err;

	if (fsx_ask(&answering_host, &(struct fsx_question){verb, "fs-1", region}, arena, &answer,
	            &err)) {
		fail_msg("%s", err.text);
	}
	return answer;
}

static int fsx_setup(void **state)
{
	static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE",
	                                    "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_FSX"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsetenv(names[i]);
	}
	answering_setup(state);
	if (scratch_is_private()) {
		answering_program("reconcile-fsx");
	}
	return 0;
}

static int fsx_teardown(void **state)
{
	if (scratch_is_private()) {
		answering_no_program();
	}
	return answering_teardown(state);
}

static const char *trouble(const char *verb, const char *region)
{
	struct fsx_answer answer = ask(verb, region);

	return answer.trouble ? arena_printf(arena, "%s: %s", answer.trouble, answer.why) : "none";
}

static void the_program_gets_its_words_and_less_time_than_we_wait(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	ANSWER({.words = "reconcile-fsx", .out = "{\"file_system\":{}}"});
	struct fsx_answer answer = ask("describe", "eu-west-1");

	assert_null(answer.trouble);
	assert_non_null(value_get(&answer.body, "file_system"));
	assert_has(str_text(&asked), "/reconcile-fsx describe fs-1 eu-west-1 3500\n");
	assert_int_equal(asked_ms, 4000);
	ask("create", "eu-west-1");
	assert_has(str_text(&asked), "/reconcile-fsx create fs-1 eu-west-1 29500\n");
	assert_int_equal(asked_ms, 30000);
}

static void only_what_aws_reads_is_handed_on(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	setenv("AWS_SESSION_TOKEN", "t", 1);
	setenv("AWS_PROFILE", "", 1);
	setenv("AWS_ENDPOINT_URL_FSX", "https://e", 1);
	setenv("RECONCILE_SECRET", "s", 1);
	ask("describe", "eu-west-1");
	assert_has(str_text(&handed_on), "AWS_SESSION_TOKEN=t\n");
	assert_has(str_text(&handed_on), "AWS_ENDPOINT_URL_FSX=https://e\n");
	assert_null(strstr(str_text(&handed_on), "AWS_PROFILE"));
	assert_null(strstr(str_text(&handed_on), "RECONCILE_SECRET"));
}

static void without_a_region_that_of_the_environment_is_meant(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_has(trouble("describe", NULL), "unreachable: the region is not known");
	assert_has(trouble("describe", ""), "unreachable: the region is not known");
	assert_string_equal(str_text(&asked), "");
	setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
	ask("describe", NULL);
	assert_has(str_text(&asked), " eu-west-2 ");
	setenv("AWS_REGION", "eu-west-3", 1);
	ask("describe", NULL);
	assert_has(str_text(&asked), " eu-west-3 ");
	ask("describe", "eu-west-4");
	assert_has(str_text(&asked), " eu-west-4 ");
}

static const char *trouble_of(struct answer answer)
{
	answer.words = "reconcile-fsx";
	ANSWER(answer);
	return trouble("describe", "eu-west-1");
}

static void what_went_wrong_is_told_apart(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_string_equal(
	    trouble_of((struct answer){
	        .status = 1, .out = "{\"trouble\":\"denied\",\"message\":\"not\\u001b authorized\"}"}),
	    "denied: not\\x1b authorized");
	/* A status without a word, and a word without a status. */
	assert_string_equal(trouble_of((struct answer){.status = 1, .out = "{}"}), "unreachable: ");
	assert_string_equal(trouble_of((struct answer){.out = "{\"trouble\":\"refused\"}"}),
	                    "refused: ");
	assert_string_equal(trouble_of((struct answer){.timed_out = true, .out = "{}"}),
	                    "unreachable: reconcile-fsx did not end in time");
	assert_string_equal(trouble_of((struct answer){.signalled = true, .status = 9, .out = "{}"}),
	                    "unreachable: reconcile-fsx was killed");
	assert_string_equal(trouble_of((struct answer){.status = 2, .err = "usage"}),
	                    "unreachable: reconcile-fsx ended with status 2: usage");
}

static void a_program_that_is_not_there_is_trouble(void **state)
{
	const char *path = arena_printf(arena, "%s/reconcile-fsx", self_program_folder(arena));

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(unlink(path), 0);
	assert_has(trouble("describe", "eu-west-1"), "reconcile-fsx is not installed");
	scratch_mkdir(path, 0755);
	assert_has(trouble("describe", "eu-west-1"), "reconcile-fsx is not installed");
	assert_string_equal(str_text(&asked), "");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, fsx_setup, fsx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_program_gets_its_words_and_less_time_than_we_wait),
	    TEST(only_what_aws_reads_is_handed_on),
	    TEST(without_a_region_that_of_the_environment_is_meant),
	    TEST(what_went_wrong_is_told_apart),
	    TEST(a_program_that_is_not_there_is_trouble),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
