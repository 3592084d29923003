// SPDX-License-Identifier: MIT
/* Recorded facts: what was taken can be recorded again, and reads the same then. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "engine/facts.h"

static bool read_facts(struct arena *arena, const char *text, size_t n, struct str *ret_json)
{
	struct strmap *map;
	struct err err;

	if (facts_parse(text, n, "facts.json", arena, &map, &err)) {
		HOLDS(err.text[0]);
		return false;
	}
	size_t count = strmap_count(map);
	const struct resource **facts = arena_array(arena, count, sizeof *facts);

	for (size_t i = 0; i < count; i++) {
		facts[i] = strmap_value(map, i);
	}
	struct value document = facts_document(arena, facts, count);

	json_print(ret_json, &document, 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str first = {0}, second = {0};

	if (read_facts(arena, arena_strndup(arena, (const char *)data, size), size, &first)) {
		HOLDS(read_facts(arena, first.data, first.length, &second));
		HOLDS(strcmp(first.data, second.data) == 0);
	}
	return 0;
}
