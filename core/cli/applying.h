// SPDX-License-Identifier: MIT
/* Carrying out a plan as `apply` and `run` show it: plan, question, progress, result. */
#ifndef CLI_APPLYING_H
#define CLI_APPLYING_H

#include "cli/cmd.h"

/* One apply with a loaded engine; `saved` is a saved plan or NULL. Returns the exit code. */
int applying_run(struct cli *cli, struct engine *engine, const struct value *saved);
/* The same without anything printed but what goes to cli->log. */
int applying_run_quietly(struct cli *cli, struct engine *engine);

#endif
