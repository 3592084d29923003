// SPDX-License-Identifier: MIT
/* See walk.h. */
#include "host/walk.h"

#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINKS_MOST = 40 }; /* as the kernel: path_resolution(7) */

struct walk {
	enum walk_rule rule;
	int fd;          /* the folder reached so far */
	struct str seen; /* its path, "" for the root: for messages */
	char texts[2]
	          [2 *
	           PATH_MAX]; /* what is left of the path lies in one, is put together in the other */
	unsigned in_use;
	const char *rest;
	unsigned links;
	struct err *err;
};

static bool is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* Writable by somebody who could not do as we do anyhow? */
static bool is_open_to_others(const struct stat *st)
{
	bool group_is_ours = st->st_gid == 0 || (geteuid() != 0 && st->st_gid == getegid());

	if (S_ISLNK(st->st_mode) || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))) {
		return false;
	}
	return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && !group_is_ours);
}

static int check(struct walk *walk, const char *path, const struct stat *st)
{
	if (S_ISLNK(st->st_mode) && walk->rule == WALK_NO_LINKS) {
		return err_set(walk->err, ERR_HOST, 0, "%s is a symbolic link: it is not followed", path);
	}
	if (S_ISLNK(st->st_mode) && !is_ours(st->st_uid)) {
		return err_set(walk->err, ERR_INPUT, 0,
		               "%s is a symbolic link of user %u: it is not followed", path,
		               (unsigned)st->st_uid);
	}
	if (walk->rule != WALK_TRUSTED) {
		return 0;
	}
	if (!is_ours(st->st_uid)) {
		return err_set(walk->err, ERR_INPUT, 0,
		               "%s is not trusted: it belongs to user %u, not to root", path,
		               (unsigned)st->st_uid);
	}
	if (is_open_to_others(st)) {
		return err_set(walk->err, ERR_INPUT, 0,
		               "%s is not trusted: others may write it (mode %04o)", path,
		               (unsigned)st->st_mode & 07777);
	}
	return 0;
}

static int start_at_root(struct walk *walk)
{
	struct stat st;

	fd_auto(&walk->fd);
	str_clear(&walk->seen);
	walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk->fd < 0 || fstat(walk->fd, &st)) {
		return err_set(walk->err, ERR_HOST, errno, "cannot open /");
	}
	return check(walk, "/", &st);
}

/* Puts the text of a link in front of what is left of the path. */
static int follow(struct walk *walk, int link, const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof text - 1);

	if (n <= 0 || ++walk->links > LINKS_MOST) {
		return err_set(walk->err, ERR_HOST, n < 0 ? errno : ELOOP, "%s", path);
	}
	text[n] = '\0';
	char *longer = walk->texts[walk->in_use ^ 1];
	int length = snprintf(longer, sizeof walk->texts[0], "%s/%s", text, walk->rest);

	if (length < 0 || (size_t)length >= sizeof walk->texts[0]) {
		return err_set(walk->err, ERR_HOST, ENAMETOOLONG, "%s", path);
	}
	walk->in_use ^= 1;
	walk->rest = longer;
	return text[0] == '/' ? start_at_root(walk) : 0;
}

static int enter(struct walk *walk, const char *part)
{
	AUTO(fd_auto) int next = openat(walk->fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	AUTO(str_free) struct str path = {0};
	struct stat st;

	str_addf(&path, "%s/%s", str_text(&walk->seen), part);
	if (next < 0 || fstat(next, &st)) {
		return err_set(walk->err, ERR_HOST, errno, "%s", path.data);
	}
	if (check(walk, path.data, &st)) {
		return -(int)walk->err->code;
	}
	if (S_ISLNK(st.st_mode)) {
		return follow(walk, next, path.data);
	}
	fd_auto(&walk->fd);
	walk->fd = next;
	next = -1;
	str_clear(&walk->seen);
	str_add(&walk->seen, path.data);
	return 0;
}

/* "..": the folders above were checked on the way here, but a link may have led past some. */
static int leave(struct walk *walk)
{
	AUTO(fd_auto) int up = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	str_add(&walk->seen, "/..");
	if (up < 0 || fstat(up, &st)) {
		return err_set(walk->err, ERR_HOST, errno, "%s", str_text(&walk->seen));
	}
	if (check(walk, str_text(&walk->seen), &st)) {
		return -(int)walk->err->code;
	}
	fd_auto(&walk->fd);
	walk->fd = up;
	up = -1;
	return 0;
}

static int step(struct walk *walk)
{
	char part[NAME_MAX + 1];
	size_t lead = strspn(walk->rest, "/"), n = strcspn(walk->rest + lead, "/");

	if (n > NAME_MAX) {
		return err_set(walk->err, ERR_HOST, ENAMETOOLONG, "%s", walk->rest);
	}
	memcpy(part, walk->rest + lead, n);
	part[n] = '\0';
	walk->rest += lead + n;
	if (n == 0 || strcmp(part, ".") == 0) {
		return 0;
	}
	return strcmp(part, "..") == 0 ? leave(walk) : enter(walk, part);
}

int walk_open(const char *path, enum walk_rule rule, int *ret_fd, struct err *err)
{
	struct walk walk = {.rule = rule, .fd = -1, .err = err};
	int r = 0;

	if (strlen(path) >= PATH_MAX) {
		return err_set(err, ERR_HOST, ENAMETOOLONG, "%.100s...", path);
	}
	walk.rest = path;
	r = start_at_root(&walk);
	while (!r && walk.rest[0]) {
		r = step(&walk);
	}
	str_free(&walk.seen);
	if (r) {
		fd_auto(&walk.fd);
		return r;
	}
	*ret_fd = walk.fd;
	return 0;
}

int walk_open_parent(const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	struct open_how how = {
	    .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	char parent[PATH_MAX];
	const char *name = path_name(path);
	size_t n = (size_t)(name - path);
	int fd;

	if (!*name) {
		return err_set(err, ERR_INPUT, 0, "%s lies in no folder", path);
	}
	if (n >= sizeof parent) {
		return err_set(err, ERR_HOST, ENAMETOOLONG, "%.100s...", path);
	}
	memcpy(parent, path, n);
	parent[n > 1 ? n - 1 : n] = '\0';
	fd = (int)syscall(SYS_openat2, AT_FDCWD, parent, &how, sizeof how);
	if (fd < 0) {
		/* A link on the way, or a kernel or container without the call (before 5.6). */
		if (errno != ELOOP && errno != ENOSYS && errno != EPERM && errno != EINVAL) {
			return err_set(err, ERR_HOST, errno, "%s", parent);
		}
		if (walk_open(parent, WALK_SAFE_LINKS, &fd, err)) {
			return -(int)err->code;
		}
	}
	*ret_fd = fd;
	*ret_name = name;
	return 0;
}
