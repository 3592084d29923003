// SPDX-License-Identifier: MIT
/* What the FSx service says of a file system and its associations. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "provider/data_repository.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *text = arena_strndup(arena, (const char *)data, size);
	const struct data_repository want = {.repository = "s3://bucket/data", .file_system = "fs-9"};
	struct data_repository have = {.file_system_path = "/data"};
	struct value value;
	struct err err;

	if (json_parse_foreign(text, size, "answer", arena, &value, &err)) {
		HOLDS(err.text[0]);
		return 0;
	}
	data_repository_take(arena, &value, &want, "10.0.0.1@tcp:/abc/data", &have);
	HOLDS(!have.failure || *have.failure);
	return 0;
}
