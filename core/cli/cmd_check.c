// SPDX-License-Identifier: MIT
/* reconcile check: one line for a monitor, and a gate for image builds. */
#include "cli/cmds.h"
#include "cli/session.h"
#include "engine/check.h"

#include <string.h>

enum { LOOK_MS = 3000, TEXT_MOST = 2000 };

/* STATUS - text | figures, as monitoring plugins do: no bar and no line end within the text. */
static void add_line(struct str *s, const struct check *check)
{
	AUTO(str_free) struct str text = {0};

	str_add_printable(&text, check->text, TEXT_MOST);
	for (char *at = text.data; at && *at; at++) {
		*at = *at == '|' ? '/' : *at;
	}
	str_addf(s, "RECONCILE %s - %s", doctor_health_name(check->health), str_text(&text));
	for (size_t i = 0; i < check->part_count; i++) {
		const struct check_part *part = &check->parts[i];

		str_addf(s, "%s%s=%lld%s", i ? " " : " | ", part->name, (long long)part->value, part->unit);
	}
	str_addc(s, '\n');
}

static bool print(struct cli *cli, const struct check *check)
{
	AUTO(str_free) struct str text = {0};

	if (cli->json) {
		struct value document = check_to_value(cli->arena, check);

		return output_json(&document);
	}
	add_line(&text, check);
	return output_text(&text);
}

/* A monitor reads one line of standard output, whatever happened. */
static int cannot_tell(struct cli *cli, struct engine *engine, struct check *check,
                       const struct err *err)
{
	const struct err *fault = check->diags.count ? &check->diags.list[0].err : err;

	check->health = DOCTOR_UNKNOWN;
	check->part_count = 0;
	check->text = !fault->at.file ? fault->text
	              : fault->at.line
	                  ? arena_printf(cli->arena, "%s:%u:%u: %s", fault->at.file, fault->at.line,
	                                 fault->at.col, fault->text)
	                  : arena_printf(cli->arena, "%s: %s", fault->at.file, fault->text);
	(void)engine;
	print(cli, check);
	return (int)DOCTOR_UNKNOWN;
}

static int run(struct cli *cli)
{
	struct check check;
	struct err err = {0};

	if (cli->limit && (cli->once || cli->engine.facts)) {
		err_set(&err, ERR_INPUT, 0, "--max-age asks for the runs of this node, which %s does not",
		        cli->once ? "--next-boot" : "--facts");
		return session_fail(cli, NULL, &err);
	}
	cli->engine.observe_ms = LOOK_MS;
	AUTO(session_free) struct engine *engine = session_open(cli);
	int r = cli->once ? check_next_boot(engine, &check, &err)
	                  : check_node(engine, cli->limit, &check, &err);

	output_progress(&cli->out, "");
	if (r) {
		return cannot_tell(cli, engine, &check, &err);
	}
	return print(cli, &check) ? (int)check.health : (int)DOCTOR_UNKNOWN;
}

static int refused(struct cli *cli)
{
	const struct check check = {
	    .health = DOCTOR_UNKNOWN,
	    .text = arena_printf(cli->arena, "the run-dir %s cannot be used", cli->engine.run_dir),
	};

	print(cli, &check);
	return (int)DOCTOR_UNKNOWN;
}

static int take_next_boot(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->once = true;
	return 0;
}

static int take_max_age(struct cli *cli, const char *value, struct err *err)
{
	return session_take_duration("--max-age", value, 1, SESSION_YEAR, &cli->limit, err);
}

static const struct option_row options[] = {
    {"--next-boot", 0, NULL, "only: will the kernel that boots next lose a module or mount?",
     take_next_boot},
    {"--max-age", 0, "DURATION", "warn when the last recorded run is older", take_max_age},
    {"--facts", 0, "FILE", "judge a recording instead of this node", session_take_facts},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_check = {
    .name = "check",
    .arguments = "",
    .summary = "one line and an exit code, for monitors and image builds",
    .help =
        "With a tree: does a plan find everything in sync? With or without: do the wanted file\n"
        "systems answer, and will the next boot keep them? Prints one line with figures, as\n"
        "monitoring plugins do; changes nothing. Exit codes: 0 OK; 1 warning (changes to make, a\n"
        "loss at the next boot, paused); 2 critical (something is blocked, or a wanted file\n"
        "system is not mounted or does not answer); 3 unknown (it cannot be told, or an error).\n"
        "With --next-boot 2 means: what boots next loses a wanted module or mount; 3: that cannot\n"
        "be proved either way. An image build fails on both.",
    .options = options,
    .run = run,
    .refused = refused,
};
