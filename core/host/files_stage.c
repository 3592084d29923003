// SPDX-License-Identifier: MIT
/*
 * A file that stands complete beside its place before it is put there, with the owner, mode and
 * labels that it shall have: a crash at any instant leaves the old one or the new one. Acts
 * relative to the open parent folder, as all of files.c does.
 */
#include "host/files_inner.h"

#include "base/digest.h"
#include "host/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { ATTRIBUTE_MOST = 8192 }; /* bytes of a security label or an access list */

/* One name per target, so that what a crash left is found and replaced by the next attempt. */
static void name_temporary(const char *name, char temporary[256])
{
	if ((size_t)snprintf(temporary, 256, ".%s.reconcile", name) >= 256) {
		struct digest digest = digest_bytes(name, strlen(name));

		snprintf(temporary, 256, ".%s.reconcile", digest.hex);
	}
}

/* A new file has the label of its folder (SELinux) and the access list its folder gives to new ones
 * (acl(5)); the one it replaces may have had its own. */
static void keep_attributes(int parent, const char *name, int fd)
{
	static const char *const kept[] = {"security.selinux", "system.posix_acl_access"};
	AUTO(fd_auto)
	int old = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char value[ATTRIBUTE_MOST];

	for (size_t i = 0; old >= 0 && i < ARRAY_LEN(kept); i++) {
		ssize_t n = fgetxattr(old, kept[i], value, sizeof value);

		/* Not allowed, or no such thing there: the folder's will do. Or neither had one. */
		if ((n > 0 && fsetxattr(fd, kept[i], value, (size_t)n, 0)) ||
		    (n < 0 && errno == ENODATA && i == 1 && fremovexattr(fd, kept[i]))) {
			errno = 0;
		}
	}
}

static int fill(int fd, const char *path, const struct file_write *write_, struct err *err)
{
	for (size_t sent = 0; sent < write_->length;) {
		ssize_t n = write(fd, write_->data + sent, write_->length - sent);

		if (n < 0 && errno != EINTR) {
			return files_fail(err, "write", path);
		}
		sent += n > 0 ? (size_t)n : 0;
	}
	/* The owner first: changing it takes the set-id bits away. */
	if (fchown(fd, write_->uid, write_->gid)) {
		return files_fail(err, "change the owner of", path);
	}
	if (fchmod(fd, write_->mode)) {
		return files_fail(err, "change the mode of", path);
	}
	return fsync(fd) ? files_fail(err, "write", path) : 0;
}

/* Only what may be replaced: nothing, or a regular file. */
static int check_replaceable(int parent, const char *name, const char *path, bool *ret_is_file,
                             struct err *err)
{
	struct file_look look;

	*ret_is_file = false;
	if (files_look_at(parent, name, 0, &look)) {
		return errno == ENOENT ? 0 : files_fail(err, "look at", path);
	}
	*ret_is_file = look.type == FILE_REGULAR;
	return *ret_is_file ? 0
	                    : err_set(err, ERR_HOST, 0, "cannot write %s: it is %s", path,
	                              look.type == FILE_LINK        ? "a symbolic link"
	                              : look.type == FILE_DIRECTORY ? "a directory"
	                                                            : "no regular file");
}

int files_stage(const char *path, const struct file_write *write_, struct file_stage *ret_stage,
                struct err *err)
{
	struct file_stage stage = {.parent = -1, .path = path};
	const char *name;
	bool is_file;
	int r;

	if (walk_open_parent(path, &stage.parent, &name, err)) {
		return -(int)err->code;
	}
	if (strlen(name) > NAME_MAX) {
		close(stage.parent);
		errno = ENAMETOOLONG;
		return files_fail(err, "write", path);
	}
	snprintf(stage.name, sizeof stage.name, "%s", name);
	name_temporary(name, stage.temporary);
	r = check_replaceable(stage.parent, name, path, &is_file, err);
	if (!r && unlinkat(stage.parent, stage.temporary, 0) && errno != ENOENT) {
		r = files_fail(err, errno == EROFS ? "write" : "remove what was left beside", path);
	}
	if (!r) {
		AUTO(fd_auto)
		int fd = openat(stage.parent, stage.temporary,
		                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		r = fd < 0 ? files_fail(err, "write", path) : 0;
		if (!r && is_file) {
			keep_attributes(stage.parent, name, fd);
		}
		r = r ? r : fill(fd, path, write_, err);
	}
	if (r) {
		files_stage_drop(&stage);
		return r;
	}
	*ret_stage = stage;
	return 0;
}

/* The names in a folder survive a power cut only then; O_PATH descriptors cannot do it. */
int files_sync_folder(int folder, const char *path, struct err *err)
{
	AUTO(fd_auto) int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && (!fsync(fd) || errno == EINVAL || errno == EROFS)) {
		return 0;
	}
	return fd < 0 && errno == EACCES ? 0 : files_fail(err, "sync the folder of", path);
}

int files_stage_commit(struct file_stage *stage, struct err *err)
{
	if (renameat(stage->parent, stage->temporary, stage->parent, stage->name)) {
		files_fail(err, "replace", stage->path);
		files_stage_drop(stage);
		return -(int)err->code;
	}
	int r = files_sync_folder(stage->parent, stage->path, err);

	close(stage->parent);
	stage->parent = -1;
	return r;
}

void files_stage_drop(struct file_stage *stage)
{
	if (stage->parent < 0) {
		return;
	}
	if (unlinkat(stage->parent, stage->temporary, 0)) {
		errno = 0; /* it was not there, or the next attempt will say so */
	}
	close(stage->parent);
	stage->parent = -1;
}
