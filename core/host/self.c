// SPDX-License-Identifier: MIT
/* See self.h. */
#include "host/self.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_MOST = 1 << 20, LOOK_AGAIN_MS = 50 };

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

/* ---- A stop that was asked for ---- */

/* Only a handler can hear a signal, and it can tell it to nobody by a parameter. */
static volatile sig_atomic_t stop_signal;

static void note_stop(int number)
{
	stop_signal = number;
}

void self_catch_stop(void)
{
	/* Without SA_RESTART, so that what waits looks up. */
	struct sigaction action = {.sa_handler = note_stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int self_stop_signal(void)
{
	return stop_signal;
}

/* ---- Small files ---- */

static int make_folder(const char *path, mode_t mode, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *parent = path_parent(arena, path);

	if (!mkdir(path, mode) || errno == EEXIST) {
		return 0;
	}
	if (errno == ENOENT && parent && !make_folder(parent, 0755, err) &&
	    (!mkdir(path, mode) || errno == EEXIST)) {
		return 0;
	}
	return err_set(err, ERR_HOST, errno, "cannot make the directory %s", path);
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

	if (fd < 0 || write_whole(fd, text, n) || renameat(folder, temporary, folder, name)) {
		return -1;
	}
	return fsync(folder);
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
	if (make_folder(parent, 0700, err)) {
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

/* ---- The lock ---- */

static const char *lock_path(struct arena *arena, const char *run_dir)
{
	return path_join(arena, run_dir, "lock");
}

static const char *holder_path(struct arena *arena, const char *run_dir)
{
	return path_join(arena, run_dir, "holder.json");
}

/* An open file description lock: it belongs to the descriptor, so that a child without it holds
 * nothing, and another can ask for it without taking it (fcntl(2), F_OFD_GETLK). */
static struct flock whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* What the holder wrote about itself. Only believed of a process that is still there: it writes the
 * record just after taking the lock. */
static const char *describe_holder(struct arena *arena, const char *run_dir)
{
	const char *text, *path = holder_path(arena, run_dir);
	struct value v;
	struct err err;
	char stamp[24];

	if (self_state_read(path, arena, &text, &err) || !text ||
	    json_parse(text, strlen(text), path, arena, &v, &err)) {
		return "another run";
	}
	pid_t pid = (pid_t)value_number(&v, "pid", 0);
	const char *command = value_text(&v, "command");

	if (!command || !child_is_alive(pid, (uint64_t)value_number(&v, "starttime", 0))) {
		return "another run";
	}
	return arena_printf(arena, "process %d (%s) since %s", (int)pid, command,
	                    clock_stamp(value_number(&v, "since", 0), stamp));
}

static void write_holder(const char *run_dir, const char *command)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	struct value v = value_map();
	struct err err;

	value_put(arena, &v, "command", value_string(command));
	value_put(arena, &v, "pid", value_int(getpid()));
	value_put(arena, &v, "since", value_int(clock_now()));
	value_put(arena, &v, "starttime", value_int((int64_t)child_starttime(getpid())));
	value_seal(&v);
	json_print(&text, &v, 2);
	/* Only words for others: the lock itself does not need them. */
	if (self_state_write(holder_path(arena, run_dir), str_text(&text), text.length, &err)) {
		return;
	}
}

/* Is the file that we locked still the one of that name? Somebody may have removed it (tmpfiles).
 * */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !stat(path, &there) && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

static int open_lock(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(err, ERR_HOST, errno, "cannot open the lock %s", path) : fd;
}

int self_lock(const char *run_dir, const char *command, int64_t wait_ms, struct self_lock *ret_lock,
              struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *path = lock_path(arena, run_dir);
	int64_t deadline = clock_ms() + (wait_ms > 0 ? wait_ms : 0);

	if (make_folder(run_dir, 0755, err)) {
		return -(int)err->code;
	}
	for (;;) {
		AUTO(fd_auto) int fd = open_lock(path, err);
		struct flock lock = whole_file(F_WRLCK);

		if (fd < 0) {
			return -(int)err->code;
		}
		if (!fcntl(fd, F_OFD_SETLK, &lock)) {
			if (!is_still_there(fd, path)) {
				continue;
			}
			write_holder(run_dir, command);
			ret_lock->fd = fd;
			fd = -1;
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot lock %s", path);
		}
		if (!clock_left(deadline) || self_stop_signal()) {
			return err_set(err, ERR_LOCKED, 0, "locked by %s", describe_holder(arena, run_dir));
		}
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}

void self_unlock(struct self_lock *lock)
{
	if (lock->fd >= 0) {
		close(lock->fd);
		lock->fd = -1;
	}
}

const char *self_lock_holder(const char *run_dir, struct arena *arena)
{
	struct flock lock = whole_file(F_WRLCK);
	const char *path = lock_path(arena, run_dir);
	AUTO(fd_auto) int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES) {
		/* Without root the lock cannot be asked; the record of a living process is the next best.
		 * */
		const char *holder = describe_holder(arena, run_dir);

		return strcmp(holder, "another run") == 0 ? NULL : holder;
	}
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type == F_UNLCK) {
		return NULL;
	}
	return describe_holder(arena, run_dir);
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
