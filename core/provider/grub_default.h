// SPDX-License-Identifier: MIT
/*
 * Making an entry of GRUB the default, by a file of ours below /etc/default/grub.d that names its
 * id path, and a grub.cfg made anew from it. The new grub.cfg is made elsewhere, read as GRUB will
 * read it, and takes the place of the old one whole or not at all. Called in a worker, with the
 * host it is given; texts live in the arena.
 */
#ifndef PROVIDER_GRUB_DEFAULT_H
#define PROVIDER_GRUB_DEFAULT_H

#include "provider/boot_loader.h"

/* `release` becomes the default. NULL: our file goes, and what the distribution and the operator
 * chose holds again. *applied is left alone when it went well. */
int grub_default_set(struct host *host, const char *release, struct arena *arena,
                     struct applied *applied, struct err *err) MUST_CHECK;

#endif
