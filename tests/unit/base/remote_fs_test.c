// SPDX-License-Identifier: MIT
#include "base/remote_fs.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void what_other_nodes_write_is_remote(void **state)
{
	/* As coreutils' stat(1) lists them, and BeeGFS as its own client does. */
	static const struct {
		uint32_t magic;
		const char *name;
	} remote[] = {
	    {0x6969, "nfs"},        {0x65735546, "fuse"},   {0x00c36400, "ceph"},
	    {0x517b, "smb"},        {0xff534d42, "cifs"},   {0xfe534d42, "smb2"},
	    {0x5346414f, "afs"},    {0x6b414653, "afs"},    {0x01021997, "9p"},
	    {0x73757245, "coda"},   {0x7461636f, "ocfs2"},  {0x01161970, "gfs2"},
	    {0x0bd00bd0, "lustre"}, {0x19830326, "beegfs"}, {0x47504653, "gpfs"},
	    {0xaad7aaea, "panfs"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(remote); i++) {
		const char *name = remote_fs_name(remote[i].magic);

		assert_non_null(name);
		assert_string_equal(name, remote[i].name);
	}
}

static void what_this_node_alone_writes_is_not(void **state)
{
	/* ext4, XFS, btrfs, tmpfs, overlay, ZFS, proc */
	static const uint32_t local[] = {0xef53,     0x58465342, 0x9123683e, 0x01021994,
	                                 0x794c7630, 0x2fc12fc1, 0x9fa0,     0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		assert_null(remote_fs_name(local[i]));
	}
	assert_null(remote_fs_at("/proc"));
	assert_null(remote_fs_at("/proc/not/there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_other_nodes_write_is_remote),
	    cmocka_unit_test(what_this_node_alone_writes_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
