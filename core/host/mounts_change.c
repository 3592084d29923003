// SPDX-License-Identifier: MIT
/*
 * Mounting, remounting and unmounting. New mounts go through libmount (mounts_helper.c); what needs
 * only one flag changed (mounts_flags.c) or one mount taken away goes straight to the kernel, since
 * libmount would read the whole mount table for it.
 *
 * Whether it worked is for the mount table to say afterwards; what comes back here is what was
 * complained of.
 */
#include "host/mounts_inner.h"

#include "base/clock.h"
#include "base/str.h"
#include "host/holders.h"
#include "host/walk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

enum { QUICK_MS = 100 };

/* For a call that looks at no source and no type: there is nothing to read at NULL. */
#define UNUSED "none"

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

/* What the kernel or the helper is told: libmount reads the words it knows out of the text. */
static char *option_text(struct arena *arena, const struct list *options)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < options->count; i++) {
		str_addf(&text, "%s%s", text.length ? "," : "", options->items[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

static int bind(struct host *host, const struct mount_request *request, const char *place,
                struct err *err)
{
	bool recursive = mounts_flags_have(request->options, "rbind");
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
		return mounts_helper_fail(err, errno, request, NULL);
	}
	if (current) {
		mounts_added(host);
	} else {
		mounts_changed(host);
	}
	/* The first step takes none of the options. */
	if (!mounts_flags_take(request->options, &wanted)) {
		return 0;
	}
	/* A bind mount starts with the flags of what it shows: those stay. */
	if (mounts_read(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, request->target);
	unsigned long flags = row ? mounts_flags_of(&row->vfs_options) : 0;
	AUTO(fd_auto) int parent = -1;

	mounts_flags_take(request->options, &flags);
	mounts_changed(host);
	if (name_mounted(request->target, &parent, from, err)) {
		return -(int)err->code;
	}
	return mount(UNUSED, from, UNUSED, MS_REMOUNT | MS_BIND | flags, NULL)
	           ? mounts_helper_fail(err, errno, request,
	                                "it is mounted, but its options cannot be set")
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
	if (mounts_flags_have(request->options, "bind") ||
	    mounts_flags_have(request->options, "rbind")) {
		name_place(target, "", place);
		return bind(host, request, place, err);
	}
	if (mounts_helper_check(request, err)) {
		return -(int)err->code;
	}
	name_place(target, ".", place); /* move_mount(2), of newer libraries, follows no last link */
	int64_t started = clock_ms();
	bool current = mounts_is_current(host);
	int r = mounts_helper_mount(request, place, option_text(arena, request->options), err);

	/* In a longer time others may have unmounted something, and the kernel tells only once. */
	if (current && !r && clock_ms() - started < QUICK_MS) {
		mounts_added(host);
	} else {
		mounts_changed(host);
	}
	return r;
}

/* ---- Remounting ---- */

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
	bool is_bind = strcmp(row->root, "/") != 0 || mounts_flags_have(asked, "bind") ||
	               mounts_flags_have(asked, "rbind");
	AUTO(fd_auto) int parent = -1;
	char place[PLACE_MOST];
	int r = 0;

	if (name_mounted(row->target, &parent, place, err)) {
		return -(int)err->code;
	}
	if (mounts_flags_suffice(asked, is_bind)) {
		unsigned long flags = mounts_flags_of(&row->vfs_options);

		mounts_flags_take(asked, &flags);
		r = mount(UNUSED, place, UNUSED, MS_REMOUNT | MS_BIND | flags, NULL)
		        ? mounts_helper_fail(err, errno, request, "its options cannot be changed")
		        : 0;
	} else {
		struct mount_request now = {
		    .target = row->target, .source = row->source, .type = row->type};

		r = mounts_helper_mount(&now, place, mounts_flags_remount(arena, row, asked), err);
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
