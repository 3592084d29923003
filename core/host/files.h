// SPDX-License-Identifier: MIT
/*
 * Files and folders of the machine: looking without waking what is dead, and writing whole or not
 * at all. Results live in the arena that is passed.
 */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum file_type { FILE_NONE, FILE_REGULAR, FILE_DIRECTORY, FILE_LINK, FILE_OTHER };

/* By statx(2) with AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT and, on remote types, AT_STATX_DONT_SYNC.
 * */
struct file_look {
	enum file_type type; /* FILE_NONE: not there (also below something that is no folder) */
	unsigned mode;       /* 07777 */
	unsigned uid, gid;
	uint64_t size, inode, mount_id;
	int64_t modified_ns;
	bool mount_root;
};

struct file_bytes {
	const char *data; /* terminated besides */
	size_t length;
	struct file_look look; /* of the very file that was read */
};

struct file_names {
	const char *const *list; /* sorted by bytes, without . and .. */
	size_t count;
};

struct file_write {
	const char *data;
	size_t length;
	unsigned mode, uid, gid;
};

/* Names of users and groups, by getpwnam/getgrnam or as numbers. ERR_INPUT when there is no such
 * one. */
int files_user(const char *name, unsigned *ret_uid, struct err *err) MUST_CHECK;
int files_group(const char *name, unsigned *ret_gid, struct err *err) MUST_CHECK;
/* The name of an id, or the number as text. */
const char *files_user_name(unsigned uid, struct arena *arena);
const char *files_group_name(unsigned gid, struct arena *arena);

/* Why looking, reading or listing failed. Missing: there is nothing of that name, or a folder on
 * the way is none (ENOENT, ENOTDIR). Hidden: something may be there and is not for us to see, or is
 * a link, which is not followed (EACCES, ELOOP). */
bool files_is_missing(const struct err *fault);
bool files_is_hidden(const struct err *fault);

struct host;

/* The names in a folder, none of one that is missing. Of one that is hidden as well, where
 * ret_hidden is given: set true when we may not read it, false otherwise. */
int files_names_in(struct host *host, const char *folder, struct arena *arena,
                   struct file_names *ret_names, bool *ret_hidden, struct err *err) MUST_CHECK;

/* Files that are ours: a tree, a recording. Links are followed; with `trusted` as files_trusted()
 * says, and what was checked is what is read. Not there: ERR_HOST with os = ENOENT. */
int files_own_read(const char *path, bool trusted, size_t most, struct arena *arena,
                   struct file_bytes *ret_bytes, struct err *err) MUST_CHECK;
int files_own_list(const char *path, bool trusted, struct arena *arena,
                   struct file_names *ret_names, struct err *err) MUST_CHECK;

/* Is this path safe to act on as root: it and every folder above it owned by root (or by us, when
 * we are not root) and not writable by others (sticky folders are fine)? ERR_INPUT says which part
 * is not. */
int files_trusted(const char *path, struct err *err) MUST_CHECK;

#endif
