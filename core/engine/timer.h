// SPDX-License-Identifier: MIT
/* When `run` wakes: every interval with splay, or a moment after the mount table changed. */
#ifndef ENGINE_TIMER_H
#define ENGINE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Catches SIGINT and SIGTERM from now on. */
void timer_start(void);
/* Sleeps about so many seconds; the splay comes from name (or the host's) and boot. Returns true
 * when asked to stop. */
bool timer_wait(int64_t seconds, const char *name);

#endif
