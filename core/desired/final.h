// SPDX-License-Identifier: MIT
/*
 * What only the effective state of a node can tell: whether each entry is complete once all layers
 * lie over each other, and whether what came together contradicts itself. May call core/base and
 * core/model.
 */
#ifndef DESIRED_FINAL_H
#define DESIRED_FINAL_H

#include "desired/layer.h"

void final_check(const struct value *state, struct faults *faults);

#endif
