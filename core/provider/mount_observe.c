// SPDX-License-Identifier: MIT
/* See mount.h. What is mounted is told by the mount table alone: a dead file system is not touched.
 * */
#include "provider/mount.h"

#include "base/path.h"
#include "base/str.h"
#include "base/strmap.h"
#include "model/mount_options.h"
#include "provider/resolve.h"

#include <stdlib.h>
#include <string.h>

static const struct truth yes = {.set = true, .value = true}, no = {.set = true};

static struct list copy_list(struct arena *arena, const struct list *list)
{
	const char **items = arena_array(arena, list->count, sizeof *items);

	for (size_t i = 0; i < list->count; i++) {
		items[i] = arena_strdup(arena, list->items[i]);
	}
	return (struct list){.set = true, .count = list->count, .items = items};
}

/* ---- The source by the name that was wanted ---- */

/* Is the row a view of `source`: the same file system, and within it the path that lies there? */
static bool is_bound(const struct mount_table *table, const struct mount_row *row,
                     const char *source, struct arena *arena)
{
	const struct mount_row *over = mount_table_over(table, source);

	if (!over || over->major != row->major || over->minor != row->minor) {
		return false;
	}
	size_t n = strcmp(over->target, "/") == 0 ? 0 : strlen(over->target);
	const char *rest = source[1] ? source + n : "";
	const char *root = strcmp(over->root, "/") == 0 ? "" : over->root;
	const char *expected = arena_printf(arena, "%s%s", root, rest);

	return strcmp(*expected ? expected : "/", row->root) == 0;
}

/* A link on the way to the source makes the texts differ; the inodes do not. */
static bool is_same_inode(struct host *host, const char *source, const char *target)
{
	struct file_look a, b;
	struct err err;

	return !host->ops->look(host, source, &a, &err) && !host->ops->look(host, target, &b, &err) &&
	       a.type != FILE_NONE && a.type == b.type && a.inode == b.inode && a.type != FILE_LINK;
}

/* The file behind a loop device: sysfs(5), block/loopN/loop/backing_file. */
static bool is_loop_of(struct host *host, const struct mount_row *row, const char *source,
                       struct arena *arena)
{
	struct file_bytes bytes;
	struct err err;

	if (!text_starts(row->source, "/dev/loop") || strchr(row->source + 5, '/') ||
	    host->ops->read(host,
	                    arena_printf(arena, "/sys/block/%s/loop/backing_file", row->source + 5),
	                    64 << 10, arena, &bytes, &err)) {
		return false;
	}
	size_t n = strcspn(bytes.data, "\n");

	return strlen(source) == n && strncmp(source, bytes.data, n) == 0;
}

static bool is_wanted_source(struct host *host, const struct mount_table *table,
                             const struct mount_row *row, const struct resource *want,
                             struct arena *arena)
{
	const char *source = want->mount.source;

	if (mount_options_bind(&want->mount.options)) {
		if (is_bound(table, row, source, arena)) {
			return true;
		}
		const struct mount_row *over = mount_table_over(table, source);

		return over && over->major == row->major && over->minor == row->minor &&
		       is_same_inode(host, source, row->target);
	}
	if (mount_type_is_sourceless(want->mount.type ? want->mount.type : "") ||
	    strcmp(source, row->source) == 0) {
		return false; /* nothing to find out */
	}
	if (is_loop_of(host, row, source, arena)) {
		return true;
	}
	return row->source[0] == '/' &&
	       strcmp(mounts_resolve(source, arena), mounts_resolve(row->source, arena)) == 0;
}

/* The texts may leave it open whether a name and an address mean the same server; asking the
 * resolver tells. Who does not answer leaves it open as well. */
static int settle_names(struct host *host, const struct mount_row *row, const struct resource *want,
                        struct arena *arena, struct mount *mount, struct err *err)
{
	const char *source = want->mount.source, *resolved;
	bool unsure = false;

	if (!source || !mount_source_same(source, row->source, row->type, &unsure) || !unsure) {
		return 0;
	}
	if (resolve_source(host, source, row->type, arena, &resolved, err)) {
		return -(int)err->code;
	}
	if (resolved && !mount_source_same(resolved, row->source, row->type, NULL)) {
		mount->other_source = arena_printf(arena, "%s is %s now", source, resolved);
	}
	return 0;
}

/* ---- Live ---- */

static void describe_live(struct host *host, const struct mount_table *table,
                          const struct mount_row *row, const struct resource *want,
                          struct arena *arena, struct mount *mount)
{
	mount->source = arena_strdup(arena, row->source);
	mount->type = arena_strdup(arena, row->type);
	mount->options = copy_list(arena, &row->options);
	mount->covers = (struct number){.set = true, .value = row->covers};
	if (strcmp(row->root, "/") != 0) {
		mount->root = arena_strdup(arena, row->root);
	}
	if (want && want->mount.source && is_wanted_source(host, table, row, want, arena)) {
		mount->source = arena_strdup(arena, want->mount.source);
	}
}

/* Is a folder on the way to it a link? The kernel tells mounts by their real paths: one made there
 * would not be found again. */
static int look_on_the_way(struct host *host, const char *key, struct arena *arena,
                           struct mount *mount, struct err *err)
{
	struct file_look look;

	for (const char *path = path_parent(arena, key); path && path[1];
	     path = path_parent(arena, path)) {
		if (host->ops->look(host, path, &look, err)) {
			return -(int)err->code;
		}
		if (look.type == FILE_LINK) {
			mount->beneath = "behind a link";
		}
	}
	return 0;
}

static int describe_beneath(struct host *host, const char *key, struct arena *arena,
                            struct mount *mount, struct err *err)
{
	struct file_names names;
	struct file_look look;

	if (look_on_the_way(host, key, arena, mount, err) || host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	if (mount->beneath) {
		return 0;
	}
	switch (look.type) {
	case FILE_NONE:
		mount->beneath = "missing";
		return 0;
	case FILE_LINK:
		mount->beneath = "link";
		return 0;
	case FILE_REGULAR:
		mount->beneath = "file";
		return 0;
	case FILE_OTHER:
		mount->beneath = "other";
		return 0;
	case FILE_DIRECTORY:
		break;
	}
	if (host->ops->list(host, key, arena, &names, err)) {
		return -(int)err->code;
	}
	mount->beneath = names.count ? "not empty" : "empty";
	return 0;
}

/* ---- fstab ---- */

static int describe_fstab(struct host *host, const char *key, struct arena *arena,
                          struct mount *mount, struct err *err)
{
	const struct fstab *fstab;
	size_t count;

	if (host->ops->fstab(host, &fstab, err)) {
		return -(int)err->code;
	}
	const struct fstab_line *line = fstab_find(fstab, key, &count);

	mount->fstab = line ? yes : no;
	/* They belong to no target. */
	if (strcmp(key, "/") == 0 && fstab_faults(fstab)->count) {
		mount->fstab_faults = copy_list(arena, fstab_faults(fstab));
	}
	if (!line) {
		return 0;
	}
	mount->fstab_source = arena_strdup(arena, line->source);
	mount->fstab_type = arena_strdup(arena, line->type);
	mount->fstab_options = copy_list(arena, &line->options);
	if (count > 1) {
		const char **numbers = arena_array(arena, count, sizeof *numbers);
		size_t n = 0;

		for (size_t i = 0; i < fstab_count(fstab) && n < count; i++) {
			if (strcmp(fstab_at(fstab, i)->target, key) == 0) {
				numbers[n++] = arena_printf(arena, "%u", fstab_at(fstab, i)->line);
			}
		}
		mount->fstab_lines = (struct list){.set = true, .count = n, .items = numbers};
	}
	return 0;
}

/* ---- All of it ---- */

int mount_observe(struct host *host, const char *key, const struct resource *want,
                  struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_MOUNT], key);
	struct mount *mount = &have->mount;
	const struct mount_table *table;
	bool ours = !want || !want->mount.manage || strcmp(want->mount.manage, "full") == 0;
	struct err fault;

	if (host->ops->mounts(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, key);
	bool armed = row && strcmp(row->type, "autofs") == 0;

	mount->live = row && !armed ? yes : no;
	mount->automount = armed ? yes : no;
	if (row && !armed) {
		describe_live(host, table, row, want, arena, mount);
		if (want && settle_names(host, row, want, arena, mount, err)) {
			return -(int)err->code;
		}
	} else if (!armed && describe_beneath(host, key, arena, mount, err)) {
		return -(int)err->code;
	}
	/* Whose line is somebody else's may be left in the dark. */
	if (describe_fstab(host, key, arena, mount, &fault) && ours) {
		return err_copy(err, &fault);
	}
	if (want && mount_read_unit(host, key, arena, mount, err)) {
		return -(int)err->code;
	}
	if (!row && !mount->fstab.value) {
		have->state = STATE_ABSENT;
	}
	*ret_have = have;
	return 0;
}

int mount_list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct strmap *seen = strmap_create(arena);
	const struct mount_table *table;
	const struct fstab *fstab;

	if (host->ops->mounts(host, &table, err) || host->ops->fstab(host, &fstab, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < mount_table_count(table); i++) {
		const char *target = mount_table_row(table, i)->target;

		if (!path_fault(target) && mount_table_at(table, target) &&
		    !strmap_put(seen, target, (void *)target)) {
			keys_add(arena, ret_keys, target);
		}
	}
	for (size_t i = 0; i < fstab_count(fstab); i++) {
		const char *target = fstab_at(fstab, i)->target;

		if (!path_fault(target) && !strmap_put(seen, target, (void *)target)) {
			keys_add(arena, ret_keys, target);
		}
	}
	return 0;
}
