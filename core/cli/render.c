// SPDX-License-Identifier: MIT
/* See render.h. */
#include "cli/render.h"

#include "base/clock.h"

#include <string.h>

enum {
	VALUE_MOST = 200,
	TEXT_MOST = 800,
	NAME_LEAST = 7,
	INDENT = 6,
	LINE_MOST = 100,
	ID_MOST = 60, /* columns */
};

struct sign {
	const char *text, *word;
	enum colour colour;
};

static struct sign sign_of(const struct step *step)
{
	static const struct sign by_action[] = {
	    [ACTION_NONE] = {"~", "change", COLOUR_YELLOW},
	    [ACTION_CREATE] = {"+", "create", COLOUR_GREEN},
	    [ACTION_UPDATE] = {"~", "change", COLOUR_YELLOW},
	    [ACTION_REMOVE] = {"-", "remove", COLOUR_RED},
	    [ACTION_RUN] = {">", "run", COLOUR_CYAN},
	    [ACTION_REPLACE] = {"±", "replace", COLOUR_RED},
	};
	static const struct sign by_outcome[OUTCOME_COUNT] = {
	    [OUTCOME_KEPT] = {"=", "in sync", COLOUR_DIM},
	    [OUTCOME_CHANGED] = {"✓", "changed", COLOUR_GREEN},
	    [OUTCOME_PENDING] = {"…", "pending", COLOUR_YELLOW},
	    [OUTCOME_BLOCKED] = {"!", "blocked", COLOUR_YELLOW},
	    [OUTCOME_SKIPPED] = {"·", "skipped", COLOUR_DIM},
	    [OUTCOME_FAILED] = {"✗", "failed", COLOUR_RED},
	    [OUTCOME_UNDETERMINED] = {"?", "undetermined", COLOUR_YELLOW},
	};

	return step->outcome == OUTCOME_CHANGE ? by_action[step->action] : by_outcome[step->outcome];
}

void render_id(struct str *s, const struct resource *r)
{
	str_add(s, r->kind->name);
	if (*r->key) {
		str_addc(s, ' ');
		str_add_printable(s, r->key, VALUE_MOST);
	}
}

/* Where a line of prose is broken: the last blank before `most` columns, or its end. */
static size_t break_at(const char *text, size_t most)
{
	size_t columns = 0, blank = 0, i = 0;

	for (; text[i]; i++) {
		if (text[i] == ' ') {
			blank = i;
		}
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (columns > most && blank) {
			return blank;
		}
	}
	return i;
}

/* One aligned row under a step: name, value. What is long goes on under its own column. */
static void add_row(struct str *s, size_t width, const char *name, const char *value)
{
	AUTO(str_free) struct str shown = {0};
	size_t indent = width + INDENT + 2;

	str_addf(s, "%*s%-*s  ", INDENT, "", (int)width, name);
	for (const char *line = value; line;) {
		const char *end = strchr(line, '\n');
		AUTO(str_free) struct str one = {0};

		str_addn(&one, line, end ? (size_t)(end - line) : strlen(line));
		str_add_printable(&shown, str_text(&one), TEXT_MOST);
		line = end && end[1] ? end + 1 : NULL;
		str_add(&shown, line ? "\n" : "");
	}
	for (const char *rest = str_text(&shown);;) {
		const char *end = strchrnul(rest, '\n');
		size_t n = break_at(rest, LINE_MOST - indent);

		n = rest + n > end ? (size_t)(end - rest) : n;
		str_addn(s, rest, n);
		str_addc(s, '\n');
		if (!rest[n]) {
			return;
		}
		rest += n + 1;
		str_pad(s, ' ', indent);
	}
}

static size_t rows_width(const struct step *step, bool creates)
{
	size_t width = NAME_LEAST;

	for (size_t i = 0; creates && i < step->want->kind->field_count; i++) {
		const struct field *f = &step->want->kind->fields[i];

		if (field_is_set(f, step->want) && !(f->flags & FIELD_FACT) && strlen(f->name) > width) {
			width = strlen(f->name);
		}
	}
	for (size_t i = 0; i < step->differences.count; i++) {
		size_t n = strlen(step->differences.list[i].field);

		width = n > width ? n : width;
	}
	return width;
}

static bool differs(const struct step *step, const char *field)
{
	for (size_t i = 0; i < step->differences.count; i++) {
		if (strcmp(step->differences.list[i].field, field) == 0) {
			return true;
		}
	}
	return false;
}

/* Of something to be made: what it will be. What differs has a row of its own. */
static void add_wanted(struct str *s, struct arena *arena, size_t width, const struct step *step)
{
	for (size_t i = 0; i < step->want->kind->field_count; i++) {
		const struct field *f = &step->want->kind->fields[i];

		if (field_is_set(f, step->want) && !(f->flags & FIELD_FACT) && !differs(step, f->name)) {
			add_row(s, width, f->name, compare_show(arena, f, step->want));
		}
	}
}

/* Of something to be made, that it is not there yet goes without saying. */
static void add_differences(struct str *s, size_t width, const struct step *step, bool creates)
{
	for (size_t i = 0; i < step->differences.count; i++) {
		const struct difference *d = &step->differences.list[i];
		AUTO(str_free) struct str text = {0};

		if (creates && strcmp(d->field, "state") == 0) {
			continue;
		}
		if (creates && !d->from) {
			add_row(s, width, d->field, d->to ? d->to : "");
			continue;
		}

		str_addf(&text, "%s → %s", d->from && *d->from ? d->from : "not set",
		         d->to && *d->to ? d->to : "not set");
		add_row(s, width, d->field, str_text(&text));
	}
}

static void add_place(struct str *s, const struct pos *at, bool column)
{
	str_addf(s, "%s:%u", at->file, at->line);
	if (column && at->col) {
		str_addf(s, ":%u", at->col);
	}
}

/* Why it is wanted, which line of Lua planned it, which line of YAML asked for it. */
static void add_origin(struct str *s, size_t width, const struct origin *o)
{
	AUTO(str_free) struct str text = {0};

	if (o->reason && *o->reason) {
		add_row(s, width, "because", o->reason);
	}
	str_addf(&text, "%s", o->policy);
	if (o->lua.file) {
		str_add(&text, " (");
		add_place(&text, &o->lua, false);
		str_addc(&text, ')');
	}
	add_row(s, width, "policy", str_text(&text));
	if (o->yaml.file) {
		str_clear(&text);
		add_place(&text, &o->yaml, true);
		add_row(s, width, "wanted", str_text(&text));
	}
}

/* Of a step that `run` holds back this is what blocks it, and said as that. */
static void add_retry(struct str *s, size_t width, const struct step *step)
{
	AUTO(str_free) struct str text = {0};

	if (step->outcome == OUTCOME_FAILED) {
		retry_when(&text, step->retry, clock_now());
	} else {
		str_add(&text, "`run` is ");
		retry_text(&text, step->retry, clock_now());
	}
	add_row(s, width, "again", str_text(&text));
}

static void add_step(struct str *s, bool colour, const struct step *step)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct sign sign = sign_of(step);
	bool creates = step->outcome == OUTCOME_CHANGE &&
	               (step->action == ACTION_CREATE || (step->marks & MARK_AFTER_MOUNT));
	size_t width = rows_width(step, creates);
	const char *marks = marks_text(arena, step->marks);
	AUTO(str_free) struct str id = {0};

	render_id(&id, step->want);
	str_add(s, "  ");
	output_paint(s, colour, sign.colour, sign.text);
	str_addc(s, ' ');
	output_paint(s, colour, COLOUR_BOLD, str_text(&id));
	str_add(s, "  ");
	output_paint(s, colour, sign.colour, sign.word);
	if (*marks && step->outcome == OUTCOME_CHANGE) {
		str_addf(s, "  [%s]", marks);
	}
	str_addc(s, '\n');
	if (step->why && *step->why) {
		add_row(s, width, step->outcome == OUTCOME_CHANGE ? "note" : "why not", step->why);
	}
	if (step->retry && step->outcome != OUTCOME_BLOCKED) {
		add_retry(s, width, step);
	}
	if (creates) {
		add_wanted(s, arena, width, step);
	}
	add_differences(s, width, step, creates);
	if (step->detail) {
		add_row(s, width, "output", step->detail);
	}
	for (size_t i = 0; i < step->origin_count; i++) {
		add_origin(s, width, &step->origins[i]);
	}
	str_addc(s, '\n');
}

static void add_note(struct str *s, bool colour, const char *sign, const char *title,
                     const struct origin *o)
{
	AUTO(str_free) struct str shown = {0};

	str_add_printable(&shown, title, TEXT_MOST);
	str_add(s, "  ");
	output_paint(s, colour, COLOUR_YELLOW, sign);
	str_addc(s, ' ');
	output_paint(s, colour, COLOUR_BOLD, str_text(&shown));
	str_addc(s, '\n');
	add_origin(s, NAME_LEAST, o);
	str_addc(s, '\n');
}

struct strmap *render_blocked(struct arena *arena, const struct plan *plan)
{
	struct strmap *blocked = strmap_create(arena);

	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].outcome == OUTCOME_BLOCKED) {
			strmap_put(blocked, plan->steps[i].id, &plan->steps[i]);
		}
	}
	return blocked;
}

static void add_notes(struct str *s, bool colour, const struct plan *plan)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct strmap *blocked = plan->block_count ? render_blocked(arena, plan) : NULL;

	for (size_t i = 0; i < plan->block_count; i++) {
		const struct note *n = &plan->blocks[i];

		if (!n->resource || !strmap_get(blocked, n->resource)) {
			AUTO(str_free) struct str title = {0};

			str_addf(&title, "%s%s%s", n->rule, n->resource ? ": " : "",
			         n->resource ? n->resource : "");
			add_note(s, colour, "!", str_text(&title), &n->origin);
		}
	}
	for (size_t i = 0; i < plan->undecided_count; i++) {
		const struct undecided *u = &plan->undecided[i];
		AUTO(str_free) struct str title = {0};

		str_addf(&title, "%s could not be decided: %s is undetermined", u->item, u->fact);
		add_note(s, colour, "?", str_text(&title), &u->origin);
	}
	for (size_t i = 0; i < plan->warning_count; i++) {
		const struct note *n = &plan->warnings[i];
		AUTO(str_free) struct str title = {0};

		str_addf(&title, "warning: %s%s%s", n->rule, n->resource ? ": " : "",
		         n->resource ? n->resource : "");
		add_note(s, colour, "w", str_text(&title), &n->origin);
	}
}

static void add_orphans(struct str *s, const struct plan *plan)
{
	char stamp[24];

	if (!plan->orphan_count) {
		return;
	}
	str_add(s,
	        "Made by reconcile, and nothing wants it any more (`apply --prune` takes it away):\n");
	for (size_t i = 0; i < plan->orphan_count; i++) {
		str_add(s, "  ");
		str_add_printable(s, plan->orphans[i].id, VALUE_MOST);
		str_addf(s, "  (run %lld, %s)\n", (long long)plan->orphans[i].run,
		         clock_stamp(plan->orphans[i].made_at, stamp));
	}
	str_addc(s, '\n');
}

void render_next_boot(struct str *s, bool colour, const struct next_boot *next)
{
	AUTO(str_free) struct str shown = {0};
	/* What is lost counts as one that is blocked, and looks like one. */
	bool lost = next->lost && !next->remedied;
	const char *title = lost ? "! Next boot:" : "Next boot:";
	size_t column = strlen(title) + (lost ? 3 : 1);

	str_add_printable(&shown, next->sentence, TEXT_MOST);
	str_add(s, lost ? "  " : "");
	output_paint(s, colour, lost ? COLOUR_RED : COLOUR_BOLD, title);
	str_addc(s, ' ');
	for (const char *rest = str_text(&shown);;) {
		size_t n = break_at(rest, LINE_MOST - column);

		str_addn(s, rest, n);
		if (!rest[n]) {
			break;
		}
		str_addc(s, '\n');
		str_pad(s, ' ', column);
		rest += n + 1;
	}
	str_add(s, ".\n");
}

/* It counts as one that is blocked, and looks like one. */
static void add_stale(struct str *s, bool colour, const struct plan *plan)
{
	char stamp[24];

	if (plan->basis.stale_tree) {
		str_add(s, "  ");
		output_paint(s, colour, COLOUR_YELLOW, "! The tree is not used");
		str_add(s, " (");
		str_add_printable(s, plan->basis.stale_reason, 1000);
		str_addf(s, "): this is the last good one, which last served at %s.\n",
		         clock_stamp(plan->basis.stale_since, stamp));
	}
}

static void add_conditions(struct str *s, bool colour, const struct plan *plan)
{
	if (plan->next_boot) {
		render_next_boot(s, colour, plan->next_boot);
	}

	add_stale(s, colour, plan);
	if (plan->paused) {
		str_addf(s, "This node is paused: %s.\n", plan->paused);
	}
	if (plan->lock_holder) {
		str_addf(s, "Another run is under way: %s.\n", plan->lock_holder);
	}
	if (plan->unproven) {
		str_addf(s, "Unproven: %s; plan again afterwards.\n", plan->unproven);
	}
	if (plan->more) {
		str_addf(s, "A further pass will have %zu more to do.\n", plan->more);
	}
}

void render_counts(struct str *s, const struct plan_counts *counts)
{
	static const struct {
		enum outcome outcome;
		const char *word;
	} words[] = {
	    {OUTCOME_CHANGE, "to change"}, {OUTCOME_CHANGED, "changed"},
	    {OUTCOME_FAILED, "failed"},    {OUTCOME_BLOCKED, "blocked"},
	    {OUTCOME_PENDING, "pending"},  {OUTCOME_UNDETERMINED, "undetermined"},
	    {OUTCOME_SKIPPED, "skipped"},  {OUTCOME_KEPT, "in sync"},
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = counts->of[words[i].outcome];

		if (n) {
			str_addf(s, "%s%zu %s", first ? "" : ", ", n, words[i].word);
			first = false;
		}
	}
	if (first) {
		str_add(s, "nothing is wanted on this node");
	}
}

void render_plan(struct str *s, bool colour, const struct plan *plan, bool all)
{
	struct plan_counts counts = plan_count(plan);
	AUTO(str_free) struct str title = {0};

	str_addf(&title, "%s", plan->basis.node);
	str_add(s, "Node ");
	output_paint(s, colour, COLOUR_BOLD, str_text(&title));
	str_addf(s, " (named by %s), tree %s, mode %s\n\n", plan->basis.identity, plan->basis.tree_path,
	         plan->basis.mode);
	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].outcome != OUTCOME_KEPT || all) {
			add_step(s, colour, &plan->steps[i]);
		}
	}
	add_notes(s, colour, plan);
	add_orphans(s, plan);
	add_conditions(s, colour, plan);
	output_paint(s, colour, COLOUR_BOLD, "Plan: ");
	render_counts(s, &counts);
	str_add(s, ".\n");
}

size_t render_width(const struct plan *plan)
{
	size_t width = 0;

	for (size_t i = 0; i < plan->step_count; i++) {
		AUTO(str_free) struct str id = {0};

		if (plan->steps[i].outcome == OUTCOME_CHANGE) {
			render_id(&id, plan->steps[i].want);
			size_t n = text_width(str_text(&id));

			width = n > width && n <= ID_MOST ? n : width;
		}
	}
	return width;
}

void render_done(struct str *s, bool colour, const struct step *step, size_t width)
{
	struct sign sign = sign_of(step);
	AUTO(str_free) struct str id = {0};

	render_id(&id, step->want);
	str_add(s, "  ");
	output_paint(s, colour, sign.colour, sign.text);
	str_addf(s, " %s", str_text(&id));
	str_pad(s, ' ', width > text_width(str_text(&id)) ? width - text_width(str_text(&id)) : 0);
	str_add(s, "  ");
	output_paint(s, colour, sign.colour, sign.word);
	if (step->duration_ms >= 1000) {
		str_add(s, " in ");
		clock_add_span(s, step->duration_ms);
	}
	str_addc(s, '\n');
}

void render_result(struct str *s, bool colour, const struct render_end *end)
{
	const struct plan *plan = end->plan, *after = end->after;
	struct plan_counts counts = plan_count(plan);

	str_addc(s, '\n');
	for (size_t i = 0; i < plan->step_count; i++) {
		enum outcome o = plan->steps[i].outcome;

		if (o == OUTCOME_FAILED || o == OUTCOME_BLOCKED || o == OUTCOME_UNDETERMINED ||
		    o == OUTCOME_PENDING) {
			add_step(s, colour, &plan->steps[i]);
		}
	}
	if (!end->shown) {
		add_notes(s, colour, plan);
		add_orphans(s, plan);
		add_conditions(s, colour, plan);
	} else {
		add_stale(s, colour, plan);
	}
	if (after && plan_count(after).of[OUTCOME_CHANGE]) {
		str_add(s, "Planned once more afterwards, there is more to do:\n\n");
		for (size_t i = 0; i < after->step_count; i++) {
			if (after->steps[i].outcome == OUTCOME_CHANGE) {
				add_step(s, colour, &after->steps[i]);
			}
		}
	}
	output_paint(s, colour, COLOUR_BOLD, "Applied: ");
	render_counts(s, &counts);
	if (end->run) {
		str_addf(s, " (run %lld)", (long long)end->run);
	}
	str_add(s, ".\n");
}
