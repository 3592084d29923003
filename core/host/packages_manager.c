// SPDX-License-Identifier: MIT
/*
 * See packages_inner.h. dpkg and apt lock with fcntl (dpkg(1), lock-frontend and lock), so the
 * kernel names the holder. Nothing is ever locked here: a lock of our own, let go by closing some
 * descriptor, would mislead others.
 */
#include "host/packages_inner.h"

#include "base/str.h"
#include "host/self.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

bool packages_has_journal(void)
{
	DIR *dir = opendir(PACKAGES_DPKG "/updates");
	struct dirent *entry;
	bool found = false;

	/* dpkg numbers the parts of its journal; what is called otherwise is none of them. */
	while (dir && !found && (entry = readdir(dir))) {
		found = isdigit((unsigned char)entry->d_name[0]);
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

/* Who has a lock on the file, by /proc/locks (proc(5)): everybody may read that. */
static int holder_by_list(const struct stat *st)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	int pid = 0;

	while (f && !pid && fgets(line, sizeof line, f)) {
		unsigned major, minor;
		unsigned long long inode;
		int holder;

		/* "1: POSIX  ADVISORY  WRITE 1234 08:01:131 0 EOF" */
		if (sscanf(line, "%*d: POSIX %*s %*s %d %x:%x:%llu", &holder, &major, &minor, &inode) ==
		        4 &&
		    inode == st->st_ino && makedev(major, minor) == st->st_dev) {
			pid = holder;
		}
	}
	if (f) {
		fclose(f);
	}
	return pid;
}

static int holder_of(const char *path)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	if (fd < 0) {
		return errno == EACCES && !lstat(path, &st) ? holder_by_list(&st) : 0;
	}
	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK) {
		return 0;
	}
	/* 0: of another pid namespace. Held all the same. */
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

int packages_lock_holder(void)
{
	int holder = holder_of(PACKAGES_DPKG "/lock-frontend");

	return holder ? holder : holder_of(PACKAGES_DPKG "/lock");
}

const char *packages_command_of(struct arena *arena, int pid)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *f = pid > 0 ? fopen(path, "re") : NULL;

	if (f && !fgets(name, sizeof name, f)) {
		name[0] = '\0';
	}
	if (f) {
		fclose(f);
	}
	name[strcspn(name, "\n")] = '\0';
	AUTO(str_free) struct str shown = {0};

	str_add_printable(&shown, name, sizeof name);
	return arena_strdup(arena, str_text(&shown));
}

static bool is_same(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A transient unit would run in the namespaces of PID 1: only when those are ours does it act
 * on the files that we mean. What cannot be looked at is not proven. */
bool packages_under_systemd(void)
{
	struct stat st;

	return !stat("/run/systemd/system", &st) && S_ISDIR(st.st_mode) &&
	       self_mount_namespace_is_init() == 1 && is_same("/proc/self/ns/pid", "/proc/1/ns/pid") &&
	       is_same("/proc/1/root/", "/");
}
