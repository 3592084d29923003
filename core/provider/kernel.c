// SPDX-License-Identifier: MIT
/*
 * Kind kernel, a fact: which kernels there are, which one runs, and which one the boot loader will
 * start. Where there is no GRUB, or its configuration may not be read, what will boot is left
 * unset.
 */
#include "base/path.h"
#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Names in a folder; one that is not there, or not for us to see, has none. */
static int names_in(struct host *host, const char *folder, struct arena *arena,
                    struct file_names *ret_names, struct err *err)
{
	struct err fault = {0};

	*ret_names = (struct file_names){0};
	if (!host->ops->list(host, folder, arena, ret_names, &fault)) {
		return 0;
	}
	*ret_names = (struct file_names){0};
	return fault.os == ENOENT || fault.os == ENOTDIR || fault.os == EACCES || fault.os == ELOOP
	           ? 0
	           : err_copy(err, &fault);
}

/* A kernel that could boot has its image in /boot. */
static int find_images(struct host *host, struct arena *arena, struct list *list, size_t *cap,
                       struct err *err)
{
	struct file_names names;

	if (names_in(host, "/boot", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i];

		if ((text_starts(name, "vmlinuz-") || text_starts(name, "vmlinux-")) &&
		    !strstr(name, "-rescue-") && !text_ends(name, ".old") &&
		    !lines_has(list, name + strlen("vmlinuz-"))) {
			lines_add(arena, list, cap, name + strlen("vmlinuz-"));
		}
	}
	return 0;
}

/* Without a /boot of its own (a container) the indexed module trees are what there is. */
static int find_trees(struct host *host, struct arena *arena, struct list *list, size_t *cap,
                      struct err *err)
{
	struct file_names names;
	struct file_look look;

	if (names_in(host, "/lib/modules", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (host->ops->look(host, arena_printf(arena, "/lib/modules/%s/modules.dep", names.list[i]),
		                    &look, err)) {
			return -(int)err->code;
		}
		if (look.type == FILE_REGULAR) {
			lines_add(arena, list, cap, names.list[i]);
		}
	}
	return 0;
}

static int by_version(const void *a, const void *b)
{
	return packages_compare(*(const char *const *)a, *(const char *const *)b);
}

static int find_installed(struct host *host, struct arena *arena, struct list *ret_list,
                          struct err *err)
{
	struct list list = {.set = true};
	size_t cap = 0;

	if (find_images(host, arena, &list, &cap, err) ||
	    (!list.count && find_trees(host, arena, &list, &cap, err))) {
		return -(int)err->code;
	}
	if (list.count) {
		qsort((void *)list.items, list.count, sizeof *list.items, by_version);
	}
	*ret_list = list;
	return 0;
}

/* A configuration that only root may read is as good as none. */
static int read_config(struct host *host, const char *path, struct arena *arena, char **ret_text,
                       struct err *err)
{
	struct err fault = {0};

	*ret_text = NULL;
	if (lines_read(host, path, arena, ret_text, &fault) && fault.os != EACCES &&
	    fault.os != ELOOP) {
		return err_copy(err, &fault);
	}
	return 0;
}

static int find_boot(struct host *host, struct arena *arena, struct kernel *kernel, struct err *err)
{
	static const char *const folders[] = {"/boot/grub", "/boot/grub2"};
	struct grub_answer answer;
	char *config, *env;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (read_config(host, path_join(arena, folders[i], "grub.cfg"), arena, &config, err) ||
		    (config &&
		     read_config(host, path_join(arena, folders[i], "grubenv"), arena, &env, err))) {
			return -(int)err->code;
		}
		if (config) {
			grub_read(arena, config, env, &answer);
			kernel->boot_default = answer.boot_default;
			kernel->boot_next = answer.boot_next;
			break;
		}
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_KERNEL], key);
	struct kernel *kernel = &have->kernel;
	struct utsname names;
	char *line;

	(void)want;
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	kernel->running = arena_strdup(arena, names.release);
	if (find_installed(host, arena, &kernel->installed, err) ||
	    find_boot(host, arena, kernel, err) ||
	    lines_read(host, "/proc/cmdline", arena, &line, err)) {
		return -(int)err->code;
	}
	kernel->command_line = line ? lines_next(&line) : NULL;
	*ret_have = have;
	return 0;
}

const struct provider provider_kernel = {.kind = KIND_KERNEL, .observe = observe};
