// SPDX-License-Identifier: MIT
/*
 * The boot loader of this node: what it may start, what it will start, and whether that can be
 * changed here. Reads only, with the host it is given; everything lives in the arena.
 *
 * Sources: the GRUB manual; the Boot Loader Specification and the Boot Loader Interface (EFI
 * variables) of the UAPI group; /etc/grub.d of grub-common.
 */
#ifndef PROVIDER_BOOT_LOADER_H
#define PROVIDER_BOOT_LOADER_H

#include "provider/provider.h"

/* Ours, late among its like: what it says of GRUB_DEFAULT is what grub-mkconfig takes. */
#define BOOT_LOADER_FOLDER "/etc/default/grub.d"
#define BOOT_LOADER_FILE "zz-reconcile.cfg"
#define BOOT_LOADER_GRUB "/boot/grub"

struct boot_choice {
	const char *release;
	const char *path; /* what names this entry for good; NULL: nothing does */
};

struct boot_loader {
	const char *name; /* grub, bls, systemd-boot; NULL: none that can be read */
	const char *boot_default, *boot_next;
	const char *default_entry, *stale_entry;
	const char *asked_next;  /* what is to be started once, whether there is such an entry or not */
	const char *preset;      /* of GRUB: the default that grub.cfg names */
	const char *own_default; /* what our file asks for, "" nothing; NULL: there is no such file */
	const char *obstacle;    /* why the default cannot be set */
	const char *once_obstacle; /* why nothing can be started once */
	struct boot_choice *choices;
	size_t count, cap;
};

int boot_loader_read(struct host *host, struct arena *arena, struct boot_loader *ret_loader,
                     struct err *err) MUST_CHECK;

/* The entry of a release, NULL when there is none. */
const struct boot_choice *boot_loader_choice(const struct boot_loader *loader, const char *release);
void boot_loader_add(struct arena *arena, struct boot_loader *loader, const char *release,
                     const char *path);

/* A text that may be missing, or not for us to read (a link, too large): NULL then, and *ret_hidden
 * (may be NULL) says why it is not read. */
int boot_loader_text(struct host *host, const char *path, struct arena *arena, char **ret_text,
                     const char **ret_hidden, struct err *err) MUST_CHECK;

#endif
