// SPDX-License-Identifier: MIT
/* See boot_files.h. Names of images and ram disks: installkernel(8), mkinitramfs(8), dracut(8). */
#include "provider/boot_files.h"

#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"
#include "provider/release.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which there are ---- */

static int by_release(const void *a, const void *b)
{
	return release_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Not for us to see, or behind an automount that is not to be woken up for a look. */
static bool is_hidden(const struct err *fault)
{
	return fault->os == EACCES || fault->code == ERR_BUSY;
}

/* What is not there, or not for us to see, has no names. */
static int names_seen(struct host *host, const char *folder, struct arena *arena,
                      struct file_names *ret_names, struct err *err)
{
	struct err fault = {0};
	bool hidden;

	return !files_names_in(host, folder, arena, ret_names, &hidden, &fault) || is_hidden(&fault)
	           ? 0
	           : err_copy(err, &fault);
}

/* *ret_hidden is set true, and left alone otherwise, when we may not see whether it is there. */
static int look_at(struct host *host, const char *path, struct file_look *ret_look,
                   bool *ret_hidden, struct err *err)
{
	struct err fault = {0};

	if (!host->ops->look(host, path, ret_look, &fault)) {
		return 0;
	}
	*ret_look = (struct file_look){.type = FILE_NONE};
	*ret_hidden |= is_hidden(&fault);
	return is_hidden(&fault) ? 0 : err_copy(err, &fault);
}

/* Beside images there are their backups, what dpkg is just unpacking, and signatures. */
static bool is_image(const char *name)
{
	return grub_release_of(name) && !strstr(name, "-rescue-") && !text_ends(name, ".old") &&
	       !strstr(name, ".dpkg-") && !text_ends(name, ".hmac") && !text_ends(name, ".sig");
}

static int find_images(struct host *host, struct arena *arena, struct list *list, size_t *cap,
                       struct err *err)
{
	struct file_names names;

	if (names_seen(host, "/boot", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (is_image(names.list[i]) && !list_has(list, grub_release_of(names.list[i]))) {
			lines_add(arena, list, cap, grub_release_of(names.list[i]));
		}
	}
	return 0;
}

static int has_index(struct host *host, const char *release, struct arena *arena, bool *ret_has,
                     bool *ret_hidden, struct err *err)
{
	struct file_look look;

	if (look_at(host, arena_printf(arena, "/lib/modules/%s/modules.dep", release), &look,
	            ret_hidden, err)) {
		return -(int)err->code;
	}
	*ret_has = look.type == FILE_REGULAR;
	return 0;
}

static int find_trees(struct host *host, struct arena *arena, struct list *list, size_t *cap,
                      struct err *err)
{
	struct file_names names;
	bool indexed = false, hidden;

	if (names_seen(host, "/lib/modules", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (has_index(host, names.list[i], arena, &indexed, &hidden, err)) {
			return -(int)err->code;
		}
		if (indexed) {
			lines_add(arena, list, cap, names.list[i]);
		}
	}
	return 0;
}

int boot_files_releases(struct host *host, struct arena *arena, struct list *ret_list,
                        struct err *err)
{
	struct list list = {.set = true};
	size_t cap = 0;

	if (find_images(host, arena, &list, &cap, err) ||
	    (!list.count && find_trees(host, arena, &list, &cap, err))) {
		return -(int)err->code;
	}
	if (list.count) {
		qsort((void *)list.items, list.count, sizeof *list.items, by_release);
	}
	*ret_list = list;
	return 0;
}

/* ---- Of one release ---- */

/* A file, and how many bytes it has. */
struct found {
	const char *path; /* NULL: there is none */
	uint64_t size;
	bool hidden; /* that may be wrong: it is not for us to see */
};

/* The first of these that is there; a link counts as what it is called, since nobody but the boot
 * loader follows it. */
static int find_first(struct host *host, const char *const *paths, size_t n,
                      struct found *ret_found, struct err *err)
{
	struct file_look look;

	*ret_found = (struct found){0};
	for (size_t i = 0; i < n; i++) {
		if (look_at(host, paths[i], &look, &ret_found->hidden, err)) {
			return -(int)err->code;
		}
		if (look.type == FILE_REGULAR || look.type == FILE_LINK) {
			ret_found->path = paths[i];
			ret_found->size = look.size;
			return 0;
		}
	}
	return 0;
}

static int find_image(struct host *host, const char *release, struct arena *arena,
                      struct found *ret_found, struct err *err)
{
	const char *const paths[] = {
	    arena_printf(arena, "/boot/vmlinuz-%s", release),
	    arena_printf(arena, "/boot/vmlinux-%s", release),
	};

	return find_first(host, paths, ARRAY_LEN(paths), ret_found, err);
}

static int find_initrd(struct host *host, const char *release, struct arena *arena,
                       struct found *ret_found, struct err *err)
{
	const char *const paths[] = {
	    arena_printf(arena, "/boot/initrd.img-%s", release),
	    arena_printf(arena, "/boot/initramfs-%s.img", release),
	    arena_printf(arena, "/boot/initrd-%s", release),
	    arena_printf(arena, "/boot/initrd-%s.img", release),
	};

	return find_first(host, paths, ARRAY_LEN(paths), ret_found, err);
}

/* Does the kernel that runs show that this node needs no ram disk? */
static int does_without(struct host *host, const char *running, struct arena *arena, bool *ret_does,
                        struct err *err)
{
	struct found image, initrd;

	if (find_image(host, running, arena, &image, err) ||
	    find_initrd(host, running, arena, &initrd, err)) {
		return -(int)err->code;
	}
	*ret_does = image.path && !initrd.path;
	return 0;
}

int boot_files_find(struct host *host, const char *release, const char *running,
                    struct arena *arena, struct boot_files *ret_files, struct err *err)
{
	struct boot_files files = {0};
	struct found image, initrd;
	bool without = false, indexed = false, hidden = false;

	if (find_image(host, release, arena, &image, err) ||
	    find_initrd(host, release, arena, &initrd, err) ||
	    has_index(host, release, arena, &indexed, &hidden, err) ||
	    (!initrd.path && does_without(host, running, arena, &without, err))) {
		return -(int)err->code;
	}
	files.image = image.path;
	files.initrd = initrd.size ? initrd.path : NULL;
	if (image.hidden || initrd.hidden || hidden) {
		files.fault = arena_printf(arena, "%s is not for us to see",
		                           hidden ? "its folder in /lib/modules" : "/boot");
	} else if (!image.path) {
		files.fault = "its image is not in /boot";
	} else if (!image.size) {
		files.fault = arena_printf(arena, "%s is empty", files.image);
	} else if (initrd.path && !initrd.size) {
		files.fault = arena_printf(arena, "%s is empty", initrd.path);
	} else if (!initrd.path && !without) {
		files.fault = arena_printf(arena, "there is no /boot/initrd.img-%s", release);
	} else if (!indexed) {
		files.fault = arena_printf(arena, "there is no /lib/modules/%s/modules.dep", release);
	}
	*ret_files = files;
	return 0;
}
