// SPDX-License-Identifier: MIT
/*
 * What a failed mount means, in words that say what to look at next. The client says little: EINVAL
 * of mount.lustre has five causes. The facts are those of the AWS guide to FSx for Lustre and of
 * mount.lustre(8).
 */
#ifndef PROVIDER_MOUNT_EXPLAIN_H
#define PROVIDER_MOUNT_EXPLAIN_H

#include "provider/provider.h"

/* What the complaint of a failed mount (its words, and errno when it is known) means for that type;
 * NULL when there is nothing to add. Pure. */
const char *mount_explain(struct arena *arena, const struct resource *want, const char *complaint,
                          int os);

/* Is it the kind of failure that the network may be behind? Pure. */
bool mount_explain_suspects_network(const struct resource *want, const char *complaint, int os);

/* Asks the ports that a Lustre client needs of its servers (988 and 1018 to 1023), at most 3 s;
 * *ret_words: what was found, in a sentence. */
int mount_explain_network(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_words, struct err *err) MUST_CHECK;

/* What a mount that was not heard of again may have waited for: what a timeout means for that type,
 * and what the network says. *ret_words NULL: nothing is known. */
int mount_explain_silence(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_words, struct err *err) MUST_CHECK;

/* The outcome of a mount that failed with that complaint: FAILED, with what it means and what the
 * network says as detail. */
int mount_explain_failure(struct host *host, const struct resource *want,
                          const struct err *complaint, struct arena *arena,
                          struct applied *ret_applied, struct err *err) MUST_CHECK;

#endif
