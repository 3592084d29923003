// SPDX-License-Identifier: MIT
/* reconcile doctor: how a node stands that nobody has described yet. */
#include "cli/cmds.h"
#include "cli/doctor_text.h"
#include "cli/session.h"

#include "engine/pause.h"

/* A look may take no longer: with those that hang side by side all of it stays below 2 s. */
enum { LOOK_MS = 1000 };

static int fail(struct cli *cli, struct engine *engine, const struct err *err)
{
	session_fail(cli, engine, err);
	return (int)DOCTOR_UNKNOWN;
}

static int refused(struct cli *cli)
{
	(void)cli;
	return (int)DOCTOR_UNKNOWN;
}

/* Why nothing is changed here at the moment, or NULL. A recording says nothing of that. */
static const char *paused(struct cli *cli, struct engine *engine)
{
	struct pause pause = {0};

	if (!cli->quiet && !cli->engine.facts) {
		pause_look(engine, &pause);
	}
	return pause_text(cli->arena, &pause);
}

/* `why`: it is paused, or NULL. */
static int print(struct cli *cli, const struct doctor *doctor, const char *why)
{
	AUTO(str_free) struct str text = {0};
	bool done;

	if (cli->json) {
		struct value document = doctor_to_value(cli->arena, doctor);

		value_set(cli->arena, &document, "paused", value_string(why));
		done = output_json(&document);
	} else {
		if (cli->quiet) {
			doctor_lines(&text, doctor);
		} else {
			doctor_text(&text, cli->out.colour, doctor);
			str_addf(&text, "%s%s%s", why ? "This node is paused: " : "", why ? why : "",
			         why ? ".\n" : "");
		}
		done = output_text(&text);
	}
	return done ? (int)doctor->health : (int)DOCTOR_UNKNOWN;
}

static int run(struct cli *cli)
{
	struct doctor *doctor;
	struct err err = {0};

	cli->engine.observe_ms = LOOK_MS;
	AUTO(session_free) struct engine *engine = session_open(cli);
	int r = cli->quiet ? doctor_look_at_mounts(engine, cli->arguments, &doctor, &err)
	                   : doctor_look(engine, cli->arguments, &doctor, &err);
	const char *why = paused(cli, engine);

	output_progress(&cli->out, "");
	/* The lines have no place for it. */
	if (!r && cli->quiet && !cli->json && doctor->fstab_why) {
		output_note(&cli->out, "%s", doctor->fstab_why);
	}
	return r ? fail(cli, engine, &err) : print(cli, doctor, why);
}

static int take_line(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->quiet = true;
	return 0;
}

static const struct option_row options[] = {
    {"--line", 0, NULL, "one line for each mount, eight fields, and nothing else", take_line},
    {"--facts", 0, "FILE", "judge a recording instead of this node", session_take_facts},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_doctor = {
    .name = "doctor",
    .arguments = "[TARGET...]",
    .summary = "say how this node stands, without a tree and without root",
    .help =
        "Reads what the node wants from fstab, from mounted file systems of storage clients and\n"
        "from the modules behind them, and says how each stands: mounts with their space, whether\n"
        "each kernel that matters can load the modules, what the next boot will lose, who brought\n"
        "the kernel, what else here repairs, and what to run next. Changes nothing, wakes no\n"
        "automount, and takes less than two seconds even when file systems are dead.\n"
        "With TARGET: those mounts only. Exit codes of a monitoring plugin: 0 OK; 1 warning (all\n"
        "is mounted, and the next boot will lose something); 2 critical (a wanted file system is\n"
        "not mounted, does not answer or is another one); 3 unknown (something at stake cannot be\n"
        "told, or an error).",
    .options = options,
    .most_arguments = 64,
    .run = run,
    .refused = refused,
};
