// SPDX-License-Identifier: MIT
/* See doctor_text.h. */
#include "cli/doctor_text.h"

#include "base/clock.h"

#include <string.h>

enum { COLUMNS_MOST = 8, CELL_MOST = 80, LABEL = 11, INDEX_OLD = 7 * 86400 /* seconds */ };

/* ---- Sizes ---- */

void doctor_add_size(struct str *s, int64_t bytes)
{
	static const char units[] = "\0KMGTPE";
	uint64_t unit = 1, value = bytes > 0 ? (uint64_t)bytes : 0;
	size_t i = 0;

	/* Rounding up may reach the next unit: 1023.5K is 1.0M. */
	while (i < 6 && value / unit + (value % unit != 0) >= 1024) {
		unit *= 1024;
		i++;
	}
	uint64_t whole = value / unit, rest = value % unit;

	if (unit == 1) {
		str_addf(s, "%llu", (unsigned long long)value);
		return;
	}
	/* Tenths, rounded up. A unit is a multiple of 1024 and at most 2^60: no product overflows. */
	uint64_t tenths = whole * 10 + (rest * 10 + unit - 1) / unit;

	if (tenths < 100) {
		str_addf(s, "%d.%d%c", (int)tenths / 10, (int)tenths % 10, units[i]);
	} else {
		whole += rest != 0;
		str_addf(s, "%llu%c", (unsigned long long)whole, units[i]);
	}
}

/* ---- Tables ---- */

/* Rows of cells; each column as wide as its widest cell. */
struct table {
	struct str cells[COLUMNS_MOST];
	size_t columns, widths[COLUMNS_MOST];
	bool right[COLUMNS_MOST]; /* aligned to the right */
};

static void cell_size(struct str *s, const struct resource *space, const struct number *n)
{
	if (space && space->state == STATE_PRESENT && n->set) {
		doctor_add_size(s, n->value);
	} else {
		str_addc(s, '-');
	}
}

/* The columns of a mount from its size on. */
static void add_space(const struct doctor_mount *m, struct str cells[4])
{
	static const struct space nothing = {0};
	const struct space *space = m->space ? &m->space->space : &nothing;

	cell_size(&cells[0], m->space, &space->size);
	cell_size(&cells[1], m->space, &space->used);
	cell_size(&cells[2], m->space, &space->available);
	if (m->space && m->space->state == STATE_PRESENT && space->percent.set) {
		str_addf(&cells[3], "%lld%%", (long long)space->percent.value);
	} else {
		str_addc(&cells[3], '-');
	}
}

static void measure(struct table *t)
{
	for (size_t i = 0; i < t->columns; i++) {
		size_t width = text_width(str_text(&t->cells[i]));

		t->widths[i] = width > t->widths[i] ? width : t->widths[i];
	}
}

static void free_cells(struct table *t)
{
	for (size_t i = 0; i < COLUMNS_MOST; i++) {
		str_free(&t->cells[i]);
	}
}

/* Adds the row; column `painted` in a colour. Nothing is padded at its end. */
static void add_row(struct str *s, struct table *t, bool colour, size_t painted, enum colour paint)
{
	for (size_t i = 0; i < t->columns; i++) {
		const char *cell = str_text(&t->cells[i]);
		size_t width = text_width(cell), pad = t->widths[i] > width ? t->widths[i] - width : 0;

		str_add(s, i ? "  " : "");
		str_pad(s, ' ', t->right[i] ? pad : 0);
		output_paint(s, colour && i == painted, paint, cell);
		str_pad(s, ' ', t->right[i] || i + 1 == t->columns ? 0 : pad);
	}
	str_addc(s, '\n');
}

static void clear_cells(struct table *t)
{
	for (size_t i = 0; i < t->columns; i++) {
		str_clear(&t->cells[i]);
	}
}

/* ---- Mounts ---- */

static enum colour colour_of(enum doctor_health health)
{
	static const enum colour colours[] = {
	    [DOCTOR_OK] = COLOUR_GREEN,
	    [DOCTOR_WARNING] = COLOUR_YELLOW,
	    [DOCTOR_CRITICAL] = COLOUR_RED,
	    [DOCTOR_UNKNOWN] = COLOUR_YELLOW,
	};

	return colours[health];
}

static void mount_cells(struct table *t, const struct doctor_mount *m)
{
	clear_cells(t);
	str_add_printable(&t->cells[0], m->target, CELL_MOST);
	str_add(&t->cells[1], doctor_standing_name(m->standing));
	str_add_printable(&t->cells[2], m->source ? m->source : "-", CELL_MOST);
	add_space(m, &t->cells[3]);
}

static void add_reason(struct str *s, const char *why)
{
	if (why) {
		str_add(s, "    ");
		str_add_printable(s, why, 1000);
		str_addc(s, '\n');
	}
}

static void add_mounts(struct str *s, bool colour, const struct doctor *d)
{
	static const char *const heads[] = {"MOUNT", "STATE", "SOURCE", "SIZE",
	                                    "USED",  "AVAIL", "USE%"};
	AUTO(free_cells) struct table t = {.columns = ARRAY_LEN(heads)};

	if (!d->count) {
		str_addf(s, "%s\n",
		         d->fstab_why ? "No file system of a storage client is mounted."
		                      : "fstab wants no file system, and none of a storage "
		                        "client is mounted.");
		return;
	}
	for (size_t i = 0; i < d->count; i++) {
		mount_cells(&t, &d->list[i]);
		measure(&t);
	}
	clear_cells(&t);
	for (size_t i = 0; i < t.columns; i++) {
		str_add(&t.cells[i], heads[i]);
		t.right[i] = i >= 3;
	}
	measure(&t);
	add_row(s, &t, colour, t.columns, COLOUR_NONE);
	for (size_t i = 0; i < d->count; i++) {
		mount_cells(&t, &d->list[i]);
		add_row(s, &t, colour, 1, colour_of(d->list[i].health));
		add_reason(s, d->list[i].why);
	}
}

/* ---- Kernels and their modules ---- */

static void add_label(struct str *s, const char *label)
{
	str_add(s, label);
	str_pad(s, ' ', strlen(label) < LABEL ? LABEL - strlen(label) : 1);
}

static void add_kernel(struct str *s, const char *label, const struct doctor *d,
                       const char *release, const char *otherwise, bool *said)
{
	const struct doctor_kernel *k = NULL;

	add_label(s, label);
	for (size_t i = 0; release && i < d->kernel_count; i++) {
		k = strcmp(d->kernels[i].release, release) == 0 ? &d->kernels[i] : k;
	}
	str_add_printable(s, release ? release : otherwise, 200);
	if (k && !*said && (k->installed || k->brought)) {
		*said = true;
		str_add(s, "  (installed");
		str_addf(s, "%s%s", k->installed ? " " : "", k->installed ? k->installed : "");
		str_add(s, k->brought ? " by " : "");
		str_add_printable(s, k->brought ? k->brought : "", 200);
		str_addc(s, ')');
	}
	/* Of the one that boots next that is said once, with what it means. */
	if (k && k->incomplete && !(k->next && d->next_boot)) {
		str_add(s, "  cannot boot as it is: ");
		str_add_printable(s, k->incomplete, 200);
	}
	str_addc(s, '\n');
}

static void add_kernels(struct str *s, const struct doctor *d)
{
	if (d->kernel_why) {
		add_label(s, "Kernel");
		str_add_printable(s, d->kernel_why, 400);
		str_addc(s, '\n');
		return;
	}
	const struct kernel *k = &d->kernel->kernel;
	const char *untold = d->root ? "not told by any boot loader that can be read"
	                             : "cannot be told; root may see more";
	bool once = k->boot_next && *k->boot_next;

	const char *next = once ? k->boot_next : k->boot_default;
	bool said = false, said_default = false, said_next = false;

	add_kernel(s, "Running", d, k->running, "unknown", &said);
	said_default = said && text_equal(k->running, k->boot_default);
	add_kernel(s, "Default", d, k->boot_default, untold, &said_default);
	said_next = (said && text_equal(k->running, next)) ||
	            (said_default && text_equal(k->boot_default, next));
	add_kernel(s, once ? "Next, once" : "Next", d, next, untold, &said_next);
	if (k->stale_entry) {
		add_label(s, "");
		str_add(s, "the boot loader was told to start ");
		str_add_printable(s, k->stale_entry, 200);
		str_add(s, ", of which it has no entry\n");
	}
}

static const char *roles(struct arena *arena, const struct doctor *d, const char *release)
{
	const struct doctor_kernel *k = NULL;

	for (size_t i = 0; i < d->kernel_count; i++) {
		k = strcmp(d->kernels[i].release, release) == 0 ? &d->kernels[i] : k;
	}
	return !k ? ""
	       : !k->running && !k->is_default && !k->next
	           ? "installed"
	           : arena_printf(arena, "%s%s%s%s%s", k->running ? "running" : "",
	                          k->running && (k->is_default || k->next) ? ", " : "",
	                          k->is_default ? "default" : "",
	                          k->is_default && k->next && !k->running ? ", " : "",
	                          k->next && !(k->running && k->is_default) ? "next" : "");
}

static void verdict_cells(struct table *t, struct arena *arena, const struct doctor *d,
                          const struct doctor_verdict *v)
{
	clear_cells(t);
	str_add_printable(&t->cells[0], v->module, CELL_MOST);
	str_add_printable(&t->cells[1], v->release, CELL_MOST);
	str_add(&t->cells[2], roles(arena, d, v->release));
	str_add_printable(&t->cells[3], v->verdict, 20);
}

static void add_modules(struct str *s, bool colour, const struct doctor *d)
{
	static const char *const heads[] = {"MODULE", "KERNEL", "", "LOADS"};
	AUTO(free_cells) struct table t = {.columns = ARRAY_LEN(heads)};
	AUTO(arena_auto) struct arena *arena = arena_create();

	if (!d->verdict_count) {
		return;
	}
	for (size_t i = 0; i < d->verdict_count; i++) {
		verdict_cells(&t, arena, d, &d->verdicts[i]);
		measure(&t);
	}
	clear_cells(&t);
	for (size_t i = 0; i < t.columns; i++) {
		str_add(&t.cells[i], heads[i]);
	}
	measure(&t);
	str_addc(s, '\n');
	add_row(s, &t, colour, t.columns, COLOUR_NONE);
	for (size_t i = 0; i < d->verdict_count; i++) {
		const struct doctor_verdict *v = &d->verdicts[i];
		bool good = strcmp(v->verdict, "yes") == 0, bad = strcmp(v->verdict, "no") == 0;

		verdict_cells(&t, arena, d, v);
		add_row(s, &t, colour, 3, good ? COLOUR_GREEN : bad ? COLOUR_RED : COLOUR_YELLOW);
		add_reason(s, good ? NULL : v->reason);
	}
}

/* ---- The rest ---- */

static void add_line(struct str *s, const char *label, const char *text)
{
	add_label(s, label);
	str_add_printable(s, text, 1000);
	str_addc(s, '\n');
}

static void add_rivals(struct str *s, const struct doctor *d)
{
	for (size_t i = 0; i < d->rival_count; i++) {
		const struct doctor_rival *r = &d->rivals[i];
		AUTO(str_free) struct str text = {0};

		if (r->why) {
			str_addf(&text, "%s: %s", r->name, r->why);
		} else {
			str_addf(&text, "%s (%s) repairs as well: %s [%s]", r->name, r->kind ? r->kind : "?",
			         r->does ? r->does : "", r->where ? r->where : "");
		}
		add_line(s, i ? "" : "Rivals", str_text(&text));
	}
	if (!d->rival_count) {
		add_line(s, "Rivals",
		         d->rivals_why ? d->rivals_why
		                       : "none: nothing else here repairs mounts or modules");
	}
}

static void add_index(struct str *s, const struct doctor *d)
{
	AUTO(str_free) struct str text = {0};

	if (d->index_why) {
		str_add(&text, d->index_why);
	} else if (d->index_age < 0) {
		str_add(&text, "there is none: apt-get update was never run");
	} else {
		clock_add_span(&text, d->index_age * 1000);
		str_add(&text, " old");
		str_add(&text,
		        d->index_age > INDEX_OLD ? ": what is published may have changed since" : "");
	}
	add_line(s, "Index", str_text(&text));
}

static void add_next(struct str *s, bool colour, const struct doctor *d)
{
	size_t width = 0;

	for (size_t i = 0; i < ARRAY_LEN(d->next); i++) {
		size_t n = d->next[i].line ? text_width(d->next[i].line) : 0;

		width = n > width ? n : width;
	}
	str_add(s, "\nWhat to run next:\n");
	for (size_t i = 0; i < ARRAY_LEN(d->next) && d->next[i].line; i++) {
		str_add(s, "  ");
		output_paint(s, colour, COLOUR_BOLD, d->next[i].line);
		str_pad(s, ' ', width - text_width(d->next[i].line));
		str_addf(s, "   # %s\n", d->next[i].purpose);
	}
}

void doctor_text(struct str *s, bool colour, const struct doctor *d)
{
	str_addf(s, "Node ");
	str_add_printable(s, d->node, 200);
	str_add(s, ": ");
	output_paint(s, colour, colour_of(d->health), doctor_health_name(d->health));
	str_add(s, "\n\n");
	add_kernels(s, d);
	str_addc(s, '\n');
	add_mounts(s, colour, d);
	if (d->fstab_why) {
		add_line(s, "fstab", d->fstab_why);
	}
	for (size_t i = 0; i < d->fstab_faults.count; i++) {
		add_line(s, "fstab", d->fstab_faults.items[i]);
	}
	add_modules(s, colour, d);
	str_addc(s, '\n');
	if (d->next_boot && d->next_boot->sentence) {
		add_line(s, "Next boot", d->next_boot->sentence);
	}
	add_rivals(s, d);
	add_index(s, d);
	if (d->unjudged) {
		add_line(s, "Tree", d->unjudged);
	}
	add_next(s, colour, d);
}

/* ---- Lines ---- */

/* A field that awk can count: no blank, never empty. */
static void add_field(struct str *s, const char *text)
{
	if (!text || !*text) {
		str_addc(s, '-');
		return;
	}
	for (; *text; text++) {
		if (strchr(" \t\n\\", *text) || (unsigned char)*text < ' ') {
			str_addf(s, "\\%03o", (unsigned char)*text);
		} else {
			str_addc(s, *text);
		}
	}
}

static void line_cells(struct table *t, const struct doctor *d, const struct doctor_mount *m)
{
	const char *name = doctor_standing_name(m->standing);

	clear_cells(t);
	add_field(&t->cells[0], d->node);
	str_add(&t->cells[1], m->standing == DOCTOR_NOT_MOUNTED ? "NOT_MOUNTED" : name);
	add_field(&t->cells[2], m->target);
	add_field(&t->cells[3], m->source);
	add_space(m, &t->cells[4]);
}

void doctor_lines(struct str *s, const struct doctor *d)
{
	AUTO(free_cells) struct table t = {.columns = COLUMNS_MOST};

	/* The same on every node, as far as possible: lines of several nodes come together. */
	t.widths[1] = strlen("NOT_MOUNTED");
	for (size_t i = 4; i < COLUMNS_MOST; i++) {
		t.widths[i] = strlen("100%");
		t.right[i] = true;
	}
	for (size_t i = 0; i < d->count; i++) {
		line_cells(&t, d, &d->list[i]);
		measure(&t);
	}
	for (size_t i = 0; i < d->count; i++) {
		line_cells(&t, d, &d->list[i]);
		add_row(s, &t, false, 0, COLOUR_NONE);
	}
}
