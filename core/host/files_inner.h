// SPDX-License-Identifier: MIT
/* What files.c and files_stage.c share. */
#ifndef HOST_FILES_INNER_H
#define HOST_FILES_INNER_H

#include "host/host_inner.h"

/* "cannot WHAT PATH" with errno; ERR_BUSY where somebody is in the way. */
int files_fail(struct err *err, const char *what, const char *path);
/* What lies there (fstatat(2), with its flags; never through a link); -1 with errno. */
int files_look_at(int folder, const char *name, int flags, struct file_look *ret_look);
/* The names in a folder survive a power cut only when it is synced. */
int files_sync_folder(int folder, const char *path, struct err *err) MUST_CHECK;

#endif
