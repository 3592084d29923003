// SPDX-License-Identifier: MIT
/* See self_lock.h. */
#include "host/self.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 50, TELL_MS = 1000, DOING_MOST = 200 };

static const char lock_name[] = "lock", record_name[] = "holder.json",
                  unknown_holder[] = "another run";

/* An open file description lock: it belongs to the descriptor, so that a child without it holds
 * nothing, and another can ask for it without taking it (fcntl(2), F_OFD_GETLK). */
static struct flock whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* ---- The record of the holder ---- */

static void write_record(const struct self_lock *lock, const char *doing)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	struct value v = value_map();
	int folder = lock->folder >= 0 ? lock->folder : lock->fd;

	value_put(arena, &v, "boot_id", value_string(self_boot_id(arena)));
	value_put(arena, &v, "command", value_string(lock->wish.command));
	value_put(arena, &v, "doing", value_string(doing));
	value_put(arena, &v, "doing_ms", value_int(clock_ms()));
	value_put(arena, &v, "pid", value_int(getpid()));
	value_put(arena, &v, "since", value_int(lock->since));
	value_put(arena, &v, "since_ms", value_int(lock->since_ms));
	value_put(arena, &v, "starttime", value_int((int64_t)child_starttime(getpid())));
	value_put(arena, &v, "tree", value_string(lock->wish.tree));
	value_put(arena, &v, "user", value_string(self_user(arena)));
	value_seal(&v);
	json_print(&text, &v, 2);
	str_addc(&text, '\n');
	/* Who asks whether a run is under way need not be root. */
	self_show(folder, record_name, str_text(&text), text.length);
}

/* "for 3m 5s", by the clock of the boot, which does not jump. */
static void add_for(struct str *s, int64_t since_ms)
{
	str_add(s, "for ");
	clock_add_span(s, clock_ms() - since_ms);
}

/* What the holder wrote about itself. Only believed of a process of this boot that is still there
 * and is no later one of the same number: the holder writes its record just after taking the lock,
 * and takes it away before it lets go. */
static const char *describe_holder(struct arena *arena, const char *run_dir)
{
	const char *text, *path = path_join(arena, run_dir, record_name);
	AUTO(str_free) struct str s = {0};
	struct value v;
	struct err err;
	char stamp[24];

	if (self_state_read(path, arena, &text, &err) || !text ||
	    json_parse(text, strlen(text), path, arena, &v, &err)) {
		return unknown_holder;
	}
	const char *command = value_text(&v, "command"), *user = value_text(&v, "user");
	const char *tree = value_text(&v, "tree"), *doing = value_text(&v, "doing");
	pid_t pid = (pid_t)value_number(&v, "pid", 0);

	if (!command || !text_equal(value_text(&v, "boot_id"), self_boot_id(arena)) ||
	    !child_is_alive(pid, (uint64_t)value_number(&v, "starttime", 0))) {
		return unknown_holder;
	}
	str_addf(&s, "process %d (", (int)pid);
	str_add_printable(&s, command, DOING_MOST);
	str_addf(&s, ") since %s, ", clock_stamp(value_number(&v, "since", 0), stamp));
	add_for(&s, value_number(&v, "since_ms", clock_ms()));
	if (user) {
		str_add(&s, ", by ");
		str_add_printable(&s, user, DOING_MOST);
	}
	if (tree) {
		str_add(&s, ", tree ");
		str_add_printable(&s, tree, DOING_MOST);
	}
	if (doing) {
		str_add(&s, "; at the moment ");
		str_add_printable(&s, doing, DOING_MOST);
		str_addc(&s, ' ');
		add_for(&s, value_number(&v, "doing_ms", clock_ms()));
	}
	return arena_strdup(arena, str_text(&s));
}

void self_lock_doing(const struct self_lock *lock, const char *what)
{
	if (lock->fd >= 0) {
		write_record(lock, what);
	}
}

/* ---- Taking it ---- */

/* Is what we opened still what has that name? Somebody may have removed it (tmpfiles, a hand). */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !stat(path, &there) && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

/* Does another process hold the file? It need not be writable to be asked. */
static bool is_file_held(int folder)
{
	struct flock lock = whole_file(F_WRLCK);
	AUTO(fd_auto) int fd = openat(folder, lock_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* A file system without such locks (flock(2)) leaves the file alone to decide. */
static bool lock_folder(int folder, int how)
{
	return !flock(folder, how | LOCK_NB) || (errno != EWOULDBLOCK && errno != EINTR);
}

/* The outcome of one attempt; an error is negative. */
enum { GOT_IT = 0, IS_HELD = 1, MOVED_AWAY = 2 };

static int try_file(const struct self_lock_wish *wish, int *fd, int *folder, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *path = path_join(arena, wish->run_dir, lock_name);
	struct flock lock = whole_file(F_WRLCK);

	if (fcntl(*fd, F_OFD_SETLK, &lock)) {
		return errno == EAGAIN || errno == EACCES || errno == EINTR
		           ? IS_HELD
		           : err_set(err, ERR_HOST, errno, "cannot lock %s", path);
	}
	if (!lock_folder(*folder, LOCK_SH)) {
		return IS_HELD;
	}
	return is_still_there(*fd, path) ? GOT_IT : MOVED_AWAY;
}

static int try_folder(const struct self_lock_wish *wish, int folder)
{
	if (is_file_held(folder) || flock(folder, LOCK_EX | LOCK_NB)) {
		return IS_HELD;
	}
	/* Once more: it may have been taken between the two. */
	if (is_file_held(folder)) {
		return IS_HELD;
	}
	return is_still_there(folder, wish->run_dir) ? GOT_IT : MOVED_AWAY;
}

static bool takes_no_writing(int os)
{
	return os == EROFS || os == ENOSPC || os == EDQUOT;
}

static int attempt(const struct self_lock_wish *wish, struct self_lock *lock, struct err *err)
{
	/* Looked at again once it is there: others may have been quicker to make it. */
	if (self_make_folder(wish->run_dir, 0755, err) || self_check_run_dir(wish->run_dir, err)) {
		return -(int)err->code;
	}
	AUTO(fd_auto) int folder = open(wish->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_auto)
	int fd = folder < 0
	             ? -1
	             : openat(folder, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (folder >= 0 && fd < 0 && takes_no_writing(errno)) {
		r = try_folder(wish, folder);
		fd = r == GOT_IT ? folder : -1;
		folder = r == GOT_IT ? -1 : folder;
	} else if (fd < 0) {
		return err_set(err, ERR_HOST, errno, "cannot open the lock %s/%s", wish->run_dir,
		               lock_name);
	} else {
		r = try_file(wish, &fd, &folder, err);
	}
	if (r == GOT_IT) {
		lock->fd = fd;
		lock->folder = folder;
		fd = folder = -1;
	}
	return r;
}

int self_lock(const struct self_lock_wish *wish, struct self_lock *ret_lock, struct err *err)
{
	struct self_lock lock = {.fd = -1, .folder = -1, .wish = *wish};
	int64_t began = clock_ms(), told = began;
	int r;

	while ((r = attempt(wish, &lock, err)) != GOT_IT) {
		AUTO(arena_auto) struct arena *arena = arena_create();

		if (r < 0) {
			return r;
		}
		if (r == IS_HELD && (!clock_left(began + wish->wait_ms) || self_stop_signal())) {
			return err_set(err, ERR_LOCKED, 0, "locked by %s",
			               describe_holder(arena, wish->run_dir));
		}
		if (r == IS_HELD && wish->waiting && clock_ms() - told >= TELL_MS) {
			told = clock_ms();
			wish->waiting(wish->context, describe_holder(arena, wish->run_dir), told - began);
		}
		if (r == IS_HELD) {
			poll(NULL, 0, LOOK_AGAIN_MS);
		}
	}
	lock.since = clock_now();
	lock.since_ms = clock_ms();
	write_record(&lock, NULL);
	*ret_lock = lock;
	return 0;
}

static bool is_ours(const struct self_lock *lock)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *run_dir = lock->wish.run_dir;

	return lock->folder < 0 ? is_still_there(lock->fd, run_dir)
	                        : is_still_there(lock->fd, path_join(arena, run_dir, lock_name));
}

/* Unlocked in so many words: a child that was begun a moment ago has not closed its copies of the
 * descriptors yet, and a lock lasts as long as one of them. */
static void let_go(struct self_lock *lock)
{
	struct flock none = whole_file(F_UNLCK);

	fcntl(lock->fd, F_OFD_SETLK, &none);
	flock(lock->fd, LOCK_UN);
	close(lock->fd);
	if (lock->folder >= 0) {
		flock(lock->folder, LOCK_UN);
		close(lock->folder);
	}
	lock->fd = lock->folder = -1;
}

void self_unlock(struct self_lock *lock)
{
	if (lock->fd < 0) {
		return;
	}
	/* The next one that asks is not told of us. */
	unlinkat(lock->folder >= 0 ? lock->folder : lock->fd, record_name, 0);
	let_go(lock);
}

int self_lock_keep(struct self_lock *lock, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct self_lock anew = *lock;
	struct err ignored = {0};
	int r = MOVED_AWAY;

	if (lock->fd < 0 || is_ours(lock)) {
		return 0;
	}
	while (r == MOVED_AWAY) {
		r = attempt(&lock->wish, &anew, &ignored);
	}
	if (r == IS_HELD) {
		return err_set(err, ERR_LOCKED, 0, "%s was replaced, and is now locked by %s",
		               lock->wish.run_dir, describe_holder(arena, lock->wish.run_dir));
	}
	if (r == GOT_IT) {
		let_go(lock);
		*lock = anew;
		write_record(lock, NULL);
	}
	return 0; /* where it cannot be made anew, nobody else can lock it either */
}

/* ---- Asking ---- */

/* Is a lock of that kind for writing on that inode in the kernel's list (proc(5), /proc/locks)? */
static bool is_listed(const char *kind, const struct stat *st)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *list;
	struct err err;

	if (self_state_read("/proc/locks", arena, &list, &err)) {
		return false;
	}
	for (; list && *list; list += strcspn(list, "\n"), list += *list == '\n') {
		unsigned major, minor;
		unsigned long inode;
		char what[16], how[16];

		if (sscanf(list, "%*d: %15s %*s %15s %*d %x:%x:%lu", what, how, &major, &minor, &inode) ==
		        5 &&
		    strcmp(what, kind) == 0 && strcmp(how, "WRITE") == 0 && inode == st->st_ino &&
		    major == major(st->st_dev) && minor == minor(st->st_dev)) {
			return true;
		}
	}
	return false;
}

const char *self_lock_holder(const char *run_dir, struct arena *arena)
{
	struct flock lock = whole_file(F_WRLCK);
	struct stat file, folder;
	bool held = false;
	AUTO(fd_auto)
	int fd =
	    open(path_join(arena, run_dir, lock_name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (stat(run_dir, &folder)) {
		return NULL;
	}
	if (fd >= 0) {
		held = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	} else if (errno == EACCES && !stat(path_join(arena, run_dir, lock_name), &file)) {
		/* Without root it cannot be asked, but looked up. */
		held = is_listed("OFDLCK", &file);
	}
	return held || is_listed("FLOCK", &folder) ? describe_holder(arena, run_dir) : NULL;
}
