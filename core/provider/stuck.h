// SPDX-License-Identifier: MIT
/*
 * Processes that could not be ended (workers, and what they had started) or were to go on (package
 * managers), and what they are at: records under RUN_DIR/stuck/ that outlive this run, and what is
 * not asked or done because of them. Private to this room; runs in the supervisor, touches only the
 * run dir and /proc.
 */
#ifndef PROVIDER_STUCK_H
#define PROVIDER_STUCK_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STUCK_MOST = 8 }; /* then nothing of a file system is asked any more */

struct stuck {
	const char *target; /* of the mount; NULL: it hung on something that is no path */
	uint64_t mount_id;  /* that the target lay on then; 0: not known */
	const char *what;   /* KIND:KEY that was asked for */
	const char *act;    /* what was being done to it, as in "mounting /x"; NULL: it was looked at */
	int64_t since;      /* seconds since 1970 */
	pid_t pid;          /* 0: it could be killed, and only this run stays away */
	uint64_t starttime;
};

struct stuck_list {
	struct arena *arena; /* set by the caller */
	bool read_only;      /* and this: records stay as they are */
	struct stuck *list;
	size_t count, cap;
};

/* The records of earlier runs whose worker is still there, since this boot; records of others go.
 * What cannot be read is no record. */
void stuck_load(struct stuck_list *list, const char *run_dir);
/* Adds to the list, and with a pid and a run dir to the records. That a record cannot be written is
 * no reason to stop: the list of this run holds it. */
void stuck_add(struct stuck_list *list, const struct stuck *stuck, const char *run_dir);
/* The one because of which `path` must not be looked at, or NULL. With `or_same` the target itself
 * counts. One whose process has ended is none. */
const struct stuck *stuck_over(const struct stuck_list *list, const char *path, bool or_same);
/* The one that is at just this (KIND:KEY, when it is no path), or NULL. Who only looks need not
 * wait for one that acts. */
const struct stuck *stuck_at(const struct stuck_list *list, const char *what, bool acting);
/* How many processes are stuck right now. */
size_t stuck_alive(const struct stuck_list *list);

#endif
