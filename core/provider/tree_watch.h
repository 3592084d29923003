// SPDX-License-Identifier: MIT
/*
 * Notices when somebody changes the tree of desired state: its folders state/, state/nodes,
 * state/roles, policies and policies/lib, the tree's own place (a folder or a link that is
 * exchanged), what links on the way there and among its files lead to, /etc/reconcile/node.yaml and
 * PAUSE, and whether somebody wakes us in the run-dir.
 *
 * The tree may lie on a file system that dies, and even inotify_add_watch looks up paths: so a
 * child of its own watches, and the supervisor only hears from it. Before it looks at anything, it
 * is written down, so that whoever comes after a supervisor that was killed knows of it. One that
 * does not answer any more is killed and tried again after a while; one that cannot be killed is
 * recorded like a stuck worker, and no other is started while it is there.
 *
 * Local file systems are watched with inotify. On one of the network (NFS, Lustre, FUSE, ...)
 * inotify only tells of what this very node does: there names, sizes and times are compared every
 * 15 s as well, which asks the servers for attributes and no contents. The child looks anew at
 * where the folders are every 15 s and whenever it is told to, so that one that vanished and came
 * back is seen again.
 */
#ifndef PROVIDER_TREE_WATCH_H
#define PROVIDER_TREE_WATCH_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A file in the run-dir: whoever writes it anew wakes those who watch. */
#define TREE_WATCH_WAKE "wake"

struct tree_watch_options {
	const char *tree;    /* as the operator named it; borrowed until tree_watch_free */
	const char *run_dir; /* for the record of one that hangs; NULL: none */
	int again_ms;        /* between two looks of the child's own; 0: 15 s */
	int patience_ms;     /* beyond that, until it counts as hanging; 0: 10 s */
};

struct tree_watch;

/* Starts the child, and waits at most five seconds until it watches. One that does not is given up:
 * whoever reads the tree then need not hang there as well. */
struct tree_watch *tree_watch_create(const struct tree_watch_options *options);
/* NULL allowed. */
void tree_watch_free(struct tree_watch *watch);

/* What to poll for POLLIN, then call tree_watch_turn; -1: nothing right now. */
int tree_watch_fd(const struct tree_watch *watch);
/* When to call tree_watch_turn at the latest, of clock_ms. */
int64_t tree_watch_due(const struct tree_watch *watch);
/* Hears what the child has to say, and sees to it that there is one. True: the tree may be another
 * one now. */
bool tree_watch_turn(struct tree_watch *watch);
/* The mount table has changed: the folders may be others now. */
void tree_watch_look_again(struct tree_watch *watch);

/* Why changes of the tree are not noticed right now, in words; NULL: they are. */
const char *tree_watch_trouble(const struct tree_watch *watch);

#endif
