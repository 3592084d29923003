// SPDX-License-Identifier: MIT
/* reconcile allow: overrides of operators, with a reason and an end. */
#include "cli/cmds.h"
#include "cli/session.h"

#include "base/clock.h"
#include "engine/allow.h"
#include "host/self.h"

#include <string.h>
#include <syslog.h>

enum { LONGEST = 90 * 86400 };

static int take_for(struct cli *cli, const char *value, struct err *err)
{
	return session_take_duration("--for", value, 1, LONGEST, &cli->span, err);
}

static int take_reason(struct cli *cli, const char *value, struct err *err)
{
	cli->reason = value;
	return *value ? 0 : err_set(err, ERR_INPUT, 0, "--reason: say why");
}

static int take_remove(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->remove = true;
	return 0;
}

static int print(struct cli *cli, struct engine *engine)
{
	AUTO(str_free) struct str s = {0};
	struct allowed_list list;
	struct err err = {0};
	char stamp[24];

	if (allow_look(engine, clock_now(), &list, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (cli->json) {
		struct value items = allow_to_value(cli->arena, &list);

		return output_json(&items) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	for (size_t i = 0; i < list.count; i++) {
		str_add(&s, "kernel ");
		str_add_printable(&s, list.list[i].release, 100);
		str_addf(&s, " until %s, by ", clock_stamp(list.list[i].until, stamp));
		str_add_printable(&s, list.list[i].who, 100);
		str_add(&s, ": ");
		str_add_printable(&s, list.list[i].reason, 400);
		str_addc(&s, '\n');
	}
	str_add(&s, list.count ? "" : "Nothing is allowed beyond what the tree says.\n");
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

static int usage(struct cli *cli, const char *text)
{
	struct err err = {0};

	err_set(&err, ERR_INPUT, 0, "%s", text);
	return session_fail(cli, NULL, &err);
}

static int kernel(struct cli *cli, struct engine *engine, const char *release)
{
	const int64_t now = clock_now();
	struct err err = {0};
	char stamp[24];
	const struct allowed allowed = {
	    .release = release,
	    .reason = cli->reason,
	    .who = self_user(cli->arena),
	    .since = now,
	    .until = now + cli->span,
	};

	if (session_check_release(release, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (cli->remove) {
		if (allow_remove(&cli->engine, release, cli->arena, &err)) {
			return session_fail(cli, NULL, &err);
		}
		record(cli, engine, arena_printf(cli->arena, "allow kernel %s --remove", release));
		return print(cli, engine);
	}
	if (!cli->reason || !cli->span) {
		return usage(cli, "say for how long and why: --for 2d --reason \"...\"");
	}
	if (allow_put(&cli->engine, &allowed, cli->arena, &err)) {
		return session_fail(cli, NULL, &err);
	}
	record(cli, engine,
	       arena_printf(cli->arena, "allow kernel %s until %s: %s", release,
	                    clock_stamp(allowed.until, stamp), cli->reason));
	return print(cli, engine);
}

static int reboots(struct cli *cli, struct engine *engine)
{
	AUTO(str_free) struct str s = {0};
	struct err err = {0};

	if (!cli->reason) {
		return usage(cli, "say why: reconcile allow reboots --reason \"...\"");
	}
	if (allow_reboots(&cli->engine, cli->arena, &err)) {
		return session_fail(cli, NULL, &err);
	}
	record(cli, engine, arena_printf(cli->arena, "allow reboots: %s", cli->reason));
	if (cli->json) {
		return print(cli, engine);
	}
	str_add(&s, "A new ledger of reboots is begun; earlier ones count no more.\n");
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static int run(struct cli *cli)
{
	AUTO(session_free) struct engine *engine = session_open(cli);
	struct err err = {0};

	if (engine_reach_state(engine, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (!cli->argument_count) {
		return print(cli, engine);
	}
	if (strcmp(cli->arguments[0], "kernel") == 0 && cli->argument_count == 2) {
		return kernel(cli, engine, cli->arguments[1]);
	}
	if (strcmp(cli->arguments[0], "reboots") == 0 && cli->argument_count == 1) {
		return reboots(cli, engine);
	}
	return usage(cli, "expected: allow kernel RELEASE, or allow reboots");
}

static const struct option_row options[] = {
    {"--for", 0, "DURATION", "for how long: 12h, 2d; at most 90d", take_for},
    {"--reason", 0, "TEXT", "why; shown in status and kept in the history", take_reason},
    {"--remove", 0, NULL, "end it now", take_remove},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_allow = {
    .name = "allow",
    .arguments = "[kernel RELEASE | reboots]",
    .summary = "let a kernel pass that preflight would stop, for a time",
    .help =
        "Without a word it lists what is allowed. `allow kernel RELEASE --for 2d --reason WHY`\n"
        "lets package transactions pass, and that kernel become the boot default, whatever is\n"
        "lost under it. `allow reboots --reason WHY` begins a new ledger of reboots, where the\n"
        "old one is missing or damaged or has used up its attempts. Needs root, but for the "
        "list.",
    .options = options,
    .most_arguments = 2,
    .run = run,
};
