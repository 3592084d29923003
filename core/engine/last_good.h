// SPDX-License-Identifier: MIT
/*
 * The last tree that loaded and served, kept whole beside the history, for root alone: `run` goes
 * on with it while the tree cannot be used. The history itself keeps digests of the files only,
 * because their texts may hold what not everybody may read.
 */
#ifndef ENGINE_LAST_GOOD_H
#define ENGINE_LAST_GOOD_H

#include "base/value.h"

#include <stdint.h>

struct last_good {
	struct value document; /* path → text, of state/ and policies/ */
	char digest[65];       /* of the document */
	const char *node;      /* node.yaml as it was; NULL: there was none */
	int64_t served;        /* when it last served, seconds since 1970 by the clock of then */
	int64_t age;           /* seconds since then: see last_good_age */
};

/* Keeps the document under its digest (document, digest and node count), or notes that it served
 * again when it is the one that is kept and still whole. The file is 0600 and written whole; what
 * is there and no good is replaced. ERR_HOST. */
int last_good_keep(const char *path, const struct last_good *served, const char *boot_id,
                   struct err *err) MUST_CHECK;

/* What is kept. ERR_INPUT with errno ENOENT: nothing; otherwise it is damaged, or not root's own
 * and private. */
int last_good_read(const char *path, const char *boot_id, struct arena *arena,
                   struct last_good *ret_kept, struct err *err) MUST_CHECK;

/* The digest of what is kept, unproved; false: there is none. */
bool last_good_digest(const char *path, char ret_digest[65]);

/* How old is what last served at `served` (wall clock), or in this boot at served_ms (clock_ms;
 * -1: it was in another boot)? In one boot no jump of the clock counts. Of another boot the wall
 * clock tells, and where that has gone back behind `served`, this boot is as old as it is at least.
 */
int64_t last_good_age(int64_t served, int64_t served_ms, int64_t now, int64_t now_ms);

#endif
