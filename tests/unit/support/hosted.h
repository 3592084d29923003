// SPDX-License-Identifier: MIT
/* What tests of this machine share: for each test an arena, the real host over it, and an error.
 * The scratch folder is empty again after each. */
#ifndef SUPPORT_HOSTED_H
#define SUPPORT_HOSTED_H

#include "unit/support/scratch.h"

#include "host/host.h"

static struct arena *arena;
static struct host host;
static struct err err;

static inline int hosted_setup(void **state)
{
	(void)state;
	arena = arena_create();
	err = (struct err){0};
	host_init(&host, &host_linux_ops, arena);
	return 0;
}

static inline int hosted_teardown(void **state)
{
	(void)state;
	host_done(&host);
	arena_free(arena);
	scratch_clear();
	return 0;
}

/* A test of its own; the group is set up with scratch_setup. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, hosted_setup, hosted_teardown)

#endif
