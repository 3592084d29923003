// SPDX-License-Identifier: MIT
/* See strmap.h. Open addressing over an array of entry numbers, at most two thirds full. */
#include "base/strmap.h"

#include <stdint.h>
#include <string.h>

struct entry {
	const char *key;
	void *value;
	uint64_t hash;
};

struct strmap {
	struct arena *arena;
	struct entry *entries;
	size_t count, cap;
	uint32_t *slots; /* entry number + 1; 0 = free */
	size_t slot_count;
};

/* FNV-1a, 64 bit, folded once more so that the low bits depend on all of it. */
static uint64_t hash_of(const char *key)
{
	uint64_t h = 14695981039346656037u;

	for (; *key; key++) {
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	}
	return h ^ h >> 32;
}

struct strmap *strmap_create(struct arena *arena)
{
	struct strmap *map = arena_alloc(arena, sizeof *map);

	map->arena = arena;
	return map;
}

static uint32_t *slot_for(const struct strmap *map, const char *key, uint64_t hash)
{
	size_t i = hash & (map->slot_count - 1);

	while (map->slots[i]) {
		const struct entry *e = &map->entries[map->slots[i] - 1];

		if (e->hash == hash && strcmp(e->key, key) == 0) {
			break;
		}
		i = (i + 1) & (map->slot_count - 1);
	}
	return &map->slots[i];
}

static void grow(struct strmap *map)
{
	size_t slots = map->slot_count ? map->slot_count * 2 : 16;

	map->slots = arena_array(map->arena, slots, sizeof *map->slots);
	map->slot_count = slots;
	for (size_t i = 0; i < map->count; i++) {
		*slot_for(map, map->entries[i].key, map->entries[i].hash) = (uint32_t)i + 1;
	}
}

void *strmap_get(const struct strmap *map, const char *key)
{
	if (!map->count) {
		return NULL;
	}
	uint32_t slot = *slot_for(map, key, hash_of(key));

	return slot ? map->entries[slot - 1].value : NULL;
}

void *strmap_put(struct strmap *map, const char *key, void *value)
{
	if ((map->count + 1) * 3 > map->slot_count * 2) {
		grow(map);
	}
	uint64_t hash = hash_of(key);
	uint32_t *slot = slot_for(map, key, hash);

	if (*slot) {
		struct entry *e = &map->entries[*slot - 1];
		void *old = e->value;

		e->value = value;
		return old;
	}
	map->entries =
	    arena_grow(map->arena, map->entries, map->count, &map->cap, sizeof *map->entries);
	map->entries[map->count++] = (struct entry){.key = key, .value = value, .hash = hash};
	*slot = (uint32_t)map->count;
	return NULL;
}

size_t strmap_count(const struct strmap *map)
{
	return map->count;
}

const char *strmap_key(const struct strmap *map, size_t i)
{
	return map->entries[i].key;
}

void *strmap_value(const struct strmap *map, size_t i)
{
	return map->entries[i].value;
}
