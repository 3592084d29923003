// SPDX-License-Identifier: MIT
/* What the files behind packages.h share; nobody else but their tests includes it. */
#ifndef HOST_PACKAGES_INNER_H
#define HOST_PACKAGES_INNER_H

#include "host/host_inner.h"

#define PACKAGES_DPKG "/var/lib/dpkg"

/* ---- packages_status.c: dpkg's status file as a table by name ---- */

struct packages_table;

/* Cuts the text up in place; the table lives in the arena and borrows from the text, which ends
 * with a NUL behind its n bytes. */
struct packages_table *packages_table_parse(struct arena *arena, char *text, size_t n);
/* "name" is the package of the machine's own architecture, "name:arch" that of another. NULL:
 * no stanza. */
const struct host_package *packages_table_find(const struct packages_table *table,
                                               const char *name);
size_t packages_table_count(const struct packages_table *table);
/* Its i-th stanza, and its name as dpkg would print it: with the architecture when it is a
 * foreign one. */
const struct host_package *packages_table_at(const struct packages_table *table, size_t i,
                                             const char **ret_name);

/* ---- packages_manager.c: is somebody at work? ---- */

/* Does dpkg's journal hold something that is not in the status file yet? */
bool packages_has_journal(void);
/* Who holds one of dpkg's locks: 0 when nobody does, as far as we may see. */
int packages_lock_holder(void);
/* The name of a process, "" when it cannot be told. */
const char *packages_command_of(struct arena *arena, int pid);
bool packages_under_systemd(void);

/* ---- packages_apt.c ---- */

/* What `apt-cache policy NAME` printed, of that name alone: where there is no such package, apt
 * takes a name with a dot in it for a regular expression. Pure; the texts come into the arena. */
void packages_policy_parse(struct arena *arena, char *text, const char *name,
                           struct host_candidate *ret_candidate);

#endif
