// SPDX-License-Identifier: MIT
/*
 * Where the program prints: the only room that does. Results go to standard output, everything
 * about the run itself (errors, progress, notes) to standard error. Colour only on a terminal, and
 * not with NO_COLOR.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/diag.h"
#include "base/str.h"
#include "base/value.h"

enum colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_DIM,
	COLOUR_RED,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_CYAN
};

struct output {
	bool colour, colour_err; /* of standard output and standard error */
	bool progress;           /* standard error is a terminal: a line there may be drawn over */
	bool progress_shown;
};

enum colour_choice { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
void output_init(struct output *out, enum colour_choice choice);

/* Adds the text in a colour, as far as `on` says. */
void output_paint(struct str *s, bool on, enum colour colour, const char *text);

/* Writes a whole text. Returns false when it could not all be written (a full disk); a closed pipe
 * ends quietly. */
bool output_text(const struct str *text);
bool output_json(const struct value *value);

/* One line on standard error: "reconcile: TEXT". */
void output_note(struct output *out, const char *fmt, ...) PRINTF(2, 3);
/* A line that is drawn over by the next; only on a terminal. "" takes it away. */
void output_progress(struct output *out, const char *text);

/* `file:line:col: error: text`, the source line and a caret under it. */
typedef const char *source_line(const void *context, struct pos at, size_t *ret_length);
void output_err(struct output *out, const struct err *err, source_line *line, const void *context);
void output_diags(struct output *out, const struct diags *diags, source_line *line,
                  const void *context);

#endif
