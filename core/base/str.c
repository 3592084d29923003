// SPDX-License-Identifier: MIT
/* See str.h. */
#include "base/str.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct str *s, size_t more)
{
	if (more > SIZE_MAX / 2 - s->length) {
		mem_exhausted();
	}
	size_t need = s->length + more + 1;

	if (need <= s->size) {
		return;
	}
	size_t size = s->size ? s->size : 64;

	while (size < need) {
		size *= 2;
	}
	s->data = mem_realloc(s->data, size);
	s->size = size;
}

void str_addn(struct str *s, const void *bytes, size_t n)
{
	reserve(s, n);
	if (n) {
		memcpy(s->data + s->length, bytes, n);
	}
	s->length += n;
	s->data[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	str_addn(s, &c, 1);
}

void str_pad(struct str *s, char c, size_t n)
{
	reserve(s, n);
	memset(s->data + s->length, c, n);
	s->length += n;
	s->data[s->length] = '\0';
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		reserve(s, (size_t)n);
		vsnprintf(s->data + s->length, (size_t)n + 1, fmt, again);
		s->length += (size_t)n;
	}
	va_end(again);
}

void str_clear(struct str *s)
{
	s->length = 0;
	if (s->data) {
		s->data[0] = '\0';
	}
}

void str_free(struct str *s)
{
	free(s->data);
	*s = (struct str){0};
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && strcmp(text + n - m, suffix) == 0;
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Length of the UTF-8 sequence at p (at most n bytes), 0 if it is none. RFC 3629, section 4. */
static size_t sequence(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char lead_from, lead_to, second_from, second_to, length;
	} forms[] = {
	    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (p[0] < forms[i].lead_from || p[0] > forms[i].lead_to) {
			continue;
		}
		size_t length = forms[i].length;

		if (length > n ||
		    (length > 1 && (p[1] < forms[i].second_from || p[1] > forms[i].second_to))) {
			return 0;
		}
		for (size_t k = 2; k < length; k++) {
			if (p[k] < 0x80 || p[k] > 0xbf) {
				return 0;
			}
		}
		return length;
	}
	return 0;
}

size_t text_utf8_until(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t length = sequence((const unsigned char *)text + i, n - i);

		if (!length) {
			break;
		}
		i += length;
	}
	return i;
}

size_t text_width(const char *text)
{
	size_t columns = 0;

	for (; *text; text++) {
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return columns;
}

/* Does a terminal act on the character instead of showing it? C0, DEL, C1, and what changes the
 * direction of the text around it: U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 (Unicode, UAX
 * 9). */
static bool is_control(const unsigned char *p, size_t length)
{
	if (length == 2) {
		return p[0] == 0xc2 && p[1] < 0xa0;
	}
	if (length == 3 && p[0] == 0xe2 && p[1] == 0x80) {
		return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xaa && p[2] <= 0xae);
	}
	if (length == 3 && p[0] == 0xe2 && p[1] == 0x81) {
		return p[2] >= 0xa6 && p[2] <= 0xa9;
	}
	return length == 1 && (p[0] < 0x20 || p[0] == 0x7f);
}

void str_add_printable(struct str *s, const char *text, size_t most)
{
	for (size_t i = 0; text[i];) {
		const unsigned char *p = (const unsigned char *)text + i;
		size_t length = sequence(p, strnlen(text + i, 4));
		bool shown = length && !is_control(p, length);

		length = length ? length : 1;
		if (length > most - i) {
			str_add(s, "...");
			return;
		}
		if (shown) {
			str_addn(s, p, length);
		}
		for (size_t k = 0; !shown && k < length; k++) {
			str_addf(s, "\\x%02x", p[k]);
		}
		i += length;
	}
}

void str_add_words(struct str *s, const char *text, size_t most)
{
	static const char blank[] = " \t\r\n";
	AUTO(str_free) struct str line = {0};

	for (text += strspn(text, blank); *text; text += strspn(text, blank)) {
		size_t n = strcspn(text, "\r\n");

		str_add(&line, line.length ? " " : "");
		str_addn(&line, text, n);
		while (line.length && strchr(" \t", line.data[line.length - 1])) {
			line.data[--line.length] = '\0';
		}
		text += n;
	}
	str_add_printable(s, str_text(&line), most);
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance without regard to case, for words of at most 63 letters. */
static unsigned distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	unsigned rows[3][MOST];
	size_t n = strlen(a), m = strlen(b);

	if (n >= MOST || m >= MOST) {
		return UINT32_MAX;
	}
	for (size_t j = 0; j <= m; j++) {
		rows[0][j] = (unsigned)j;
	}
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = above[j - 1] + !same(a[i - 1], b[j - 1]);

			best = best < above[j] + 1 ? best : above[j] + 1;
			best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    above2[j - 2] + 1 < best) {
				best = above2[j - 2] + 1;
			}
			row[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;
	size_t length = strlen(word);

	for (size_t i = 0; i < n; i++) {
		size_t longer = strlen(names[i]) > length ? strlen(names[i]) : length;
		unsigned d = distance(word, names[i]);

		/* A third of the letters may be wrong, but not all of a short word. */
		if (d <= (longer + 2) / 3 && d < length && d < best_distance) {
			best_distance = d;
			best = names[i];
		}
	}
	return best;
}
