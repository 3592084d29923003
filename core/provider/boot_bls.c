// SPDX-License-Identifier: MIT
/* See boot_bls.h. */
#include "provider/boot_bls.h"

#include "base/path.h"
#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

enum { VARIABLE_MOST = 4096 };

/* The vendor of the variables that systemd-boot keeps. */
#define LOADER_GUID "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* ---- Entries ---- */

/* The value of a key: "linux /vmlinuz-6.1". */
static const char *value_of(struct arena *arena, const char *text, const char *key)
{
	char *rest = arena_strdup(arena, text);

	for (char *line; (line = lines_next(&rest));) {
		char *word = lines_word(&line);

		if (word && strcmp(word, key) == 0) {
			line += strspn(line, " \t");
			line[strcspn(line, "\r")] = '\0';
			return line;
		}
	}
	return NULL;
}

/* "6.1.conf" and, while its boots are counted, "6.1+2-1.conf" are both the entry 6.1. */
static const char *id_of(struct arena *arena, const char *name)
{
	size_t n = strlen(name) - strlen(".conf");
	const char *plus = memrchr(name, '+', n);

	if (plus && strspn(plus + 1, "0123456789-") == n - (size_t)(plus + 1 - name)) {
		n = (size_t)(plus - name);
	}
	return arena_strndup(arena, name, n);
}

static int take_entry(struct host *host, const char *folder, const char *name, struct arena *arena,
                      struct boot_loader *loader, struct err *err)
{
	char *text;

	if (boot_loader_text(host, path_join(arena, folder, name), arena, &text, NULL, err)) {
		return -(int)err->code;
	}
	const char *image = text ? value_of(arena, text, "linux") : NULL;

	if (image) {
		const char *release = grub_release_of(image);

		boot_loader_add(arena, loader, release ? release : value_of(arena, text, "version"),
		                id_of(arena, name));
	}
	return 0;
}

static int take_entries(struct host *host, const char *folder, struct arena *arena,
                        struct boot_loader *loader, bool *ret_there, struct err *err)
{
	struct file_names names;
	struct err fault = {0};

	*ret_there = false;
	if (host->ops->list(host, folder, arena, &names, &fault)) {
		*ret_there = fault.os == EACCES;
		return files_is_missing(&fault) || files_is_hidden(&fault) || fault.code == ERR_BUSY
		           ? 0
		           : err_copy(err, &fault);
	}
	for (size_t i = 0; i < names.count; i++) {
		if (text_ends(names.list[i], ".conf") &&
		    take_entry(host, folder, names.list[i], arena, loader, err)) {
			return -(int)err->code;
		}
	}
	*ret_there = true;
	return 0;
}

/* ---- Which entry ---- */

/* The only one whose id fits; NULL: none does, or several. */
static const struct boot_choice *matching(struct arena *arena, const struct boot_loader *loader,
                                          const char *pattern, bool *ret_none)
{
	const struct boot_choice *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < loader->count; i++) {
		const char *id = loader->choices[i].path;

		if (fnmatch(pattern, id, 0) == 0 ||
		    fnmatch(pattern, arena_printf(arena, "%s.conf", id), 0) == 0) {
			found = &loader->choices[i];
			n++;
		}
	}
	*ret_none = n == 0;
	return n == 1 ? found : NULL;
}

/* "@saved" and the like are names for a rule, not of an entry. */
static void choose_default(struct arena *arena, struct boot_loader *loader, const char *pattern)
{
	bool none;

	if (!pattern || *pattern == '@') {
		return;
	}
	const struct boot_choice *choice = matching(arena, loader, pattern, &none);

	loader->stale_entry = none ? pattern : NULL;
	if (choice) {
		loader->boot_default = choice->release;
		loader->default_entry = choice->path;
	}
}

static void choose_next(struct arena *arena, struct boot_loader *loader, const char *pattern)
{
	bool none;

	loader->asked_next = pattern;
	if (!pattern) {
		return;
	}
	const struct boot_choice *choice = matching(arena, loader, pattern, &none);

	loader->stale_entry = none ? pattern : loader->stale_entry;
	loader->boot_next = choice ? choice->release : NULL;
}

static void refuse(struct arena *arena, struct boot_loader *loader, const char *name)
{
	loader->name = name;
	loader->obstacle = loader->once_obstacle =
	    arena_printf(arena, "setting what boots is not proven on this boot loader (%s)", name);
}

int boot_bls_read(struct host *host, const char *env, struct arena *arena,
                  struct boot_loader *loader, struct err *err)
{
	bool there;

	refuse(arena, loader, "bls");
	if (take_entries(host, "/boot/loader/entries", arena, loader, &there, err)) {
		return -(int)err->code;
	}
	choose_default(arena, loader, grub_env_value(arena, env, "saved_entry"));
	choose_next(arena, loader, grub_env_value(arena, env, "next_entry"));
	return 0;
}

/* ---- systemd-boot ---- */

/* Four bytes of attributes, then UTF-16 with its end; ids are of ASCII. NULL: not there, or not
 * that. */
static const char *variable(struct host *host, struct arena *arena, const char *name)
{
	const char *path = arena_printf(arena, "/sys/firmware/efi/efivars/%s-" LOADER_GUID, name);
	AUTO(str_free) struct str text = {0};
	struct file_bytes bytes;
	struct err fault = {0};

	if (host->ops->read(host, path, VARIABLE_MOST, arena, &bytes, &fault)) {
		return NULL;
	}
	for (size_t i = 4; i + 1 < bytes.length && (bytes.data[i] || bytes.data[i + 1]); i += 2) {
		if (bytes.data[i + 1] || (unsigned char)bytes.data[i] > 126) {
			return NULL;
		}
		str_addc(&text, bytes.data[i]);
	}
	return text.length ? arena_strdup(arena, str_text(&text)) : NULL;
}

int boot_bls_systemd(struct host *host, struct arena *arena, struct boot_loader *loader,
                     struct err *err)
{
	static const char *const folders[] = {"/efi/loader", "/boot/loader", "/boot/efi/loader"};
	const char *chosen;
	bool there = false;
	char *config;

	for (size_t i = 0; i < ARRAY_LEN(folders) && !there; i++) {
		if (take_entries(host, path_join(arena, folders[i], "entries"), arena, loader, &there,
		                 err) ||
		    (there && boot_loader_text(host, path_join(arena, folders[i], "loader.conf"), arena,
		                               &config, NULL, err))) {
			return -(int)err->code;
		}
	}
	if (!there) {
		return 0;
	}
	refuse(arena, loader, "systemd-boot");
	chosen = variable(host, arena, "LoaderEntryDefault");
	choose_default(arena, loader,
	               chosen   ? chosen
	               : config ? value_of(arena, config, "default")
	                        : NULL);
	choose_next(arena, loader, variable(host, arena, "LoaderEntryOneShot"));
	return 0;
}
