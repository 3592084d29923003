// SPDX-License-Identifier: MIT
/*
 * The only caller of provider_table: supplies the defaults, checks the contract, wraps errors with
 * the resource's id. The pure half may be called by the engine; the half with a host runs in a
 * worker.
 */
#ifndef PROVIDER_CONVERGE_H
#define PROVIDER_CONVERGE_H

#include "provider/provider.h"

/* Pure. */
int converge_check(const struct resource *want, struct err *err) MUST_CHECK;
void converge_diff(struct arena *arena, const struct resource *want, const struct resource *have,
                   struct verdict *ret_verdict);
/* The default: the field table compares, and the states say whether to create, update or remove.
 * For a provider's own diff, when it has nothing to add. */
void converge_diff_fields(struct arena *arena, const struct resource *want,
                          const struct resource *have, struct verdict *verdict);
void converge_needs(struct arena *arena, const struct resource *want, struct keys *ret_ids);
const struct resource *converge_predict(struct arena *arena, const struct change *change,
                                        bool *ret_exact);

/* In a worker. */
int converge_observe(struct host *host, const struct kind *kind, const char *key,
                     const struct resource *want, struct arena *arena, struct resource **ret_have,
                     struct err *err) MUST_CHECK;
int converge_list(struct host *host, const struct kind *kind, struct arena *arena,
                  struct keys *ret_keys, struct err *err) MUST_CHECK;
int converge_apply(struct host *host, const struct change *change, struct arena *arena,
                   struct applied *ret_applied, struct err *err) MUST_CHECK;

#endif
