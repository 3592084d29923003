// SPDX-License-Identifier: MIT
/*
 * This process and its own places: the lock, the boot id, signals, small fsynced state files. Never
 * touches a managed path, so the supervisor may call it without a worker.
 */
#ifndef HOST_SELF_H
#define HOST_SELF_H

#include "base/mem.h"
#include "host/self_lock.h"

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

/* A stop asked for by SIGINT, SIGTERM or SIGHUP, as a flag; installs the handlers (restarting
 * syscalls is off). A second one, a second or more after the first, ends the process at once with
 * exit code 1. */
void self_catch_stop(void);
int self_stop_signal(void);    /* 0: none yet */
int64_t self_stop_since(void); /* milliseconds since it came, -1: none yet */

/* From now on SIGHUP is a word to look again and no stop, also after self_catch_stop. */
void self_catch_hang_up(void);
bool self_hung_up(void);
void self_forget_hang_up(void);

/* Makes the folder with what is missing above it (0755). Fine when it is there. ERR_HOST. */
int self_make_folder(const char *path, unsigned mode, struct err *err) MUST_CHECK;

/* Who can write to the run-dir can have root write elsewhere, and say who is to be ended: as root
 * (self_is_root) it must be root's, not writable by others, and so must be all above it, but for
 * sticky folders. What is not there yet is fine, as far as it goes. ERR_INPUT says what is not;
 * ERR_HOST: it cannot be told, or is no directory. */
int self_check_run_dir(const char *path, struct err *err) MUST_CHECK;

/* Small files that are state, not history: written whole (temp, fsync, rename, fsync of the
 * folder). The folder is made (0700) when it is missing. */
int self_state_write(const char *path, const char *text, size_t n, struct err *err) MUST_CHECK;
/* NULL in *ret_text when it is not there. At most 1 MiB. */
int self_state_read(const char *path, struct arena *arena, const char **ret_text,
                    struct err *err) MUST_CHECK;
int self_state_remove(const char *path, struct err *err) MUST_CHECK;
/* A small file beside the lock that everybody may read (0644), written whole, but not synced: it
 * says nothing to anybody after a crash. False: it could not be, and the one before is as it
 * was. */
bool self_show(int folder, const char *name, const char *text, size_t n);

/* Are we root over anybody but ourselves? Then what we act on must be root's. Not so in a user
 * namespace that maps one user only (unshare --map-root-user): we can do there what that user can,
 * and root's files cannot be told from anybody's (user_namespaces(7), unmapped ids). */
bool self_is_root(void);

/* Where a user who is not root may keep what lives as long as the boot: /run/user/UID/reconcile
 * (pam_systemd(8)), or NULL when there is no such folder of theirs. */
const char *self_own_run_dir(struct arena *arena);

/* Is our mount namespace that of PID 1? 1 yes, 0 provably not, -1 cannot tell. */
int self_mount_namespace_is_init(void);
/* Are we the main process of a unit of systemd? SYSTEMD_EXEC_PID of systemd.exec(5), since 248. */
bool self_is_unit(void);

#endif
