// SPDX-License-Identifier: MIT
/* How full a mounted file system is: statfs(2), which blocks when its server is gone. */
#ifndef HOST_SPACE_H
#define HOST_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct host_space {
	bool mounted;                   /* else the rest means nothing */
	uint64_t size, used, available; /* bytes; available to those who are not root */
};

#endif
