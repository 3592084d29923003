// SPDX-License-Identifier: MIT
/* What apt tells a hook before it installs. */
#include "fuzz/fuzz.h"

#include "engine/transaction_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct transaction_list list;
	struct err err;

	if (transaction_list_parse(arena_strndup(arena, (const char *)data, size), arena, &list,
	                           &err)) {
		HOLDS(err.code == ERR_INPUT && err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++) {
		HOLDS(*list.list[i].name && list.list[i].architecture);
		transaction_list_release(list.list[i].name);
	}
	return 0;
}
