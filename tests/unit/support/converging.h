// SPDX-License-Identifier: MIT
/* One resource, converged as the engine does it but in this process, and swept with faults. */
#ifndef SUPPORT_CONVERGING_H
#define SUPPORT_CONVERGING_H

#include "fake/fault_host.h"
#include "provider/converge.h"

/* A wanted resource from JSON, completed; the test fails when it is faulty. */
struct resource *converging_want(struct arena *arena, const char *json);

/* Observed now, by the real machine. */
const struct resource *converging_observe(struct arena *arena, const struct resource *want);
struct verdict converging_diff(struct arena *arena, const struct resource *want);

/* Observes, compares and applies: the outcome as the engine would see it after verifying. KEPT when
 * nothing was to do. *ret_why (may be NULL) gets the reason. */
enum outcome converging_apply(struct arena *arena, const struct host_ops *ops,
                              const struct resource *want, const char **ret_why);
/* Converges with the real machine, and once more: the second time nothing is to do, and what `path`
 * (may be NULL) names was not touched. */
void converging_twice(struct arena *arena, const struct resource *want, const char *path);

/* For n = 1, 2, ...: `reset` makes the wrong state, the n-th host call fails, a rerun without the
 * fault converges, a third run changes nothing. Both kinds of fault, the second only in calls that
 * change something. */
void converging_sweep(const char *json, void (*reset)(void), const char *path);

#endif
