// SPDX-License-Identifier: MIT
/* See self_notify.h. */
#include "host/self_notify.h"

#include "base/str.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most of a STATUS that anybody reads. */
enum { LINE_MOST = 2048 };

/* sd_notify(3): the watchdog is meant for the process of that pid, or for whoever asks. */
static int64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end = NULL;

	if (!usec || !*usec || (pid && *pid && strtoll(pid, NULL, 10) != (long long)getpid())) {
		return 0;
	}
	errno = 0;
	long long n = strtoll(usec, &end, 10);

	return errno || *end || n <= 0 ? 0 : n / 1000 > 0 ? n / 1000 : 1;
}

/* False: no address we know how to send to (systemd also has vsock:). */
static bool read_address(const char *name, struct self_notify *notify)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof notify->to.sun_path) {
		return false;
	}
	notify->to.sun_family = AF_UNIX;
	memcpy(notify->to.sun_path, name, n + 1);
	notify->to_length = (unsigned)(offsetof(struct sockaddr_un, sun_path) + n);
	if (name[0] == '@') {
		notify->to.sun_path[0] = '\0'; /* unix(7), abstract: the length says where it ends */
	} else {
		notify->to_length++;
	}
	return true;
}

void self_notify_open(struct self_notify *ret_notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct self_notify notify = {.fd = -1, .watchdog_ms = read_watchdog()};

	if (name && read_address(name, &notify)) {
		notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (notify.fd < 0) {
		notify.watchdog_ms = 0;
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*ret_notify = notify;
}

void self_notify_close(struct self_notify *notify)
{
	fd_auto(&notify->fd);
	notify->fd = -1;
}

bool self_notify_send(const struct self_notify *notify, const char *fmt, ...)
{
	char text[LINE_MOST];
	va_list ap;

	if (notify->fd < 0) {
		return false;
	}
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		return false;
	}
	size_t length = (size_t)n < sizeof text ? (size_t)n : text_utf8_until(text, sizeof text - 1);

	return sendto(notify->fd, text, length, MSG_NOSIGNAL, (const struct sockaddr *)&notify->to,
	              notify->to_length) == (ssize_t)length;
}
