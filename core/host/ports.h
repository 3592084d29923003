// SPDX-License-Identifier: MIT
/* Whether TCP ports of another host answer: asked all at once, without sending anything. */
#ifndef HOST_PORTS_H
#define HOST_PORTS_H

#include <stddef.h>

enum port_answer {
	PORT_OPEN,
	PORT_REFUSED,     /* the host answers, and nothing listens there */
	PORT_SILENT,      /* no answer in time: a firewall, or no host */
	PORT_UNREACHABLE, /* the network says that there is no way */
};

struct port_query {
	unsigned short port;
	enum port_answer answer; /* filled in */
	int os;                  /* errno of PORT_UNREACHABLE */
};

#endif
