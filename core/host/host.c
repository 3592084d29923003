// SPDX-License-Identifier: MIT
/* See host.h. The table of the real machine, and the life of what was read from it. */
#include "base/clock.h"
#include "host/host_inner.h"

#include <stdlib.h>

void host_init(struct host *host, const struct host_ops *ops, struct arena *arena)
{
	*host = (struct host){.ops = ops, .arena = arena};
}

struct host_cache *host_cache_of(struct host *host)
{
	if (!host->cache) {
		host->cache = mem_alloc(sizeof *host->cache);
		*host->cache = (struct host_cache){0};
	}
	return host->cache;
}

int host_patience(const struct host *host, int timeout_ms)
{
	int64_t left = host->deadline ? clock_left(host->deadline) : timeout_ms;

	return left >= timeout_ms ? timeout_ms : left > 0 ? (int)left : 1;
}

void host_forget(struct host *host)
{
	struct host_cache *cache = host->cache;

	if (!cache) {
		return;
	}
	/* The kernel says whether the mount table moved: reading 10000 rows again for nothing would
	 * make a run over as many mounts quadratic. */
	mounts_revalidate(cache);
	fstab_forget(cache);
	modules_forget(cache);
	packages_forget(cache);
}

void host_done(struct host *host)
{
	if (host->cache) {
		host_forget(host);
		mounts_forget(host->cache);
		free(host->cache);
	}
	*host = (struct host){0};
}

static int run(struct host *host, const struct child_command *command,
               struct child_result *ret_result, struct err *err)
{
	(void)host;
	return child_run(command, ret_result, err);
}

const struct host_ops host_linux_ops = {
    .look = files_look,
    .read = files_read,
    .list = files_list,
    .write = files_write,
    .make_directory = files_make_directory,
    .set_mode = files_set_mode,
    .set_owner = files_set_owner,
    .remove_file = files_remove_file,
    .remove_directory = files_remove_directory,
    .mounts = mounts_read,
    .mount = mounts_mount,
    .remount = mounts_remount,
    .unmount = mounts_unmount,
    .fstab = fstab_read,
    .space = space_read,
    .ports = ports_ask,
    .fstab_put = fstab_put,
    .fstab_remove = fstab_remove,
    .module = modules_look,
    .loadable = modules_loadable,
    .module_load = modules_load,
    .module_unload = modules_load_undo,
    .package = packages_look,
    .candidate = packages_candidate,
    .package_index_age = packages_index_age,
    .package_list = packages_list,
    .package_manager = packages_manager,
    .run = run,
};
