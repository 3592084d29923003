// SPDX-License-Identifier: MIT
/*
 * Mount options by meaning. Pure text; sources of the facts: mount(8), tmpfs(5), nfs(5), proc(5),
 * mount.lustre(8).
 *
 * Wanted options are a set of assertions: each must hold in what is mounted, in any order,
 * whatever else the kernel or a client added. Values are compared after normalising: size
 * suffixes, octal modes, on/off pairs (ro/rw, dev/nodev, flock/noflock ...), atime words. Of two
 * wanted options that speak of the same thing the last one is in force, as it is for mount(8).
 */
#ifndef MODEL_MOUNT_OPTIONS_H
#define MODEL_MOUNT_OPTIONS_H

#include "model/field.h"
#include "model/mount_source.h"

/* Who an option is for. Only KERNEL ones are compared with what is mounted, and only they may be
 * handed to mount(2) or a helper. */
enum option_class {
	OPTION_KERNEL, /* for mount(2) or the file system (or its helper) */
	OPTION_FSTAB,  /* only in fstab: noauto, nofail, x-systemd.*, _netdev, comment=, user ... */
};
enum option_class mount_option_class(const char *option);

/* Does the live option list make the wanted option true? `type` is the file system type. True as
 * well of what a live mount cannot show: fstab words, bind, retry=, a percentage, a user name. */
bool mount_option_holds(const char *option, const struct list *live, const char *type);
/* The same for the option list of an fstab line of that type, where words stand as written. */
bool mount_option_stands(const char *option, const struct list *fstab, const char *type);
/* Does a remount change it? The Lustre client takes ro and rw (ll_remount_fs in
 * lustre/llite/llite_lib.c) and is silent about the rest; of other types everything is tried. */
bool mount_option_remounts(const char *option, const char *type);
/* What the list (live or, with `in_fstab`, written) has in place of the option: "relatime" for
 * "noatime", "size=64k" for "size=1g"; NULL when it has nothing. Borrowed from the list or for
 * ever. */
const char *mount_option_counterpart(const char *option, const struct list *list, bool in_fstab,
                                     const char *type);

/* Two options of one list that contradict each other (ro and rw), or NULL: returns the second. */
const char *mount_options_conflict(const struct list *options);

/* The options that are in force of a wanted list: `defaults` spelled out, what a later one
 * overrides left out; without `in_fstab` also without what only fstab knows. Items borrowed, the
 * list in the arena. */
struct list mount_options_in_force(struct arena *arena, const struct list *options, bool in_fstab);

/* Is it a bind mount (bind, rbind)? */
bool mount_options_bind(const struct list *options);

#endif
