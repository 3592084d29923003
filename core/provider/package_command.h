// SPDX-License-Identifier: MIT
/* The command of apt-get that installs or removes a package: one place for its many options, so
 * that what is simulated is what is done. Only the provider of packages and tests use it. */
#ifndef PROVIDER_PACKAGE_COMMAND_H
#define PROVIDER_PACKAGE_COMMAND_H

#include "provider/provider.h"

struct package_command {
	const char **list; /* argv, ends with NULL */
	size_t count;
	bool is_simulation;
};

/* For the version that have->package.candidate says. When that is from the cache, without the files
 * that are to be installed: package_command_add_kept adds them. */
void package_command_make(struct arena *arena, const struct resource *want,
                          const struct resource *have, bool simulate,
                          struct package_command *command);

/* The files that were kept, as the last arguments. *ret_why: they are not what they were; unless it
 * is a simulation, their content is looked at in any case. */
int package_command_add_kept(struct host *host, const struct resource *want, struct arena *arena,
                             struct package_command *command, const char **ret_why,
                             struct err *err) MUST_CHECK;

#endif
