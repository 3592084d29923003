// SPDX-License-Identifier: MIT
/* What dpkg --verify prints is recorded: on the machine of a test nothing may be damaged. */
#include "unit/provider/observing.h"

#include "provider/package_files.h"

static const char *out, *words;
static int status;
static bool silent;

static int says(struct host *host, const struct child_command *command,
                struct child_result *ret_result, struct err *err)
{
	(void)host;
	(void)err;
	assert_string_equal(command->argv[1], "--verify");
	*ret_result = (struct child_result){.status = status, .timed_out = silent};
	str_add(&ret_result->out, out);
	str_add(&ret_result->err, words);
	return 0;
}

static const char *why;

static struct list damaged(const char *text)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct host_ops ops = host_linux_ops;
	struct list list;
	struct host host;
	struct err err;

	ops.run = says;
	out = text;
	host_init(&host, &ops, scratch);
	assert_int_equal(package_files_damaged(&host, "x", arena, &list, &why, &err), 0);
	host_done(&host);
	return list;
}

static int setup(void **state)
{
	words = "";
	status = 0;
	silent = false;
	return observing_setup(state);
}

static void what_is_missing_or_has_another_content_is_named(void **state)
{
	(void)state;
	struct list list = damaged("missing     /lib/modules/a b.ko\n"
	                           "??5??????   /sbin/mount.lustre\n"
	                           "?M?5?????   /only/its/mode\n"
	                           "nonsense\n"
	                           "\n");

	assert_null(why);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0], "/lib/modules/a b.ko");
	assert_string_equal(list.items[1], "/sbin/mount.lustre");
	status = 1; /* a later dpkg */
	assert_int_equal(damaged("??5??????   /a\n").count, 1);
	assert_null(why);
}

static void configuration_and_documentation_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(damaged("??5?????? c /etc/c\n"
	                         "missing   c /etc/d\n"
	                         "missing     /usr/share/doc/x/README\n"
	                         "missing     /usr/share/locale/de/x.mo\n")
	                     .count,
	                 0);
	assert_null(why);
}

static void what_cannot_be_told_is_not_taken_for_whole(void **state)
{
	(void)state;
	status = 1;
	words = "dpkg: package 'x' is not installed\n";
	damaged("");
	assert_has(why, "is not installed");
	words = "";
	status = 2;
	damaged("");
	assert_has(why, "failed");
	status = 0;
	silent = true;
	damaged("");
	assert_has(why, "does not come to an end");
}

static void of_what_is_not_installed_there_is_nothing_to_tell(void **state)
{
	(void)state;
	assert_int_equal(fact(KIND_PACKAGE_FILES, "no-such-package")->state, STATE_ABSENT);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, observing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_missing_or_has_another_content_is_named),
	    TEST(configuration_and_documentation_do_not_count),
	    TEST(what_cannot_be_told_is_not_taken_for_whole),
	    TEST(of_what_is_not_installed_there_is_nothing_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
