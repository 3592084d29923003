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
    [KIND_SPACE] = &provider_space,
    [KIND_PORT] = &provider_port,
    [KIND_PACKAGE_FILES] = &provider_package_files,
    [KIND_ARCHIVE] = &provider_archive,
    [KIND_RIVAL] = &provider_rival,
    [KIND_BOOT_ENTRY] = &provider_boot_entry,
    [KIND_LOADABLE] = &provider_loadable,
    [KIND_PACKAGE_SOURCE] = &provider_package_source,
    [KIND_CACHED_PACKAGE] = &provider_cached_package,
    [KIND_APT_OPTION] = &provider_apt_option,
    [KIND_DKMS] = &provider_dkms,
    [KIND_REBOOT] = &provider_reboot,
};

void keys_add(struct arena *arena, struct keys *keys, const char *key)
{
	keys->list = arena_grow(arena, keys->list, keys->count, &keys->cap, sizeof *keys->list);
	keys->list[keys->count++] = arena_strdup(arena, key);
}
