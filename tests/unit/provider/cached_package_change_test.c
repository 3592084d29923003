// SPDX-License-Identifier: MIT
#include "unit/provider/aptroot.h"

#define WANT(rest) "{\"kind\": \"cached_package\", \"name\": \"whole\"" rest "}"

static void empty(void)
{
	TOOL("rm", "-rf", "/var/cache/reconcile");
}

static void damage(void)
{
	TOOL("sh", "-c", "for f in /var/cache/reconcile/packages/whole*.deb; do echo x >$f; done");
}

static void a_fault_anywhere_is_mended_by_the_next_run(void **state)
{
	(void)state;
	APTROOT_NEEDED();
	converging_sweep(WANT(""), empty, "/var/cache/reconcile/packages/index.json");
	converging_sweep(WANT(""), damage, "/var/cache/reconcile/packages/index.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_fault_anywhere_is_mended_by_the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
