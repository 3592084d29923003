// SPDX-License-Identifier: MIT
/*
 * The machine, as a table of operations: the only door to it. Providers call host->ops->x(host,
 * ...); host_linux_ops is the real machine; the fault sweep puts a table in front that fails the
 * n-th call.
 *
 * A host lives in one worker process and may block there: whoever calls it has a deadline outside.
 * What it read (mount table, fstab, package database) is kept until host_forget() or until an
 * operation of ours changed it. Results live in host->arena unless an arena is passed.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/child.h"
#include "host/files.h"
#include "host/fstab.h"
#include "host/modules.h"
#include "host/mounts.h"
#include "host/packages.h"
#include "host/ports.h"
#include "host/space.h"

struct host_cache;

struct host {
	const struct host_ops *ops;
	struct arena *arena;
	struct host_cache *cache; /* of host_linux_ops; NULL until first used */
	int look_ms;              /* how long one look may take; 0: no word */
	int64_t deadline;         /* clock_ms() at which what is looked at now must be told; 0: none */
	int64_t patience; /* clock_ms() until which a package manager is waited for; 0: no word */
};

struct host_ops {
	/* Files. Paths are absolute and normal. None of them follows a link at the last step. */
	int (*look)(struct host *, const char *path, struct file_look *ret_look, struct err *);
	int (*read)(struct host *, const char *path, size_t most, struct arena *,
	            struct file_bytes *ret_bytes, struct err *);
	int (*list)(struct host *, const char *path, struct arena *, struct file_names *ret_names,
	            struct err *);
	int (*write)(struct host *, const char *path, const struct file_write *, struct err *);
	int (*make_directory)(struct host *, const char *path, unsigned mode, struct err *);
	int (*set_mode)(struct host *, const char *path, unsigned mode, struct err *);
	int (*set_owner)(struct host *, const char *path, unsigned uid, unsigned gid, struct err *);
	int (*remove_file)(struct host *, const char *path, struct err *);
	int (*remove_directory)(struct host *, const char *path, struct err *);

	/* Mounts: what is live, and fstab. */
	int (*mounts)(struct host *, const struct mount_table **ret_table, struct err *);
	int (*mount)(struct host *, const struct mount_request *, struct err *);
	int (*remount)(struct host *, const struct mount_request *, struct err *);
	int (*unmount)(struct host *, const char *target, struct err *);
	int (*fstab)(struct host *, const struct fstab **ret_fstab, struct err *);
	/* Of the file system mounted on that target. ERR_BUSY: an armed automount is on it, and is left
	 * alone. Blocks when the file system is dead. */
	int (*space)(struct host *, const char *target, struct host_space *ret_space, struct err *);
	/* Adds it, or replaces the one of that target. */
	int (*fstab_put)(struct host *, const struct fstab_line *, struct err *);
	int (*fstab_remove)(struct host *, const char *target, struct err *);

	/* Modules (libkmod and /sys/module). With `whole` also what only libkmod can tell of one that
	 * is loaded or built in; of others it is asked in any case. */
	int (*module)(struct host *, const char *name, bool whole, struct host_module *ret_module,
	              struct err *);
	/* Would it load under that release (NULL: the running one)? Nothing is loaded. */
	int (*loadable)(struct host *, const char *name, const char *release,
	                struct host_loadable *ret_loadable, struct err *);
	/* With what it needs, softdeps and the options of modprobe.d. Never forced, never by a shell.
	 * What was refused is told in *ret_done; an error is one of asking. */
	int (*module_load)(struct host *, const struct module_request *, struct module_done *ret_done,
	                   struct err *);
	int (*module_unload)(struct host *, const char *name, struct module_done *ret_done,
	                     struct err *);

	/* Packages: dpkg's database as read without running anything, and what apt's index offers. */
	int (*package)(struct host *, const char *name, struct host_package *ret_package, struct err *);
	int (*candidate)(struct host *, const char *name, struct host_candidate *ret_candidate,
	                 struct err *);
	/* -1: there is no index. */
	int (*package_index_age)(struct host *, int64_t *ret_seconds, struct err *);
	/* All that dpkg has a stanza of. */
	int (*package_list)(struct host *, struct list *ret_names, struct err *);
	int (*package_manager)(struct host *, struct host_package_manager *ret_manager, struct err *);

	/* Asks ports of a numeric address, at most 16 at once, for at most that long. */
	int (*ports)(struct host *, const char *address, struct port_query *, size_t n, int timeout_ms,
	             struct err *);

	/* A foreign program. */
	int (*run)(struct host *, const struct child_command *, struct child_result *ret_result,
	           struct err *);
};

extern const struct host_ops host_linux_ops;

/* The real machine, with host_linux_ops. host_done gives back the caches. */
void host_init(struct host *host, const struct host_ops *ops, struct arena *arena);
void host_done(struct host *host);
/* How long a program may take that would otherwise have timeout_ms: what is looked at must be told
 * by host->deadline. At least 1. */
int host_patience(const struct host *host, int timeout_ms);
/* Forgets what was read, so that the next look is fresh. */
void host_forget(struct host *host);

#endif
