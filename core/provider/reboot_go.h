// SPDX-License-Identifier: MIT
/*
 * Having a node rebooted: the ledger first, then the command. For kind reboot only. The command is
 * systemctl(1), or scontrol(1) where Slurm is to do it; both return before the node goes down.
 */
#ifndef PROVIDER_REBOOT_GO_H
#define PROVIDER_REBOOT_GO_H

#include "provider/provider.h"
#include "provider/reboot_ledger.h"

/* The ledger with what came of its entries until now. *ret_obstacle, when not NULL, says why it
 * cannot be relied on: then nothing may be rebooted. A node that never ran before has none. */
int reboot_go_read(struct host *host, struct arena *arena, struct reboot_ledger *ret_ledger,
                   const char **ret_obstacle, struct err *err) MUST_CHECK;

/* As apply of a provider. */
int reboot_go(struct host *host, const struct change *change, struct arena *arena,
              struct applied *ret_applied, struct err *err) MUST_CHECK;

#endif
