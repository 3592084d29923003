// SPDX-License-Identifier: MIT
/* See scratch.h. */
#include <stdbool.h>

#include "unit/support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS = 16, TEXT_MOST = 1 << 20 };

static char dir[64];
static bool is_private;

bool scratch_is_private(void)
{
	return is_private;
}

const char *scratch_dir(void)
{
	return dir;
}

const char *scratch_path(const char *name)
{
	static char paths[PATHS][512];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

void scratch_write(const char *path, const char *text, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

void scratch_mkdir(const char *path, unsigned mode)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

const char *scratch_read(const char *path)
{
	static char text[TEXT_MOST];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	assert_true(n >= 0);
	close(fd);
	text[n] = '\0';
	return text;
}

uint64_t scratch_stamp(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return (uint64_t)st.st_ino * 1000003u ^ (uint64_t)st.st_mtim.tv_sec * 7919u ^
	       (uint64_t)st.st_mtim.tv_nsec ^ (uint64_t)st.st_ctim.tv_nsec * 31u ^
	       (uint64_t)st.st_ctim.tv_sec * 104729u;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level ? remove(path) : 0;
}

void scratch_clear(void)
{
	char line[4096], target[4096];

	for (bool again = is_private; again;) {
		FILE *f = fopen("/proc/self/mountinfo", "re");
		char last[4096] = "";

		assert_non_null(f);
		while (fgets(line, sizeof line, f)) {
			if (sscanf(line, "%*s %*s %*s %*s %4095s", target) == 1 &&
			    strncmp(target, dir, strlen(dir)) == 0 && target[strlen(dir)] == '/') {
				strcpy(last, target);
			}
		}
		fclose(f);
		again = last[0] && umount2(last, MNT_DETACH) == 0;
	}
	assert_int_equal(nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

static int copy(const char *from, const char *to)
{
	char text[64 << 10];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t n = in < 0 ? 0 : read(in, text, sizeof text);
	int r = out < 0 || write(out, text, (size_t)n) != n;

	close(in);
	close(out);
	return r;
}

/* Names must still be found there; nothing else of /etc matters to these tests. */
static int own_etc(void)
{
	if (mount("etc", "/mnt", "tmpfs", 0, "mode=0755") || copy("/etc/passwd", "/mnt/passwd") ||
	    copy("/etc/group", "/mnt/group") || copy("/etc/nsswitch.conf", "/mnt/nsswitch.conf")) {
		return -1;
	}
	return mount("/mnt", "/etc", "none", MS_MOVE, NULL);
}

int scratch_setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/reconcile-test.XXXXXX");
	if (!mkdtemp(dir)) {
		return -1;
	}
	if (geteuid() != 0 || unshare(CLONE_NEWNS) ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL)) {
		return 0;
	}
	if (mount("scratch", dir, "tmpfs", 0, "mode=0755") || own_etc()) {
		return -1;
	}
	is_private = true;
	return 0;
}

int scratch_teardown(void **state)
{
	(void)state;
	scratch_clear();
	if (is_private) {
		umount2(dir, MNT_DETACH);
	}
	return rmdir(dir);
}
