// SPDX-License-Identifier: MIT
/* reconcile status: how the node stands now, and since when. */
#include "cli/agent.h"
#include "cli/cmds.h"
#include "cli/render.h"
#include "cli/session.h"

#include "base/clock.h"
#include "engine/allow.h"
#include "engine/pause.h"

#include <errno.h>
#include <string.h>

/* How long status speaks of a history that was set aside; `history` always does. */
enum { ASIDE_SHOWN = 30 * 86400 };

/* What history knows beside the plan; members are null when there is none. */
struct past {
	struct value since, last, about;
	const char *problem;
};

static void look_back(struct cli *cli, struct engine *engine, struct past *past)
{
	const struct store_condition *condition;
	struct store *store = engine_history(engine, &condition);
	struct value runs;
	struct err err = {0};

	*past = (struct past){.since = value_null(), .last = value_null(), .about = value_null()};
	past->problem = condition->problem;
	if (!store) {
		return;
	}
	if (store_since(store, cli->arena, &past->since, &err) ||
	    store_runs(store, cli->arena, 1, &runs, &err) ||
	    store_about(store, cli->arena, &past->about, &err)) {
		past->problem = arena_strdup(cli->arena, err.text);
	} else if (runs.count) {
		past->last = runs.items[0];
	}
}

static void add_since(struct str *s, const struct past *past, const struct step *step)
{
	const struct value *known = value_get(&past->since, step->id);
	const char *outcome = known ? value_text(known, "outcome") : NULL;
	char stamp[24];

	if (!outcome) {
		return;
	}
	clock_stamp(value_number(known, "since", 0), stamp);
	/* History knows the outcome of runs: what is to be changed now may have been right then, ... */
	if (text_equal(outcome, outcome_name(OUTCOME_KEPT)) ||
	    text_equal(outcome, outcome_name(OUTCOME_CHANGED))) {
		str_addf(s, "  new (%s in run %lld)",
		         text_equal(outcome, outcome_name(OUTCOME_KEPT)) ? "in sync" : outcome,
		         (long long)value_number(known, "since_run", 0));
	} else if (text_equal(outcome, outcome_name(step->outcome))) {
		str_addf(s, "  since %s", stamp);
	} else {
		/* ... or be what a run could not put right. */
		str_addf(s, ", %s since %s", outcome, stamp);
	}
}

static void add_note(struct str *s, const char *what, const char *word, const char *reason)
{
	str_add(s, "  ");
	str_add_printable(s, what, 200);
	str_addf(s, "  %s: ", word);
	str_add_printable(s, reason ? reason : "", 400);
	str_addc(s, '\n');
}

/* What is no step: blocks, and items that could not be decided. */
static void add_notes(struct str *s, struct cli *cli, const struct plan *plan)
{
	const struct strmap *blocked = render_blocked(cli->arena, plan);

	for (size_t i = 0; i < plan->block_count; i++) {
		const struct note *n = &plan->blocks[i];

		if (!n->resource || !strmap_get(blocked, n->resource)) {
			add_note(s, n->resource ? n->resource : n->rule, "blocked", n->origin.reason);
		}
	}
	for (size_t i = 0; i < plan->undecided_count; i++) {
		const struct undecided *u = &plan->undecided[i];

		add_note(s, u->item, "undetermined", u->origin.reason);
	}
}

/* What operators let pass for a time. */
static void add_allowed(struct str *s, struct engine *engine)
{
	struct allowed_list list;
	struct err err = {0};
	char stamp[24];

	if (allow_look(engine, clock_now(), &list, &err)) {
		if (err.os != EACCES) {
			str_add(s, "Allowed: ");
			str_add_printable(s, err.text, 400);
			str_add(s, ".\n");
		}
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		str_addf(s, "Allowed: kernel %s until %s, by ", list.list[i].release,
		         clock_stamp(list.list[i].until, stamp));
		str_add_printable(s, list.list[i].who, 100);
		str_add(s, ": ");
		str_add_printable(s, list.list[i].reason, 400);
		str_add(s, ".\n");
	}
}

/* What is wrong with the history, or was of late. */
static void add_history(struct str *s, const struct past *past)
{
	const struct value *aside =
	    past->about.type == VALUE_MAP ? value_get(&past->about, "set_aside") : NULL;
	char stamp[24];

	if (past->problem) {
		str_add(s, "History: ");
		str_add_printable(s, past->problem, 400);
		str_add(s, ".\n");
	}
	if (aside && aside->type == VALUE_MAP &&
	    clock_now() - value_number(aside, "at", 0) < ASIDE_SHOWN) {
		str_addf(s, "History: begun anew %s; what it told until then is in ",
		         clock_stamp(value_number(aside, "at", 0), stamp));
		str_add_printable(s, value_text(aside, "set_aside"), 1000);
		str_add(s, " (");
		str_add_printable(s, value_text(aside, "why"), 400);
		str_add(s, ").\n");
	}
}

static void add_agent(struct str *s, const char *run_dir)
{
	const struct agent agent = agent_look(run_dir);
	char stamp[24];

	if (!agent.pid) {
		str_add(s, "Agent: not running.\n");
	} else if (agent.next) {
		str_addf(s, "Agent: running (process %d), next pass at %s.\n", (int)agent.pid,
		         clock_stamp(agent.next, stamp));
	} else {
		str_addf(s, "Agent: running (process %d), a pass is under way.\n", (int)agent.pid);
	}
}

static void add_text(struct str *s, struct cli *cli, struct engine *engine, const struct plan *plan,
                     const struct past *past)
{
	struct plan_counts counts = plan_count(plan);
	char stamp[24];

	str_addf(s, "Node %s, mode %s: ", plan->basis.node, plan->basis.mode);
	render_counts(s, &counts);
	str_add(s, ".\n");
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->outcome != OUTCOME_KEPT) {
			str_add(s, "  ");
			output_paint(s, cli->out.colour, COLOUR_BOLD, step->id);
			str_addf(s, "  %s",
			         step->outcome == OUTCOME_CHANGE ? "to change" : outcome_name(step->outcome));
			add_since(s, past, step);
			if (step->why) {
				str_add(s, ": ");
				str_add_printable(s, step->why, 400);
			}
			if (step->retry && step->outcome != OUTCOME_BLOCKED) {
				str_add(s, ": `run` is ");
				retry_text(s, step->retry, clock_now());
			}
			str_addc(s, '\n');
		}
	}
	add_notes(s, cli, plan);
	if (plan->next_boot) {
		render_next_boot(s, cli->out.colour, plan->next_boot);
	}
	if (past->last.type == VALUE_MAP) {
		int64_t code = value_number(&past->last, "exit_code", -1);

		str_addf(s, "Last run: %lld, %s, %s", (long long)value_number(&past->last, "run", 0),
		         clock_stamp(value_number(&past->last, "started", 0), stamp),
		         value_text(&past->last, "status"));
		if (code >= 0) { /* one that has not ended has none */
			str_addf(s, ", exit code %lld", (long long)code);
		}
		str_add(s, ".\n");
	}
	add_agent(s, cli->engine.run_dir);
	add_allowed(s, engine);
	add_history(s, past);
	if (plan->basis.stale_tree) {
		output_paint(s, cli->out.colour, COLOUR_YELLOW, "! The tree is not used");
		str_add(s, " (");
		str_add_printable(s, plan->basis.stale_reason, 1000);
		str_addf(s, "): `run` goes on with the last good one, which last served at %s.\n",
		         clock_stamp(plan->basis.stale_since, stamp));
	}
	str_addf(s, "%s%s%s", plan->paused ? "Paused: " : "", plan->paused ? plan->paused : "",
	         plan->paused ? ".\n" : "");
	str_addf(s, "%s%s%s", plan->lock_holder ? "Under way: " : "",
	         plan->lock_holder ? plan->lock_holder : "", plan->lock_holder ? ".\n" : "");
	if (plan->orphan_count) {
		str_addf(s, "%zu made by reconcile that nothing wants any more; `plan` lists them.\n",
		         plan->orphan_count);
	}
}

static bool print(struct cli *cli, struct engine *engine, const struct plan *plan,
                  const struct past *past, int code)
{
	AUTO(str_free) struct str s = {0};
	struct pause pause;

	if (!cli->json) {
		add_text(&s, cli, engine, plan, past);
		return output_text(&s);
	}
	struct value document = value_map(), history = value_map();
	struct allowed_list allowed;
	struct err err = {0};

	value_put(cli->arena, &history, "problem", value_string(past->problem));
	value_put(cli->arena, &history, "since", past->since);
	value_put(cli->arena, &history, "last_run", past->last);
	value_put(cli->arena, &history, "about", past->about);
	value_put(cli->arena, &document, "plan", plan_to_value(cli->arena, plan));
	value_put(cli->arena, &document, "history", history);
	if (!allow_look(engine, clock_now(), &allowed, &err)) {
		value_put(cli->arena, &document, "allowed", allow_to_value(cli->arena, &allowed));
	}
	const struct agent agent = agent_look(cli->engine.run_dir);

	value_put(cli->arena, &document, "agent", agent_to_value(cli->arena, &agent));
	pause_look(engine, &pause);
	value_put(cli->arena, &document, "pause", pause_to_value(cli->arena, &pause));
	value_put(cli->arena, &document, "exit_code", value_int(code));
	value_seal(&document);
	return output_json(&document);
}

static int run(struct cli *cli)
{
	struct plan *plan;
	struct past past;
	struct err err = {0};
	int code;

	cli->engine.stale_ok = true; /* what `run` goes by */
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!engine) {
		return code;
	}
	if (engine_plan(engine, &plan, &err)) {
		return session_fail(cli, engine, &err);
	}
	look_back(cli, engine, &past);
	output_progress(&cli->out, "");
	code = plan->paused ? EXIT_PAUSED : plan_exit_code(plan);
	return print(cli, engine, plan, &past, code) ? code : EXIT_ERROR;
}

const struct cmd cmd_status = {
    .name = "status",
    .arguments = "",
    .summary = "how the node stands now, and since when",
    .help =
        "Plans, and says with the history's help since when each thing is as it is, what the\n"
        "last run did, whether a `run` is alive and when its next pass is, who holds the lock,\n"
        "and whether the node is paused. Changes nothing.\n"
        "A tree that cannot be used is said, and what `run` goes on with instead is judged.\n"
        "Exit codes as of plan, and 7 when paused.",
    .run = run,
};
