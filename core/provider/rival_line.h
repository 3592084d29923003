// SPDX-License-Identifier: MIT
/*
 * Does a line of a unit, a crontab or a script repair what reconcile looks after: mounts, modules
 * and packages of storage clients? Pure text: told from the words, nothing is run.
 */
#ifndef PROVIDER_RIVAL_LINE_H
#define PROVIDER_RIVAL_LINE_H

#include "base/list.h"

#include <stdbool.h>

/* One of its commands mounts, loads, installs or restarts something that is of a storage client by
 * its name, or mounts one of `targets`. What only looks (mountpoint, lsmod, dpkg -l, grep, df) or
 * only says so (echo, logger) does not repair, and neither does reconcile itself. */
bool rival_line_repairs(const char *line, const struct list *targets);

/* Is it reconcile's own: a command or a unit of that name? */
bool rival_line_is_ours(const char *text);

/* The file that a command line runs, as an absolute path: its first word, or that after a shell;
 * systemd's prefixes and assignments are passed over. Copied to ret_path; false: none. */
bool rival_line_script(const char *command, char *ret_path, size_t size);

#endif
