// SPDX-License-Identifier: MIT
/* modprobe.d(5): what it forbids, and where that is written, which libkmod does not tell. */
#ifndef HOST_MODULES_CONFIG_H
#define HOST_MODULES_CONFIG_H

#include "base/mem.h"
#include "host/modules_library.h"

#include <stdbool.h>

/* FILE:LINE of the first `blacklist` or `install` line for the module; `folders` (ends with NULL;
 * NULL: those of modprobe.d) as libkmod is given them, files among them too. NULL: nowhere. */
const char *modules_config_find(struct arena *arena, const char *const *folders,
                                const char *command, const char *name);

/* Is it blacklisted, as libkmod sees it: by modprobe.d or the kernel's command line? */
bool modules_config_blacklists(const struct modules_library *kmod, struct kmod_ctx *ctx,
                               const char *name);

#endif
