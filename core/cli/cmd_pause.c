// SPDX-License-Identifier: MIT
/* reconcile pause and resume: nothing is changed on this node until somebody says so, or until a
 * time. */
#include "cli/cmds.h"
#include "cli/session.h"

#include "base/clock.h"
#include "engine/allow.h"
#include "engine/pause.h"
#include "host/self.h"

#include <string.h>
#include <syslog.h>

enum { DAY = 86400, LONGEST = 3650 * DAY, REASON_MOST = 1000 };

static int say(struct cli *cli, struct engine *engine, const char *word)
{
	AUTO(str_free) struct str s = {0};
	struct pause pause;

	pause_look(engine, &pause);
	const char *text = pause_text(cli->arena, &pause);
	const char *holder = self_lock_holder(cli->engine.run_dir, cli->arena);

	if (cli->json) {
		struct value document = pause_to_value(cli->arena, &pause);

		value_set(cli->arena, &document, "lock_holder", value_string(holder));
		return output_json(&document) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	str_addf(&s, "%s%s%s.\n", word, text ? ": " : "", text ? text : "");
	if (text && holder) {
		str_addf(&s, "Under way: %s; it goes no further than its present step.\n", holder);
	}
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

/* Said where people look later: the journal of the system, and the history. */
static void record(struct cli *cli, struct engine *engine, const char *what)
{
	openlog("reconcile", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s, by %s", what, self_user(cli->arena));
	closelog();
	allow_record(engine, what);
}

static int pause_run(struct cli *cli)
{
	AUTO(session_free) struct engine *engine = session_open(cli);
	const char *reason = cli->argument_count ? cli->arguments[0] : "";
	const struct pause_wish wish = {reason, cli->span, cli->moment};
	struct err err = {0};

	if (!reason[strspn(reason, " \t\n")] || strlen(reason) > REASON_MOST) {
		err_set(&err, ERR_INPUT, 0, "say why, in 1000 bytes or less: reconcile pause \"REASON\"");
		return session_fail(cli, NULL, &err);
	}
	if (engine_reach_state(engine, &err) || pause_begin(&cli->engine, &wish, cli->arena, &err)) {
		return session_fail(cli, NULL, &err);
	}
	pause_tell(engine);
	record(cli, engine, arena_printf(cli->arena, "pause: %s", reason));
	return say(cli, engine, "Paused");
}

static int resume_run(struct cli *cli)
{
	AUTO(session_free) struct engine *engine = session_open(cli);
	struct pause before;
	struct err err = {0};

	pause_look(engine, &before);
	if (pause_end(engine, &err)) {
		return session_fail(cli, NULL, &err);
	}
	pause_tell(engine);
	if (before.paused) {
		record(cli, engine, "resume");
	}
	return say(cli, engine, before.paused ? "Resumed" : "Not paused");
}

static int exclude(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "--for and --until exclude each other");
}

static int take_for(struct cli *cli, const char *value, struct err *err)
{
	return cli->moment ? exclude(err)
	                   : session_take_duration("--for", value, 1, LONGEST, &cli->span, err);
}

static int take_until(struct cli *cli, const char *value, struct err *err)
{
	int64_t now = clock_now(), at = clock_moment(value, now);
	char stamp[24];

	if (at < 0) {
		return err_set(
		    err, ERR_INPUT, 0,
		    "--until: '%s' is no time, expected 18:30, \"2026-11-21 18:30\" (local time) "
		    "or 2026-11-21T18:30Z",
		    value);
	}
	if (at <= now) {
		return err_set(err, ERR_INPUT, 0, "--until: %s has passed", clock_stamp(at, stamp));
	}
	if (at - now > LONGEST) {
		return err_set(err, ERR_INPUT, 0, "--until: %s is more than %d days away",
		               clock_stamp(at, stamp), LONGEST / DAY);
	}
	cli->moment = at;
	return cli->span ? exclude(err) : 0;
}

static const struct option_row options[] = {
    {"--for", 0, "DURATION", "end by itself after so long: 30m, 2h, 3d", take_for},
    {"--until", 0, "TIME", "end by itself then: 18:30, \"2026-11-21 18:30\" or with a zone",
     take_until},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_pause = {
    .name = "pause",
    .arguments = "REASON",
    .summary = "change nothing on this node until `resume`, also after a reboot",
    .help =
        "apply and run then exit 7 and say why, who, since when and until when; plan still\n"
        "shows what is wrong. A run that is under way goes no further than its present step. A\n"
        "new pause takes the place of the one before. `touch /etc/reconcile/PAUSE` does the same;\n"
        "what that file holds is the reason. Needs root.\n"
        "--for counts what passes, whatever becomes of the clock; --until ends when the clock\n"
        "says so, and after that span at the latest. After a reboot both go by the clock.",
    .options = options,
    .most_arguments = 1,
    .run = pause_run,
};

const struct cmd cmd_resume = {
    .name = "resume",
    .arguments = "",
    .summary = "end a pause",
    .help =
        "Needs root. A file /etc/reconcile/PAUSE is not taken away: who put it there does that.",
    .run = resume_run,
};
