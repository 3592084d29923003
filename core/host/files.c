// SPDX-License-Identifier: MIT
/*
 * See files.h and the first group of host_ops. Whatever changes something opens the parent folder
 * first (walk.h) and acts relative to it, so that a link placed on the way meanwhile leads nowhere.
 */
#include "host/files_inner.h"

#include "host/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_fail(struct err *err, const char *what, const char *path)
{
	int os = errno;
	bool busy = os == EBUSY || os == ETXTBSY || os == ENOTEMPTY;

	return err_set(err, busy ? ERR_BUSY : ERR_HOST, os, "cannot %s %s", what, path);
}

bool files_is_missing(const struct err *fault)
{
	return fault->os == ENOENT || fault->os == ENOTDIR;
}

bool files_is_hidden(const struct err *fault)
{
	return fault->os == EACCES || fault->os == ELOOP;
}

/* ---- Looking ---- */

/* An automount that nobody has used yet must not be woken up by a look at what lies behind it. */
static int refuse_trigger(struct host *host, const char *path, bool or_same, struct err *err)
{
	const char *trigger = mounts_trigger_over(host, path, or_same);

	return trigger
	           ? err_set(err, ERR_BUSY, 0, "%s lies behind the armed automount %s", path, trigger)
	           : 0;
}

static enum file_type type_of(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return FILE_REGULAR;
	case S_IFDIR:
		return FILE_DIRECTORY;
	case S_IFLNK:
		return FILE_LINK;
	default:
		return FILE_OTHER;
	}
}

int files_look_at(int folder, const char *name, int flags, struct file_look *ret_look)
{
	struct statx st;

	/* What AT_STATX_DONT_SYNC leaves out only remote file systems would do: ask their server. */
	if (statx(folder, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
	          STATX_BASIC_STATS | STATX_MNT_ID, &st)) {
		return -1;
	}
	*ret_look = (struct file_look){
	    .type = type_of(st.stx_mode),
	    .mode = st.stx_mode & 07777,
	    .uid = st.stx_uid,
	    .gid = st.stx_gid,
	    .size = st.stx_size,
	    .inode = st.stx_ino,
	    .mount_id = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : 0,
	    .modified_ns = st.stx_mtime.tv_sec * 1000000000 + st.stx_mtime.tv_nsec,
	    .mount_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT,
	};
	return 0;
}

int files_look(struct host *host, const char *path, struct file_look *ret_look, struct err *err)
{
	if (refuse_trigger(host, path, false, err)) {
		return -(int)err->code;
	}
	if (!files_look_at(AT_FDCWD, path, 0, ret_look)) {
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR) {
		*ret_look = (struct file_look){.type = FILE_NONE};
		return 0;
	}
	return files_fail(err, "look at", path);
}

static int read_all(int fd, const char *path, size_t most, struct arena *arena,
                    struct file_bytes *bytes, struct err *err)
{
	size_t size = bytes->look.size <= most ? bytes->look.size : most, length = 0;
	char *data = arena_alloc(arena, size + 2);

	for (;;) {
		/* One byte more than it had: it may have grown meanwhile. */
		ssize_t n = read(fd, data + length, size + 1 - length);

		if (n < 0 && errno != EINTR) {
			return files_fail(err, "read", path);
		}
		if (n == 0) {
			break;
		}
		length += n > 0 ? (size_t)n : 0;
		if (length > most) {
			return err_set(err, ERR_LIMIT, 0, "%s is larger than %zu bytes", path, most);
		}
		if (length == size + 1) {
			size_t larger = size * 2 + 4096 < most ? size * 2 + 4096 : most;
			char *more = arena_alloc(arena, larger + 2);

			memcpy(more, data, length);
			data = more;
			size = larger;
		}
	}
	data[length] = '\0';
	bytes->data = data;
	bytes->length = length;
	return 0;
}

static int read_open(int fd, const char *path, size_t most, struct arena *arena,
                     struct file_bytes *ret_bytes, struct err *err)
{
	struct file_bytes bytes = {0};

	if (files_look_at(fd, "", AT_EMPTY_PATH, &bytes.look)) {
		return files_fail(err, "look at", path);
	}
	if (bytes.look.type != FILE_REGULAR) {
		return err_set(err, ERR_HOST, 0, "cannot read %s: it is no regular file", path);
	}
	if (read_all(fd, path, most, arena, &bytes, err)) {
		return -(int)err->code;
	}
	*ret_bytes = bytes;
	return 0;
}

int files_read(struct host *host, const char *path, size_t most, struct arena *arena,
               struct file_bytes *ret_bytes, struct err *err)
{
	struct file_look look;

	if (refuse_trigger(host, path, true, err)) {
		return -(int)err->code;
	}
	/* To open a device or a pipe is to use it. */
	if (files_look_at(AT_FDCWD, path, 0, &look)) {
		return files_fail(err, "read", path);
	}
	if (look.type != FILE_REGULAR) {
		return err_set(err, ERR_HOST, look.type == FILE_LINK ? ELOOP : 0,
		               "cannot read %s: it is no regular file", path);
	}
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? files_fail(err, "read", path)
	              : read_open(fd, path, most, arena, ret_bytes, err);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Takes the descriptor over. */
static int list_open(int fd, const char *path, struct arena *arena, struct file_names *ret_names,
                     struct err *err)
{
	DIR *dir = fdopendir(fd);
	const char **list = NULL;
	size_t count = 0, cap = 0;
	struct dirent *entry;

	if (!dir) {
		files_fail(err, "list", path);
		close(fd);
		return -(int)err->code;
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			list = arena_grow(arena, list, count, &cap, sizeof *list);
			list[count++] = arena_strdup(arena, entry->d_name);
		}
	}
	if (errno) {
		files_fail(err, "list", path);
		closedir(dir);
		return -(int)err->code;
	}
	closedir(dir);
	if (count) {
		qsort(list, count, sizeof *list, by_bytes);
	}
	*ret_names = (struct file_names){.list = list, .count = count};
	return 0;
}

int files_list(struct host *host, const char *path, struct arena *arena,
               struct file_names *ret_names, struct err *err)
{
	if (refuse_trigger(host, path, true, err)) {
		return -(int)err->code;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? files_fail(err, "list", path) : list_open(fd, path, arena, ret_names, err);
}

/* ---- Files of ours: a tree, a recording. Links are followed. ---- */

static int open_own(const char *path, bool trusted, int flags, int *ret_fd, struct err *err)
{
	AUTO(fd_auto) int place = -1;
	char again[64];
	struct stat st;

	if (!trusted) {
		place = open(path, O_PATH | O_CLOEXEC);
		if (place < 0) {
			return files_fail(err, "read", path);
		}
	} else if (walk_open(path, WALK_TRUSTED, &place, err)) {
		return -(int)err->code;
	}
	if (fstat(place, &st)) {
		return files_fail(err, "read", path);
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		return err_set(err, ERR_INPUT, 0, "%s is neither a file nor a folder", path);
	}
	/* What was checked is what is read: by its descriptor, not by its name again. */
	snprintf(again, sizeof again, "/proc/self/fd/%d", place);
	*ret_fd = open(again, O_RDONLY | O_CLOEXEC | flags);
	return *ret_fd < 0 ? files_fail(err, "read", path) : 0;
}

int files_own_read(const char *path, bool trusted, size_t most, struct arena *arena,
                   struct file_bytes *ret_bytes, struct err *err)
{
	AUTO(fd_auto) int fd = -1;

	if (open_own(path, trusted, 0, &fd, err)) {
		return -(int)err->code;
	}
	return read_open(fd, path, most, arena, ret_bytes, err);
}

int files_names_in(struct host *host, const char *folder, struct arena *arena,
                   struct file_names *ret_names, bool *ret_hidden, struct err *err)
{
	struct err fault = {0};

	if (ret_hidden) {
		*ret_hidden = false;
	}
	if (!host->ops->list(host, folder, arena, ret_names, &fault)) {
		return 0;
	}
	*ret_names = (struct file_names){0};
	if (files_is_missing(&fault)) {
		return 0;
	}
	if (ret_hidden && files_is_hidden(&fault)) {
		*ret_hidden = fault.os == EACCES;
		return 0;
	}
	return err_copy(err, &fault);
}

int files_own_list(const char *path, bool trusted, struct arena *arena,
                   struct file_names *ret_names, struct err *err)
{
	int fd;

	if (open_own(path, trusted, O_DIRECTORY, &fd, err)) {
		return -(int)err->code;
	}
	return list_open(fd, path, arena, ret_names, err);
}

int files_trusted(const char *path, struct err *err)
{
	AUTO(fd_auto) int fd = -1;

	return walk_open(path, WALK_TRUSTED, &fd, err);
}

/* ---- Writing ---- */

int files_write(struct host *host, const char *path, const struct file_write *write_,
                struct err *err)
{
	struct file_stage stage;

	if (refuse_trigger(host, path, true, err) || files_stage(path, write_, &stage, err)) {
		return -(int)err->code;
	}
	return files_stage_commit(&stage, err);
}

/* The parent folder and the name in it, once nothing speaks against acting there. */
static int open_parent(struct host *host, const char *path, int *ret_parent, const char **ret_name,
                       struct err *err)
{
	if (refuse_trigger(host, path, true, err)) {
		return -(int)err->code;
	}
	return walk_open_parent(path, ret_parent, ret_name, err);
}

static bool is_folder_ours(int folder)
{
	struct stat st;

	return folder >= 0 && !fstat(folder, &st) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       !(st.st_mode & (S_IWOTH | S_IWGRP));
}

/* What the path names itself, with O_PATH; never a link. "/" is fine. */
static int open_place(struct host *host, const char *path, int *ret_fd, struct err *err)
{
	AUTO(fd_auto) int parent = -1, place = -1;
	const char *name;
	struct stat st;

	if (!path[1]) {
		place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	} else {
		if (open_parent(host, path, &parent, &name, err)) {
			return -(int)err->code;
		}
		place = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (place < 0 || fstat(place, &st)) {
		return files_fail(err, "open", path);
	}
	if (S_ISLNK(st.st_mode)) {
		return err_set(err, ERR_HOST, 0, "%s is a symbolic link: it is not followed", path);
	}
	/* Whoever may write the folder may have linked somebody else's file there. */
	if (S_ISREG(st.st_mode) && st.st_nlink > 1 && !is_folder_ours(parent)) {
		return err_set(err, ERR_HOST, 0,
		               "%s has %lu names (hard links), and others may write its folder: owner and "
		               "mode are left alone",
		               path, (unsigned long)st.st_nlink);
	}
	*ret_fd = place;
	place = -1;
	return 0;
}

/* fchmod does not take an O_PATH descriptor; its name under /proc leads to the same inode. */
static int change_mode(int place, unsigned mode)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/self/fd/%d", place);
	return chmod(name, mode);
}

int files_make_directory(struct host *host, const char *path, unsigned mode, struct err *err)
{
	AUTO(fd_auto) int parent = -1, place = -1;
	const char *name;

	if (open_parent(host, path, &parent, &name, err)) {
		return -(int)err->code;
	}
	/* Narrow first: it is never more open than wanted, whatever the umask says. */
	if (mkdirat(parent, name, mode & 0700)) {
		return files_fail(err, "make the directory", path);
	}
	place = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0 || change_mode(place, mode)) {
		return files_fail(err, "change the mode of", path);
	}
	return files_sync_folder(parent, path, err);
}

int files_set_mode(struct host *host, const char *path, unsigned mode, struct err *err)
{
	AUTO(fd_auto) int place = -1;

	if (open_place(host, path, &place, err)) {
		return -(int)err->code;
	}
	return change_mode(place, mode) ? files_fail(err, "change the mode of", path) : 0;
}

int files_set_owner(struct host *host, const char *path, unsigned uid, unsigned gid,
                    struct err *err)
{
	AUTO(fd_auto) int place = -1;

	if (open_place(host, path, &place, err)) {
		return -(int)err->code;
	}
	return fchownat(place, "", uid, gid, AT_EMPTY_PATH)
	           ? files_fail(err, "change the owner of", path)
	           : 0;
}

static int remove_name(struct host *host, const char *path, int flags, const char *what,
                       struct err *err)
{
	AUTO(fd_auto) int parent = -1;
	const char *name;

	if (open_parent(host, path, &parent, &name, err)) {
		return -(int)err->code;
	}
	return unlinkat(parent, name, flags) ? files_fail(err, what, path)
	                                     : files_sync_folder(parent, path, err);
}

int files_remove_file(struct host *host, const char *path, struct err *err)
{
	return remove_name(host, path, 0, "remove", err);
}

int files_remove_directory(struct host *host, const char *path, struct err *err)
{
	return remove_name(host, path, AT_REMOVEDIR, "remove the directory", err);
}
