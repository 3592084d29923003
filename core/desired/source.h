// SPDX-License-Identifier: MIT
/*
 * The bytes of a file before YAML sees them: size, encoding, characters that have no business in a
 * text, and the lines of it. Everything that is accepted here counts lines as an editor does: a
 * line ends with LF, or with CR LF. May call core/base.
 */
#ifndef DESIRED_SOURCE_H
#define DESIRED_SOURCE_H

#include "desired/desired.h"
#include "desired/fault.h"

#include <stdint.h>

enum { SOURCE_MOST = 16 << 20 }; /* bytes in one file */

/* Is it a text that may be parsed? Faults say what is wrong with it and where. */
bool source_check(const struct desired_file *file, struct faults *faults);

/* Is this character, at p within n bytes of UTF-8, one that no text of ours may hold (C0 but tab,
 * LF and CR; DEL; C1; the byte order mark; line and paragraph separators; non-characters)? Returns
 * its code point then, else 0 (NUL: UINT32_MAX); *ret_length is how many bytes it takes. */
uint32_t source_forbidden(const char *p, size_t n, size_t *ret_length);

#endif
