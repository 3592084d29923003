// SPDX-License-Identifier: MIT
/*
 * Mounting, remounting and unmounting. New mounts go through libmount, which knows helpers, labels
 * and loop devices; what needs only one flag changed or one mount taken away goes straight to the
 * kernel, since libmount would read the whole mount table for it.
 *
 * Whether it worked is for the mount table to say afterwards; what comes back here is what was
 * complained of.
 */
#include "host/host_inner.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "host/holders.h"
#include "host/mounts_library.h"
#include "host/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
	WORDS_MOST = 300,     /* bytes kept of what a helper said */
	LIBRARY_CODES = 5000, /* MNT_ERR_NOFSTAB, the lowest (libmount.h) */
	QUICK_MS = 100,
};

/* For a call that looks at no source and no type: there is nothing to read at NULL. */
#define UNUSED "none"

/* Types that only their own program can mount: it resolves names, talks to a daemon, sets up the
 * client. */
static const char *const need_helper[] = {"lustre",    "nfs",  "nfs4", "cifs", "smb3",
                                          "glusterfs", "fuse", "ceph", "gpfs"};

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

static bool has_word(const struct list *list, const char *word)
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

/* ---- What went wrong ---- */

/* Does the kernel know the type now? */
static bool is_registered(const char *type)
{
	char line[256];
	FILE *f = fopen("/proc/filesystems", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		const char *name = strrchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		found = name && strcmp(name + 1, type) == 0;
	}
	if (f) {
		fclose(f);
	}
	return found;
}

static int fail(struct err *err, int os, const struct mount_request *request, const char *said)
{
	const char *type = request->type ? request->type : "";
	enum err_code code = os == EBUSY ? ERR_BUSY : ERR_HOST;
	char words[WORDS_MOST + 4] = "";

	if (said && *said) {
		snprintf(words, sizeof words, ": %.*s", WORDS_MOST, said);
	} else if (request->source && (os == ENOENT || os == ENXIO || os == ENOTBLK)) {
		snprintf(words, sizeof words, ": source %.*s", WORDS_MOST - 16, request->source);
	}
	if (os == ENODEV && !is_registered(type)) {
		return err_set(
		    err, code, ENODEV,
		    "cannot mount %s: the kernel has no file system type %s, is its module there?%s",
		    request->target, type, words);
	}
	return err_set(err, code, os, "cannot mount %s%s", request->target, words);
}

/* ---- Stderr of a helper ---- */

/* The helper writes to our stderr; for the time of the call that is a file in memory. */
struct hearing {
	int file, before;
};

static void hear(struct hearing *h)
{
	h->file = memfd_create("stderr", MFD_CLOEXEC);
	h->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (h->file >= 0) {
		dup2(h->file, STDERR_FILENO);
	}
}

static void heard(struct hearing *h, struct str *ret_words)
{
	char text[WORDS_MOST];
	ssize_t n = h->file < 0 ? -1 : pread(h->file, text, sizeof text, 0);

	if (h->file >= 0) {
		if (h->before >= 0) {
			dup2(h->before, STDERR_FILENO);
		} else {
			close(STDERR_FILENO);
		}
	}
	fd_auto(&h->file);
	fd_auto(&h->before);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
		n--;
	}
	for (ssize_t i = 0; i < n; i++) {
		text[i] = text[i] == '\n' ? ' ' : text[i];
	}
	if (n > 0) {
		AUTO(mem_auto) char *words = mem_alloc((size_t)n + 1);

		memcpy(words, text, (size_t)n);
		words[n] = '\0';
		str_add_printable(ret_words, words, (size_t)n);
	}
}

/* ---- The place, by a descriptor ---- */

/* mount(2) follows links. So that nobody who may write a folder on the way can lead us elsewhere,
 * the kernel is told the place by a descriptor: what was looked at is what is mounted on. */
enum { PLACE_MOST = 64 + NAME_MAX };

static void name_place(int fd, const char *below, char place[PLACE_MOST])
{
	snprintf(place, PLACE_MOST, "/proc/self/fd/%d%s%s", fd, *below ? "/" : "", below);
}

/* What is mounted already, by the folder it lies in: to open it itself might keep it busy. */
static int name_mounted(const char *target, int *ret_parent, char place[PLACE_MOST],
                        struct err *err)
{
	const char *name;

	if (!target[1]) {
		snprintf(place, PLACE_MOST, "/");
		return 0;
	}
	if (walk_open_parent(target, ret_parent, &name, err)) {
		return -(int)err->code;
	}
	name_place(*ret_parent, name, place);
	return 0;
}

/* ---- Mounting ---- */

/* "fuse.sshfs" is mounted by mount.fuse. */
static int check_helper(const struct mount_request *request, struct err *err)
{
	size_t n = strcspn(request->type, ".");
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(need_helper); i++) {
		if (strlen(need_helper[i]) != n || strncmp(need_helper[i], request->type, n) != 0) {
			continue;
		}
		snprintf(path, sizeof path, "/sbin/mount.%s", need_helper[i]);
		if (access(path, X_OK)) {
			return err_set(err, ERR_HOST, errno,
			               "cannot mount %s: the mount program %s of type %s is missing",
			               request->target, path, request->type);
		}
	}
	return 0;
}

/* What the kernel or the helper is told: libmount reads the words it knows out of the text. */
static char *option_text(struct arena *arena, const struct list *options)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < options->count; i++) {
		str_addf(&text, "%s%s", text.length ? "," : "", options->items[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

static bool is_tag(const char *source)
{
	static const char *const tags[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID="};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (text_starts(source, tags[i])) {
			return true;
		}
	}
	return false;
}

/* A return code of 0 says nothing about the helper, and its status nothing about the mount: see
 * mnt_context_get_status(3) and the helpers themselves, which exit with what they like. */
static int judge(const struct mounts_library *library, struct libmnt_context *context, int rc,
                 const struct mount_request *request, const char *said, struct err *err)
{
	char words[WORDS_MOST] = "";
	int code = library->mnt_context_get_excode(context, rc, words, sizeof words);

	if (library->mnt_context_helper_executed(context)) {
		int status = library->mnt_context_get_helper_status(context);

		if (!status) {
			return 0;
		}
		/* mount.lustre ends with an errno. Others have 1, 2, 4 ... 64 for kinds of trouble. */
		bool is_errno = strcmp(request->type, "lustre") == 0;

		snprintf(words, sizeof words, "mount.%s ended with status %d%s%s", request->type, status,
		         *said ? ": " : ", and no word: could it be run at all?", said);
		return fail(err, is_errno ? status : 0, request, words);
	}
	if (library->mnt_context_syscall_called(context) &&
	    library->mnt_context_get_syscall_errno(context)) {
		return fail(err, library->mnt_context_get_syscall_errno(context), request, said);
	}
	/* From 5000 on these are codes of the library, not errnos: its words say it. */
	return rc || code
	           ? fail(err, rc < 0 && rc > -LIBRARY_CODES ? -rc : 0, request, *said ? said : words)
	           : 0;
}

/* Is there a program for the type? It is given the target by name: a descriptor of ours means
 * nothing to it. Of a type that is still to be found out nothing is known. */
static bool has_helper(const char *type)
{
	static const char *const folders[] = {"/sbin", "/sbin/fs.d", "/sbin/fs"};
	char path[128];

	if (strcmp(type, "auto") == 0 || strchr(type, ',')) {
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof path, "%s/mount.%s", folders[i], type);
		if (!access(path, F_OK)) {
			return true;
		}
		snprintf(path, sizeof path, "%s/mount.%.*s", folders[i], (int)strcspn(type, "."), type);
		if (!access(path, F_OK)) {
			return true;
		}
	}
	return false;
}

/* `place` is the target as the kernel is to be told it. */
static int through_libmount(const struct mount_request *request, const char *place,
                            const char *options, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	/* A label is looked up here: the library would look up the target with it. */
	const char *source = request->source && is_tag(request->source)
	                         ? mounts_resolve(request->source, arena)
	                         : request->source;
	const struct mounts_library *library = mounts_library(err);
	struct libmnt_context *context = library ? library->mnt_new_context() : NULL;
	AUTO(str_free) struct str said = {0};
	struct hearing hearing;

	if (!library) {
		return -(int)err->code;
	}
	if (!context) {
		return err_set(err, ERR_HOST, ENOMEM, "cannot mount %s", request->target);
	}
	/* On the context and nowhere else: from 2.39 on, options of a libmnt_fs are ignored silently.
	 * fstab is not looked at: what is wanted is said in full. */
	if (library->mnt_context_set_target(context,
	                                    has_helper(request->type) ? request->target : place) ||
	    library->mnt_context_set_source(context, source ? source : "none") ||
	    library->mnt_context_set_fstype(context, request->type) ||
	    library->mnt_context_set_options(context, options) ||
	    library->mnt_context_set_optsmode(context, MNT_OMODE_NOTAB)) {
		library->mnt_free_context(context);
		return err_set(err, ERR_HOST, ENOMEM, "cannot mount %s", request->target);
	}
	library->mnt_context_disable_canonicalize(context, 1); /* names are taken as they are written */
	hear(&hearing);
	int rc = library->mnt_context_mount(context);

	heard(&hearing, &said);
	int r = judge(library, context, rc, request, str_text(&said), err);

	library->mnt_free_context(context);
	return r;
}

/* What of the options has to be set on a bind mount afterwards: the first step takes none of them.
 * */
static bool bind_flags(const struct list *options, unsigned long *ret_flags)
{
	bool any = false;

	for (size_t i = 0; i < options->count; i++) {
		any |= set_flag(options->items[i], ret_flags);
	}
	return any;
}

static unsigned long flags_of(const struct list *vfs_options)
{
	/* What shows no word of access times keeps all of them; a remount that says nothing would
	 * choose relatime. */
	unsigned long flags = MS_STRICTATIME;

	for (size_t i = 0; i < vfs_options->count; i++) {
		set_flag(vfs_options->items[i], &flags);
	}
	return flags;
}

static int bind(struct host *host, const struct mount_request *request, const char *place,
                struct err *err)
{
	bool recursive = has_word(request->options, "rbind");
	const char *trigger = mounts_trigger_over(host, request->source, true);
	const struct mount_table *table;
	AUTO(fd_auto) int source = -1;
	unsigned long wanted = 0;
	char from[PLACE_MOST];

	if (trigger) {
		return err_set(err, ERR_BUSY, 0, "cannot mount %s: %s lies behind the armed automount %s",
		               request->target, request->source, trigger);
	}
	if (walk_open(request->source, WALK_SAFE_LINKS, &source, err)) {
		return err_wrap(err, "cannot mount %s", request->target);
	}
	bool current = mounts_is_current(host);

	name_place(source, "", from);
	if (mount(from, place, UNUSED, MS_BIND | (recursive ? MS_REC : 0), NULL)) {
		mounts_changed(host);
		return fail(err, errno, request, NULL);
	}
	if (current) {
		mounts_added(host);
	} else {
		mounts_changed(host);
	}
	if (!bind_flags(request->options, &wanted)) {
		return 0;
	}
	/* A bind mount starts with the flags of what it shows: those stay. */
	if (mounts_read(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, request->target);
	unsigned long flags = row ? flags_of(&row->vfs_options) : 0;
	AUTO(fd_auto) int parent = -1;

	bind_flags(request->options, &flags);
	mounts_changed(host);
	if (name_mounted(request->target, &parent, from, err)) {
		return -(int)err->code;
	}
	return mount(UNUSED, from, UNUSED, MS_REMOUNT | MS_BIND | flags, NULL)
	           ? fail(err, errno, request, "it is mounted, but its options cannot be set")
	           : 0;
}

int mounts_mount(struct host *host, const struct mount_request *request, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(fd_auto) int target = -1;
	char place[PLACE_MOST];

	/* The table names a mount by its real path: under any other it would never be found again. */
	if (walk_open(request->target, WALK_NO_LINKS, &target, err)) {
		return err_wrap(err, "cannot mount %s", request->target);
	}
	if (has_word(request->options, "bind") || has_word(request->options, "rbind")) {
		name_place(target, "", place);
		return bind(host, request, place, err);
	}
	if (check_helper(request, err)) {
		return -(int)err->code;
	}
	name_place(target, ".", place); /* move_mount(2), of newer libraries, follows no last link */
	int64_t started = clock_ms();
	bool current = mounts_is_current(host);
	int r = through_libmount(request, place, option_text(arena, request->options), err);

	/* In a longer time others may have unmounted something, and the kernel tells only once. */
	if (current && !r && clock_ms() - started < QUICK_MS) {
		mounts_added(host);
	} else {
		mounts_changed(host);
	}
	return r;
}

/* ---- Remounting ---- */

/* Everything in force is said again, with what is asked for laid over it: a flag that is left out
 * would be cleared. Of the file system's own options only what is asked for: it keeps the others.
 * */
static char *remount_text(struct arena *arena, const struct mount_row *row,
                          const struct list *asked)
{
	AUTO(str_free) struct str text = {0};
	unsigned long flags = flags_of(&row->vfs_options);

	if (has_word(&row->options, "ro")) {
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
		if (has_word(&row->options, fs_flags[i][0]) && !has_word(asked, fs_flags[i][1])) {
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

/* Can it be done on this mount alone, without touching the file system? Access cannot, unless the
 * file system is shown elsewhere too: a bind mount. */
static bool is_for_mount_alone(const struct list *asked, bool is_bind)
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

int mounts_remount(struct host *host, const struct mount_request *request, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct list *asked = request->options;
	const struct mount_table *table;

	if (mounts_read(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, request->target);

	if (!row) {
		return err_set(err, ERR_HOST, EINVAL, "%s is not mounted", request->target);
	}
	bool is_bind =
	    strcmp(row->root, "/") != 0 || has_word(asked, "bind") || has_word(asked, "rbind");
	AUTO(fd_auto) int parent = -1;
	char place[PLACE_MOST];
	int r = 0;

	if (name_mounted(row->target, &parent, place, err)) {
		return -(int)err->code;
	}
	if (is_for_mount_alone(asked, is_bind)) {
		unsigned long flags = flags_of(&row->vfs_options);

		bind_flags(asked, &flags);
		r = mount(UNUSED, place, UNUSED, MS_REMOUNT | MS_BIND | flags, NULL)
		        ? fail(err, errno, request, "its options cannot be changed")
		        : 0;
	} else {
		struct mount_request now = {
		    .target = row->target, .source = row->source, .type = row->type};

		r = through_libmount(&now, place, remount_text(arena, row, asked), err);
	}
	mounts_changed(host);
	return r;
}

/* ---- Unmounting ---- */

static size_t count_below(const struct mount_table *table, uint64_t id, const char **ret_example)
{
	size_t n = 0;

	for (size_t i = 0; i < mount_table_count(table); i++) {
		const struct mount_row *row = mount_table_row(table, i);

		if (row->parent == id && row->id != id) {
			*ret_example = row->target;
			n++;
		}
	}
	return n;
}

/* EBUSY with what keeps it busy, as far as that is cheap to know. */
static int busy(const struct mount_table *table, const struct mount_row *row, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *example = NULL;
	size_t below = count_below(table, row->id, &example);

	if (below == 1) {
		return err_set(err, ERR_BUSY, EBUSY, "cannot unmount %s: %s is mounted below it",
		               row->target, example);
	}
	if (below) {
		return err_set(err, ERR_BUSY, EBUSY,
		               "cannot unmount %s: %s and %zu more are mounted below it", row->target,
		               example, below - 1);
	}
	const char *holders = holders_of(row->target, arena);

	return err_set(err, ERR_BUSY, EBUSY, "cannot unmount %s: in use%s%s", row->target,
	               holders ? " by " : "", holders ? holders : "");
}

/* Never lazily, never by force: both leave users of the mount worse off than before. */
int mounts_unmount(struct host *host, const char *target, struct err *err)
{
	const struct mount_table *table;

	if (mounts_read(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, target);

	if (!row) {
		return err_set(err, ERR_HOST, EINVAL, "%s is not mounted", target);
	}
	AUTO(fd_auto) int parent = -1;
	char place[PLACE_MOST];

	if (name_mounted(target, &parent, place, err)) {
		return -(int)err->code;
	}
	/* No stat of the target on the way, as libmount does it: the file system may be dead. */
	if (umount2(place, UMOUNT_NOFOLLOW)) {
		return errno == EBUSY ? busy(table, row, err)
		                      : err_set(err, ERR_HOST, errno, "cannot unmount %s", target);
	}
	mounts_changed(host);
	return 0;
}

/* ---- Sources ---- */

const char *mounts_resolve(const char *source, struct arena *arena)
{
	if (!is_tag(source) && !text_starts(source, "/dev/")) {
		return source;
	}
	struct err ignored;
	const struct mounts_library *library = mounts_library(&ignored);
	char *found = library ? library->mnt_resolve_spec(source, NULL) : NULL;
	const char *resolved = found ? arena_strdup(arena, found) : source;

	free(found);
	return resolved;
}
