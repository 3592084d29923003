// SPDX-License-Identifier: MIT
/*
 * holdlock: holds the lock of a package manager, as a running apt-get does.
 *
 *	holdlock FILE...
 *
 * Takes the fcntl write lock of each file (flock(1) cannot do that: it is another kind of lock),
 * prints its process id and goes on in the background until it is killed or ten minutes are over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LIFETIME = 600,
};

static int take_locks(char **files)
{
	for (; *files; files++) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(*files, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

		if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) {
			fprintf(stderr, "holdlock: %s: %s\n", *files, strerror(errno));
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int ready[2];
	char answer = 0;
	pid_t pid;

	if (argc < 2 || pipe(ready) != 0) {
		fprintf(stderr, "usage: holdlock FILE...\n");
		return 1;
	}
	/* the child takes the locks itself: they are not handed on by fork */
	pid = fork();
	if (pid < 0) {
		perror("holdlock: fork");
		return 1;
	}
	if (pid > 0) {
		close(ready[1]);
		if (read(ready[0], &answer, 1) != 1) {
			return 1;
		}
		printf("%d\n", (int)pid);
		return 0;
	}
	if (setsid() < 0 || take_locks(argv + 1) != 0 || write(ready[1], "k", 1) != 1) {
		return 1;
	}
	for (int fd = 0; fd <= 2; fd++) {
		close(fd);
	}
	close(ready[0]);
	close(ready[1]);
	alarm(LIFETIME);
	for (;;) {
		pause();
	}
}
