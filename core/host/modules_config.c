// SPDX-License-Identifier: MIT
/* See modules_config.h. */
#include "host/modules_config.h"

#include "base/str.h"
#include "base/strmap.h"
#include "host/modules_tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* modprobe.d(5): a file hides those of the same name in later folders. */
static const char *const defaults[] = {"/etc/modprobe.d",           "/run/modprobe.d",
                                       "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
                                       "/lib/modprobe.d",           NULL};

/* "blacklist NAME" and "install NAME COMMAND", with blanks as it pleases. */
static bool says(char *line, const char *command, const char *name)
{
	char *rest = NULL;
	const char *word = strtok_r(line, " \t\n", &rest);

	if (!word || strcmp(word, command) != 0) {
		return false;
	}
	word = strtok_r(NULL, " \t\n", &rest);
	return word && modules_tree_same(word, name);
}

static const char *find_in(struct arena *arena, const char *path, const char *command,
                           const char *name)
{
	FILE *f = fopen(path, "re");
	const char *found = NULL;
	char *line = NULL;
	size_t size = 0;

	for (unsigned n = 1; f && !found && getline(&line, &size, f) > 0; n++) {
		if (says(line, command, name)) {
			found = arena_printf(arena, "%s:%u", path, n);
		}
	}
	free(line);
	if (f) {
		fclose(f);
	}
	return found;
}

static int is_config(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends(entry->d_name, ".conf");
}

static const char *find_below(struct arena *arena, const char *folder, struct strmap *seen,
                              const char *command, const char *name)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_config, alphasort);
	const char *found = NULL;

	for (int i = 0; i < n; i++) {
		const char *file = arena_strdup(arena, entries[i]->d_name);

		if (!found && !strmap_put(seen, file, entries)) {
			found = find_in(arena, arena_printf(arena, "%s/%s", folder, file), command, name);
		}
		free(entries[i]);
	}
	free(entries);
	return found;
}

const char *modules_config_find(struct arena *arena, const char *const *folders,
                                const char *command, const char *name)
{
	struct strmap *seen = strmap_create(arena);
	const char *found = NULL;

	for (folders = folders ? folders : defaults; *folders && !found; folders++) {
		found = find_below(arena, *folders, seen, command, name);
		if (!found) {
			found = find_in(arena, *folders, command, name); /* it may be a file */
		}
	}
	return found;
}

bool modules_config_blacklists(const struct modules_library *kmod, struct kmod_ctx *ctx,
                               const char *name)
{
	struct kmod_config_iter *iter = kmod->kmod_config_get_blacklists(ctx);
	bool found = false;

	while (iter && !found && kmod->kmod_config_iter_next(iter)) {
		found = modules_tree_same(kmod->kmod_config_iter_get_key(iter), name);
	}
	if (iter) {
		kmod->kmod_config_iter_free_iter(iter);
	}
	return found;
}
