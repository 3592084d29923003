// SPDX-License-Identifier: MIT
/*
 * This process and its own places: the lock, the boot id, signals, small fsynced state files. Never
 * touches a managed path, so the supervisor may call it without a worker.
 */
#ifndef HOST_SELF_H
#define HOST_SELF_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

/* /proc/sys/kernel/random/boot_id without the newline; "" when it cannot be read. */
const char *self_boot_id(struct arena *arena);
/* The short host name (up to the first dot). */
const char *self_host_name(struct arena *arena);
/* The folder that our own program lies in; "" when it cannot be told. */
const char *self_program_folder(struct arena *arena);
/* Who started us: user name, with "(sudo NAME)" when so. */
const char *self_user(struct arena *arena);

/* The lock of a run: an fd lock on RUN_DIR/lock, with a readable holder record beside it. The
 * folder is made 0755 (0700 lock file) if it is not there. The lock dies with the process. */
struct self_lock {
	int fd; /* -1: not held */
};
/* Waits at most wait_ms. ERR_LOCKED names the holder (pid, command, since when); ERR_HOST
 * otherwise. */
int self_lock(const char *run_dir, const char *command, int64_t wait_ms, struct self_lock *ret_lock,
              struct err *err) MUST_CHECK;
void self_unlock(struct self_lock *lock);
/* Who holds it right now, or NULL: for plan and status; takes nothing. */
const char *self_lock_holder(const char *run_dir, struct arena *arena);

/* A stop asked for by SIGINT or SIGTERM, as a flag; installs the handlers (restarting syscalls is
 * off). */
void self_catch_stop(void);
int self_stop_signal(void); /* 0: none yet */

/* Small files that are state, not history: written whole (temp, fsync, rename, fsync of the
 * folder). The folder is made (0700) when it is missing. */
int self_state_write(const char *path, const char *text, size_t n, struct err *err) MUST_CHECK;
/* NULL in *ret_text when it is not there. At most 1 MiB. */
int self_state_read(const char *path, struct arena *arena, const char **ret_text,
                    struct err *err) MUST_CHECK;
int self_state_remove(const char *path, struct err *err) MUST_CHECK;

/* Are we root over anybody but ourselves? Then what we act on must be root's. Not so in a user
 * namespace that maps one user only (unshare --map-root-user): we can do there what that user can,
 * and root's files cannot be told from anybody's (user_namespaces(7), unmapped ids). */
bool self_is_root(void);

/* Where a user who is not root may keep what lives as long as the boot: /run/user/UID/reconcile
 * (pam_systemd(8)), or NULL when there is no such folder of theirs. */
const char *self_own_run_dir(struct arena *arena);

/* Is our mount namespace that of PID 1? 1 yes, 0 provably not, -1 cannot tell. */
int self_mount_namespace_is_init(void);

#endif
