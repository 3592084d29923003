// SPDX-License-Identifier: MIT
/*
 * A command of the program, described by its own table entry: usage, help and option parsing all
 * come from it. One file per command; its entry stands last in that file.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/output.h"
#include "engine/engine.h"

#define CLI_RUN_DIR "/run/reconcile" /* unless --run-dir says otherwise */

struct cli;
struct run_log;

/* An option and where its value goes. Long names only have "--name", a short one may stand beside.
 * */
struct option_row {
	const char *name;     /* "--node" */
	char letter;          /* 'C', or 0 */
	const char *argument; /* name of its value in the help, NULL for a flag */
	const char *help;
	int (*take)(struct cli *cli, const char *value, struct err *err); /* value: NULL for a flag */
};

/* What the command line said, and where to print. */
struct cli {
	struct engine_options engine;
	struct output out;
	struct engine_watch watch; /* session.c: progress and notes */
	bool json;
	bool shown;                   /* the plan was printed already */
	size_t id_width;              /* columns, of what is to be changed */
	bool quiet, yes, once, all;   /* flags of single commands */
	const char *file;             /* -o FILE */
	int64_t interval, limit;      /* seconds; rows */
	int64_t splay, until;         /* seconds; -1: a tenth of the interval; 0: no end */
	const char *release, *reason; /* --kernel, --guard; --reason */
	int64_t span, moment;         /* --for: seconds; --until: since 1970 */
	bool guard, apt, remove;      /* flags of preflight and allow */
	struct run_log *log; /* of `run` that nobody watches: what else is printed goes there */
	/* Of `run`: called whenever there is word of a run, and while waiting for something ("" and 0
	 * when it is no waiting). */
	void (*tick)(struct cli *cli, const char *what, int64_t elapsed_ms);
	void (*step_done)(struct cli *cli, const struct step *step);
	void *supervisor;     /* theirs */
	struct pass {         /* what came of the last one */
		int64_t next_try; /* as in struct engine_result */
		bool more;        /* the plan made afterwards has changes */
		char summary[160];
		char why[160];   /* it failed; empty: it did not */
		struct str left; /* what is not in sync, as text */
	} pass;
	const char **only; /* grows; NULL-terminated */
	size_t only_count, only_cap;
	const char *const *arguments; /* what is no option */
	size_t argument_count;
	struct arena *arena;
};

struct cmd {
	const char *name;
	const char *arguments;            /* in the usage line: "[KIND[:KEY]]", or "" */
	const char *summary;              /* one line */
	const char *help;                 /* some lines more */
	const struct option_row *options; /* ends with a NULL name; NULL: none */
	size_t most_arguments;
	int (*run)(struct cli *cli); /* an exit code */
	/* The same where the run-dir cannot be used, which was said; NULL: EXIT_ERROR. */
	int (*refused)(struct cli *cli);
};

/* All commands, in the order of the help, NULL-terminated. */
extern const struct cmd *const cmd_table[];
const struct cmd *cmd_find(const char *name);

/* Parses everything: global options stand before or after the command. Returns an exit code when
 * the program is to end now (help was asked for, a usage error was printed), -1 to go on with
 * *ret_command. */
int cmd_parse(struct cli *cli, int argc, char **argv, const struct cmd **ret_command);

#endif
