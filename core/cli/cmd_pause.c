// SPDX-License-Identifier: MIT
/* reconcile pause and resume: nothing is changed on this node until somebody says so. */
#include "cli/cmds.h"
#include "cli/session.h"

static int say(struct cli *cli, const char *text)
{
	AUTO(str_free) struct str s = {0};
	struct value document = value_map();
	const char *paused = engine_paused(&cli->engine, cli->arena, NULL);

	if (cli->json) {
		value_put(cli->arena, &document, "paused", value_string(paused));
		value_seal(&document);
		return output_json(&document) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	str_addf(&s, "%s%s%s.\n", text, paused ? ": " : "", paused ? paused : "");
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static int pause_run(struct cli *cli)
{
	struct err err = {0};

	if (!cli->argument_count || !*cli->arguments[0]) {
		err_set(&err, ERR_INPUT, 0, "say why: reconcile pause \"REASON\"");
		return session_fail(cli, NULL, &err);
	}
	return engine_pause(&cli->engine, cli->arguments[0], cli->arena, &err)
	           ? session_fail(cli, NULL, &err)
	           : say(cli, "Paused");
}

static int resume_run(struct cli *cli)
{
	struct err err = {0};

	return engine_resume(&cli->engine, cli->arena, &err) ? session_fail(cli, NULL, &err)
	                                                     : say(cli, "Resumed");
}

const struct cmd cmd_pause = {
    .name = "pause",
    .arguments = "REASON",
    .summary = "change nothing on this node until `resume`, also after a reboot",
    .help = "apply and run then exit 7 with the reason; plan still shows what is wrong.\n"
            "`touch /etc/reconcile/PAUSE` does the same. Needs root.",
    .most_arguments = 1,
    .run = pause_run,
};

const struct cmd cmd_resume = {
    .name = "resume",
    .arguments = "",
    .summary = "end a pause",
    .help = "Needs root.",
    .run = resume_run,
};
