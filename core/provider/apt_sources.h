// SPDX-License-Identifier: MIT
/*
 * The files that tell apt where packages come from (sources.list(5)), as text: entries of the
 * one-line style (sources.list, *.list) and of deb822 (*.sources), also those that are switched
 * off, and the same text with one entry mended. Pure: nothing here touches a file. What an edit
 * does not speak of stays as it was written, byte for byte. Results live in the arena and borrow
 * `path`.
 */
#ifndef PROVIDER_APT_SOURCES_H
#define PROVIDER_APT_SOURCES_H

#include "base/list.h"
#include "base/mem.h"

#include <stdbool.h>

struct apt_entry {
	const char *path; /* of the file, borrowed */
	unsigned line;
	size_t start, end; /* its bytes in the text of the file */
	bool is_stanza;    /* deb822 */
	bool is_link;      /* its file is a link: set by whoever read it */
	bool enabled;      /* not commented out, not Enabled: no */
	bool binary;       /* has packages (deb), not only their sources (deb-src) */
	bool trusted;      /* its packages are taken without any signature */
	struct list uris, suites, components;
	const char *signed_by; /* as written; "(a key of its own)" when it stands in the stanza */
};

struct apt_entries {
	struct apt_entry *list;
	size_t count, cap;
};

/* Does apt read a file of that name in sources.list.d? */
bool apt_sources_is_read(const char *name);

/* Adds the entries of a file, in their order; its style goes by the suffix of `path`. */
void apt_sources_parse(struct arena *arena, const char *path, const char *text,
                       struct apt_entries *entries);

/* Does one of the URIs mean this place? A slash at the end makes no difference. */
bool apt_sources_is_at(const struct apt_entry *entry, const char *uri);

/* What an entry should say; unset lists and NULL leave alone what is there. It is switched on in
 * any case. */
struct apt_edit {
	const char *uri;
	struct list suites, components;
	const char *signed_by;
};

/* The text of the file with that entry, and no other, mended. */
char *apt_sources_mend(struct arena *arena, const char *text, const struct apt_entry *entry,
                       const struct apt_edit *edit);
/* The text without it. */
char *apt_sources_remove(struct arena *arena, const char *text, const struct apt_entry *entry);
/* Has the text nothing but blank lines and comments? */
bool apt_sources_is_empty(const char *text);
/* A stanza of deb822 (apt_sources_stanza.c). */
char *apt_sources_stanza(struct arena *arena, const struct apt_edit *edit);

#endif
