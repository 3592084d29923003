// SPDX-License-Identifier: MIT
/* Plans and their outcomes as text for people. Pure: adds to a text. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "cli/output.h"
#include "base/strmap.h"
#include "model/plan.h"

/* The plan: every step that is not in sync (with `all`, those too), notes, orphans and the summary
 * line. */
void render_plan(struct str *s, bool colour, const struct plan *plan, bool all);
/* How many columns the names of its changes take, those aside that are far too long. */
size_t render_width(const struct plan *plan);
/* One line for a step that was carried out; its name takes so many columns at least. */
void render_done(struct str *s, bool colour, const struct step *step, size_t width);
/* What came of an apply. */
struct render_end {
	const struct plan *plan, *after; /* after: NULL when nothing was changed */
	int64_t run;                     /* 0 = not recorded */
	bool shown;                      /* the plan was shown before: its notes are known */
};
/* The reasons of whatever did not go well, and the summary line. */
void render_result(struct str *s, bool colour, const struct render_end *end);
/* The steps that are blocked, by id: a block of a policy that names one of them shows in it. */
struct strmap *render_blocked(struct arena *arena, const struct plan *plan);
/* "3 changed, 1 blocked, 9 in sync": the counts that are not zero. */
void render_counts(struct str *s, const struct plan_counts *counts);
/* Which kernel boots next, and what would be lost under it. */
void render_next_boot(struct str *s, bool colour, const struct next_boot *next);
/* "directory /srv/data" for KIND:KEY. */
void render_id(struct str *s, const struct resource *r);

#endif
