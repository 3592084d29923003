// SPDX-License-Identifier: MIT
/*
 * What a node is to others, as far as a reboot concerns them: a Slurm controller, a server of
 * files, a machine of a fleet whose manager replaces what goes away. Told from files and processes
 * alone; a question to the scheduler may hang. For kind reboot only.
 */
#ifndef PROVIDER_REBOOT_FLEET_H
#define PROVIDER_REBOOT_FLEET_H

#include "provider/provider.h"

/* Why a reboot outside the scheduler would lose the node or what others have from it; NULL: nothing
 * speaks against it. */
int reboot_fleet(struct host *host, struct arena *arena, const char **ret_why,
                 struct err *err) MUST_CHECK;

/* The full path of scontrol, NULL when it is nowhere. */
int reboot_fleet_scontrol(struct host *host, struct arena *arena, const char **ret_path,
                          struct err *err) MUST_CHECK;

#endif
