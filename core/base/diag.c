// SPDX-License-Identifier: MIT
/* See diag.h. */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

void diag_add_err(struct diags *diags, const struct err *err, const char *hint)
{
	diags->list =
	    arena_grow(diags->arena, diags->list, diags->count, &diags->cap, sizeof *diags->list);
	diags->list[diags->count++] =
	    (struct diag){.err = *err, .hint = hint ? arena_strdup(diags->arena, hint) : NULL};
}

void diag_add(struct diags *diags, struct pos at, const char *hint, const char *fmt, ...)
{
	struct err err;
	va_list ap;

	va_start(ap, fmt);
	err_vat(&err, ERR_INPUT, at, fmt, ap);
	va_end(ap);
	diag_add_err(diags, &err, hint);
}

static int by_place(const struct pos *a, const struct pos *b)
{
	int files = strcmp(a->file ? a->file : "", b->file ? b->file : "");

	if (files) {
		return files;
	}
	if (a->line != b->line) {
		return a->line < b->line ? -1 : 1;
	}
	return a->col < b->col ? -1 : a->col > b->col;
}

/* Of pointers into the list. Faults of one place keep their order: qsort alone promises none. */
static int by_place_then_order(const void *a, const void *b)
{
	const struct diag *p = *(const struct diag *const *)a, *q = *(const struct diag *const *)b;
	int places = by_place(&p->err.at, &q->err.at);

	return places ? places : (p > q) - (p < q);
}

void diag_sort(struct diags *diags)
{
	size_t n = diags->count;

	if (n < 2) {
		return;
	}
	AUTO(mem_auto) const struct diag **order = mem_alloc(n * sizeof *order);
	struct diag *sorted = arena_array(diags->arena, n, sizeof *sorted);

	for (size_t i = 0; i < n; i++) {
		order[i] = &diags->list[i];
	}
	qsort(order, n, sizeof *order, by_place_then_order);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = *order[i];
	}
	diags->list = sorted;
	diags->cap = n;
}
