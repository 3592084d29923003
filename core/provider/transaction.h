// SPDX-License-Identifier: MIT
/*
 * Running apt-get, dpkg and apt-mark: with their environment, outside of our own control group
 * where that is possible, and never ended by us. A package manager that is killed leaves the node
 * half configured.
 */
#ifndef PROVIDER_TRANSACTION_H
#define PROVIDER_TRANSACTION_H

#include "provider/provider.h"

enum { TRANSACTION_MS = 30 * 60 * 1000 };

/* Options of apt: a source whose packets vanish is given up after half a minute a try, not after
 * two. What was kept on the node waits for that. */
#define TRANSACTION_PATIENCE "-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30"

/* Whether somebody else is at work, as one sentence, or NULL. `manager` may be NULL. */
int transaction_busy(struct host *host, struct arena *arena,
                     struct host_package_manager *ret_manager, const char **ret_busy,
                     struct err *err) MUST_CHECK;

/* What a tool did, in words that outlive its result. */
struct transaction {
	/* CHANGED: it ended well; PENDING: it still runs; BLOCKED: a lock; FAILED. */
	enum outcome outcome;
	const char *why;    /* unless CHANGED */
	const char *detail; /* all it printed, or NULL */
};

/* Runs an argv that changes packages, to its end or until host->patience (TRANSACTION_MS from now,
 * where that says nothing). */
int transaction_run(struct host *host, const struct host_package_manager *manager,
                    const char *const *argv, struct arena *arena,
                    struct transaction *ret_transaction, struct err *err) MUST_CHECK;

/* Runs one that only looks (apt-get -s): *ret_out is what it printed, *ret_why the first
 * complaint when it failed. Within an observation (host->deadline) no longer than that has left;
 * then ERR_LIMIT, so that it is undetermined and nothing is made of it. */
int transaction_ask(struct host *host, const char *const *argv, struct arena *arena, char **ret_out,
                    const char **ret_why, struct err *err) MUST_CHECK;

/* The same, for one that takes its time (a download). */
int transaction_ask_for(struct host *host, const char *const *argv, int timeout_ms,
                        struct arena *arena, char **ret_out, const char **ret_why,
                        struct err *err) MUST_CHECK;

/* Joins what was said before with what is said now; either may be NULL. */
const char *transaction_join(struct arena *arena, const char *before, const char *now);

#endif
