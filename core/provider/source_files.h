// SPDX-License-Identifier: MIT
/*
 * Which of the node's apt sources a wanted one is, and the files as they would have to be for it.
 * A source is the same when its place is the same and it shares a suite, or stands in the file of
 * that name: whoever adds a second one beside it, with another key, breaks all of apt.
 *
 * In its own file (NAME.list, NAME.sources) a source says what is wanted and nothing more. Where
 * somebody else wrote it, suites and components that were not asked for stay. Only the provider of
 * package sources and tests use it; nothing here changes anything.
 */
#ifndef PROVIDER_SOURCE_FILES_H
#define PROVIDER_SOURCE_FILES_H

#include "provider/apt_sources.h"
#include "provider/provider.h"

#define SOURCE_LIST "/etc/apt/sources.list"
#define SOURCE_PARTS "/etc/apt/sources.list.d"

struct source_file {
	const char *path;
	const char *text;  /* NULL: it is not there, or is to go */
	const char *after; /* what it should be; the same pointer as `text` when nothing changes */
	unsigned mode, uid, gid;
};

struct source_files {
	struct source_file *list;
	size_t count, cap;
	struct apt_entries entries;
};

/* All files that apt reads, in its order. What a link leads to is read, as apt does, and is not
 * ours to change. */
int source_files_read(struct host *host, struct arena *arena, struct source_files *ret_files,
                      struct err *err) MUST_CHECK;

/* The entries that are this source: `main` is the one that is mended, NULL when it stands nowhere.
 */
struct source_group {
	const struct apt_entry **list;
	size_t count, cap;
	const struct apt_entry *main;
};

/* `want` may be NULL: then by the name of the file alone. */
struct source_group source_files_find(struct arena *arena, const struct source_files *files,
                                      const char *name, const struct resource *want);

/* Does the entry stand in the source's own file? */
bool source_files_is_own(const struct apt_entry *entry, const char *name);

/* Does apt take packages from it? Not when it is switched off, nor from one of sources alone. */
bool source_files_counts(const struct apt_entry *entry);

/* What the source says now, as far as `want` (may be NULL) asks. */
void source_files_describe(struct arena *arena, const struct source_group *group,
                           const struct resource *want, struct resource *have);

/* Fills in `after` of the files (source_files_plan.c). */
void source_files_plan(struct arena *arena, struct source_files *files,
                       const struct resource *want);

#endif
