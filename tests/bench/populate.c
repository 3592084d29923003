// SPDX-License-Identifier: MIT
/*
 * populate: brings many resources into being at once, for the bench.
 *
 *	populate mounts DIR COUNT   DIR/00000, ... each a mounted tmpfs, with the options below
 *	populate files DIR COUNT    DIR/00000.conf, ... of two lines, 0644
 *
 * mount(8) would need a process for each. Mounts are to be made in a private namespace: they are
 * gone with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The umask is not to have a say. */
static int make_directory(const char *path)
{
	return mkdir(path, 0755) == 0 && chmod(path, 0755) == 0 ? 0 : -1;
}

static int make_mount(const char *dir, int i)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%05d", dir, i);
	if (make_directory(path) != 0) {
		return -1;
	}
	return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=0755");
}

static int make_file(const char *dir, int i)
{
	char path[PATH_MAX], text[64];
	int length = snprintf(text, sizeof text, "# managed\nsetting = %d\n", i);

	snprintf(path, sizeof path, "%s/%05d.conf", dir, i);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0) {
		return -1;
	}
	int failed = write(fd, text, (size_t)length) != length || fchmod(fd, 0644) != 0;

	return close(fd) == 0 && !failed ? 0 : -1;
}

int main(int argc, char **argv)
{
	bool mounts = argc == 4 && strcmp(argv[1], "mounts") == 0;
	bool files = argc == 4 && strcmp(argv[1], "files") == 0;
	int count = mounts || files ? atoi(argv[3]) : 0;

	if (count < 1 || count > 99999) {
		fprintf(stderr, "usage: populate mounts|files DIR COUNT\n");
		return 1;
	}
	if (make_directory(argv[2]) != 0) {
		fprintf(stderr, "populate: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	for (int i = 0; i < count; i++) {
		if ((mounts ? make_mount : make_file)(argv[2], i) != 0) {
			fprintf(stderr, "populate: %s, number %d: %s\n", argv[2], i, strerror(errno));
			return 1;
		}
	}
	return 0;
}
