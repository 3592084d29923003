// SPDX-License-Identifier: MIT
/*
 * later: a library to preload (ld.so(8), LD_PRELOAD) that makes it later at a chosen moment.
 *
 *	LATER=FILE:SECONDS	once FILE is there, CLOCK_BOOTTIME is by so many seconds ahead
 *
 * For waits that are too long for a test: nothing else of the program is other than it would be.
 * Clocks that are told by other calls than clock_gettime(2) are as they were, and so is how long it
 * sleeps.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char file[PATH_MAX];
static long seconds;

__attribute__((constructor)) static void begin(void)
{
	const char *wish = getenv("LATER");
	const char *colon = wish ? strrchr(wish, ':') : NULL;

	if (colon && (size_t)(colon - wish) < sizeof file) {
		memcpy(file, wish, (size_t)(colon - wish));
		seconds = strtol(colon + 1, NULL, 10);
	}
}

/* Also called by handlers of signals: nothing but system calls. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = (int)syscall(SYS_clock_gettime, clock, now);

	if (r == 0 && clock == CLOCK_BOOTTIME && *file && access(file, F_OK) == 0) {
		now->tv_sec += seconds;
	}
	return r;
}
