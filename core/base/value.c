// SPDX-License-Identifier: MIT
/* See value.h. */
#include "base/value.h"

#include <stdlib.h>
#include <string.h>

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
	    [VALUE_NULL] = "nothing", [VALUE_BOOL] = "true or false", [VALUE_INT] = "a whole number",
	    [VALUE_STRING] = "text",  [VALUE_LIST] = "a list",        [VALUE_MAP] = "a map",
	};

	return names[type];
}

struct value value_null(void)
{
	return (struct value){.type = VALUE_NULL};
}

struct value value_bool(bool boolean)
{
	return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

struct value value_int(int64_t integer)
{
	return (struct value){.type = VALUE_INT, .integer = integer};
}

struct value value_string(const char *text)
{
	return text ? (struct value){.type = VALUE_STRING, .string = text} : value_null();
}

struct value value_list(void)
{
	return (struct value){.type = VALUE_LIST};
}

struct value value_map(void)
{
	return (struct value){.type = VALUE_MAP};
}

struct value *value_append(struct arena *arena, struct value *list, struct value item)
{
	list->items = arena_grow(arena, list->items, list->count, &list->cap, sizeof *list->items);
	list->items[list->count] = item;
	return &list->items[list->count++];
}

struct value *value_put(struct arena *arena, struct value *map, const char *key, struct value item)
{
	map->entries = arena_grow(arena, map->entries, map->count, &map->cap, sizeof *map->entries);
	map->entries[map->count] = (struct value_entry){.key = key, .key_at = item.at, .value = item};
	map->sealed = false;
	return &map->entries[map->count++].value;
}

struct value *value_set(struct arena *arena, struct value *map, const char *key, struct value item)
{
	const struct value_entry *found = value_entry(map, key);

	if (!found) {
		return value_put(arena, map, key, item);
	}
	struct value_entry *entry = &map->entries[found - map->entries];

	entry->key_at = item.at;
	entry->value = item;
	return &entry->value;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct value_entry *)a)->key, ((const struct value_entry *)b)->key);
}

void value_seal(struct value *value)
{
	if (value->type == VALUE_LIST) {
		for (size_t i = 0; i < value->count; i++) {
			value_seal(&value->items[i]);
		}
	}
	if (value->type != VALUE_MAP) {
		return;
	}
	if (!value->sealed && value->count) {
		qsort(value->entries, value->count, sizeof *value->entries, by_key);
	}
	value->sealed = true;
	for (size_t i = 0; i < value->count; i++) {
		value_seal(&value->entries[i].value);
	}
}

const struct value_entry *value_entry(const struct value *map, const char *key)
{
	if (!map || map->type != VALUE_MAP || !map->count) {
		return NULL;
	}
	if (map->sealed) {
		const struct value_entry wanted = {.key = key};

		return bsearch(&wanted, map->entries, map->count, sizeof *map->entries, by_key);
	}
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->entries[i].key, key) == 0) {
			return &map->entries[i];
		}
	}
	return NULL;
}

const struct value *value_get(const struct value *map, const char *key)
{
	const struct value_entry *entry = value_entry(map, key);

	return entry ? &entry->value : NULL;
}

const char *value_text(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);

	return v && v->type == VALUE_STRING ? v->string : NULL;
}

int64_t value_number(const struct value *map, const char *key, int64_t otherwise)
{
	const struct value *v = value_get(map, key);

	return v && v->type == VALUE_INT ? v->integer : otherwise;
}

bool value_truth(const struct value *map, const char *key, bool otherwise)
{
	const struct value *v = value_get(map, key);

	return v && v->type == VALUE_BOOL ? v->boolean : otherwise;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct value *other = value_get(b, a->entries[i].key);

		if (!other || !value_equal(&a->entries[i].value, other)) {
			return false;
		}
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_STRING:
		return strcmp(a->string, b->string) == 0;
	case VALUE_LIST:
		for (size_t i = 0; a->count == b->count && i < a->count; i++) {
			if (!value_equal(&a->items[i], &b->items[i])) {
				return false;
			}
		}
		return a->count == b->count;
	case VALUE_MAP:
		return a->count == b->count && maps_equal(a, b);
	}
	return false;
}

struct value value_copy(struct arena *arena, const struct value *value)
{
	struct value copy = *value;

	if (value->type == VALUE_STRING) {
		copy.string = arena_strdup(arena, value->string);
	} else if (value->type == VALUE_LIST) {
		copy.cap = value->count;
		copy.items = arena_array(arena, value->count, sizeof *copy.items);
		for (size_t i = 0; i < value->count; i++) {
			copy.items[i] = value_copy(arena, &value->items[i]);
		}
	} else if (value->type == VALUE_MAP) {
		copy.cap = value->count;
		copy.entries = arena_array(arena, value->count, sizeof *copy.entries);
		for (size_t i = 0; i < value->count; i++) {
			const struct value_entry *e = &value->entries[i];

			copy.entries[i] = (struct value_entry){
			    .key = arena_strdup(arena, e->key),
			    .key_at = e->key_at,
			    .value = value_copy(arena, &e->value),
			};
		}
	}
	return copy;
}
