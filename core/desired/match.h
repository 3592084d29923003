// SPDX-License-Identifier: MIT
/*
 * Which file of nodes/ speaks of a node: an exact name beats a glob, a longer literal part a
 * shorter, equal right of two files is a fault. May call core/base.
 */
#ifndef DESIRED_MATCH_H
#define DESIRED_MATCH_H

#include "desired/layer.h"

#include <sys/types.h>

/* Does the glob (* any text, ? any one character) cover the name? Takes at most the product of
 * their lengths. */
bool match_glob(const char *glob, const char *name);

/* How good a right the pattern has to the name: -1 none, 0 or more the length of its literal part,
 * MATCH_EXACTLY for the name itself. */
enum { MATCH_EXACTLY = 1 << 30 };
int match_right(const char *pattern, const char *name);

/* The node file with the best right, or NULL when none has any. Two with the same right: a fault
 * that names both, and NULL with *ret_tie set. */
const struct layer *match_node(const struct layer *layers, size_t count, const char *name,
                               struct faults *faults, bool *ret_tie);

#endif
