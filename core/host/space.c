// SPDX-License-Identifier: MIT
/* See space.h and host_ops. */
#include "host/host_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

/* An open with O_PATH asks no server and wakes no automount that sprang up since the mount table
 * was read; statfs(2) on the path itself would do both. */
int space_read(struct host *host, const char *target, struct host_space *ret_space, struct err *err)
{
	const struct mount_table *table;
	struct statfs st;

	*ret_space = (struct host_space){0};
	if (mounts_read(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_at(table, target);

	if (!row) {
		return 0;
	}
	const char *trigger = mounts_trigger_over(host, target, true);

	if (trigger) {
		return err_set(err, ERR_BUSY, 0, "the automount %s is armed: a look would mount it",
		               trigger);
	}
	AUTO(fd_auto) int fd = open(target, O_PATH | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fstatfs(fd, &st)) {
		return err_set(err, ERR_HOST, errno, "cannot ask %s for its space", target);
	}
	uint64_t unit = st.f_frsize ? (uint64_t)st.f_frsize : (uint64_t)st.f_bsize;

	*ret_space = (struct host_space){
	    .mounted = true,
	    .size = st.f_blocks * unit,
	    .used = (st.f_blocks - st.f_bfree) * unit,
	    .available = st.f_bavail * unit,
	};
	return 0;
}
