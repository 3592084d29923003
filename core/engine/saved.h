// SPDX-License-Identifier: MIT
/* Saved plans: a text bound to digests of tree, policies, facts and the boot id. */
#ifndef ENGINE_SAVED_H
#define ENGINE_SAVED_H

#include "engine/engine.h"

/* Does a plan made just now rest on the same things and show the same changes? ERR_INPUT names what
 * moved. */
int saved_check(struct engine *engine, const struct value *saved, const struct plan *now,
                struct err *err) MUST_CHECK;

#endif
