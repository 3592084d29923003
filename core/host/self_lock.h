// SPDX-License-Identifier: MIT
/*
 * The lock of a run, and who holds it. What is locked is RUN_DIR/lock, by its open file
 * description, so that the lock dies with the process whatever becomes of it; beside it lies a
 * record for others to read, which only words an answer. Touches the run-dir and /proc, no managed
 * path.
 *
 * Where the run-dir takes no writing (full, read-only), the folder itself is locked: whoever holds
 * the file holds the folder shared, so that the two kinds know of each other.
 *
 * Others include host/self.h, which includes this.
 */
#ifndef HOST_SELF_LOCK_H
#define HOST_SELF_LOCK_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

/* What is asked for; texts are borrowed for as long as the lock is held. */
struct self_lock_wish {
	const char *run_dir; /* made 0755 when it is missing */
	const char *command; /* "apply": for those who find it locked */
	const char *tree;    /* the same; or NULL */
	int64_t wait_ms;     /* how long to wait for another to end; 0: not at all */
	/* Called once a second while waiting, or NULL. */
	void (*waiting)(void *context, const char *holder, int64_t elapsed_ms);
	void *context;
};

struct self_lock {
	int fd; /* -1: not held, and then nothing else here counts */
	int folder;
	struct self_lock_wish wish;
	int64_t since, since_ms; /* of clock_now and clock_ms */
};

/* ERR_LOCKED names the holder: pid, command, since when and for how long, who, and what it is at.
 * It also ends, as that, when a stop is asked for (self_stop_signal). ERR_HOST otherwise. */
int self_lock(const struct self_lock_wish *wish, struct self_lock *ret_lock,
              struct err *err) MUST_CHECK;
void self_unlock(struct self_lock *lock);
/* Tells others what the holder is at now ("planning", "mount:/fsx"). Never fails: where it cannot
 * be written, others see less. Not synced. */
void self_lock_doing(const struct self_lock *lock, const char *what);
/* The run-dir may have been replaced under us, and then the lock keeps nobody out any more: it is
 * taken anew. ERR_LOCKED when another run was quicker. */
int self_lock_keep(struct self_lock *lock, struct err *err) MUST_CHECK;
/* Who holds it right now, or NULL: for plan and status; takes nothing, and needs no right but to
 * look at the run-dir. */
const char *self_lock_holder(const char *run_dir, struct arena *arena);

#endif
