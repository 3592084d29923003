// SPDX-License-Identifier: MIT
/* See self.h. */
#include "host/self.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "host/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_MOST = 1 << 20 };

/* ---- Who and where we are ---- */

const char *self_boot_id(struct arena *arena)
{
	char text[64];
	AUTO(fd_auto) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	return n <= 0 ? "" : arena_strndup(arena, text, (size_t)n - (text[n - 1] == '\n'));
}

const char *self_host_name(struct arena *arena)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof name - 1)) {
		return "";
	}
	return arena_strndup(arena, name, strcspn(name, "."));
}

const char *self_program_folder(struct arena *arena)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);

	while (n > 0 && path[n - 1] != '/') {
		n--;
	}
	return n > 1 ? arena_strndup(arena, path, (size_t)n - 1) : "";
}

const char *self_user(struct arena *arena)
{
	const char *sudo = getenv("SUDO_USER");
	AUTO(str_free) struct str text = {0};
	/* Who may be in a directory service that is away: a number does as well. */
	const struct passwd *entry = geteuid() ? getpwuid(geteuid()) : NULL;

	if (entry) {
		str_add(&text, entry->pw_name);
	} else if (geteuid() == 0) {
		str_add(&text, "root");
	} else {
		str_addf(&text, "%u", (unsigned)geteuid());
	}
	if (sudo && *sudo) {
		str_add(&text, " (sudo ");
		str_add_printable(&text, sudo, 64);
		str_addc(&text, ')');
	}
	return arena_strdup(arena, str_text(&text));
}

int self_mount_namespace_is_init(void)
{
	struct stat own, first;

	if (stat("/proc/self/ns/mnt", &own) || stat("/proc/1/ns/mnt", &first)) {
		return -1;
	}
	return own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}

bool self_is_unit(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID");

	return pid && strtol(pid, NULL, 10) == (long)getpid();
}

/* ---- A stop that was asked for ---- */

/* Only a handler can hear a signal, and it can tell it to nobody by a parameter. */
static volatile sig_atomic_t stop_signal, hung_up, hang_up_wakes;
static volatile int64_t stopped_at; /* written before stop_signal, by the handler alone */

/* One that is sent twice by the same hand (timeout(1) signals the process and then its group) is
 * one. */
enum { SAME_STOP_MS = 1000 };

static void note_signal(int number)
{
	if (number == SIGHUP && hang_up_wakes) {
		hung_up = 1;
	} else if (!stop_signal) {
		stopped_at = clock_ms(); /* clock_gettime may be called here: signal-safety(7) */
		stop_signal = number;
	} else if (clock_ms() - stopped_at >= SAME_STOP_MS) {
		/* Asked again: at once. What is cut off here is what a crash would cut off; the worker dies
		 * with us, a package manager does not. */
		_exit(1);
	}
}

static void catch_signal(int number)
{
	/* Without SA_RESTART, so that what waits looks up. */
	struct sigaction action = {.sa_handler = note_signal};

	sigaction(number, &action, NULL);
}

void self_catch_stop(void)
{
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
	catch_signal(SIGHUP);
}

int self_stop_signal(void)
{
	return stop_signal;
}

int64_t self_stop_since(void)
{
	return stop_signal ? clock_ms() - stopped_at : -1;
}

void self_catch_hang_up(void)
{
	hang_up_wakes = 1;
	catch_signal(SIGHUP);
}

bool self_hung_up(void)
{
	return hung_up;
}

void self_forget_hang_up(void)
{
	hung_up = 0;
}

/* ---- Small files ---- */

int self_make_folder(const char *path, unsigned mode, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *parent = path_parent(arena, path);

	if (!mkdir(path, mode) || errno == EEXIST) {
		return 0;
	}
	if (errno == ENOENT && parent && !self_make_folder(parent, 0755, err) &&
	    (!mkdir(path, mode) || errno == EEXIST)) {
		return 0;
	}
	return err_set(err, ERR_HOST, errno, "cannot make the directory %s", path);
}

static int check_own(const struct stat *st, const char *path, struct err *err)
{
	const char *must = "a run-dir must be root's, and writable by nobody else";

	if (!S_ISDIR(st->st_mode)) {
		return err_set(err, ERR_HOST, 0, "%s is no directory", path);
	}
	if (st->st_uid != 0) {
		return err_set(err, ERR_INPUT, 0, "%s belongs to user %u: %s", path, (unsigned)st->st_uid,
		               must);
	}
	if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0)) {
		return err_set(err, ERR_INPUT, 0, "others may write to %s (mode %04o): %s", path,
		               (unsigned)st->st_mode & 07777, must);
	}
	return 0;
}

int self_check_run_dir(const char *path, struct err *err)
{
	AUTO(fd_auto) int fd = -1;
	struct err fault = {0};
	struct stat st;

	if (!self_is_root()) {
		return 0;
	}
	if (walk_open(path, WALK_TRUSTED, &fd, &fault)) {
		return fault.os == ENOENT ? 0 : err_copy(err, &fault);
	}
	return fstat(fd, &st) ? err_set(err, ERR_HOST, errno, "cannot look at %s", path)
	                      : check_own(&st, path, err);
}

static int write_whole(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t w = write(fd, text, n);

		if (w < 0 && errno != EINTR) {
			return -1;
		}
		text += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return fsync(fd);
}

static int replace(int folder, const char *name, const char *temporary, const char *text, size_t n)
{
	if (unlinkat(folder, temporary, 0) && errno != ENOENT) {
		return -1;
	}
	AUTO(fd_auto)
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		return -1;
	}
	if (write_whole(fd, text, n) || renameat(folder, temporary, folder, name)) {
		int os = errno;

		unlinkat(folder, temporary, 0); /* a full disk: nothing stays of it */
		errno = os;
		return -1;
	}
	return fsync(folder);
}

bool self_show(int folder, const char *name, const char *text, size_t n)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *temporary = arena_printf(arena, ".%s.new", name);

	unlinkat(folder, temporary, 0);
	AUTO(fd_auto)
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0) {
		return false;
	}
	if (fchmod(fd, 0644) || write(fd, text, n) != (ssize_t)n ||
	    renameat(folder, temporary, folder, name)) {
		unlinkat(folder, temporary, 0);
		return false;
	}
	return true;
}

const char *self_own_run_dir(struct arena *arena)
{
	const char *own = arena_printf(arena, "/run/user/%u", (unsigned)geteuid());
	struct stat st;

	return lstat(own, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid()
	           ? path_join(arena, own, "reconcile")
	           : NULL;
}

int self_state_write(const char *path, const char *text, size_t n, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *parent = path_parent(arena, path);
	const char *temporary = arena_printf(arena, ".%s.new", path_name(path));

	if (!parent) {
		return err_set(err, ERR_BUG, 0, "%s is no file", path);
	}
	if (self_make_folder(parent, 0700, err)) {
		return -(int)err->code;
	}
	AUTO(fd_auto) int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 || replace(folder, path_name(path), temporary, text, n)) {
		return err_set(err, ERR_HOST, errno, "cannot write %s", path);
	}
	return 0;
}

int self_state_read(const char *path, struct arena *arena, const char **ret_text, struct err *err)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO(mem_auto) char *text = NULL;
	size_t length = 0;

	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR) {
			return err_set(err, ERR_HOST, errno, "cannot read %s", path);
		}
		*ret_text = NULL;
		return 0;
	}
	text = mem_alloc(STATE_MOST + 1);
	for (ssize_t n; (n = read(fd, text + length, STATE_MOST + 1 - length)) != 0;) {
		if (n < 0 && errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot read %s", path);
		}
		length += n > 0 ? (size_t)n : 0;
		if (length > STATE_MOST) {
			return err_set(err, ERR_LIMIT, 0, "%s is larger than 1 MiB", path);
		}
	}
	*ret_text = arena_strndup(arena, text, length);
	return 0;
}

int self_state_remove(const char *path, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *parent = path_parent(arena, path);

	if (unlink(path)) {
		return errno == ENOENT || errno == ENOTDIR
		           ? 0
		           : err_set(err, ERR_HOST, errno, "cannot remove %s", path);
	}
	AUTO(fd_auto) int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && fsync(folder) ? err_set(err, ERR_HOST, errno, "cannot sync %s", parent)
	                                    : 0;
}

bool self_is_root(void)
{
	AUTO(fd_auto) int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	char text[256] = "";
	unsigned long inside = 0, outside = 0, count = 0;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (geteuid() != 0) {
		return false;
	}
	/* Unreadable, or of many lines or users: root enough to be careful. */
	return n <= 0 || strchr(text, '\n') != strrchr(text, '\n') ||
	       sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 || count > 1;
}
