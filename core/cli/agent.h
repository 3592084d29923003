// SPDX-License-Identifier: MIT
/*
 * Word of a `run` that is alive, for `status`: RUN_DIR/agent.json, which everybody may read and
 * which is believed only while the process that wrote it is there. Nothing goes by it.
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "base/value.h"

#include <sys/types.h>

struct agent {
	pid_t pid;    /* 0: none is running */
	int64_t next; /* when its next pass is, seconds since 1970; 0: one is under way */
};

/* Of this process. Where it cannot be written nobody is told. */
void agent_tell(const char *run_dir, int64_t next);
/* It ends. */
void agent_forget(const char *run_dir);
struct agent agent_look(const char *run_dir);
/* {pid, next}, or null when none is running. */
struct value agent_to_value(struct arena *arena, const struct agent *agent);

#endif
