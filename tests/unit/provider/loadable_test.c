// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

static struct host_ops ops;
static const char *filesystem;
static bool has_helper, fails;

static int fake_loadable(struct host *host, const char *name, const char *release,
                         struct host_loadable *ret, struct err *err)
{
	(void)host;
	assert_string_equal(name, "lustre");
	assert_string_equal(release, "6.1.0-56-test");
	if (fails) {
		return err_set(err, ERR_HOST, 0, "libkmod cannot be loaded");
	}
	*ret = (struct host_loadable){
	    .release = release,
	    .has_tree = true,
	    .file = {.name = name,
	             .path = "/m/lustre.ko",
	             .vermagic = "6.1.0-56-test SMP ",
	             .version = "2.15",
	             .filesystem = filesystem},
	    .vermagic = "6.1.0-56-test SMP ",
	};
	return 0;
}

static int fake_look(struct host *host, const char *path, struct file_look *ret, struct err *err)
{
	(void)host;
	(void)err;
	assert_string_equal(path, "/sbin/mount.lustre");
	*ret = (struct file_look){.type = has_helper ? FILE_LINK : FILE_NONE};
	return 0;
}

static const struct resource *ask(void)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct resource *have = NULL;
	struct host host;
	struct err err;

	ops = (struct host_ops){.loadable = fake_loadable, .look = fake_look};
	host_init(&host, &ops, scratch);
	if (converge_observe(&host, &kind_table[KIND_LOADABLE], "lustre@6.1.0-56-test", NULL, arena,
	                     &have, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return have;
}

static void a_verdict_becomes_a_fact(void **state)
{
	const struct resource *have;

	(void)state;
	filesystem = NULL;
	has_helper = fails = false;
	have = ask();
	assert_int_equal(have->state, STATE_PRESENT);
	assert_string_equal(have->loadable.verdict, "yes");
	assert_null(have->loadable.cause);
	assert_string_equal(have->loadable.file, "/m/lustre.ko");
	assert_string_equal(have->loadable.version, "2.15");
}

static void a_file_system_needs_its_helper(void **state)
{
	(void)state;
	fails = false;
	filesystem = "lustre";
	has_helper = false;
	assert_string_equal(ask()->loadable.verdict, "no");
	assert_string_equal(ask()->loadable.cause, "no-helper");
	assert_has(ask()->loadable.reason, "/sbin/mount.lustre");
	has_helper = true;
	assert_string_equal(ask()->loadable.verdict, "yes");
	has_helper = false;
	filesystem = "xfs";
	assert_string_equal(ask()->loadable.verdict, "yes");
}

static void what_cannot_be_asked_is_undetermined(void **state)
{
	(void)state;
	fails = true;
	assert_int_equal(ask()->state, STATE_UNDETERMINED);
	assert_has(ask()->why, "libkmod");
}

static void a_kernel_that_is_not_installed_loads_nothing(void **state)
{
	const struct resource *have = fact(KIND_LOADABLE, "lustre@0.0.0-none");

	(void)state;
	assert_string_equal(have->loadable.verdict, "no");
	assert_string_equal(have->loadable.cause, "no-tree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_verdict_becomes_a_fact),
	    TEST(a_file_system_needs_its_helper),
	    TEST(what_cannot_be_asked_is_undetermined),
	    TEST(a_kernel_that_is_not_installed_loads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
