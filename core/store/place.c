// SPDX-License-Identifier: MIT
/* See place.h. */
#include "store/place.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/remote_fs.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_MS = 5000, ASIDE_MOST = 3, SAME_SECOND = 50 };

/* Beside a database: the write-ahead log, its index, and the journal of the other mode, which
 * sqlite would play back into a new file of that name. The index last: it is rebuilt from the
 * log. */
static const char *const companions[] = {"-wal", "-journal", "-shm"};

/* The local group that reads logs. From the file alone: a directory service may hang. */
static gid_t log_readers(void)
{
	gid_t gid = 0;
	FILE *file = fopen("/etc/group", "re");

	if (!file) {
		return 0;
	}
	for (struct group *g; (g = fgetgrent(file));) {
		if (!strcmp(g->gr_name, "adm")) {
			gid = g->gr_gid;
			break;
		}
	}
	fclose(file);
	return gid;
}

void place_share(const char *path)
{
	/* Fails in a user namespace that has no such group: then root alone reads. */
	if (geteuid() == 0 && lchown(path, 0, log_readers())) {
		return;
	}
}

/* Makes the folder and those above it that are missing. */
static int make_folder(const char *folder, struct arena *arena)
{
	char *path = arena_strdup(arena, folder);

	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash) {
			*slash = '\0';
		}
		if (mkdir(path, slash ? 0755 : 0750) == 0) {
			/* Whatever the umask was. */
			if (chmod(path, slash ? 0755 : 0750)) {
				return -errno;
			}
			if (!slash) {
				place_share(path);
			}
		} else if (errno != EEXIST) {
			return -errno;
		}
		if (!slash) {
			return 0;
		}
		*slash = '/';
	}
}

/* Why root should not rely on it, or NULL. Group root may write: those are root's own. */
static const char *distrust(const struct stat *st, struct arena *arena)
{
	if (geteuid() != 0) {
		return NULL;
	}
	if (st->st_uid != 0) {
		return arena_printf(arena, "owned by user %u, not root", (unsigned)st->st_uid);
	}
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)) {
		return NULL;
	}
	if ((st->st_mode & 0002) || ((st->st_mode & 0020) && st->st_gid != 0)) {
		return arena_printf(arena, "writable by others (mode %04o)", (unsigned)st->st_mode & 07777);
	}
	return NULL;
}

static struct place refused(struct place place, const char *problem)
{
	place.state = PLACE_REFUSED;
	place.problem = problem;
	return place;
}

static const char *sentence(struct arena *arena, int error)
{
	if (error == EACCES || error == EPERM) {
		return "needs root or group adm";
	}
	return error == EROFS ? "read-only" : arena_strdup(arena, strerrordesc_np(error));
}

/* The folder: there, real, ours, local. On success place->path is set. */
static bool examine_folder(const char *path, bool writing, struct arena *arena, struct place *place)
{
	char *folder = path_parent(arena, path), real[PATH_MAX];
	struct stat st;
	int r;

	if (!realpath(folder, real)) {
		if (errno == ENOENT && !writing) {
			*place = (struct place){.state = PLACE_NEW, .path = path};
			return false;
		}
		r = errno == ENOENT ? make_folder(folder, arena) : -errno;
		if (!r && !realpath(folder, real)) {
			r = -errno;
		}
		if (r) {
			const char *why = sentence(arena, -r);

			*place = refused(*place, arena_printf(arena, "folder %s: %s", folder, why));
			return false;
		}
	}
	place->path = path_join(arena, real, path_name(path));
	if (stat(real, &st)) {
		*place = refused(*place, sentence(arena, errno));
		return false;
	}
	const char *why = distrust(&st, arena), *name = remote_fs_at(real);

	if (why) {
		*place = refused(*place, arena_printf(arena, "folder %s is %s", real, why));
	} else if (name) {
		/* Locks and shared memory of sqlite do not hold there. */
		*place = refused(
		    *place, arena_printf(arena, "folder %s is on a network file system (%s)", real, name));
	}
	return place->state != PLACE_REFUSED;
}

/* One file: refused, foreign, there or not there. */
static void examine_file(const char *path, struct arena *arena, struct place *place)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno != ENOENT) {
			*place = refused(*place, sentence(arena, errno));
		}
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		*place = refused(*place, "a directory, not a file");
		return;
	}
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
		*place = refused(*place, "not a regular file");
		return;
	}
	const char *why = S_ISLNK(st.st_mode) ? "a symbolic link" : distrust(&st, arena);

	if (why) {
		place->state = PLACE_FOREIGN;
		place->problem = arena_printf(arena, "not ours: %s is %s", path_name(path), why);
	} else if (place->state == PLACE_NEW) {
		place->state = PLACE_THERE;
	}
}

struct place place_examine(const char *path, bool writing, struct arena *arena)
{
	struct place place = {.state = PLACE_NEW, .path = path};
	const char *fault = path_fault(path);

	if (fault || !path_parent(arena, path)) {
		return refused(place,
		               arena_printf(arena, "not a path to a file: %s", fault ? fault : path));
	}
	if (!examine_folder(path, writing, arena, &place)) {
		return place;
	}
	examine_file(place.path, arena, &place);
	bool alone = place.state == PLACE_NEW;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(companions) && place.state != PLACE_REFUSED; i++) {
		examine_file(arena_printf(arena, "%s%s", place.path, companions[i]), arena, &place);
	}
	/* A log without its database would be played back into the new one. */
	if (alone && place.state == PLACE_THERE && lstat(place.path, &st)) {
		place.state = writing ? PLACE_FOREIGN : PLACE_NEW;
		place.problem = writing ? "a write-ahead log without its database" : NULL;
	}
	return place;
}

int place_lock(const char *path, struct arena *arena)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int64_t deadline = clock_ms() + LOCK_MS;
	/* The folder, since closing a descriptor of the file drops sqlite's locks on it. */
	int fd = open(path_parent(arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK &&
	       clock_left(deadline)) {
		nanosleep(&nap, NULL);
	}
	return fd;
}

static int move(const char *from, const char *to, bool *ret_moved, struct err *err)
{
	*ret_moved = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
	if (*ret_moved || errno == ENOENT) {
		return 0;
	}
	/* Some file systems know no such flag; then the name was looked up just before. */
	if (errno == EINVAL && rename(from, to) == 0) {
		*ret_moved = true;
		return 0;
	}
	return err_set(err, ERR_STORE, errno, "setting aside %s", from);
}

static bool is_taken(const char *name, struct arena *arena)
{
	struct stat st;
	bool taken = lstat(name, &st) == 0;

	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		taken |= lstat(arena_printf(arena, "%s%s", name, companions[i]), &st) == 0;
	}
	return taken;
}

/* A name beside `path` that nothing has, neither for the database nor for a companion, and that
 * comes after those of the same second: the first of them may be gone already. */
static const char *free_name(const char *path, struct arena *arena)
{
	char stamp[24];

	clock_stamp(clock_now(), stamp);
	const char *plain = arena_printf(arena, "%s.set-aside-%s", path, stamp), *name = plain;
	unsigned next = 0;

	for (unsigned n = 0; n < SAME_SECOND; n++) {
		next = is_taken(n ? arena_printf(arena, "%s.%u", plain, n) : plain, arena) ? n + 1 : next;
	}
	while (next && is_taken(name = arena_printf(arena, "%s.%u", plain, next), arena)) {
		next++;
	}
	return name;
}

/* The name of the database that this file belongs to. */
static const char *without_companion(const char *name, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		if (text_ends(name, companions[i])) {
			return arena_strndup(arena, name, strlen(name) - strlen(companions[i]));
		}
	}
	return name;
}

/* Removes what was set aside but for the newest, by the time in their names: our own files only.
 * Best effort: the next time finds what is left. */
static void trim_aside(const char *path, struct arena *arena)
{
	const char *folder = path_parent(arena, path), *last = "";
	const char *start = arena_printf(arena, "%s.set-aside-", path_name(path));
	struct dirent **list;
	int count = scandir(folder, &list, NULL, versionsort), aside = 0;
	struct stat st;

	for (int i = count - 1; i >= 0; i--) {
		const char *name = arena_strdup(arena, list[i]->d_name);
		const char *of = without_companion(name, arena);

		free(list[i]);
		if (!text_starts(name, start)) {
			continue;
		}
		aside += strcmp(of, last) != 0;
		last = of;
		name = path_join(arena, folder, name);
		if (aside > ASIDE_MOST && !lstat(name, &st) && S_ISREG(st.st_mode) &&
		    st.st_uid == geteuid() && unlink(name)) {
			aside = ASIDE_MOST; /* it stays, and so may one more */
		}
	}
	if (count >= 0) {
		free(list);
	}
}

int place_set_aside(const char *path, struct arena *arena, const char **ret_aside, struct err *err)
{
	bool moved;

	if (!text_ends(path, ".db")) {
		return err_set(err, ERR_STORE, 0, "%s is left where it is: its name does not end in .db",
		               path);
	}
	const char *name = free_name(path, arena);

	/* The database last: cut off between, the next run finds a database without its log and not a
	 * log that it would play back into a new database. */
	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		const char *from = arena_printf(arena, "%s%s", path, companions[i]);

		if (move(from, arena_printf(arena, "%s%s", name, companions[i]), &moved, err)) {
			return -(int)err->code;
		}
	}
	if (move(path, name, &moved, err)) {
		return -(int)err->code;
	}
	*ret_aside = moved ? name : arena_printf(arena, "%s%s", name, companions[0]);
	trim_aside(path, arena);
	return 0;
}

int64_t place_log_bytes(const char *path, struct arena *arena)
{
	struct stat st;

	return lstat(arena_printf(arena, "%s-wal", path), &st) ? 0 : (int64_t)st.st_size;
}

/* A line of /proc/locks (proc(5)): "1: POSIX  ADVISORY  READ 4711 fe:00:262146 124 124". Readers of
 * the log hold one of the bytes 123 to 127 of its index (sqlite.org/walformat.html). 0: not one. */
static pid_t reader_of(const char *line, const struct stat *index)
{
	char type[16], how[16];
	unsigned dev_major, dev_minor;
	unsigned long long inode;
	long long from, until;
	int pid;

	if (sscanf(line, "%*d: %15s %*s %15s %d %x:%x:%llu %lld %lld", type, how, &pid, &dev_major,
	           &dev_minor, &inode, &from, &until) != 8 ||
	    strcmp(type, "POSIX") != 0 || inode != index->st_ino || dev_major != major(index->st_dev) ||
	    dev_minor != minor(index->st_dev) || from > 127 || until < 123 || pid == getpid()) {
		return 0;
	}
	return pid > 0 ? pid : 0;
}

const char *place_log_holder(const char *path, struct arena *arena)
{
	struct stat index;
	char line[256];
	pid_t pid = 0;

	if (lstat(arena_printf(arena, "%s-shm", path), &index)) {
		return NULL;
	}
	FILE *file = fopen("/proc/locks", "re");

	if (!file) {
		return NULL;
	}
	while (!pid && fgets(line, sizeof line, file)) {
		pid = reader_of(line, &index);
	}
	fclose(file);
	if (!pid) {
		return NULL;
	}
	file = fopen(arena_printf(arena, "/proc/%d/comm", pid), "re");
	if (!file) {
		return arena_printf(arena, "process %d", pid);
	}
	bool named = fgets(line, sizeof line, file) != NULL;

	fclose(file);
	line[named ? strcspn(line, "\n") : 0] = '\0';
	return arena_printf(arena, "%s (%d)", line, pid);
}
