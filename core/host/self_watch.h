// SPDX-License-Identifier: MIT
/*
 * Sleeping until something happens to this machine: a time on CLOCK_BOOTTIME (which neither a
 * suspend nor a jump of the wall clock fools), a change of the mount table, a word on a descriptor
 * of the caller's, a signal. Never touches a managed path: the mount table is read from /proc.
 */
#ifndef HOST_SELF_WATCH_H
#define HOST_SELF_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct self_watch {
	int timer, mounts; /* -1: not to be had right now, and done without */
	char table[65];    /* digest of the mount table as it was when we last looked */
	bool heard;        /* something was, or may have been, done to it since */
};

enum self_event {
	SELF_EVENT_MOUNTS = 1 << 0, /* something was done to the mount table */
	SELF_EVENT_OTHER = 1 << 1,  /* the caller's descriptor has something to read */
};

/* Takes note of the mount table as it is. */
void self_watch_open(struct self_watch *ret_watch);
void self_watch_close(struct self_watch *watch);

/* Sleeps until `until` (of clock_ms), one of the events (bits of self_event), or a signal that
 * self_catch_stop or self_catch_hang_up heard, also one that came just before: then it does not
 * sleep at all. `other` is a descriptor or -1. */
unsigned self_watch_wait(struct self_watch *watch, int64_t until, int other);

/* Is the mount table another than when this was last asked (or opened)? What came and went leaves
 * it the same. An event that this is the answer to is not told again. Without one the table is not
 * read: with ten thousand mounts that counts. There is none when only options of the file system
 * itself change, by fsconfig(2) with FSCONFIG_CMD_RECONFIGURE (found on Linux 6.18); who may have
 * done that sets `heard`. */
bool self_watch_moved(struct self_watch *watch);

#endif
