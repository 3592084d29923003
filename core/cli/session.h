// SPDX-License-Identifier: MIT
/* What the commands have in common: opening an engine, loading the tree, showing what is wrong with
 * it. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/cmd.h"

/* Opens an engine that draws progress and notes on standard error; nothing is loaded. */
struct engine *session_open(struct cli *cli);
/* Opens and loads; on failure every fault was printed, *ret_code is the exit code and NULL is
 * returned. */
struct engine *session_load(struct cli *cli, int *ret_code);
/* Prints an error of the engine with its source line (as JSON with --json) and returns the exit
 * code for it. */
int session_fail(struct cli *cli, struct engine *engine, const struct err *err);

/* One fault as JSON shows it. */
struct value session_fault(struct arena *arena, const struct err *err, const char *hint);

/* Options that several commands share. */
int session_take_facts(struct cli *cli, const char *value, struct err *err);
int session_take_only(struct cli *cli, const char *value, struct err *err);
int session_take_allow(struct cli *cli, const char *value, struct err *err);
int session_take_all(struct cli *cli, const char *value, struct err *err);

/* The value of `option`, in seconds between `least` and `most`. */
int session_take_duration(const char *option, const char *value, int64_t least, int64_t most,
                          int64_t *ret_seconds, struct err *err);
enum { SESSION_YEAR = 366 * 86400 }; /* seconds: more is a slip of the pen */

/* One kernel release, no pattern, as it comes from the command line. */
int session_check_release(const char *text, struct err *err);

/* A run-dir of somebody's own may lie on a file system that does not answer; we ourselves must not
 * touch it then, nor, as root, when others could write there (self_check_run_dir). False: an error
 * was printed. */
bool session_reach_run_dir(struct cli *cli);

void session_free(struct engine **engine);

#endif
