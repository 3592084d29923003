// SPDX-License-Identifier: MIT
/*
 * The two sides of a worker's socket (worker.c asks, worker_child.c answers) and what they share.
 *
 * A request is a map with `op`; for each thing that was asked for one value comes back, in order,
 * as soon as it is known, so that whoever waits knows which one hangs. An error comes back as
 * {error, os, text}. Where a program had to be left running, it comes as {answer, left: [{pid,
 * starttime}]}.
 */
#ifndef PROVIDER_WORKER_INNER_H
#define PROVIDER_WORKER_INNER_H

#include "base/wire.h"
#include "provider/worker.h"

/* In the child: serves requests until the socket is closed. The context: struct
 * worker_options, or NULL. */
int worker_child(int fd, void *context);

/* Texts of the machine may be any bytes, those of a message are UTF-8 without NUL. A tree's files
 * must arrive as they are: each byte above 7 bits, and NUL, travels as a code point of its own. */
const char *worker_pack(struct arena *arena, const char *bytes, size_t n);
/* NULL when it is nothing that worker_pack made. */
const char *worker_unpack(struct arena *arena, const char *packed, size_t *ret_n);

struct value worker_error(struct arena *arena, const struct err *err);
/* If the answer is an error: sets *err and returns its code, else 0. */
int worker_error_of(const struct value *answer, struct err *err);

#define TREE_IS_REMOTE "" /* path of a file that is none: the tree lies on a network file system */
struct tree_sink {
	int (*take)(void *context, const struct tree_file *file, struct err *err);
	void *context;
};
/* tree.c: reads the tree in `dir` (absolute) file by file; `shown` is how the operator named it. */
int tree_read(const char *dir, const char *shown, bool trusted, const struct tree_sink *sink,
              struct err *err) MUST_CHECK;

#endif
