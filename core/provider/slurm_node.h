// SPDX-License-Identifier: MIT
/*
 * What Slurm says of this node, asked with scontrol(1), which asks the controller: it may be down
 * or silent, so that each question has a deadline. Found by its NodeHostName; its name in Slurm may
 * be another one. For the kinds scheduler and reboot.
 */
#ifndef PROVIDER_SLURM_NODE_H
#define PROVIDER_SLURM_NODE_H

#include "provider/provider.h"

/* What Slurm shows to people begins with our name, as is usual there, so that others know whose it
 * is; of a reboot it goes on with the kernel. */
#define SLURM_LEADER "reconcile:"
#define SLURM_REBOOT SLURM_LEADER " reboot into "

/* How long an observation waits for an answer, at most twice: less than it has itself. */
enum { SLURM_ASK_MS = 2000 };

struct slurm_node {
	const char *scontrol; /* full path */
	const char *name;
	bool drained;
	bool reboots;       /* asked for and not over yet, as Slurm sees it */
	const char *reason; /* without who set it and when; NULL: none */
};

/* All of it in the arena. An error when there is no scontrol, no answer within `timeout_ms`, or the
 * node cannot be found in it: then nothing is known, least of all that the node is free. */
int slurm_node_ask(struct host *host, int timeout_ms, struct arena *arena,
                   struct slurm_node *ret_node, struct err *err) MUST_CHECK;

/* As Slurm prints it, one line for each node; `host_name` is the short one. Pure. ret_node->name is
 * NULL when none of them is on that host. ERR_HOST: several are. */
int slurm_node_parse(const char *text, const char *host_name, struct arena *arena,
                     struct slurm_node *ret_node, struct err *err) MUST_CHECK;

/* Is that the reason that we set for a reboot into `into`, and nothing else? Slurm itself adds to
 * it how far the reboot is. */
bool slurm_node_is_ours(const struct slurm_node *node, const char *into);

/* Why it is not ours to drain and reboot: somebody else keeps it from work, whose word we would
 * take away. NULL: nobody does. */
const char *slurm_node_taken(const struct slurm_node *node, struct arena *arena);

/* Runs it to its end; what it said goes to *ret_said (NULL: nothing). Negative: it did not do
 * well. */
int slurm_node_run(struct host *host, const char *const *argv, int timeout_ms, struct arena *arena,
                   const char **ret_said, struct err *err) MUST_CHECK;

#endif
