// SPDX-License-Identifier: MIT
/* Diff as a pure function of two resources of one kind. */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include "model/resource.h"

/* One field that is not as wanted. Texts are for people and history; secrets appear as a digest. */
struct difference {
	const char *field;     /* row name, or "state" */
	const char *from, *to; /* from: NULL when nothing was there */
};

struct differences {
	struct difference *list;
	size_t count, cap;
};

void differences_add(struct arena *arena, struct differences *differences, const char *field,
                     const char *from, const char *to);

/* Every field of `want` that is set, compared and not satisfied by `have`. Both determined; when
 * exactly one is absent the only difference is "state". */
void compare_resources(struct arena *arena, const struct resource *want,
                       const struct resource *have, struct differences *ret_differences);

/* Is `have` good enough for `want` under the row's match rule? Unset wants always are. */
bool compare_field(const struct field *field, const struct resource *want,
                   const struct resource *have);

/* The field's value as a short text for people: lists joined by commas, secrets and contents as
 * size and digest, "" for unset. */
const char *compare_show(struct arena *arena, const struct field *field, const struct resource *r);

#endif
