// SPDX-License-Identifier: MIT
/* reconcile apply: show the plan, ask, carry it out, verify, record. */
#include "cli/applying.h"
#include "cli/cmds.h"
#include "cli/session.h"

static int take_yes(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->yes = true;
	return 0;
}

static int take_prune(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->engine.prune = true;
	return 0;
}

static int take_prune_id(struct cli *cli, const char *value, struct err *err)
{
	const struct kind *kind;
	const char *key;

	cli->engine.prune = true;
	cli->engine.prune_id = value;
	if (resource_parse_id(value, cli->arena, &kind, &key, err)) {
		return err_wrap(err, "--prune-only");
	}
	return key ? 0 : err_set(err, ERR_INPUT, 0, "--prune-only: expected KIND:KEY, found %s", value);
}

static int take_ignore_pause(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->engine.ignore_pause = true;
	return 0;
}

static int take_accept_shrink(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->engine.accept_shrink = true;
	return 0;
}

static int run(struct cli *cli)
{
	struct value saved;
	struct err err = {0};
	int code;

	cli->engine.write_state = true;
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!engine) {
		return code;
	}
	if (cli->argument_count && engine_plan_read(engine, cli->arguments[0], &saved, &err)) {
		return session_fail(cli, engine, &err);
	}
	return applying_run(cli, engine, cli->argument_count ? &saved : NULL);
}

static const struct option_row options[] = {
    {"--yes", 'y', NULL, "do not ask", take_yes},
    {"--only", 0, "KIND[:KEY]", "only this, and what it needs; may stand more than once",
     session_take_only},
    {"--allow", 0, "MARKS", "disruptive,irreversible,reboot: consent when nobody is there to ask",
     session_take_allow},
    {"--prune", 0, NULL, "take away what reconcile made and nothing wants any more", take_prune},
    {"--prune-only", 0, "KIND:KEY", "as --prune, but only this one", take_prune_id},
    {"--accept-shrink", 0, NULL, "accept a tree that lost much of what was applied before",
     take_accept_shrink},
    {"--ignore-pause", 0, NULL, "go on although this node is paused", take_ignore_pause},
    {"--all", 0, NULL, "show what is in sync, too", session_take_all},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_apply = {
    .name = "apply",
    .arguments = "[PLAN]",
    .summary = "carry out what plan shows, verify, and record it",
    .help = "Shows the plan, asks (on a terminal, unless --yes), changes one thing after the\n"
            "other, observes each again, and plans once more afterwards. With PLAN (of `plan\n"
            "-o`), carries out just that one, and refuses when anything it rests on has moved.\n"
            "Needs root. Exit codes: 0 in sync now, 1 error, 2 more can be changed, 3 another run\n"
            "holds the lock, 4 blocked or pending, 5 failed, 6 undetermined, 7 paused.",
    .options = options,
    .most_arguments = 1,
    .run = run,
};
