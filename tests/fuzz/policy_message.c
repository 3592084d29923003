// SPDX-License-Identifier: MIT
/* What a policy's process sends: frames of bytes, and in them (here also as JSON) what it
 * planned. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/wire.h"
#include "policy/reader.h"

enum { PLANNED_MOST = 100 };

static const struct policy_source policy = {
    .name = "test",
    .file = "policies/test.lua",
    .text = "",
};
static const struct policy_set set = {.policies = &policy, .count = 1};

static bool read_value(struct arena *arena, const char *bytes, size_t n, struct value *ret_value)
{
	struct str again = {0};
	struct value twin;
	struct err err;

	if (json_parse(bytes, n, "message", arena, ret_value, &err) == 0) {
		return true;
	}
	if (wire_decode(bytes, n, arena, ret_value, &err)) {
		return false;
	}
	wire_encode(&again, ret_value);
	HOLDS(wire_decode(again.data, again.length, arena, &twin, &err) == 0);
	str_free(&again);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct decision decision = {0};
	struct reader reader = {&set, &policy, PLANNED_MOST, arena, &decision};
	struct value items;
	struct err err;

	if (!read_value(arena, arena_strndup(arena, (const char *)data, size), size, &items)) {
		return 0;
	}
	if (reader_take(&reader, &items, &err)) {
		HOLDS(err.code == ERR_POLICY);
	}
	if (reader_check_handles(&policy, &items, &err)) {
		HOLDS(err.code == ERR_POLICY);
	}
	return 0;
}
