// SPDX-License-Identifier: MIT
/* A grub.cfg and a grubenv: whatever is told of them is among the entries, or is not told. */
#include "fuzz/fuzz.h"

#include "provider/grub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct fuzz_rest rest = {data, size};
	char *config = fuzz_text(arena, &rest), *env = fuzz_text(arena, &rest);
	bool is_default = false;
	struct grub_answer answer;

	if (env) {
		grub_env_value(arena, env, "saved_entry");
	}
	grub_read(arena, config, env, &answer);
	for (size_t i = 0; i < answer.count; i++) {
		const struct grub_entry *entry = &answer.entries[i];

		HOLDS(entry->path && entry->id && entry->release && *entry->release);
		grub_entry_of(&answer, entry->release);
		is_default =
		    is_default || (answer.boot_default && strcmp(entry->release, answer.boot_default) == 0);
	}
	HOLDS(!answer.boot_default || is_default);
	return 0;
}
