// SPDX-License-Identifier: MIT
/* See ports.h. */
#include "host/ports.h"

#include "base/clock.h"
#include "host/host_inner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUERIES_MOST = 16 };

/* connect(2) of a socket that does not block; -1 when that was decided at once. */
static int begin(const struct addrinfo *address, struct port_query *query)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*query = (struct port_query){query->port, PORT_UNREACHABLE, errno};
		return -1;
	}
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
		query->answer = PORT_OPEN;
	} else if (errno == EINPROGRESS) {
		query->answer = PORT_SILENT;
		return fd;
	} else {
		query->answer = errno == ECONNREFUSED ? PORT_REFUSED : PORT_UNREACHABLE;
		query->os = errno;
	}
	close(fd);
	return -1;
}

static void take_answer(int fd, struct port_query *query)
{
	int os = 0;
	socklen_t n = sizeof os;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os, &n)) {
		os = errno;
	}
	query->os = os;
	query->answer = !os                  ? PORT_OPEN
	                : os == ECONNREFUSED ? PORT_REFUSED
	                : os == ETIMEDOUT    ? PORT_SILENT
	                                     : PORT_UNREACHABLE;
}

/* Waits until each has answered or time is up; closes them all. */
static void collect(struct pollfd *fds, struct port_query *queries, size_t n, int64_t deadline)
{
	size_t open = 0;

	for (size_t i = 0; i < n; i++) {
		open += fds[i].fd >= 0;
	}
	while (open && clock_left(deadline) > 0) {
		int r = poll(fds, n, (int)clock_left(deadline));

		if (r < 0 && errno != EINTR) {
			break;
		}
		for (size_t i = 0; r > 0 && i < n; i++) {
			if (fds[i].fd >= 0 && fds[i].revents) {
				take_answer(fds[i].fd, &queries[i]);
				close(fds[i].fd);
				fds[i].fd = -1;
				open--;
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (fds[i].fd >= 0) {
			close(fds[i].fd);
		}
	}
}

static void put_port(struct sockaddr *address, unsigned short port)
{
	if (address->sa_family == AF_INET6) {
		((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
	} else {
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
	}
}

int ports_ask(struct host *host, const char *address, struct port_query *queries, size_t n,
              int timeout_ms, struct err *err)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	int64_t deadline = clock_ms() + timeout_ms;
	struct pollfd fds[QUERIES_MOST];
	struct addrinfo *found;

	(void)host;
	if (n > QUERIES_MOST) {
		return err_set(err, ERR_BUG, 0, "more than %d ports at once", QUERIES_MOST);
	}
	if (getaddrinfo(address, NULL, &hints, &found)) {
		return err_set(err, ERR_INPUT, 0, "%s is no address", address);
	}
	for (size_t i = 0; i < n; i++) {
		put_port(found->ai_addr, queries[i].port);
		fds[i] = (struct pollfd){.fd = begin(found, &queries[i]), .events = POLLOUT};
	}
	freeaddrinfo(found);
	collect(fds, queries, n, deadline);
	return 0;
}
