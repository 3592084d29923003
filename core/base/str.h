// SPDX-License-Identifier: MIT
/*
 * A growing text. Owner: whoever declares it (`AUTO(str_free) struct str s = {0};`). Always
 * terminated once something was added; str_text() of an empty one is "".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct str {
	char *data;
	size_t length, size;
};

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
/* Adds `n` times the byte c; for aligning. */
void str_pad(struct str *s, char c, size_t n);
/* Keeps the memory. */
void str_clear(struct str *s);
void str_free(struct str *s);
const char *str_text(const struct str *s);

/* Adds the terminated text with control characters (also those that turn the direction of writing)
 * and bytes that are not UTF-8 shown as \xNN, at most `most` bytes of it and "..." when there are
 * more: for anything from outside that is to reach a terminal. */
void str_add_printable(struct str *s, const char *text, size_t most);
/* The same of what a tool said, as one line: its lines are joined by blanks, and what is blank at
 * either end is left out. */
void str_add_words(struct str *s, const char *text, size_t most);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
/* The first offset at which the bytes stop being UTF-8 (no overlong forms, no surrogates), or n. */
size_t text_utf8_until(const char *text, size_t n);
/* How many columns the UTF-8 text takes on a terminal, counted as code points. */
size_t text_width(const char *text);

/* Of `names` (n of them) the one nearest to `word` by edit distance without regard to case, the
 * first of several, or NULL when none is near enough to be worth suggesting. */
const char *text_nearest(const char *word, const char *const *names, size_t n);

#endif
