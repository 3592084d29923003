// SPDX-License-Identifier: MIT
/* Kind boot_entry, a fact: what there is of one kernel release, whether it could boot, and who
 * brought it. */
#include "provider/boot_files.h"
#include "provider/boot_loader.h"
#include "provider/boot_origin.h"
#include "provider/metapackages.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

/* Only of a boot loader whose menu was read can something be said to be missing in it. */
static const char *fault_of(struct arena *arena, const struct boot_loader *loader,
                            const struct boot_files *files, const char *release)
{
	if (files->fault || !loader->name || !loader->count || boot_loader_choice(loader, release)) {
		return files->fault;
	}
	return arena_printf(arena, "it has no entry in the menu of %s", loader->name);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_BOOT_ENTRY], key);
	struct boot_entry *entry = &have->boot_entry;
	struct boot_loader loader;
	struct boot_origin origin;
	struct boot_files files;
	struct utsname names;

	(void)want;
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	if (boot_files_find(host, key, names.release, arena, &files, err) ||
	    boot_loader_read(host, arena, &loader, err) ||
	    metapackages_of_release(host, key, arena, &entry->packages, err)) {
		return -(int)err->code;
	}
	const struct boot_choice *choice = boot_loader_choice(&loader, key);

	*ret_have = have;
	if (!files.image && !choice && !entry->packages.count) {
		have->state = STATE_ABSENT;
		return 0;
	}
	if (boot_origin_find(host, key, arena, &origin, err)) {
		return -(int)err->code;
	}
	entry->entry = choice ? choice->path : NULL;
	entry->image = files.image;
	entry->initrd = files.initrd;
	entry->installed = origin.installed;
	entry->brought = origin.brought;
	entry->incomplete = fault_of(arena, &loader, &files, key);
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct list releases;

	if (boot_files_releases(host, arena, &releases, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < releases.count; i++) {
		keys_add(arena, ret_keys, releases.items[i]);
	}
	return 0;
}

const struct provider provider_boot_entry = {
    .kind = KIND_BOOT_ENTRY,
    .observe = observe,
    .list = list,
};
