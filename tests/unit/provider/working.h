// SPDX-License-Identifier: MIT
/* What the tests of the worker share: one worker a test, with a run dir of its own. */
#ifndef PROVIDER_WORKING_H
#define PROVIDER_WORKING_H

#include "unit/support/scratch.h"

#include "base/path.h"
#include "provider/worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;
static struct worker *worker;
static struct worker_options options;

static inline int working_setup(void **state)
{
	(void)state;
	arena = arena_create();
	options = (struct worker_options){.run_dir = arena_strdup(arena, scratch_path("run"))};
	worker = worker_create(&options);
	return 0;
}

static inline int working_teardown(void **state)
{
	(void)state;
	worker_free(worker);
	arena_free(arena);
	scratch_clear();
	return 0;
}

static inline struct worker_query query(enum kind_id kind, const char *key)
{
	return (struct worker_query){.kind = &kind_table[kind], .key = arena_strdup(arena, key)};
}

static inline const struct resource *ask(enum kind_id kind, const char *key)
{
	struct worker_query q = query(kind, key);
	const struct resource *fact = NULL;
	struct err err;

	if (worker_observe(worker, &q, 1, arena, &fact, &err)) {
		fail_msg("%s", err.text);
	}
	return fact;
}

/* The youngest child of ours, 0 for none: one that hung and was left behind may still be among
 * them. */
static inline pid_t child_now(void)
{
	char name[64];
	pid_t pid = 0, next;

	snprintf(name, sizeof name, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(name, "re");

	while (f && fscanf(f, "%d", &next) == 1) {
		pid = next;
	}
	if (f) {
		fclose(f);
	}
	return pid;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, working_setup, working_teardown)

#endif
