// SPDX-License-Identifier: MIT
/*
 * Where the history lies: the folder, the file and sqlite's companions beside it. Nothing here
 * opens any of them, since closing a second descriptor of a database drops the locks of the first
 * (fcntl(2)): all is said by lstat, and must be asked before a connection is there.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum place_state {
	PLACE_NEW,     /* no such file; when writing, its folder is there now */
	PLACE_THERE,   /* a file we may use */
	PLACE_FOREIGN, /* somebody else's, or anybody can write it, or a link: to be set aside */
	PLACE_REFUSED, /* nothing to be done here: `problem` */
};

struct place {
	enum place_state state;
	const char *path;    /* its folder without symbolic links */
	const char *problem; /* of PLACE_FOREIGN and PLACE_REFUSED: a short sentence */
};

/* Looks at the place, and with `writing` makes a folder that is missing (the last one 0750
 * root:adm, those above 0755). Root uses only what is root's own and not writable by others, folder
 * and files. Everything in the result lives in the arena. */
struct place place_examine(const char *path, bool writing, struct arena *arena);

/* Keeps other writers from opening, beginning or setting aside a history in that folder until the
 * descriptor is closed: sqlite's own locks do not reach over those steps. Waits at most 5 s for
 * another; -1 or a descriptor without the lock mean going on without. */
int place_lock(const char *path, struct arena *arena);

/* Renames the file and its companions to PATH.set-aside-TIME (companions behind that),
 * overwriting nothing. ERR_STORE; *ret_aside is the new name, NULL when only companions were
 * there. Of our own that were set aside so, the newest three are kept. Only of names that end in
 * ".db": whoever mistypes --history must not see another file of his moved away. */
int place_set_aside(const char *path, struct arena *arena, const char **ret_aside,
                    struct err *err) MUST_CHECK;

/* How large the write-ahead log is; 0: none. */
int64_t place_log_bytes(const char *path, struct arena *arena);
/* Who else reads that log right now: "sqlite3 (4711)", or NULL when that cannot be told. */
const char *place_log_holder(const char *path, struct arena *arena);

/* Gives a file that root just created to root:adm, so that group adm may read; best effort. */
void place_share(const char *path);

#endif
