// SPDX-License-Identifier: MIT
/* See boot_loader.h. */
#include "provider/boot_loader.h"

#include "base/path.h"
#include "base/str.h"
#include "provider/boot_bls.h"
#include "provider/grub.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

#define MKCONFIG "/usr/sbin/grub-mkconfig"
#define OWN_FILE BOOT_LOADER_FOLDER "/" BOOT_LOADER_FILE

int boot_loader_text(struct host *host, const char *path, struct arena *arena, char **ret_text,
                     const char **ret_hidden, struct err *err)
{
	const char *hidden = NULL;
	struct err fault = {0};

	if (lines_read(host, path, arena, ret_text, &fault)) {
		/* EIO and the like are no trait of that file. What has no errno is no regular file. */
		bool is_its_own = files_is_hidden(&fault) || (!fault.os && fault.code != ERR_BUG);

		if (!is_its_own) {
			return err_copy(err, &fault);
		}
		*ret_text = NULL;
		hidden = fault.os ? arena_printf(arena, "%s is not for us to read", path)
		                  : arena_strdup(arena, fault.text);
	}
	if (ret_hidden) {
		*ret_hidden = hidden;
	}
	return 0;
}

void boot_loader_add(struct arena *arena, struct boot_loader *loader, const char *release,
                     const char *path)
{
	if (!release) {
		return;
	}
	loader->choices =
	    arena_grow(arena, loader->choices, loader->count, &loader->cap, sizeof *loader->choices);
	loader->choices[loader->count++] = (struct boot_choice){.release = release, .path = path};
}

const struct boot_choice *boot_loader_choice(const struct boot_loader *loader, const char *release)
{
	for (size_t i = 0; i < loader->count; i++) {
		if (loader->choices[i].path && strcmp(loader->choices[i].release, release) == 0) {
			return &loader->choices[i];
		}
	}
	return NULL;
}

/* ---- What GRUB's configuration is made from ---- */

/* The last word on GRUB_DEFAULT in a text that the shell reads; NULL: none. Quotes alone are taken
 * off: of our own file that is all there is. */
static const char *preset_in(struct arena *arena, const char *text)
{
	char *rest = text ? arena_strdup(arena, text) : NULL;
	const char *preset = NULL;

	for (char *line; (line = lines_next(&rest));) {
		line += strspn(line, " \t");
		line += text_starts(line, "export ") ? strlen("export ") : 0;
		if (!text_starts(line, "GRUB_DEFAULT=")) {
			continue;
		}
		line += strlen("GRUB_DEFAULT=");
		line += *line == '"';
		line[strcspn(line, "\"")] = '\0';
		preset = line;
	}
	return preset;
}

/* A file that the shell reads after ours and that has the last word. */
static int find_later(struct host *host, struct arena *arena, const char **ret_name,
                      struct err *err)
{
	struct file_names names;
	struct err fault = {0};
	char *text;

	*ret_name = NULL;
	if (host->ops->list(host, BOOT_LOADER_FOLDER, arena, &names, &fault)) {
		return files_is_missing(&fault) || fault.os == EACCES ? 0 : err_copy(err, &fault);
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i];

		if (!text_ends(name, ".cfg") || strcmp(name, BOOT_LOADER_FILE) <= 0) {
			continue;
		}
		if (boot_loader_text(host, path_join(arena, BOOT_LOADER_FOLDER, name), arena, &text, NULL,
		                     err)) {
			return -(int)err->code;
		}
		*ret_name = preset_in(arena, text) ? name : *ret_name;
	}
	return 0;
}

static int find_obstacle(struct host *host, struct arena *arena, struct boot_loader *loader,
                         struct err *err)
{
	const char *later;
	char *program;

	if (boot_loader_text(host, MKCONFIG, arena, &program, NULL, err) ||
	    find_later(host, arena, &later, err)) {
		return -(int)err->code;
	}
	if (!program) {
		loader->obstacle = "there is no " MKCONFIG " that could make a grub.cfg";
	} else if (!strstr(program, "/default/grub.d/")) {
		loader->obstacle = MKCONFIG " does not read " BOOT_LOADER_FOLDER;
	} else if (later) {
		loader->obstacle =
		    arena_printf(arena, "%s/%s sets GRUB_DEFAULT and is read after " OWN_FILE,
		                 BOOT_LOADER_FOLDER, later);
	}
	return 0;
}

/* ---- What GRUB itself can write ---- */

/* Those it can write to that are in use under /boot: it knows where the block lies on the disk, and
 * nothing checks or copies what is written there behind the back of the file system. */
static bool is_writable_type(const char *type)
{
	static const char *const types[] = {"ext2", "ext3", "ext4", "vfat", "xfs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0) {
			return true;
		}
	}
	return false;
}

/* LVM, RAID and encryption: devices that other devices make up. */
static int is_made_up(struct host *host, const struct mount_row *row, struct arena *arena,
                      bool *ret_is, struct err *err)
{
	static const char *const parts[] = {"dm", "md"};
	struct file_look look;

	*ret_is = text_starts(row->source, "/dev/mapper/") || text_starts(row->source, "/dev/dm-") ||
	          text_starts(row->source, "/dev/md");
	for (size_t i = 0; i < ARRAY_LEN(parts) && !*ret_is; i++) {
		if (host->ops->look(
		        host,
		        arena_printf(arena, "/sys/dev/block/%u:%u/%s", row->major, row->minor, parts[i]),
		        &look, err)) {
			return -(int)err->code;
		}
		*ret_is = look.type == FILE_DIRECTORY;
	}
	return 0;
}

/* An entry that GRUB cannot forget would be started at every boot from then on. */
static int find_once_obstacle(struct host *host, const struct grub_answer *answer,
                              struct arena *arena, struct boot_loader *loader, struct err *err)
{
	const struct mount_table *table;
	struct file_look look;
	bool made_up;

	if (!answer->heeds_next) {
		loader->once_obstacle = "this grub.cfg does not look for an entry to start once";
		return 0;
	}
	if (host->ops->look(host, BOOT_LOADER_GRUB "/grubenv", &look, err) ||
	    host->ops->mounts(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_over(table, BOOT_LOADER_GRUB);

	if (!row || is_made_up(host, row, arena, &made_up, err)) {
		return row ? -(int)err->code
		           : err_set(err, ERR_HOST, 0, "nothing is mounted that has " BOOT_LOADER_GRUB);
	}
	if (look.type == FILE_LINK) {
		loader->once_obstacle = BOOT_LOADER_GRUB "/grubenv is a symbolic link";
	} else if (made_up) {
		loader->once_obstacle = arena_printf(
		    arena,
		    "GRUB cannot write to %s (LVM, RAID or encryption), so that it could not forget the "
		    "entry once it was started",
		    row->source);
	} else if (!is_writable_type(row->type)) {
		loader->once_obstacle = arena_printf(
		    arena,
		    "GRUB cannot write to %s, so that it could not forget the entry once it was started",
		    row->type);
	}
	return 0;
}

/* ---- GRUB ---- */

static bool has_release(const struct boot_loader *loader, const char *release)
{
	for (size_t i = 0; i < loader->count; i++) {
		if (strcmp(loader->choices[i].release, release) == 0) {
			return true;
		}
	}
	return false;
}

static void take_answer(struct arena *arena, const struct grub_answer *answer, bool env_hidden,
                        struct boot_loader *loader)
{
	for (size_t i = 0; i < answer->count; i++) {
		const char *release = answer->entries[i].release;

		if (!has_release(loader, release)) {
			const struct grub_entry *entry = grub_entry_of(answer, release);

			boot_loader_add(arena, loader, release, entry ? entry->path : NULL);
		}
	}
	loader->preset = answer->preset;
	loader->boot_next = answer->boot_next;
	loader->asked_next = answer->asked_next;
	loader->stale_entry = answer->stale;
	if (!env_hidden || !answer->is_saved) {
		loader->boot_default = answer->boot_default;
		loader->default_entry = answer->default_entry;
	}
}

static int read_grub(struct host *host, const char *folder, char *config, struct arena *arena,
                     struct boot_loader *loader, struct err *err)
{
	char *env, *custom, *own;
	struct grub_answer answer;
	const char *env_hidden;

	/* 41_custom has GRUB read that file at the end. */
	if (boot_loader_text(host, path_join(arena, folder, "grubenv"), arena, &env, &env_hidden,
	                     err) ||
	    boot_loader_text(host, path_join(arena, folder, "custom.cfg"), arena, &custom, NULL, err) ||
	    boot_loader_text(host, OWN_FILE, arena, &own, NULL, err)) {
		return -(int)err->code;
	}
	grub_read(arena, custom ? arena_printf(arena, "%s\n%s", config, custom) : config, env, &answer);
	if (answer.is_bls) {
		return boot_bls_read(host, env, arena, loader, err);
	}
	loader->name = "grub";
	take_answer(arena, &answer, env_hidden != NULL, loader);
	if (own) {
		const char *preset = preset_in(arena, own);

		loader->own_default = preset ? preset : "";
	}
	if (strcmp(folder, BOOT_LOADER_GRUB) != 0) {
		loader->obstacle = loader->once_obstacle =
		    "setting what boots is not proven on this kind of GRUB (/boot/grub2)";
		return 0;
	}
	return find_obstacle(host, arena, loader, err) ||
	               find_once_obstacle(host, &answer, arena, loader, err)
	           ? -(int)err->code
	           : 0;
}

int boot_loader_read(struct host *host, struct arena *arena, struct boot_loader *ret_loader,
                     struct err *err)
{
	static const char *const folders[] = {BOOT_LOADER_GRUB, "/boot/grub2"};
	struct boot_loader loader = {0};
	const char *hidden = NULL;
	char *config = NULL;

	for (size_t i = 0; i < ARRAY_LEN(folders) && !config && !hidden; i++) {
		const char *path = path_join(arena, folders[i], "grub.cfg");

		if (boot_loader_text(host, path, arena, &config, &hidden, err) ||
		    (config && read_grub(host, folders[i], config, arena, &loader, err))) {
			return -(int)err->code;
		}
		if (hidden) {
			loader.name = "grub";
			loader.obstacle = loader.once_obstacle = hidden;
		}
	}
	if (!loader.name && boot_bls_systemd(host, arena, &loader, err)) {
		return -(int)err->code;
	}
	if (!loader.name) {
		loader.obstacle = loader.once_obstacle = "there is no boot loader here that can be read";
	}
	*ret_loader = loader;
	return 0;
}
