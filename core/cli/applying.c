// SPDX-License-Identifier: MIT
/* See applying.h. */
#include "cli/applying.h"

#include "cli/render.h"
#include "cli/run_log.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line typed by a person; anything but "yes" is a no. */
static bool ask(struct cli *cli)
{
	char line[64] = "";

	output_progress(&cli->out, "");
	fputs("\nCarry this out? Type yes: ", stderr);
	fflush(stderr);
	if (!fgets(line, sizeof line, stdin)) {
		fputc('\n', stderr);
		return false;
	}
	return strcmp(line, "yes\n") == 0;
}

/* Nobody is asked about what was not shown; standard output is for the result when that is JSON. */
static bool consent(void *context, const struct plan *plan)
{
	struct cli *cli = context;
	AUTO(str_free) struct str text = {0};
	bool asks = !cli->yes && cli->engine.person;

	output_progress(&cli->out, "");
	cli->id_width = render_width(plan);
	if (!cli->json) {
		render_plan(&text, cli->out.colour, plan, cli->all);
		cli->shown = true;
		if (!output_text(&text)) {
			return false;
		}
	} else if (asks) {
		render_plan(&text, cli->out.colour_err, plan, cli->all);
		fputs(str_text(&text), stderr);
	}
	return asks ? ask(cli) : true;
}

static struct value result_value(struct arena *arena, const struct engine_result *result)
{
	struct value document = result->plan ? plan_to_value(arena, result->plan) : value_map();

	value_set(arena, &document, "exit_code", value_int(result->exit_code));
	value_put(arena, &document, "run", result->run ? value_int(result->run) : value_null());
	value_put(arena, &document, "declined", value_bool(result->declined));
	value_set(arena, &document, "paused", value_string(result->paused));
	value_put(arena, &document, "stopped",
	          result->stopped ? value_int(result->stopped) : value_null());
	value_put(arena, &document, "after",
	          result->after ? plan_to_value(arena, result->after) : value_null());
	value_seal(&document);
	return document;
}

/* Of a pass of `run` that nobody watches: a timer makes one every few minutes, and cron would mail
 * it each time. */
static bool is_nothing_to_tell(const struct cli *cli, const struct engine_result *result)
{
	return cli->supervisor && !isatty(STDOUT_FILENO) && !cli->shown &&
	       result->exit_code == EXIT_IN_SYNC && result->plan && !result->plan->warning_count;
}

static int print_result(struct cli *cli, struct engine *engine, const struct engine_result *result)
{
	AUTO(str_free) struct str text = {0};
	const struct render_end end = {result->plan, result->after, result->run, cli->shown};

	output_progress(&cli->out, "");
	if (cli->json) {
		struct value document = result_value(engine_arena(engine), result);

		return output_json(&document) ? result->exit_code : EXIT_ERROR;
	}
	if (is_nothing_to_tell(cli, result)) {
		return result->exit_code;
	}
	if (result->declined) {
		str_add(&text, "Nothing was changed.\n");
	} else if (result->plan) {
		render_result(&text, cli->out.colour, &end);
	}
	if (result->stopped) {
		output_note(&cli->out, "stopped by signal %d (%s)%s", result->stopped,
		            strsignal(result->stopped),
		            result->declined ? "" : " after the step under way");
	}
	return output_text(&text) ? result->exit_code : EXIT_ERROR;
}

static void add_left(struct str *s, const char *what, const char *how)
{
	str_addf(s, "%s%s (%s)", s->length ? ", " : "", what, how);
}

/* All that keeps a plan from being in sync, as plan_count has it; what is no step has its reason
 * here alone. */
static void list_left(struct arena *arena, struct str *s, const struct plan *plan)
{
	const struct strmap *blocked = render_blocked(arena, plan);

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->outcome != OUTCOME_KEPT && step->outcome != OUTCOME_CHANGED) {
			add_left(s, step->id, outcome_name(step->outcome));
		}
	}
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct note *n = &plan->blocks[i];

		if (!n->resource || !strmap_get(blocked, n->resource)) {
			add_left(s, n->resource ? n->resource : n->rule,
			         arena_printf(arena, "blocked: %s", n->origin.reason));
		}
	}
	for (size_t i = 0; i < plan->undecided_count; i++) {
		add_left(s, plan->undecided[i].item,
		         arena_printf(arena, "undetermined: %s", plan->undecided[i].origin.reason));
	}
	if (plan->next_boot && plan->next_boot->lost && !plan->next_boot->remedied) {
		add_left(s, "next boot", arena_printf(arena, "blocked: %s", plan->next_boot->sentence));
	}
	if (plan->basis.stale_tree) {
		add_left(s, "tree", arena_printf(arena, "blocked: %s", plan->basis.stale_reason));
	}
}

/* For `run`, which has nothing else of a pass once its engine is closed. */
static void note_pass(struct cli *cli, const struct engine_result *result)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str summary = {0};
	const struct plan *left = result->after ? result->after : result->plan;
	struct plan_counts counts;

	cli->pass.next_try = result->next_try;
	cli->pass.more = result->after && plan_count(result->after).of[OUTCOME_CHANGE];
	str_clear(&cli->pass.left);
	if (left) {
		list_left(arena, &cli->pass.left, left);
	}
	if (result->plan) {
		counts = plan_count(result->plan);
		render_counts(&summary, &counts);
	}
	snprintf(cli->pass.summary, sizeof cli->pass.summary, "%s",
	         result->plan ? str_text(&summary) : "paused");
}

int applying_run_quietly(struct cli *cli, struct engine *engine)
{
	struct engine_result result = {0};
	struct err err = {0};

	if (engine_apply(engine, NULL, NULL, NULL, &result, &err)) {
		return session_fail(cli, engine, &err);
	}
	note_pass(cli, &result);
	run_log_pass(cli->log, &result);
	return result.exit_code;
}

int applying_run(struct cli *cli, struct engine *engine, const struct value *saved)
{
	struct engine_result result = {0};
	struct err err = {0};

	cli->shown = false;

	if (engine_apply(engine, saved, consent, cli, &result, &err)) {
		return session_fail(cli, engine, &err);
	}
	if (cli->supervisor) {
		note_pass(cli, &result);
	}
	return print_result(cli, engine, &result);
}
