// SPDX-License-Identifier: MIT
/*
 * Names of hosts to addresses, bounded in time: a resolver that does not answer must not take the
 * observation of a mount with it. Runs in a worker. Results live in the arena.
 */
#ifndef PROVIDER_RESOLVE_H
#define PROVIDER_RESOLVE_H

#include "provider/provider.h"

/* The addresses of a host, as the system's own resolver has them (getent(1), "ahosts"); an address
 * is its own. 0 with an empty list and *ret_why: there are none, or nobody answers. */
int resolve_host(struct host *host, const char *name, struct arena *arena, struct list *ret_list,
                 const char **ret_why, struct err *err) MUST_CHECK;

/* A source of the types lustre and nfs with each host name replaced by its addresses; NULL when one
 * of them cannot be resolved, or there is none. */
int resolve_source(struct host *host, const char *source, const char *type, struct arena *arena,
                   const char **ret_source, struct err *err) MUST_CHECK;

#endif
