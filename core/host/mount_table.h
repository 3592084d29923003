// SPDX-License-Identifier: MIT
/*
 * The mount table as the kernel tells it, and what is seen where: several mounts may lie on one
 * target, and one on a folder hides those below it. Pure text; private to this room.
 */
#ifndef HOST_MOUNT_TABLE_H
#define HOST_MOUNT_TABLE_H

#include "host/mounts.h"

/* Cuts up the text of a mountinfo (proc(5)), which must live in the arena as well. */
int mount_table_parse(char *text, struct arena *arena, struct mount_table **ret_table,
                      struct err *err) MUST_CHECK;
/* Adds rows that came later. False: nothing came, or it is not that simple (one hides others), and
 * the table is no good any more. */
bool mount_table_extend(struct mount_table *table, char *text) MUST_CHECK;
/* The target of the automount that nobody has used yet and that `path` lies behind, or NULL. */
const char *mount_table_trigger_over(const struct mount_table *table, const char *path,
                                     bool or_same);

#endif
