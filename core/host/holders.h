// SPDX-License-Identifier: MIT
/* Who uses a path? By the links under /proc alone, so that nothing that is dead is touched. Private
 * to this room. */
#ifndef HOST_HOLDERS_H
#define HOST_HOLDERS_H

#include "base/mem.h"

/* "bash (412), sleep (500) and 3 more": processes that stand at or below the path, have it as root,
 * run from it, or hold or map a file there. NULL: none seen; the search is bounded, and others'
 * processes need root. */
const char *holders_of(const char *path, struct arena *arena);

#endif
