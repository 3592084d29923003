// SPDX-License-Identifier: MIT
/* See fault.h. */
#include "desired/fault.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

bool fault_is_full(const struct faults *faults)
{
	return faults->count > FAULTS_MOST;
}

static bool is_listed(const struct diags *diags, const struct err *err)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct err *other = &diags->list[i].err;

		if (other->at.line == err->at.line && other->at.col == err->at.col &&
		    text_equal(other->at.file, err->at.file) && strcmp(other->text, err->text) == 0) {
			return true;
		}
	}
	return false;
}

void fault_add_err(struct faults *faults, const struct err *err, const char *hint)
{
	faults->count++;
	if (faults->once && is_listed(faults->diags, err)) {
		return;
	}
	if (faults->count <= FAULTS_MOST) {
		diag_add_err(faults->diags, err, hint);
	} else if (faults->count == FAULTS_MOST + 1) {
		diag_add(faults->diags, err->at, NULL, "more faults follow in this file, not shown");
	}
}

void fault_add(struct faults *faults, struct pos at, const char *hint, const char *fmt, ...)
{
	struct err err = {.code = ERR_INPUT, .at = at};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof err.text, fmt, ap);
	va_end(ap);
	fault_add_err(faults, &err, hint);
}

struct pos fault_top(const char *file)
{
	return (struct pos){file, 1, 1};
}

const char *fault_quote(struct faults *faults, const char *text)
{
	enum { SHOWN = 60 };
	AUTO(str_free) struct str quoted = {0};

	str_addc(&quoted, '\'');
	str_add_printable(&quoted, text, SHOWN);
	str_addc(&quoted, '\'');
	return arena_strndup(faults->diags->arena, quoted.data, quoted.length);
}

const char *fault_nearest(struct faults *faults, const char *nearest)
{
	return nearest ? arena_printf(faults->diags->arena, "did you mean '%s'?", nearest) : NULL;
}

struct value fault_spoilt(struct pos at)
{
	return (struct value){.type = VALUE_NULL, .quoted = true, .at = at};
}

bool fault_is_spoilt(const struct value *value)
{
	return value->type == VALUE_NULL && value->quoted;
}
