// SPDX-License-Identifier: MIT
/*
 * Telling the service manager how it goes: sd_notify(3)'s protocol, which is a datagram of
 * "NAME=value" lines to the socket named in NOTIFY_SOCKET. Written here rather than taken from
 * libsystemd: it is ten lines, and a program that repairs a node should need little of it.
 *
 * Nothing here fails or waits: a manager that is not there, or does not read, is no reason to stop.
 */
#ifndef HOST_SELF_NOTIFY_H
#define HOST_SELF_NOTIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

struct self_notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	unsigned to_length;
	int64_t watchdog_ms; /* 0: nobody minds whether we are alive */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: what
 * we start must not speak for us. A path or, with a leading '@', an abstract name; anything else
 * is nobody. */
void self_notify_open(struct self_notify *ret_notify);
void self_notify_close(struct self_notify *notify);

/* Sends what the lines say: "READY=1\nSTATUS=..." False when nobody listens or it did not get
 * through. */
bool self_notify_send(const struct self_notify *notify, const char *fmt, ...) PRINTF(2, 3);

#endif
