// SPDX-License-Identifier: MIT
/*
 * A dead file system for the tests of children: hangfs in a mount namespace of this process. A
 * process that looks into it is stuck in the kernel and outlives SIGKILL until hung_end.
 */
#ifndef TESTS_BASE_HUNG_H
#define TESTS_BASE_HUNG_H

#include "base/clock.h"
#include "base/str.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct hung {
	char folder[32]; /* the mount point; all names below it hang */
	pid_t server;
};

/* Says why not, and returns false, where that cannot be had. */
static inline bool hung_begin(struct hung *hung)
{
	const char *programs = getenv("TEST_PROGRAMS");
	AUTO(str_free) struct str command = {0};

	snprintf(hung->folder, sizeof hung->folder, "/tmp/hung.XXXXXX");
	if (!programs || geteuid() != 0 || access("/dev/fuse", R_OK | W_OK)) {
		printf("# skip: needs root, /dev/fuse and the test programs\n");
		return false;
	}
	if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") ||
	    !mkdtemp(hung->folder)) {
		printf("# skip: no mount namespace of our own\n");
		return false;
	}
	str_addf(&command, "%s/hangfs -o dead,lifetime=60 %s", programs, hung->folder);
	FILE *output = popen(str_text(&command), "r");
	int pid = 0, got = output ? fscanf(output, "%d", &pid) : 0;

	if (output) {
		pclose(output);
	}
	hung->server = pid;
	if (got != 1 || pid <= 0) {
		rmdir(hung->folder);
		printf("# skip: hangfs cannot be mounted\n");
		return false;
	}
	return true;
}

/* What was stuck ends. */
static inline void hung_end(const struct hung *hung)
{
	kill(hung->server, SIGUSR2);
	kill(hung->server, SIGTERM);
	umount2(hung->folder, MNT_DETACH);
	rmdir(hung->folder);
}

#endif
