// SPDX-License-Identifier: MIT
/* What the tests of the kind mount share: an fstab, wishes as JSON, and what is seen. */
#ifndef PROVIDER_MOUNTING_H
#define PROVIDER_MOUNTING_H

#include "unit/support/scratch.h"

#include "unit/support/converging.h"

#include "base/str.h"
#include "model/mount_options.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES "# first\n\nproc\t/proc  proc defaults 0 0\n# last, without newline"

static struct arena *arena;

static inline int mounting_setup(void **state)
{
	(void)state;
	arena = arena_create();
	if (scratch_is_private()) {
		scratch_write("/etc/fstab", LINES, 0644);
	}
	return 0;
}

static inline int mounting_teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static inline const char *json(const char *path, const char *rest)
{
	return arena_printf(arena, "{\"kind\": \"mount\", \"target\": \"%s\", %s}", path, rest);
}

static inline struct resource *want(const char *path, const char *rest)
{
	return converging_want(arena, json(path, rest));
}

#define TMPFS "\"source\": \"tmpfs\", \"type\": \"tmpfs\""
#define LIVE ", \"manage\": \"live\""

static inline enum outcome converge(const struct resource *wanted, const char **ret_why)
{
	return converging_apply(arena, &host_linux_ops, wanted, ret_why);
}

static inline const struct mount *seen(const char *path)
{
	return &converging_observe(arena, want(path, "\"state\": \"absent\""))->mount;
}

static inline bool has_option(const char *path, const char *option)
{
	return mount_option_holds(option, &seen(path)->options, "tmpfs");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mounting_setup, mounting_teardown)

#endif
