// SPDX-License-Identifier: MIT
/*
 * Facts that somebody recorded, and may have shortened: what is always observed together is either
 * all there or is not known. The providers and the doctor rely on that.
 */
#ifndef ENGINE_RECORDING_H
#define ENGINE_RECORDING_H

#include "model/resource.h"

/* The fact as it is, or undetermined, when a field is missing that goes with what it says. */
const struct resource *recording_checked(struct arena *arena, const struct resource *fact);

#endif
