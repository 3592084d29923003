// SPDX-License-Identifier: MIT
/*
 * What GRUB will boot, read from the grub.cfg that update-grub made and from grubenv. Pure, and
 * read only: what cannot be followed (a script somebody wrote, BLS entries) is NULL, never a
 * guess. The source is the GRUB manual, "default", "menuentry" and "environment block".
 */
#ifndef PROVIDER_GRUB_H
#define PROVIDER_GRUB_H

#include "base/mem.h"

struct grub_answer {
	const char *boot_default; /* kernel release, or NULL: no Linux entry, or it cannot be told */
	const char *boot_next;    /* of a one-shot entry, or NULL: none */
};

/* Both texts are cut up in place; `env` may be NULL. The answers live in the arena. */
void grub_read(struct arena *arena, char *config, char *env, struct grub_answer *ret_answer);

#endif
