// SPDX-License-Identifier: MIT
/*
 * The sections of the desired state and their field tables: what may stand at the top of a file
 * under state/. Read by the loader, the reference and `show`. No I/O.
 */
#ifndef MODEL_SECTION_H
#define MODEL_SECTION_H

#include "model/kind.h"

enum section_shape {
	SECTION_VALUE,      /* one field: mode: safe */
	SECTION_GROUP,      /* a map with the fields of the table: kernel: {...} */
	SECTION_COLLECTION, /* entries by key, each with the fields of the table: mounts: {/fsx: {...}};
	                     * may be written as a list of keys, or of maps with the key inside */
	SECTION_RESOURCES,  /* a list of resources of any kind: resources: [{kind: file, path: ...}] */
};

enum section_place { IN_DEFAULTS = 1, IN_ROLE = 2, IN_NODE = 4, ANYWHERE = 7 };

struct section {
	const char *name;
	enum section_shape shape;
	unsigned places;      /* in which files it may stand */
	const char *key_name; /* of a collection: what the key is, "name", "path" */
	enum field_format key_format;
	const struct field *fields; /* SECTION_VALUE: exactly one */
	size_t field_count;
	const char *help;
	bool for_policies; /* a policy must handle it; the others are the engine's own */
};

extern const struct section section_table[];
extern const size_t section_count;

const struct section *section_find(const char *name);
const char *section_nearest(const char *name);

#endif
