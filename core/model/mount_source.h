// SPDX-License-Identifier: MIT
/* Sources and types of mounts by meaning. Pure text: no name is resolved, no device looked at. */
#ifndef MODEL_MOUNT_SOURCE_H
#define MODEL_MOUNT_SOURCE_H

#include <stdbool.h>

/* The same source? By type: tmpfs and other nodev types do not compare; Lustre by NIDs (host part
 * before @), network and file system name; LABEL=, UUID= and /dev links are resolved by the host
 * before; NFS by normalised host:path; BeeGFS does not compare. `unsure` is set when only
 * resolving names could tell: then the answer is true, since all that the texts can tell is the
 * same. */
bool mount_source_same(const char *want, const char *have, const char *type, bool *ret_unsure);

/* Does a live mount of the type `have` satisfy the wanted type? What is mounted as nfs is shown
 * as nfs4, sshfs as fuse.sshfs; none and auto (and a bind mount) leave it open. */
bool mount_type_same(const char *want, const char *have);

/* Is it a type whose server may be gone: calls on it may hang? */
bool mount_type_is_remote(const char *type);

/* Does the source say nothing about what is mounted (tmpfs, proc, overlay, beegfs)? */
bool mount_type_is_sourceless(const char *type);

#endif
