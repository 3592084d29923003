// SPDX-License-Identifier: MIT
/*
 * The entries of a section: fields of a group, keys and fields of a collection, resources of any
 * kind. Checked against the tables, and brought into the shape that layer.h describes. For layer.c
 * only.
 */
#ifndef DESIRED_ENTRIES_H
#define DESIRED_ENTRIES_H

#include "desired/fault.h"
#include "desired/layer.h"

struct entries {
	struct arena *arena;
	struct faults *faults;
	const struct section *section;
};

/* `map`: a map of fields. What is right in it is added to *ret_map. */
void entries_group(struct entries *e, const struct value *map, struct value *ret_map);

/* `written`: a map or list, of a collection or of resources. The entries are added to *ret_map by
 * key. */
void entries_collection(struct entries *e, const struct value *written, struct value *ret_map);

/* "the sections are version, nodes, ...". */
const char *entries_known_sections(struct arena *arena);

#endif
