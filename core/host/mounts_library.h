// SPDX-License-Identifier: MIT
/*
 * libmount, loaded when it is first needed: only mounting something and looking up a label do, and
 * it pulls in libblkid and libselinux, which cost every other run 0.4 ms.
 */
#ifndef HOST_MOUNTS_LIBRARY_H
#define HOST_MOUNTS_LIBRARY_H

#include "base/err.h"

#include <libmount/libmount.h>

#define MOUNTS_LIBRARY_FUNCTIONS(X)     \
	X(mnt_new_context)                  \
	X(mnt_free_context)                 \
	X(mnt_context_disable_canonicalize) \
	X(mnt_context_get_excode)           \
	X(mnt_context_get_helper_status)    \
	X(mnt_context_get_syscall_errno)    \
	X(mnt_context_helper_executed)      \
	X(mnt_context_mount)                \
	X(mnt_context_set_fstype)           \
	X(mnt_context_set_options)          \
	X(mnt_context_set_optsmode)         \
	X(mnt_context_set_source)           \
	X(mnt_context_set_target)           \
	X(mnt_context_syscall_called)       \
	X(mnt_resolve_spec)

/* The functions of the library, by their own names; the types are those of its header. */
struct mounts_library {
#define MEMBER(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	MOUNTS_LIBRARY_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL, and *err: it is not there. Lives as long as the process. */
const struct mounts_library *mounts_library(struct err *err);

#endif
