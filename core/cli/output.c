// SPDX-License-Identifier: MIT
/* See output.h. */
#include "cli/output.h"

#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_MOST = 160 };

void output_init(struct output *out, enum colour_choice choice)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool wanted = !(no_colour && *no_colour) && !text_equal(term, "dumb");

	*out = (struct output){
	    .colour =
	        choice == COLOUR_ALWAYS || (choice == COLOUR_AUTO && wanted && isatty(STDOUT_FILENO)),
	    .colour_err =
	        choice == COLOUR_ALWAYS || (choice == COLOUR_AUTO && wanted && isatty(STDERR_FILENO)),
	    .progress = isatty(STDERR_FILENO) && !text_equal(term, "dumb"),
	};
}

void output_paint(struct str *s, bool on, enum colour colour, const char *text)
{
	static const char *const codes[] = {
	    [COLOUR_NONE] = "",         [COLOUR_BOLD] = "\033[1m",   [COLOUR_DIM] = "\033[2m",
	    [COLOUR_RED] = "\033[31m",  [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
	    [COLOUR_CYAN] = "\033[36m",
	};
	bool painted = on && colour != COLOUR_NONE;

	str_add(s, painted ? codes[colour] : "");
	str_add(s, text);
	str_add(s, painted ? "\033[0m" : "");
}

static bool write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t w = write(fd, text, n);

		if (w < 0 && errno == EINTR) {
			continue;
		}
		if (w < 0) {
			return errno == EPIPE;
		}
		text += w;
		n -= (size_t)w;
	}
	return true;
}

bool output_text(const struct str *text)
{
	if (write_all(STDOUT_FILENO, str_text(text), text->length)) {
		return true;
	}
	struct output plain = {0};

	output_note(&plain, "cannot write the output: %s", strerror(errno));
	return false;
}

bool output_json(const struct value *value)
{
	AUTO(str_free) struct str text = {0};

	json_print(&text, value, 2);
	str_addc(&text, '\n');
	return output_text(&text);
}

static void to_stderr(struct output *out, const struct str *text)
{
	output_progress(out, "");
	if (!write_all(STDERR_FILENO, str_text(text), text->length)) {
		/* Nowhere left to say it; the exit code still does. */
	}
}

void output_note(struct output *out, const char *fmt, ...)
{
	AUTO(str_free) struct str text = {0};
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	str_add(&text, "reconcile: ");
	str_add_printable(&text, line, sizeof line);
	str_addc(&text, '\n');
	to_stderr(out, &text);
}

void output_progress(struct output *out, const char *text)
{
	AUTO(str_free) struct str line = {0};

	if (!out->progress || (!*text && !out->progress_shown)) {
		return;
	}
	str_add(&line, "\r\033[K");
	str_add_printable(&line, text, 100);
	out->progress_shown = *text;
	if (!write_all(STDERR_FILENO, str_text(&line), line.length)) {
		out->progress = false;
	}
}

/* Where column `col` begins; columns count code points, as libyaml does. */
static size_t offset_of(const char *line, size_t length, unsigned col)
{
	size_t i = 0;

	for (unsigned c = 1; c < col && i < length; c++) {
		for (i++; i < length && (line[i] & 0xc0) == 0x80; i++) {
		}
	}
	return i;
}

/* A file's content is not repeated: the excerpt may end in a log that others read. */
static size_t until_content(const char *line, size_t length)
{
	static const char key[] = "content:";
	const char *found = memmem(line, length, key, sizeof key - 1);

	return found ? (size_t)(found - line) + sizeof key - 1 : length;
}

/* Part of the line as a terminal shows it, a tab as one blank. */
static void add_shown(struct str *s, const char *line, size_t length)
{
	AUTO(str_free) struct str copy = {0};

	str_addn(&copy, line, length);
	for (size_t i = 0; i < copy.length; i++) {
		copy.data[i] = copy.data[i] == '\t' ? ' ' : copy.data[i];
	}
	str_add_printable(s, str_text(&copy), SOURCE_MOST);
}

/* The source line and the caret under the column. */
static void add_source(struct str *s, bool colour, struct pos at, const char *line, size_t length)
{
	AUTO(str_free) struct str shown = {0}, before = {0};
	size_t offset = at.col ? offset_of(line, length, at.col) : 0;

	size_t end = until_content(line, length);

	add_shown(&shown, line, end);
	str_addf(s, " %5u | %s%s\n", at.line, str_text(&shown), end < length ? " ..." : "");
	if (at.col && offset <= SOURCE_MOST) {
		add_shown(&before, line, offset < end ? offset : end);
		str_add(s, "       | ");
		str_pad(s, ' ', text_width(str_text(&before)));
		output_paint(s, colour, COLOUR_GREEN, "^");
		str_addc(s, '\n');
	}
}

static void add_fault(struct str *s, bool colour, const struct err *err, const char *hint,
                      source_line *line, const void *context)
{
	size_t length = 0;
	const char *source;

	if (err->at.file) {
		str_add_printable(s, err->at.file, 4096);
		str_addc(s, ':');
	}
	if (err->at.file && err->at.line) {
		str_addf(s, "%u:", err->at.line);
	}
	if (err->at.file && err->at.line && err->at.col) {
		str_addf(s, "%u:", err->at.col);
	}
	str_add(s, err->at.file ? " " : "reconcile: ");
	output_paint(s, colour, COLOUR_RED, "error: ");
	str_add_printable(s, err->text, sizeof err->text);
	str_addc(s, '\n');
	source = line && err->at.line ? line(context, err->at, &length) : NULL;
	if (source) {
		add_source(s, colour, err->at, source, length);
	}
	if (hint) {
		str_add(s, "       = ");
		str_add_printable(s, hint, 512);
		str_addc(s, '\n');
	}
}

void output_err(struct output *out, const struct err *err, source_line *line, const void *context)
{
	AUTO(str_free) struct str text = {0};

	add_fault(&text, out->colour_err, err, NULL, line, context);
	to_stderr(out, &text);
}

void output_diags(struct output *out, const struct diags *diags, source_line *line,
                  const void *context)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < diags->count; i++) {
		add_fault(&text, out->colour_err, &diags->list[i].err, diags->list[i].hint, line, context);
	}
	to_stderr(out, &text);
}
