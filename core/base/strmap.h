// SPDX-License-Identifier: MIT
/*
 * A table from text to pointer, so that nothing that grows with the size of a tree is quadratic.
 * Entries keep the order in which they were added. Lives in the arena it was made in; keys are
 * borrowed and must live as long as the table.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/mem.h"

struct strmap;

struct strmap *strmap_create(struct arena *arena);
void *strmap_get(const struct strmap *map, const char *key); /* NULL: not there */
/* Adds or replaces; returns what stood there before, or NULL. */
void *strmap_put(struct strmap *map, const char *key, void *value);
size_t strmap_count(const struct strmap *map);
/* The i-th entry in the order of adding. */
const char *strmap_key(const struct strmap *map, size_t i);
void *strmap_value(const struct strmap *map, size_t i);

#endif
