// SPDX-License-Identifier: MIT
/* What the two styles of apt's sources share. Nobody but apt_sources*.c includes it. */
#ifndef PROVIDER_APT_SOURCES_INNER_H
#define PROVIDER_APT_SOURCES_INNER_H

#include "provider/apt_sources.h"

#include "base/str.h"

/* ---- apt_sources.c ---- */

/* The words that apt takes for yes and for no. */
bool apt_sources_is_yes(const char *word);
bool apt_sources_is_no(const char *word);
/* The words of a text, lines or no lines. */
struct list apt_sources_words(struct arena *arena, const char *text);
struct list apt_sources_one(struct arena *arena, const char *item);
void apt_sources_add(struct arena *arena, struct apt_entries *entries,
                     const struct apt_entry *entry);
/* Writes the words, a blank before each. */
void apt_sources_put(struct str *out, const struct list *words);
bool apt_sources_is_blank(const char *line, size_t n);

/* ---- apt_sources_line.c ---- */

void apt_sources_line_parse(struct arena *arena, const char *path, const char *text,
                            struct apt_entries *entries);
/* Writes what is to stand in place of the line. */
void apt_sources_line_mend(struct arena *arena, struct str *out, const char *line,
                           const struct apt_entry *entry, const struct apt_edit *edit);

/* ---- apt_sources_stanza.c ---- */

void apt_sources_stanza_parse(struct arena *arena, const char *path, const char *text,
                              struct apt_entries *entries);
/* Writes what is to stand in place of the stanza; `text` is that of the file. */
void apt_sources_stanza_mend(struct arena *arena, struct str *out, const char *text,
                             const struct apt_entry *entry, const struct apt_edit *edit);

#endif
