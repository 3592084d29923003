// SPDX-License-Identifier: MIT
/*
 * Taking apart what files of /proc and the tools of the distribution say: lines and words, cut off
 * in place. The text belongs to the caller and must be writable; nothing here allocates.
 */
#ifndef PROVIDER_LINES_H
#define PROVIDER_LINES_H

#include "provider/provider.h"

/* The next line without its newline, NULL at the end. */
char *lines_next(char **rest);
/* The next word between blanks and tabs, NULL at the end. */
char *lines_word(char **rest);

/* A small text file, as a writable text in the arena. A file that is not there: 0 and NULL. */
int lines_read(struct host *host, const char *path, struct arena *arena, char **ret_text,
               struct err *err) MUST_CHECK;

/* Adds to a list that is being made; the text is borrowed. */
void lines_add(struct arena *arena, struct list *list, size_t *cap, const char *item);

#endif
