// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#include "provider/package_change.h"

static const char *json(const char *name, const char *rest)
{
	return arena_printf(arena, "{\"kind\": \"package\", \"name\": \"%s\"%s}", name, rest);
}

static struct resource *want(const char *name, const char *rest)
{
	return converging_want(arena, json(name, rest));
}

static const struct package *seen(const char *name)
{
	return &fact(KIND_PACKAGE, name)->package;
}

static void purge(void)
{
	TOOL("dpkg", "--purge", "--force-all", "tool", "whole", "part");
}

static void install_old(void)
{
	TOOL("apt-mark", "unhold", "tool");
	TOOL("apt-get", "-y", "--allow-downgrades", "install", "tool=1.0");
}

static void install_old_and_hold(void)
{
	install_old();
	TOOL("apt-mark", "hold", "tool");
}

static void what_is_settled_asks_no_index(void **state)
{
	struct host host;
	struct err err;

	(void)state;
	(void)err;
	const struct resource *have = recorded("{\"kind\": \"package\", \"key\": \"tool\", "
	                                       "\"status\": \"installed\", \"version\": \"1.0\"}");

	assert_true(package_is_settled(want("tool", ""), have));
	assert_true(package_is_settled(want("tool", ", \"version\": \"1.?\""), have));
	assert_false(package_is_settled(want("tool", ", \"version\": \"2.*\""), have));
	assert_false(package_is_settled(want("tool", ", \"state\": \"absent\""), have));
	/* Three calls at most: dpkg's state, and that is it. */
	host_init(&host, fault_host_table(0, FAULT_NEVER), arena);
	struct resource *seen_now = NULL;

	if (!converge_observe(&host, &kind_table[KIND_PACKAGE], "dpkg", want("dpkg", ""), arena,
	                      &seen_now, &err) &&
	    seen_now->state == STATE_PRESENT) {
		assert_int_equal(fault_host_calls(), 1);
	}
	host_done(&host);
}

static void the_newest_that_matches_is_taken(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	purge();
	const struct resource *have = converging_observe(arena, want("tool", ", \"version\": \"1.*\""));

	assert_string_equal(have->package.candidate, "1.0");
	assert_int_equal(have->package.offered.count, 2);
	converging_twice(arena, want("tool", ", \"version\": \"1.*\""), "/var/lib/dpkg/status");
	assert_string_equal(seen("tool")->version, "1.0");
	converging_twice(arena, want("tool", ", \"version\": \"2.*\""), "/var/lib/dpkg/status");
	assert_string_equal(seen("tool")->version, "2.0");
}

static void going_back_and_removing_work(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	purge();
	converging_twice(arena, want("tool", ""), NULL);
	assert_string_equal(seen("tool")->version, "2.0");
	converging_twice(arena, want("tool", ", \"version\": \"1.0\""), NULL);
	assert_string_equal(seen("tool")->version, "1.0");
	converging_twice(arena, want("tool", ", \"state\": \"absent\""), NULL);
}

static void what_comes_along_is_told_and_nothing_else_is_removed(void **state)
{
	const char *why;

	(void)state;
	APTROOT_NEEDED();
	purge();
	const struct resource *have = converging_observe(arena, want("whole", ""));

	assert_int_equal(have->package.brings.count, 1);
	assert_string_equal(have->package.brings.items[0], "part=1.0");
	converging_twice(arena, want("whole", ""), NULL);
	assert_int_equal(
	    converging_apply(arena, &host_linux_ops, want("part", ", \"state\": \"absent\""), &why),
	    OUTCOME_BLOCKED);
	assert_string_equal(why, "it would remove whole");
	assert_string_equal(seen("part")->status, "installed");
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	converging_sweep(json("tool", ", \"version\": \"2.*\""), purge, "/var/lib/dpkg/status");
	converging_sweep(json("tool", ", \"version\": \"2.*\""), install_old_and_hold,
	                 "/var/lib/dpkg/status");
	converging_sweep(json("tool", ", \"state\": \"absent\""), install_old, "/var/lib/dpkg/status");
}

static void a_hold_is_put_back_after_a_change(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	purge();
	install_old_and_hold();
	converging_twice(arena, want("tool", ", \"version\": \"2.*\""), NULL);
	assert_int_equal(fact(KIND_HOLD, "tool")->state, STATE_PRESENT);
	TOOL("apt-mark", "unhold", "tool");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_settled_asks_no_index),
	    TEST(the_newest_that_matches_is_taken),
	    TEST(going_back_and_removing_work),
	    TEST(what_comes_along_is_told_and_nothing_else_is_removed),
	    TEST(a_hold_is_put_back_after_a_change),
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
