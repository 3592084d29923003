// SPDX-License-Identifier: MIT
/* See self_watch.h. */
#include "host/self_watch.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "host/self.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TABLE_CHUNK = 64 << 10 };

/* What was not to be had at first (no descriptors left) is asked for again each time. */
static void open_missing(struct self_watch *watch)
{
	if (watch->timer < 0) {
		watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	}
	if (watch->mounts < 0) {
		watch->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	}
}

/* Empty when it cannot be read: then it has moved as soon as it can. */
static void read_table(const struct self_watch *watch, char ret_digest[65])
{
	AUTO(str_free) struct str text = {0};
	AUTO(mem_auto) char *chunk = mem_alloc(TABLE_CHUNK);
	off_t at = 0;

	ret_digest[0] = '\0';
	for (ssize_t n; watch->mounts >= 0 && (n = pread(watch->mounts, chunk, TABLE_CHUNK, at));) {
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return;
		}
		str_addn(&text, chunk, (size_t)n);
		at += n;
	}
	if (text.length) {
		memcpy(ret_digest, digest_bytes(str_text(&text), text.length).hex, 65);
	}
}

/* The kernel tells each open mountinfo of a change once, by the next poll (proc(5)). */
static bool heard_mounts(const struct self_watch *watch)
{
	struct pollfd p = {.fd = watch->mounts, .events = POLLPRI};

	return watch->mounts >= 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLPRI);
}

bool self_watch_moved(struct self_watch *watch)
{
	char now[65];

	open_missing(watch);
	/* First the event, then the table: what comes in between is told by another event. */
	watch->heard |= heard_mounts(watch);
	if (!watch->heard && *watch->table) {
		return false;
	}
	watch->heard = false;
	read_table(watch, now);
	bool moved = strcmp(now, watch->table) != 0;

	memcpy(watch->table, now, sizeof now);
	return moved;
}

void self_watch_open(struct self_watch *ret_watch)
{
	struct self_watch watch = {.timer = -1, .mounts = -1};

	if (self_watch_moved(&watch)) {
		/* From nothing to what it is. */
	}
	*ret_watch = watch;
}

void self_watch_close(struct self_watch *watch)
{
	fd_auto(&watch->timer);
	fd_auto(&watch->mounts);
	*watch = (struct self_watch){.timer = -1, .mounts = -1};
}

/* The timer counts a suspend, ppoll's own timeout does not: that is only for want of a timer. */
static struct timespec arm(const struct self_watch *watch, int64_t until)
{
	struct itimerspec at = {
	    .it_value = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 + 1}};
	int64_t left = clock_left(until);

	if (watch->timer >= 0 && !timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &at, NULL)) {
		left += 1000;
	}
	return (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
}

unsigned self_watch_wait(struct self_watch *watch, int64_t until, int other)
{
	sigset_t heard, before;
	unsigned events = 0;

	open_missing(watch);
	sigemptyset(&heard);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGHUP);
	/* Let in only while asleep, so that none is missed between looking and sleeping. */
	sigprocmask(SIG_BLOCK, &heard, &before);
	if (!self_stop_signal() && !self_hung_up() && clock_left(until)) {
		struct pollfd p[] = {
		    {.fd = watch->timer, .events = POLLIN},
		    {.fd = watch->mounts, .events = POLLPRI},
		    {.fd = other, .events = POLLIN},
		};
		struct timespec most = arm(watch, until);

		if (ppoll(p, ARRAY_LEN(p), &most, &before) > 0) {
			watch->heard |= (p[1].revents & POLLPRI) != 0;
			events |= p[1].revents & POLLPRI ? SELF_EVENT_MOUNTS : 0u;
			events |= p[2].revents ? SELF_EVENT_OTHER : 0u;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return events;
}
