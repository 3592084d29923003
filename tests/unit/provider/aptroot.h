// SPDX-License-Identifier: MIT
/*
 * Tests that change packages run only where tests/behaviour/packages.bats has made a root with its
 * own apt, dpkg and package source for them, and says so in the environment. There, "tool" is
 * published as 1.0 and 2.0, and "part" as 1.0, which "whole" 1.0 depends on.
 */
#ifndef PROVIDER_APTROOT_H
#define PROVIDER_APTROOT_H

#include "unit/provider/observing.h"

#include <stdlib.h>

#define APTROOT_NEEDED()                                                          \
	do {                                                                          \
		if (!getenv("RECONCILE_APTROOT")) {                                       \
			print_message("# skip: runs in the root that packages.bats makes\n"); \
			skip();                                                               \
		}                                                                         \
	} while (0)

/* A tool of the root that must go well. */
static inline void tool(const char *const *argv)
{
	static const char *const environment[] = {"DEBIAN_FRONTEND=noninteractive", NULL};
	struct child_command command = {.argv = argv, .environment = environment, .timeout_ms = 60000};
	struct child_result result;
	struct err err;

	if (child_run(&command, &result, &err)) {
		fail_msg("%s", err.text);
	}
	if (result.status) {
		fail_msg("%s %s: %s%s", argv[0], argv[1], str_text(&result.out), str_text(&result.err));
	}
	child_result_free(&result);
}

#define TOOL(...) tool((const char *const[]){__VA_ARGS__, NULL})

#endif
