// SPDX-License-Identifier: MIT
/* See package_repair.h. */
#include "provider/package_repair.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>

enum { NAMES_SHOWN = 6 };

const char *const package_repair_argv[] = {
    "dpkg", "--force-confdef", "--force-confold", "--configure", "-a", NULL};

const char *package_repair_names(struct arena *arena, const struct list *names)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++) {
		str_addf(&text, "%s%s", i ? ", " : "", names->items[i]);
	}
	if (names->count > NAMES_SHOWN) {
		str_addf(&text, " and %zu more", names->count - NAMES_SHOWN);
	}
	return arena_strdup(arena, str_text(&text));
}

static bool is_finished_by_dpkg(const struct host_package *package)
{
	return package->known && !text_equal(package->status, "half-installed") &&
	       !text_equal(package->flag, "reinstreq");
}

int package_repair_find(struct host *host, const struct host_package_manager *manager,
                        const char *key, bool tried, const char **ret_repair, struct err *err)
{
	struct list waiting = {0};
	size_t cap = 0;

	for (size_t i = 0; i < manager->unconfigured.count; i++) {
		const char *name = manager->unconfigured.items[i];
		struct host_package package;

		if (host->ops->package(host, name, &package, err)) {
			return -(int)err->code;
		}
		if (is_finished_by_dpkg(&package) && (!tried || strcmp(name, key) == 0)) {
			lines_add(host->arena, &waiting, &cap, name);
		}
	}
	*ret_repair = waiting.count          ? arena_printf(host->arena, "not configured: %s",
	                                                    package_repair_names(host->arena, &waiting))
	              : manager->interrupted ? "dpkg was interrupted"
	                                     : NULL;
	return 0;
}
