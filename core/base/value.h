// SPDX-License-Identifier: MIT
/*
 * A plain value: what YAML, JSON, a Lua table and a message between our processes have in common.
 *
 * A value and all it holds live in one arena. Strings hold no NUL and are UTF-8. Maps have text
 * keys; they are kept sorted by the bytes of their keys once value_seal() was called on them (every
 * reader in this program hands out sealed maps), which makes look-ups fast and every print of them
 * the same.
 */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum value_type { VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_STRING, VALUE_LIST, VALUE_MAP };

struct value {
	enum value_type type;
	bool quoted;       /* of a YAML scalar: it stood in quotes */
	bool sealed;       /* of a map: sorted */
	struct pos at;     /* where it was written, if anywhere */
	size_t count, cap; /* of a list or map */
	union {
		bool boolean;
		int64_t integer;
		const char *string;
		struct value *items;
		struct value_entry *entries;
	};
};

struct value_entry {
	const char *key;
	struct pos key_at;
	struct value value;
};

const char *value_type_name(enum value_type type); /* "a list", "text", ... for messages */

/* Makers. Text is borrowed: copy it into the arena first where it does not live long enough. */
struct value value_null(void);
struct value value_bool(bool boolean);
struct value value_int(int64_t integer);
struct value value_string(const char *text); /* NULL makes null */
struct value value_list(void);
struct value value_map(void);

/* Adds to a list or map in `arena`; returns where the item now lies (valid until the next add). A
 * key is borrowed and must not be in the map yet. */
struct value *value_append(struct arena *arena, struct value *list, struct value item);
struct value *value_put(struct arena *arena, struct value *map, const char *key, struct value item);
/* As value_put, but replaces an entry of that key. */
struct value *value_set(struct arena *arena, struct value *map, const char *key, struct value item);

/* Sorts a map by key, and every map below it (lists keep their order). */
void value_seal(struct value *value);

/* The entry or item, NULL when `map` is no map or has no such key. */
const struct value_entry *value_entry(const struct value *map, const char *key);
const struct value *value_get(const struct value *map, const char *key);
/* The text of a string entry, or NULL. */
const char *value_text(const struct value *map, const char *key);
/* The number of an integer entry, or `otherwise`. */
int64_t value_number(const struct value *map, const char *key, int64_t otherwise);
/* The truth of a boolean entry, or `otherwise`. */
bool value_truth(const struct value *map, const char *key, bool otherwise);

/* Same type and content; positions and quoting do not count. */
bool value_equal(const struct value *a, const struct value *b);
/* Deep copy into `arena`, keys and texts included; file names of positions stay borrowed. */
struct value value_copy(struct arena *arena, const struct value *value);

#endif
