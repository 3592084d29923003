// SPDX-License-Identifier: MIT
/* See provider.h: kind to provider. A new kind adds one row here. */
#include "provider/table.h"

const struct provider *const provider_table[KIND_COUNT] = {
    [KIND_NODE] = &provider_node,
    [KIND_KERNEL] = &provider_kernel,
    [KIND_SCHEDULER] = &provider_scheduler,
    [KIND_FILESYSTEM] = &provider_filesystem,
    [KIND_CANDIDATE] = &provider_candidate,
    [KIND_PACKAGE_INDEX] = &provider_package_index,
    [KIND_HOLD] = &provider_hold,
    [KIND_PACKAGE] = &provider_package,
    [KIND_MODULE] = &provider_module,
    [KIND_DIRECTORY] = &provider_directory,
    [KIND_MOUNT] = &provider_mount,
    [KIND_FILE] = &provider_file,
    [KIND_DATA_REPOSITORY] = &provider_data_repository,
    [KIND_SERVICE] = &provider_service,
    [KIND_COMMAND] = &provider_command,
};

void keys_add(struct arena *arena, struct keys *keys, const char *key)
{
	keys->list = arena_grow(arena, keys->list, keys->count, &keys->cap, sizeof *keys->list);
	keys->list[keys->count++] = arena_strdup(arena, key);
}
