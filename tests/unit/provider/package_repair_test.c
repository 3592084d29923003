// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/package_repair.h"

/* What dpkg would say of it: the name tells. */
static int package_of(struct host *host, const char *name, struct host_package *ret_package,
                      struct err *err)
{
	(void)host;
	if (strcmp(name, "fault") == 0) {
		return err_set(err, ERR_HOST, 0, "no database");
	}
	*ret_package = (struct host_package){
	    .known = true,
	    .want = "install",
	    .flag = strcmp(name, "anew") == 0 ? "reinstreq" : "ok",
	    .status = strcmp(name, "half") == 0 ? "half-installed" : "half-configured",
	};
	return 0;
}

static const struct host_ops ops = {.package = package_of};

static const char *found(const struct host_package_manager *manager, const char *key, bool tried)
{
	struct host host = {.ops = &ops, .arena = arena};
	const char *repair;
	struct err err;

	if (package_repair_find(&host, manager, key, tried, &repair, &err)) {
		fail_msg("%s", err.text);
	}
	return repair;
}

#define WAITING(...)                                    \
	(struct host_package_manager)                       \
	{                                                   \
		.unconfigured = {                               \
			true,                                       \
			ARRAY_LEN(((const char *[]){__VA_ARGS__})), \
			(const char *[]){__VA_ARGS__},              \
		}                                               \
	}

static void only_what_dpkg_can_finish_is_to_be_repaired(void **state)
{
	const struct host_package_manager some = WAITING("half", "a", "anew", "b");
	const struct host_package_manager none = WAITING("half", "anew");

	(void)state;
	assert_string_equal(found(&some, "tool", false), "not configured: a, b");
	assert_null(found(&none, "tool", false));
}

static void once_tried_only_its_own_state_hinders_a_package(void **state)
{
	const struct host_package_manager some = WAITING("a", "b");

	(void)state;
	assert_null(found(&some, "tool", true));
	assert_null(found(&some, "", true));
	assert_string_equal(found(&some, "b", true), "not configured: b");
}

static void a_dpkg_that_was_cut_off_is_always_finished_first(void **state)
{
	const struct host_package_manager cut = {.interrupted = true};

	(void)state;
	assert_string_equal(found(&cut, "tool", false), "dpkg was interrupted");
	assert_string_equal(found(&cut, "tool", true), "dpkg was interrupted");
}

static void of_many_names_a_few_are_shown(void **state)
{
	const struct host_package_manager many = WAITING("a", "b", "c", "d", "e", "f", "g", "h");

	(void)state;
	assert_string_equal(found(&many, "tool", false), "not configured: a, b, c, d, e, f and 2 more");
}

static void what_cannot_be_read_is_an_error(void **state)
{
	const struct host_package_manager some = WAITING("fault");
	struct host host = {.ops = &ops, .arena = arena};
	const char *repair = "untouched";
	struct err err;

	(void)state;
	assert_int_equal(package_repair_find(&host, &some, "tool", false, &repair, &err), -ERR_HOST);
	assert_string_equal(repair, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_what_dpkg_can_finish_is_to_be_repaired),
	    TEST(once_tried_only_its_own_state_hinders_a_package),
	    TEST(a_dpkg_that_was_cut_off_is_always_finished_first),
	    TEST(of_many_names_a_few_are_shown),
	    TEST(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
