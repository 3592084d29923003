// SPDX-License-Identifier: MIT
/*
 * Options that are flags of a mount point or a file system: which they are, and how a remount has
 * to say all of them again. Pure.
 */
#include "host/mounts_inner.h"

#include "base/str.h"

#include <string.h>
#include <sys/mount.h>

/* Flags of one mount point (mount(2), MS_REMOUNT|MS_BIND); the rest belongs to the file system. */
static const struct {
	const char *word;
	unsigned long set, clear;
} mount_flags[] = {
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"noatime", MS_NOATIME, MS_RELATIME | MS_STRICTATIME},
    {"relatime", MS_RELATIME, MS_NOATIME | MS_STRICTATIME},
    {"strictatime", MS_STRICTATIME, MS_NOATIME | MS_RELATIME},
    {"atime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"diratime", 0, MS_NODIRATIME},
    {"nosymfollow", MS_NOSYMFOLLOW, 0},
    {"symfollow", 0, MS_NOSYMFOLLOW},
};

/* Flags of the file system that a plain remount would clear if they were not said again, and the
 * word that asks for just that. */
static const char *const fs_flags[][2] = {
    {"sync", "async"}, {"dirsync", "nodirsync"}, {"lazytime", "nolazytime"}, {"mand", "nomand"}};

static bool set_flag(const char *word, unsigned long *flags)
{
	for (size_t i = 0; i < ARRAY_LEN(mount_flags); i++) {
		if (strcmp(mount_flags[i].word, word) == 0) {
			*flags = (*flags & ~mount_flags[i].clear) | mount_flags[i].set;
			return true;
		}
	}
	return false;
}

bool mounts_flags_have(const struct list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_access(const char *word)
{
	return strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0;
}

bool mounts_flags_take(const struct list *options, unsigned long *ret_flags)
{
	bool any = false;

	for (size_t i = 0; i < options->count; i++) {
		any |= set_flag(options->items[i], ret_flags);
	}
	return any;
}

unsigned long mounts_flags_of(const struct list *vfs_options)
{
	/* What shows no word of access times keeps all of them; a remount that says nothing would
	 * choose relatime. */
	unsigned long flags = MS_STRICTATIME;

	for (size_t i = 0; i < vfs_options->count; i++) {
		set_flag(vfs_options->items[i], &flags);
	}
	return flags;
}

/* Everything in force is said again, with what is asked for laid over it: a flag that is left out
 * would be cleared. Of the file system's own options only what is asked for: it keeps the others.
 * */
char *mounts_flags_remount(struct arena *arena, const struct mount_row *row,
                           const struct list *asked)
{
	AUTO(str_free) struct str text = {0};
	unsigned long flags = mounts_flags_of(&row->vfs_options);

	if (mounts_flags_have(&row->options, "ro")) {
		flags |= MS_RDONLY;
	}
	for (size_t i = 0; i < asked->count; i++) {
		set_flag(asked->items[i], &flags);
	}
	str_add(&text, flags & MS_RDONLY ? "remount,ro" : "remount,rw");
	for (size_t i = 0; i < ARRAY_LEN(mount_flags); i++) {
		if (mount_flags[i].set && mount_flags[i].set != MS_RDONLY && (flags & mount_flags[i].set)) {
			str_addf(&text, ",%s", mount_flags[i].word);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(fs_flags); i++) {
		if (mounts_flags_have(&row->options, fs_flags[i][0]) &&
		    !mounts_flags_have(asked, fs_flags[i][1])) {
			str_addf(&text, ",%s", fs_flags[i][0]);
		}
	}
	for (size_t i = 0; i < asked->count; i++) {
		unsigned long ignored = 0;

		if (!set_flag(asked->items[i], &ignored)) {
			str_addf(&text, ",%s", asked->items[i]);
		}
	}
	return arena_strdup(arena, text.data);
}

/* Access cannot be changed so, unless the file system is shown elsewhere too: a bind mount. */
bool mounts_flags_suffice(const struct list *asked, bool is_bind)
{
	for (size_t i = 0; i < asked->count; i++) {
		unsigned long flags = 0;
		bool known = set_flag(asked->items[i], &flags);

		if ((!known && !text_ends(asked->items[i], "bind")) ||
		    (!is_bind && is_access(asked->items[i]))) {
			return false;
		}
	}
	return true;
}
