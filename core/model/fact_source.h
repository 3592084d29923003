// SPDX-License-Identifier: MIT
/*
 * Where facts come from: the live node, a recording, or a paper overlay of predicted changes. The
 * engine makes one; the policy room and the planner only call it. Facts that come out live in the
 * source.
 */
#ifndef MODEL_FACT_SOURCE_H
#define MODEL_FACT_SOURCE_H

#include "model/resource.h"

struct fact_source {
	/* One observed resource; never NULL on success (it may be absent or undetermined). Errors are
	 * for what ends the run (no worker can be started at all), not for what one fact could not
	 * tell. */
	int (*get)(struct fact_source *self, const struct kind *kind, const char *key,
	           const struct resource **ret_fact, struct err *err);
};

#endif
