// SPDX-License-Identifier: MIT
/* reconcile run: converge again and again, unattended; or once, for a timer. */
#include "cli/applying.h"
#include "cli/cmds.h"
#include "cli/session.h"

#include "base/clock.h"
#include "engine/timer.h"

#include <unistd.h>

static int take_once(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->once = true;
	return 0;
}

static int take_interval(struct cli *cli, const char *value, struct err *err)
{
	cli->interval = clock_duration(value);
	return cli->interval < 1
	           ? err_set(err, ERR_INPUT, 0,
	                     "--interval: '%s' is no duration, expected 90s, 5m or 2h", value)
	           : 0;
}

/* One pass with everything loaded afresh. */
static int pass(struct cli *cli)
{
	int code;
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	return engine ? applying_run(cli, engine, NULL) : code;
}

static int run(struct cli *cli)
{
	struct err err = {0};
	int code;

	cli->engine.write_state = true;
	cli->engine.stale_ok = true;
	cli->engine.person = false; /* the mode binds, whoever started it */
	timer_start();
	if (geteuid() != 0) {
		/* Trying again and again would not change that. */
		err_set(&err, ERR_INPUT, 0, "run changes the node and needs root; plan does not");
		return session_fail(cli, NULL, &err);
	}
	for (;;) {
		code = pass(cli);
		if (cli->once || timer_wait(cli->interval ? cli->interval : 1800, cli->engine.node)) {
			return code;
		}
	}
}

static const struct option_row options[] = {
    {"--once", 0, NULL, "one pass, then exit with its code", take_once},
    {"--interval", 0, "DURATION", "time between two passes (30m), give or take a tenth",
     take_interval},
    {"--allow", 0, "MARKS", "disruptive,irreversible,reboot: consent when nobody is there to ask",
     session_take_allow},
    {"--only", 0, "KIND[:KEY]", "only this, and what it needs; may stand more than once",
     session_take_only},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_run = {
    .name = "run",
    .arguments = "",
    .summary = "converge unattended: once, or again and again",
    .help = "Like apply, but bound by the tree's mode whoever starts it, and going on with the\n"
            "last good tree when this one does not load (for at most stale_max). A change of the\n"
            "mount table wakes it early. Ends on SIGTERM after the step under way. Needs root.\n"
            "Exit codes of --once as of apply.",
    .options = options,
    .run = run,
};
