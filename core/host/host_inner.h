// SPDX-License-Identifier: MIT
/*
 * What the files behind host_linux_ops share; nobody outside this room includes it.
 *
 * Each noun owns what it has read: it makes its member of the cache when first asked, and its
 * `forget` function gives it back (NULL members are fine). host_cache_of() makes the cache itself.
 */
#ifndef HOST_HOST_INNER_H
#define HOST_HOST_INNER_H

#include "host/host.h"

struct mounts_cache;
struct fstab_cache;
struct modules_cache;
struct packages_cache;

struct host_cache {
	struct mounts_cache *mounts;
	struct fstab_cache *fstab;
	struct modules_cache *modules;
	struct packages_cache *packages;
};

/* Made when it is not there yet; freed by host_done. */
struct host_cache *host_cache_of(struct host *host);

/* files.c */
int files_look(struct host *host, const char *path, struct file_look *ret_look, struct err *err);
int files_read(struct host *host, const char *path, size_t most, struct arena *arena,
               struct file_bytes *ret_bytes, struct err *err);
int files_list(struct host *host, const char *path, struct arena *arena,
               struct file_names *ret_names, struct err *err);
int files_write(struct host *host, const char *path, const struct file_write *write,
                struct err *err);
int files_make_directory(struct host *host, const char *path, unsigned mode, struct err *err);
int files_set_mode(struct host *host, const char *path, unsigned mode, struct err *err);
int files_set_owner(struct host *host, const char *path, unsigned uid, unsigned gid,
                    struct err *err);
int files_remove_file(struct host *host, const char *path, struct err *err);
int files_remove_directory(struct host *host, const char *path, struct err *err);

/* A file that stands complete beside its place and waits to be put there (files_stage.c). */
struct file_stage {
	int parent;
	const char *path; /* borrowed: for messages */
	char name[256], temporary[256];
};
int files_stage(const char *path, const struct file_write *write, struct file_stage *ret_stage,
                struct err *err) MUST_CHECK;
/* Each ends the stage: the file is in its place, or gone. */
int files_stage_commit(struct file_stage *stage, struct err *err) MUST_CHECK;
void files_stage_drop(struct file_stage *stage);

/* mounts.c */
int mounts_read(struct host *host, const struct mount_table **ret_table, struct err *err);
/* We changed something: what was read stands until the next mounts_read, which reads again. */
void mounts_changed(struct host *host);
/* For a change that only adds: was the table up to date right before it? Then mounts_added() reads
 * just what is new, and whoever holds the table sees it. */
bool mounts_is_current(struct host *host);
void mounts_added(struct host *host);
/* The next mounts_read asks the kernel whether anything moved since. */
void mounts_revalidate(struct host_cache *cache);
/* The target of the automount that nobody has used yet and that `path` lies behind, or NULL. */
const char *mounts_trigger_over(struct host *host, const char *path, bool or_same);
void mounts_forget(struct host_cache *cache);

/* mounts_change.c */
int mounts_mount(struct host *host, const struct mount_request *request, struct err *err);
int mounts_remount(struct host *host, const struct mount_request *request, struct err *err);
int mounts_unmount(struct host *host, const char *target, struct err *err);

/* space.c */
int space_read(struct host *host, const char *target, struct host_space *ret_space,
               struct err *err);

/* ports.c */
int ports_ask(struct host *host, const char *address, struct port_query *queries, size_t n,
              int timeout_ms, struct err *err);

/* fstab.c */
int fstab_read(struct host *host, const struct fstab **ret_fstab, struct err *err);
int fstab_put(struct host *host, const struct fstab_line *line, struct err *err);
int fstab_remove(struct host *host, const char *target, struct err *err);
void fstab_forget(struct host_cache *cache);

/* modules.c */
int modules_look(struct host *host, const char *name, bool whole, struct host_module *ret_module,
                 struct err *err);
void modules_forget(struct host_cache *cache);
/* modules_loadable.c */
int modules_loadable(struct host *host, const char *name, const char *release,
                     struct host_loadable *ret_loadable, struct err *err);
/* modules_load.c */
int modules_load(struct host *host, const struct module_request *request,
                 struct module_done *ret_done, struct err *err);
int modules_load_undo(struct host *host, const char *name, struct module_done *ret_done,
                      struct err *err);

/* packages.c */
int packages_look(struct host *host, const char *name, struct host_package *ret_package,
                  struct err *err);
int packages_candidate(struct host *host, const char *name, struct host_candidate *ret_candidate,
                       struct err *err);
int packages_index_age(struct host *host, int64_t *ret_seconds, struct err *err);
int packages_list(struct host *host, struct list *ret_names, struct err *err);
int packages_manager(struct host *host, struct host_package_manager *ret_manager, struct err *err);
void packages_forget(struct host_cache *cache);

#endif
