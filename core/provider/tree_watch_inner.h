// SPDX-License-Identifier: MIT
/*
 * What the two sides of a tree_watch share: tree_watch.c in the supervisor, tree_watch_child.c in
 * the child. Nobody else includes this.
 *
 * The child sends maps: {over, id} before it touches anything, which says on which mount it is
 * about to look (from the mount table, which never hangs); {changed} after each look. The
 * supervisor sends single bytes: the first lets it begin, each
 * later one means: look again.
 */
#ifndef PROVIDER_TREE_WATCH_INNER_H
#define PROVIDER_TREE_WATCH_INNER_H

#include "provider/tree_watch.h"

struct tree_watch_task {
	const char *tree;    /* absolute */
	const char *run_dir; /* the same; NULL: nobody wakes us there */
	int again_ms;
	const char *const *avoid; /* mounts and paths that others hang on; ends with NULL */
};

/* In the child; context is a struct tree_watch_task. Ends when the socket is closed. */
int tree_watch_child(int fd, void *context);

#endif
