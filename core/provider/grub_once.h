// SPDX-License-Identifier: MIT
/*
 * Having GRUB start an entry once: next_entry in its environment block. The block is edited by
 * grub-editenv, in a copy, and takes the place of the old one whole: what else it holds (which
 * entry was saved) outlives whoever is killed meanwhile. Called in a worker, with the host it is
 * given; texts live in the arena.
 */
#ifndef PROVIDER_GRUB_ONCE_H
#define PROVIDER_GRUB_ONCE_H

#include "provider/boot_loader.h"

/* `release` is started at the next boot, "" none. *applied is left alone when it went well. */
int grub_once_set(struct host *host, const char *release, struct arena *arena,
                  struct applied *applied, struct err *err) MUST_CHECK;

/* What grub-probe says against it, one sentence, or NULL: root's question, since it looks at the
 * device. */
int grub_once_probe(struct host *host, struct arena *arena, const char **ret_obstacle,
                    struct err *err) MUST_CHECK;

#endif
