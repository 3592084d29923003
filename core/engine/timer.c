// SPDX-License-Identifier: MIT
/* See timer.h. */
#include "engine/timer.h"

#include "base/clock.h"
#include "base/digest.h"
#include "host/self.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_MS = 2000 };

void timer_start(void)
{
	self_catch_stop();
}

/* A tenth either way, different on each node and each boot: cloned images must not all wake
 * together. */
static int64_t splayed(int64_t seconds, const char *name)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *seed =
	    arena_printf(arena, "%s %s", name ? name : self_host_name(arena), self_boot_id(arena));
	struct digest digest = digest_bytes(seed, strlen(seed));
	unsigned part = 0;

	for (size_t i = 0; i < 4; i++) {
		part = part * 16 +
		       (unsigned)(digest.hex[i] <= '9' ? digest.hex[i] - '0' : digest.hex[i] - 'a' + 10);
	}
	return seconds * 900 + (int64_t)part * seconds * 200 / 65536;
}

/* Sleeps until the deadline, an event on fd, or a signal; the signals are let in only here, so that
 * none is missed between looking and sleeping. */
static int sleep_until(int fd, int64_t left_ms, const sigset_t *unblocked)
{
	struct pollfd p = {.fd = fd, .events = POLLPRI};
	struct timespec t = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};

	return ppoll(&p, fd >= 0 ? 1 : 0, &t, unblocked) > 0 && (p.revents & POLLPRI);
}

bool timer_wait(int64_t seconds, const char *name)
{
	AUTO(fd_auto) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	int64_t deadline = clock_ms() + splayed(seconds, name), left;
	sigset_t stop, before;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, &before);
	while (!self_stop_signal() && (left = clock_left(deadline)) > 0) {
		if (sleep_until(fd, left, &before) && left > SETTLE_MS) {
			/* Several mounts come and go together: look once they have settled. */
			deadline = clock_ms() + SETTLE_MS;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return self_stop_signal() != 0;
}
