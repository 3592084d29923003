// SPDX-License-Identifier: MIT
/* What the files of the kind mount share. Private to this room. */
#ifndef PROVIDER_MOUNT_H
#define PROVIDER_MOUNT_H

#include "provider/provider.h"

/* mount_observe.c */
int mount_observe(struct host *host, const char *key, const struct resource *want,
                  struct arena *arena, struct resource **ret_have, struct err *err);
int mount_list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err);

/* mount_diff.c, all of it pure: as diff of a provider. */
void mount_diff(struct arena *arena, const struct resource *want, const struct resource *have,
                struct verdict *verdict);
/* Is what is wanted live, whatever its options? */
bool mount_is_right(const struct resource *want, const struct resource *have);
bool mount_is_live(const struct resource *have);
/* Is that what `manage` says? Unsaid it is full. */
bool mount_is_managed(const struct resource *want, const char *how);
/* Is the field with that name not as wanted? */
bool mount_fails(const struct resource *want, const struct resource *have, const char *field);

/* mount_unit.c: fills in mount->unit and what it says, when somebody wrote one for the target. */
int mount_read_unit(struct host *host, const char *target, struct arena *arena, struct mount *mount,
                    struct err *err) MUST_CHECK;

/* mount_service.c: makes a mount by starting the service that makes it. */
int mount_through_service(struct host *host, const struct resource *want, struct arena *arena,
                          struct applied *applied, struct err *err) MUST_CHECK;

/* mount_line.c: what fstab should say. Of a line that stands there everything is kept that is not
 * wanted otherwise. */
int mount_compose_line(struct host *host, const struct resource *want, struct arena *arena,
                       struct fstab_line *ret_line, struct err *err) MUST_CHECK;
/* Has systemd read fstab again, where it runs and sees the same mounts as we. What it complains of
 * is added to the detail: the mount itself does not depend on it. */
void mount_tell_systemd(struct host *host, struct arena *arena, struct applied *applied);

#endif
