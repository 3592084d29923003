// SPDX-License-Identifier: MIT
/*
 * Where in dpkg's status file the stanzas of a package stand. A run that finds nothing to do asks
 * for a few of a thousand packages: the file is passed through a small buffer once, and only what
 * is asked for is kept and understood.
 *
 * dpkg replaces the file and never writes into it, so that what was opened stays as it was. Owner:
 * whoever reads it (`packages_index_free`).
 */
#ifndef HOST_PACKAGES_INDEX_H
#define HOST_PACKAGES_INDEX_H

#include "base/str.h"

struct packages_index;

/* Takes over the descriptor, also when it fails. ERR_HOST, ERR_LIMIT. */
int packages_index_read(int fd, struct packages_index **ret_index, struct err *err) MUST_CHECK;
/* NULL is allowed. */
void packages_index_free(struct packages_index *index);

/* Adds the stanzas of these names as they stand, one after the other; a name may have several, or
 * none. Some of another name may be among them. */
int packages_index_fetch(const struct packages_index *index, const char *const *names, size_t count,
                         struct str *ret_text, struct err *err) MUST_CHECK;
/* Adds all of them. */
int packages_index_whole(const struct packages_index *index, struct str *ret_text,
                         struct err *err) MUST_CHECK;

#endif
