// SPDX-License-Identifier: MIT
/* See remote_fs.h. */
#include "base/remote_fs.h"

#include "base/mem.h"

#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

/* Numbers where linux/magic.h has no name, or got it only lately: as the sources of the file system
 * have them. All but BeeGFS stand in the list of coreutils' stat(1) too. */
static const struct {
	uint32_t magic;
	const char *name;
} types[] = {
    {NFS_SUPER_MAGIC, "nfs"},   {FUSE_SUPER_MAGIC, "fuse"},   {0x00c36400, "ceph"},
    {SMB_SUPER_MAGIC, "smb"},   {0xff534d42, "cifs"},         {0xfe534d42, "smb2"},
    {AFS_SUPER_MAGIC, "afs"},   {AFS_FS_MAGIC, "afs"},        {V9FS_MAGIC, "9p"},
    {CODA_SUPER_MAGIC, "coda"}, {OCFS2_SUPER_MAGIC, "ocfs2"}, {0x01161970, "gfs2"},
    {0x0bd00bd0, "lustre"},     {0x19830326, "beegfs"},       {0x47504653, "gpfs"},
    {0xaad7aaea, "panfs"},
};

const char *remote_fs_name(uint32_t magic)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].magic == magic) {
			return types[i].name;
		}
	}
	return NULL;
}

const char *remote_fs_at(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) ? NULL : remote_fs_name((uint32_t)fs.f_type);
}
