// SPDX-License-Identifier: MIT
/* See fault_host.h. */
#include "fake/fault_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned n, calls, names_read;
	enum fault_when when;
	const char *hit;
} fault;

static bool is_hit(const char *name)
{
	if (++fault.calls != fault.n || fault.when == FAULT_NEVER) {
		return false;
	}
	fault.hit = name;
	return true;
}

static int blow(const char *name, struct err *err)
{
	return err_set(err, ERR_HOST, EIO, "injected fault in %s", name);
}

/* Carries the operation out and then, if it is the n-th, forgets that it went well. */
#define OPERATION(name, parameters, ...)                     \
	static int name parameters                               \
	{                                                        \
		bool hit = is_hit(#name);                            \
                                                             \
		if (hit && fault.when == FAULT_BEFORE) {             \
			return blow(#name, err);                         \
		}                                                    \
		int r = host_linux_ops.name(host, __VA_ARGS__, err); \
                                                             \
		return r ? r : hit ? blow(#name, err) : 0;           \
	}

OPERATION(look, (struct host * host, const char *path, struct file_look *ret, struct err *err),
          path, ret)
OPERATION(list,
          (struct host * host, const char *path, struct arena *arena, struct file_names *ret,
           struct err *err),
          path, arena, ret)
OPERATION(write,
          (struct host * host, const char *path, const struct file_write *write_, struct err *err),
          path, write_)
OPERATION(make_directory, (struct host * host, const char *path, unsigned mode, struct err *err),
          path, mode)
OPERATION(set_mode, (struct host * host, const char *path, unsigned mode, struct err *err), path,
          mode)
OPERATION(set_owner,
          (struct host * host, const char *path, unsigned uid, unsigned gid, struct err *err), path,
          uid, gid)
OPERATION(remove_file, (struct host * host, const char *path, struct err *err), path)
OPERATION(remove_directory, (struct host * host, const char *path, struct err *err), path)
OPERATION(mounts, (struct host * host, const struct mount_table **ret, struct err *err), ret)
OPERATION(mount, (struct host * host, const struct mount_request *request, struct err *err),
          request)
OPERATION(remount, (struct host * host, const struct mount_request *request, struct err *err),
          request)
OPERATION(unmount, (struct host * host, const char *target, struct err *err), target)
OPERATION(fstab, (struct host * host, const struct fstab **ret, struct err *err), ret)
OPERATION(space, (struct host * host, const char *target, struct host_space *ret, struct err *err),
          target, ret)
OPERATION(ports,
          (struct host * host, const char *address, struct port_query *queries, size_t n,
           int timeout_ms, struct err *err),
          address, queries, n, timeout_ms)
OPERATION(fstab_put, (struct host * host, const struct fstab_line *line, struct err *err), line)
OPERATION(fstab_remove, (struct host * host, const char *target, struct err *err), target)
OPERATION(module,
          (struct host * host, const char *name, bool whole, struct host_module *ret,
           struct err *err),
          name, whole, ret)
OPERATION(loadable,
          (struct host * host, const char *name, const char *release, struct host_loadable *ret,
           struct err *err),
          name, release, ret)
OPERATION(module_load,
          (struct host * host, const struct module_request *request, struct module_done *ret,
           struct err *err),
          request, ret)
OPERATION(module_unload,
          (struct host * host, const char *name, struct module_done *ret, struct err *err), name,
          ret)
OPERATION(package,
          (struct host * host, const char *name, struct host_package *ret, struct err *err), name,
          ret)
OPERATION(candidate,
          (struct host * host, const char *name, struct host_candidate *ret, struct err *err), name,
          ret)
OPERATION(package_index_age, (struct host * host, int64_t *ret, struct err *err), ret)
OPERATION(package_list, (struct host * host, struct list *ret, struct err *err), ret)
OPERATION(package_manager, (struct host * host, struct host_package_manager *ret, struct err *err),
          ret)

/* Of the names of processes only the first that is read can fail: else it would depend on how much
 * runs on this machine how long a sweep takes. */
static bool is_read_hit(const char *path)
{
	unsigned pid;
	int end = 0;

	if (sscanf(path, "/proc/%u/comm%n", &pid, &end) == 1 && end && !path[end] &&
	    fault.names_read++) {
		return false;
	}
	return is_hit("read");
}

static int read(struct host *host, const char *path, size_t most, struct arena *arena,
                struct file_bytes *ret, struct err *err)
{
	bool hit = is_read_hit(path);

	if (hit && fault.when == FAULT_BEFORE) {
		return blow("read", err);
	}
	int r = host_linux_ops.read(host, path, most, arena, ret, err);

	return r ? r : hit ? blow("read", err) : 0;
}

/* A result that nobody is told of would never be freed. */
static int run(struct host *host, const struct child_command *command, struct child_result *ret,
               struct err *err)
{
	struct child_result result;
	bool hit = is_hit("run");

	if (hit && fault.when == FAULT_BEFORE) {
		return blow("run", err);
	}
	int r = host_linux_ops.run(host, command, &result, err);

	if (!r && hit) {
		child_result_free(&result);
		return blow("run", err);
	}
	if (!r) {
		*ret = result;
	}
	return r;
}

static const struct host_ops table = {
    .look = look,
    .read = read,
    .list = list,
    .write = write,
    .make_directory = make_directory,
    .set_mode = set_mode,
    .set_owner = set_owner,
    .remove_file = remove_file,
    .remove_directory = remove_directory,
    .mounts = mounts,
    .mount = mount,
    .remount = remount,
    .unmount = unmount,
    .fstab = fstab,
    .space = space,
    .ports = ports,
    .fstab_put = fstab_put,
    .fstab_remove = fstab_remove,
    .module = module,
    .loadable = loadable,
    .module_load = module_load,
    .module_unload = module_unload,
    .package = package,
    .candidate = candidate,
    .package_index_age = package_index_age,
    .package_list = package_list,
    .package_manager = package_manager,
    .run = run,
};

const struct host_ops *fault_host_table(unsigned n, enum fault_when when)
{
	fault.n = n;
	fault.calls = 0;
	fault.names_read = 0;
	fault.when = when;
	fault.hit = NULL;
	return &table;
}

unsigned fault_host_calls(void)
{
	return fault.calls;
}

const char *fault_host_hit(void)
{
	return fault.hit;
}

bool fault_host_reads(void)
{
	static const char *const names[] = {
	    "look",         "read",
	    "list",         "mounts",
	    "fstab",        "space",
	    "ports",        "module",
	    "loadable",     "package",
	    "candidate",    "package_index_age",
	    "package_list", "package_manager",
	};

	for (size_t i = 0; fault.hit && i < ARRAY_LEN(names); i++) {
		if (strcmp(fault.hit, names[i]) == 0) {
			return true;
		}
	}
	return false;
}
