// SPDX-License-Identifier: MIT
/* See err.h. */
#include "base/err.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = sizeof((struct err *)0)->text };

static const char cut[] = "...";

/* Ends the text after at most `most` bytes (more than sizeof cut), where a character ends, and
 * says so. */
static void shorten(char *text, size_t most)
{
	size_t n = strlen(text);

	if (n > most) {
		size_t whole = text_utf8_until(text, most - strlen(cut));

		/* Bytes that never were UTF-8 are no reason to lose the text behind them. */
		whole = whole + 4 > most - strlen(cut) ? whole : most - strlen(cut);
		memcpy(text + whole, cut, sizeof cut);
	}
}

/* The same from the middle: how a reason ends (the errno) tells more than what leads there. */
static void shorten_middle(char *text, size_t most)
{
	size_t n = strlen(text), kept = most / 3;

	if (n <= most) {
		return;
	}
	const char *tail = text + n - kept;

	while (((unsigned char)*tail & 0xc0) == 0x80) {
		tail++; /* not into a character */
	}
	char end[SIZE];

	snprintf(end, sizeof end, "%s", tail);
	shorten(text, most - kept);
	memcpy(text + strlen(text), end, strlen(end) + 1);
}

/* Makes "text: end" of text[SIZE]. What does not fit is taken from the end of `text` first, but
 * that keeps half of the room: both what was tried and why it failed are to be seen. */
static void join(char text[SIZE], const char *end)
{
	char whole[2 * SIZE] = "", why[SIZE] = "";
	size_t room = SIZE - sizeof ": ", n = strlen(end);

	shorten(text, n < room / 2 ? room - n : room / 2);
	memcpy(why, end, n < SIZE ? n : SIZE - 1);
	shorten_middle(why, room - strlen(text));
	snprintf(whole, sizeof whole, "%s: %s", text, why);
	memcpy(text, whole, SIZE);
}

/* The text is made aside: the arguments may point into err->text. One byte more than fits shows
 * whether it was too long. */
static void format(char text[SIZE], const char *fmt, va_list ap)
{
	char whole[SIZE + 1] = "";

	vsnprintf(whole, sizeof whole, fmt, ap);
	shorten(whole, SIZE - 1);
	memcpy(text, whole, SIZE);
}

static int fill(struct err *err, enum err_code code, int os, struct pos at, const char *fmt,
                va_list ap)
{
	char text[SIZE];

	format(text, fmt, ap);
	if (os) {
		const char *known = strerrordesc_np(os);
		char number[32];

		snprintf(number, sizeof number, "error %d", os);
		join(text, known ? known : number);
	}
	err->code = code;
	err->os = os;
	err->at = at;
	memcpy(err->text, text, sizeof text);
	return -(int)code;
}

int err_set(struct err *err, enum err_code code, int os, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = fill(err, code, os, (struct pos){0}, fmt, ap);
	va_end(ap);
	return r;
}

int err_at(struct err *err, enum err_code code, struct pos at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = fill(err, code, 0, at, fmt, ap);
	va_end(ap);
	return r;
}

int err_vat(struct err *err, enum err_code code, struct pos at, const char *fmt, va_list ap)
{
	return fill(err, code, 0, at, fmt, ap);
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char text[SIZE];
	va_list ap;

	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	join(text, err->text);
	memcpy(err->text, text, sizeof text);
	return -(int)err->code;
}

int err_copy(struct err *to, const struct err *from)
{
	*to = *from;
	return -(int)from->code;
}
