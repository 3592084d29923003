// SPDX-License-Identifier: MIT
/* The kernel's mount table, and rows that come later. */
#include "fuzz/fuzz.h"

#include "host/mount_table.h"

static void look_at(const struct mount_table *table)
{
	for (size_t i = 0; i < mount_table_count(table); i++) {
		const struct mount_row *row = mount_table_row(table, i);

		mount_table_at(table, row->target);
		mount_table_over(table, row->target);
		mount_table_trigger_over(table, row->target, true);
		for (size_t k = 0; k < row->options.count; k++) {
			HOLDS(row->options.items[k]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct fuzz_rest rest = {data, size};
	struct mount_table *table;
	struct err err;

	if (mount_table_parse(fuzz_text(arena, &rest), arena, &table, &err)) {
		HOLDS(err.text[0]);
		return 0;
	}
	look_at(table);
	char *more = fuzz_text(arena, &rest);

	if (more && mount_table_extend(table, more)) {
		look_at(table);
	}
	return 0;
}
