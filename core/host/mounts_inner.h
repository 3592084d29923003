// SPDX-License-Identifier: MIT
/* What the files that change mounts share: mounts_change.c, mounts_flags.c, mounts_helper.c. */
#ifndef HOST_MOUNTS_INNER_H
#define HOST_MOUNTS_INNER_H

#include "host/host_inner.h"

/* ---- mounts_flags.c ---- */

/* Does the list have that very word? */
bool mounts_flags_have(const struct list *list, const char *word);
/* The flags of one mount point (MS_NOSUID, ...) that its row shows. */
unsigned long mounts_flags_of(const struct list *vfs_options);
/* Lays over *flags what the options say of a mount point; false when they say nothing of it. */
bool mounts_flags_take(const struct list *options, unsigned long *flags);
/* The options of a remount that makes `asked` true and leaves all else as it is, as one text. */
char *mounts_flags_remount(struct arena *arena, const struct mount_row *row,
                           const struct list *asked);
/* Can `asked` be done on this mount point alone, without touching its file system? */
bool mounts_flags_suffice(const struct list *asked, bool is_bind);

/* ---- mounts_helper.c ---- */

/* "cannot mount TARGET", with the errno (0: none) and what was said of it (NULL or "": nothing);
 * returns the error's code as err_set does. */
int mounts_helper_fail(struct err *err, int os, const struct mount_request *request,
                       const char *said);
/* Is the program there without which the type cannot be mounted? */
int mounts_helper_check(const struct mount_request *request, struct err *err) MUST_CHECK;
/* Mounts through libmount. `place` is the target as the kernel is to be told it; request->options
 * is not looked at, `options` says all. What a helper wrote to stderr is in the error. */
int mounts_helper_mount(const struct mount_request *request, const char *place, const char *options,
                        struct err *err) MUST_CHECK;

#endif
