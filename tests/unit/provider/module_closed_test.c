// SPDX-License-Identifier: MIT
/* A machine whose setting, capabilities and list of modules the test says. */
#include "unit/provider/observing.h"

#include "provider/module_closed.h"

#include <errno.h>

#define ALL_CAPABILITIES "Name:\tworker\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n"
#define NO_SYS_MODULE "Name:\tworker\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"

static const char *disabled, *status; /* NULL: no such file */
static bool has_list;

static int read_file(struct host *host, const char *path, size_t most, struct arena *of,
                     struct file_bytes *ret_bytes, struct err *err)
{
	const char *text = strcmp(path, "/proc/self/status") == 0                   ? status
	                   : strcmp(path, "/proc/sys/kernel/modules_disabled") == 0 ? disabled
	                                                                            : NULL;

	(void)host;
	(void)most;
	if (!text) {
		return err_set(err, ERR_HOST, ENOENT, "%s", path);
	}
	*ret_bytes = (struct file_bytes){.data = arena_strdup(of, text), .length = strlen(text)};
	return 0;
}

static int look(struct host *host, const char *path, struct file_look *ret_look, struct err *err)
{
	(void)host;
	(void)err;
	assert_string_equal(path, "/proc/modules");
	*ret_look = (struct file_look){.type = has_list ? FILE_REGULAR : FILE_NONE};
	return 0;
}

static void machine(struct host *host)
{
	static struct host_ops ops;

	ops = host_linux_ops;
	ops.read = read_file;
	ops.look = look;
	host_init(host, &ops, arena);
}

static const char *why(void)
{
	const char *told;
	struct host host;
	struct err err;

	machine(&host);
	if (module_closed_why(&host, arena, &told, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return told;
}

static struct truth closed(void)
{
	struct truth told;
	struct host host;
	struct err err;

	machine(&host);
	if (module_closed_read(&host, arena, &told, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return told;
}

static void a_kernel_that_takes_modules_says_nothing(void **state)
{
	(void)state;
	disabled = "0\n";
	status = ALL_CAPABILITIES;
	has_list = true;
	assert_null(why());
	assert_true(closed().set);
	assert_false(closed().value);
}

static void one_that_was_closed_says_until_when(void **state)
{
	(void)state;
	disabled = "1\n";
	status = NO_SYS_MODULE;
	has_list = true;
	assert_has(why(), "kernel.modules_disabled is set: nothing is loaded until the next boot");
	assert_true(closed().value);
}

static void one_without_modules_is_not_closed_but_has_none(void **state)
{
	(void)state;
	disabled = NULL;
	status = ALL_CAPABILITIES;
	has_list = false;
	assert_has(why(), "all it has is built in");
	assert_false(closed().set);
}

static void a_container_may_not_load_where_its_host_may(void **state)
{
	(void)state;
	disabled = "0\n";
	status = NO_SYS_MODULE;
	has_list = true;
	assert_has(why(), "CAP_SYS_MODULE is not in the bounding set");
	assert_false(closed().value);
	/* That nothing tells of capabilities is no reason. */
	status = NULL;
	assert_null(why());
	status = "Name:\tworker\n";
	assert_null(why());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_kernel_that_takes_modules_says_nothing),
	    TEST(one_that_was_closed_says_until_when),
	    TEST(one_without_modules_is_not_closed_but_has_none),
	    TEST(a_container_may_not_load_where_its_host_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
