// SPDX-License-Identifier: MIT
/*
 * Entries that are files of their own (Boot Loader Specification, type 1), as GRUB's blscfg and
 * systemd-boot take them. Reads only. Which entry comes first when none is chosen is decided by
 * rules that differ between versions of them: that is left untold. Results live in the arena.
 */
#ifndef PROVIDER_BOOT_BLS_H
#define PROVIDER_BOOT_BLS_H

#include "provider/boot_loader.h"

/* GRUB with blscfg: `env` is the text of grubenv, or NULL. */
int boot_bls_read(struct host *host, const char *env, struct arena *arena,
                  struct boot_loader *loader, struct err *err) MUST_CHECK;
/* systemd-boot; leaves *loader alone where there is none. */
int boot_bls_systemd(struct host *host, struct arena *arena, struct boot_loader *loader,
                     struct err *err) MUST_CHECK;

#endif
