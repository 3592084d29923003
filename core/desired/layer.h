// SPDX-License-Identifier: MIT
/*
 * A layer: one file of the tree, checked against the tables of the model and brought into one
 * shape. It lives in the arena of the tree, which also owns the list of layers. May call core/base
 * and core/model.
 *
 * The shape: a sealed map by section. A section of one value is that value, a group a map of its
 * fields. A collection is a map by key whatever it was written as, and each entry a map of fields
 * (without the key). `resources` is a map by KIND:KEY; its entries hold kind and, under the kind's
 * name for it, the key.
 */
#ifndef DESIRED_LAYER_H
#define DESIRED_LAYER_H

#include "desired/desired.h"
#include "desired/fault.h"
#include "model/section.h"

struct layer {
	const struct desired_file *file;
	enum section_place place;
	const char *name; /* of the file without folder and suffix: the role's name */
	struct value state;
};

/* Where a value stands, for messages: section, or section.key; with a field section.key.field. */
struct layer_place {
	const char *section, *key; /* key: NULL for none */
};

/* Fills in file, place and name from the path within the tree; false (and a fault) when desired
 * state has no business there. */
bool layer_place_of(struct arena *arena, const struct desired_file *file, struct faults *faults,
                    struct layer *ret_layer);

/* Checks the root of a file and makes layer->state of what is right in it. `whole`: the file was
 * read to its end, so that what is missing can be told. */
void layer_check(struct arena *arena, const struct value *root, bool whole, struct faults *faults,
                 struct layer *layer);

/* Checks one value against its row. What is wrong is said with its place before it. */
bool layer_check_field(struct layer_place place, const struct field *field,
                       const struct value *value, struct faults *faults);

/* "mounts./fsx.type", in the arena; control characters are spelled out. */
const char *layer_path(struct arena *arena, struct layer_place place, const char *field);

#endif
