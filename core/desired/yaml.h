// SPDX-License-Identifier: MIT
/*
 * YAML to a plain value in which everything knows where it was written. The only file with
 * libyaml.
 *
 * What is read is a small part of YAML 1.1: one document, maps with text keys, lists, scalars.
 * Anchors, aliases, tags, merge keys, null words and duplicate keys are faults, and reading goes
 * on behind them; after a directive, a level or value too many and a fault of syntax it does not.
 * Plain scalars: only true and false are truths, only decimal whole numbers (no sign but -, no
 * leading zero, within 64 bits) are numbers, an empty one is a null; everything else is text. May
 * call core/base.
 */
#ifndef DESIRED_YAML_H
#define DESIRED_YAML_H

#include "desired/desired.h"
#include "desired/fault.h"

enum {
	YAML_DEPTH = 32,       /* levels of maps and lists */
	YAML_VALUES = 1000000, /* values in one file */
};

/* Reads a text that source_check() accepts. NULL when there is no document to speak of. Else the
 * root (not sealed, keys in the order of the file), in `arena`; *ret_whole is false when reading
 * had to stop: only those entries of the root map are there that were read to their end. */
const struct value *yaml_read(struct arena *arena, const struct desired_file *file,
                              struct faults *faults, bool *ret_whole);

#endif
