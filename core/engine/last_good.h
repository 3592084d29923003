// SPDX-License-Identifier: MIT
/*
 * The last tree that loaded and served, kept whole beside the history, for root alone: `run` goes
 * on with it while the tree does not load. The history itself keeps digests of the files only,
 * because their texts may hold what not everybody may read.
 */
#ifndef ENGINE_LAST_GOOD_H
#define ENGINE_LAST_GOOD_H

#include "base/value.h"

#include <stdint.h>

/* Keeps the document (path → text) under its digest, or notes that it served again when it is the
 * one that is kept. The file is 0600 and written whole. ERR_HOST. */
int last_good_keep(const char *path, const char *digest, const struct value *document,
                   struct err *err) MUST_CHECK;

/* What is kept, and when it last served (seconds since 1970). ERR_INPUT with errno ENOENT: nothing;
 * otherwise it is damaged, or not root's own and private. */
int last_good_read(const char *path, struct arena *arena, struct value *ret_document,
                   int64_t *ret_since, struct err *err) MUST_CHECK;

#endif
