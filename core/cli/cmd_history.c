// SPDX-License-Identifier: MIT
/* reconcile history: what ran when, what it changed, from what to what, and why. */
#include "cli/cmds.h"
#include "cli/session.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 20 };

/* For reading, by way of the engine, which knows whether its file system answers; says why there is
 * nothing to read. *ret_code is set when NULL is returned. */
static struct store *open_history(struct cli *cli, struct engine *engine, int *ret_code)
{
	const struct store_condition *condition;
	struct store *store = engine_history(engine, &condition);
	struct err err = {0};

	if (!store) {
		err_set(&err, ERR_STORE, 0, "%s: %s", cli->engine.history,
		        condition->problem ? condition->problem : "no history");
		*ret_code = session_fail(cli, NULL, &err);
	}
	return store;
}

static void add_counts(struct str *s, const struct value *counts)
{
	static const char *const shown[] = {"changed",      "failed",  "blocked", "pending",
	                                    "undetermined", "skipped", "change",  "kept"};
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		int64_t n = value_number(counts, shown[i], 0);

		if (n) {
			str_addf(s, "%s%lld %s", first ? "" : ", ", (long long)n,
			         strcmp(shown[i], "kept") == 0     ? "in sync"
			         : strcmp(shown[i], "change") == 0 ? "left to change"
			                                           : shown[i]);
			first = false;
		}
	}
}

static void add_run(struct str *s, const struct value *run)
{
	char stamp[24];
	const char *status = value_text(run, "status"), *error = value_text(run, "error");
	const char *command = value_text(run, "command");
	/* "pause: the rack is moved": what was said goes behind what keeps to its column. */
	size_t word = strcspn(command, ": "), said = word + strspn(command + word, ": ");
	AUTO(str_free) struct str counts = {0};

	str_addf(s, "%6lld  %s  %-8.*s %-9s ", (long long)value_number(run, "run", 0),
	         clock_stamp(value_number(run, "started", 0), stamp), (int)word, command,
	         value_text(run, "trigger"));
	if (text_equal(status, "ended")) {
		str_addf(s, "exit %lld", (long long)value_number(run, "exit_code", 0));
	} else {
		str_add(s, status);
	}
	add_counts(&counts, value_get(run, "counts"));
	str_addf(s, "%s%s%s", counts.length ? "  " : "", str_text(&counts), command[said] ? "  " : "");
	str_add_printable(s, command + said, 400);
	if (error) {
		str_add(s, "  ");
		str_add_printable(s, error, 200);
	}
	str_addc(s, '\n');
}

/* A gap belongs to the list when it is not older than all that stands there. */
static bool is_shown(const struct value *runs, const struct value *gap)
{
	return !runs->count || value_number(gap, "until", 0) >=
	                           value_number(&runs->items[runs->count - 1], "started", 0);
}

/* What these runs do not tell. */
static void add_gaps(struct str *s, const struct value *about, const struct value *runs)
{
	const struct value *gaps = value_get(about, "gaps");
	char since[24], until[24];

	for (size_t i = 0; gaps && i < gaps->count; i++) {
		const struct value *gap = &gaps->items[i];
		const char *aside = value_text(gap, "set_aside");
		int64_t missed = value_number(gap, "runs", 0);

		if (aside) {
			str_addf(s, "\nBegun anew %s; what it told until then is in ",
			         clock_stamp(value_number(gap, "until", 0), until));
			str_add_printable(s, aside, 1000);
			str_add(s, ":\n  ");
		} else if (is_shown(runs, gap)) {
			str_addf(s, "\nNot in it: %lld run%s, %s to %s:\n  ", (long long)missed,
			         missed == 1 ? "" : "s", clock_stamp(value_number(gap, "since", 0), since),
			         clock_stamp(value_number(gap, "until", 0), until));
		} else {
			continue;
		}
		str_add_printable(s, value_text(gap, "why"), 400);
		str_addc(s, '\n');
	}
}

static int list_runs(struct cli *cli, struct store *store)
{
	struct value runs, about;
	struct err err = {0};
	AUTO(str_free) struct str s = {0};

	if (store_runs(store, cli->arena, cli->limit ? (size_t)cli->limit : ROWS, &runs, &err) ||
	    store_about(store, cli->arena, &about, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (cli->json) {
		return output_json(&runs) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	if (!runs.count) {
		str_add(&s, "No run was recorded yet.\n");
	} else {
		output_paint(&s, cli->out.colour, COLOUR_BOLD,
		             "   run  started               command  trigger   outcome\n");
	}
	for (size_t i = 0; i < runs.count; i++) {
		add_run(&s, &runs.items[i]);
	}
	add_gaps(&s, &about, &runs);
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static void add_line(struct str *s, const char *name, const char *text)
{
	if (text && *text) {
		str_addf(s, "  %-10s ", name);
		str_add_printable(s, text, 2000);
		str_addc(s, '\n');
	}
}

static void add_differences(struct str *s, const struct value *list)
{
	for (size_t i = 0; list && list->type == VALUE_LIST && i < list->count; i++) {
		const struct value *d = &list->items[i];
		const char *from = value_text(d, "from"), *to = value_text(d, "to");

		str_addf(s, "      %-8s ", value_text(d, "field"));
		str_add_printable(s, from ? from : "not set", 300);
		str_add(s, " → ");
		str_add_printable(s, to ? to : "not set", 300);
		str_addc(s, '\n');
	}
}

static void add_part(struct str *s, const char *before, const char *text)
{
	if (text) {
		str_add(s, before);
		str_add_printable(s, text, 300);
	}
}

static void add_origins(struct str *s, const struct value *list)
{
	for (size_t i = 0; list && list->type == VALUE_LIST && i < list->count; i++) {
		const struct value *o = &list->items[i];

		str_add(s, "      because  ");
		str_add_printable(s, value_text(o, "reason") ? value_text(o, "reason") : "", 300);
		add_part(s, ", policy ", value_text(o, "policy"));
		add_part(s, ", ", value_text(o, "lua"));
		add_part(s, ", ", value_text(o, "yaml"));
		str_addc(s, '\n');
	}
}

/* What stood there after a run that was cut off: a resource, or why it cannot be told. */
static void add_found(struct str *s, const char *text)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *between = "";
	struct value v;
	struct err err;

	if (text[0] != '{' || json_parse(text, strlen(text), "found", arena, &v, &err)) {
		str_add_printable(s, text, 1000);
		return;
	}
	for (size_t i = 0; i < v.count; i++) {
		const struct value *one = &v.entries[i].value;
		AUTO(str_free) struct str word = {0};

		if (one->type == VALUE_NULL || text_equal(v.entries[i].key, "kind") ||
		    text_equal(v.entries[i].key, "key")) {
			continue; /* they stand above */
		}
		if (one->type == VALUE_STRING) {
			str_add(&word, one->string);
		} else {
			json_print(&word, one, 0);
		}
		str_addf(s, "%s%s ", between, v.entries[i].key);
		str_add_printable(s, str_text(&word), 200);
		between = ", ";
	}
}

static void add_step(struct str *s, bool colour, const struct value *step)
{
	const char *outcome = value_text(step, "outcome"), *why = value_text(step, "why"),
	           *found = value_text(step, "found");

	str_add(s, "    ");
	output_paint(s, colour, COLOUR_BOLD, value_text(step, "id"));
	str_addf(s, "  %s: %s", value_text(step, "action"), outcome ? outcome : "no outcome (cut off)");
	if (value_number(step, "duration_ms", 0) >= 1000) {
		str_add(s, " in ");
		clock_add_span(s, value_number(step, "duration_ms", 0));
	}
	str_addc(s, '\n');
	add_differences(s, value_get(step, "differences"));
	if (why) {
		str_add(s, "      why      ");
		str_add_printable(s, why, 1000);
		str_addc(s, '\n');
	}
	if (found) {
		str_add(s, "      found    ");
		add_found(s, found);
		str_addc(s, '\n');
	}
	add_origins(s, value_get(step, "origins"));
}

static void add_steps(struct str *s, bool colour, const char *title, const struct value *list)
{
	if (list && list->type == VALUE_LIST && list->count) {
		str_addf(s, "  %s\n", title);
		for (size_t i = 0; i < list->count; i++) {
			add_step(s, colour, &list->items[i]);
		}
	}
}

static void add_whole_run(struct str *s, bool colour, const struct value *run)
{
	static const char *const rows[] = {"command", "trigger",   "who",      "node",
	                                   "mode",    "tree_path", "error",    "version",
	                                   "boot_id", "tree",      "policies", "facts"};
	char stamp[24];
	AUTO(str_free) struct str counts = {0};

	str_addf(s, "Run %lld, ", (long long)value_number(run, "run", 0));
	str_addf(s, "%s, %s", clock_stamp(value_number(run, "started", 0), stamp),
	         value_text(run, "status"));
	if (text_equal(value_text(run, "status"), "ended")) {
		str_addf(s, " with exit code %lld after ", (long long)value_number(run, "exit_code", 0));
		clock_add_span(s, value_number(run, "duration_ms", 0));
	}
	str_addc(s, '\n');
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		add_line(s, rows[i], value_text(run, rows[i]));
	}
	add_counts(&counts, value_get(run, "counts"));
	add_line(s, "outcome", str_text(&counts));
	add_steps(s, colour, "What it set out to do:", value_get(run, "steps"));
	add_steps(s, colour, "What was not right when it ended:", value_get(run, "standing"));
}

static int show_run(struct cli *cli, struct store *store)
{
	char *end;
	long long number = strtoll(cli->arguments[1], &end, 10);
	struct value run;
	struct err err = {0};
	AUTO(str_free) struct str s = {0};

	if (*end || end == cli->arguments[1]) {
		err_set(&err, ERR_INPUT, 0, "'%s' is not the number of a run", cli->arguments[1]);
		return session_fail(cli, NULL, &err);
	}
	if (store_run(store, cli->arena, number, &run, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (run.type == VALUE_NULL) {
		err_set(&err, ERR_INPUT, 0, "history has no run %lld", number);
		return session_fail(cli, NULL, &err);
	}
	if (cli->json) {
		return output_json(&run) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	add_whole_run(&s, cli->out.colour, &run);
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static int run(struct cli *cli)
{
	struct err err = {0};
	int code;

	if (cli->argument_count &&
	    (strcmp(cli->arguments[0], "show") != 0 || cli->argument_count != 2)) {
		err_set(&err, ERR_INPUT, 0, "usage: reconcile history [show N]");
		return session_fail(cli, NULL, &err);
	}
	AUTO(session_free) struct engine *engine = session_open(cli);
	struct store *store = open_history(cli, engine, &code);

	output_progress(&cli->out, "");
	if (!store) {
		return code;
	}
	return cli->argument_count ? show_run(cli, store) : list_runs(cli, store);
}

static int take_limit(struct cli *cli, const char *value, struct err *err)
{
	char *end;

	cli->limit = strtoll(value, &end, 10);
	return *end || cli->limit < 1
	           ? err_set(err, ERR_INPUT, 0, "--limit: '%s' is no number from 1", value)
	           : 0;
}

static const struct option_row options[] = {
    {"--limit", 'n', "N", "show so many runs (20)", take_limit},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_history = {
    .name = "history",
    .arguments = "[show N]",
    .summary = "what ran when, what it changed, and why",
    .help = "Without arguments the newest runs, newest first. `history show N`: one run with its\n"
            "steps, from what to what, which policy line and which line of the tree. Exit codes:\n"
            "0, 1 error.",
    .options = options,
    .most_arguments = 2,
    .run = run,
};
