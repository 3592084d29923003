// SPDX-License-Identifier: MIT
/*
 * What GRUB will boot, read from the grub.cfg that grub-mkconfig made and from grubenv. Pure, and
 * read only: what cannot be followed (a script somebody wrote, BLS entries) is NULL, never a
 * guess. Sources: the GRUB manual, "default", "menuentry" and "environment block", and for what it
 * does with a name that fits no entry, get_entry_number() of its normal/menu.c.
 */
#ifndef PROVIDER_GRUB_H
#define PROVIDER_GRUB_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/* An entry that boots Linux, also one within submenus. */
struct grub_entry {
	const char *path;    /* its id and those of its menus, joined by ">": what names it alone */
	const char *id;      /* the last of them; its title when it was given none */
	const char *release; /* of its kernel */
	const char *image;   /* as GRUB finds it */
	bool has_initrd;
};

struct grub_answer {
	struct grub_entry *entries; /* in the order of the menu */
	size_t count, cap;
	const char *boot_default;  /* kernel release, or NULL: no Linux entry, or it cannot be told */
	const char *default_entry; /* its path; NULL as well when it is no Linux entry */
	const char *boot_next;     /* of a one-shot entry, or NULL: none */
	const char *next_entry;    /* path of that one */
	const char *preset;        /* what grub.cfg itself says is the default, NULL: nothing */
	const char *asked_next;    /* what grubenv says is to be booted once */
	const char *stale;         /* what names no entry, of default and next, or NULL */
	bool is_saved;             /* grubenv decides about the default */
	bool heeds_next;           /* grub.cfg would start asked_next, and forget it then */
	bool is_bls;               /* its entries are files elsewhere (blscfg) */
};

/* Both texts are cut up in place; `env` may be NULL. The answers live in the arena. */
void grub_read(struct arena *arena, char *config, char *env, struct grub_answer *ret_answer);

/* The entry that boots exactly this release for as long as that is installed, by the ids that
 * 10_linux gives: not the one on top, which boots whatever is newest, and none for recovery. NULL:
 * there is none. */
const struct grub_entry *grub_entry_of(const struct grub_answer *answer, const char *release);

/* The value of a variable in the text of an environment block; NULL: unset, empty, or no such
 * block. */
const char *grub_env_value(struct arena *arena, const char *env, const char *name);

/* "/boot/vmlinuz-6.8.0-1039-aws": the release behind the name of an image, or NULL. */
const char *grub_release_of(const char *image);

#endif
