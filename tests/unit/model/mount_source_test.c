// SPDX-License-Identifier: MIT
/* Mount sources by meaning, with the sources that real nodes show. */
#include "model/mount_source.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum answer { NO, YES, PERHAPS };

static const struct {
	const char *type, *want, *have;
	enum answer answer;
} cases[] = {
    {"lustre", "10.1.30.23@tcp:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", YES},
    {"lustre", "10.1.30.23@tcp0:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", YES},
    {"lustre", "10.1.30.23:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", YES},
    {"lustre", "10.1.30.23@tcp:/czrc3amv/", "10.1.30.23@tcp:/czrc3amv", YES},
    {"lustre", "10.1.30.24@tcp:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", NO},
    {"lustre", "10.1.30.23@tcp:/czrc3amv", "10.1.30.23@tcp:/ddyezbev", NO},
    {"lustre", "10.1.30.23@tcp:/czrc3amv/sub", "10.1.30.23@tcp:/czrc3amv", NO},
    {"lustre", "10.1.30.23@tcp:/czrc3amv", "10.1.30.23@tcp:/czrc3amv/sub", NO},
    {"lustre", "10.1.30.23@tcp1:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", NO},
    {"lustre", "10.1.30.23@tcp10:/czrc3amv", "10.1.30.23@tcp1:/czrc3amv", NO},
    {"lustre", "10.1.30.23@o2ib:/czrc3amv", "10.1.30.23@tcp:/czrc3amv", NO},
    {"lustre", "fs-04cb64a224a31f75d.fsx.ap-northeast-2.amazonaws.com@tcp:/ddyezbev",
     "10.0.1.7@tcp:/ddyezbev", PERHAPS},
    {"lustre", "fs-04cb64a224a31f75d.fsx.ap-northeast-2.amazonaws.com@tcp:/ddyezbev",
     "10.0.1.7@tcp:/czrc3amv", NO},
    {"lustre", "mgs1@tcp:mgs2@tcp:/home", "10.0.0.2@tcp:10.0.0.1@tcp:/home", PERHAPS},
    {"lustre", "10.0.0.1@tcp:10.0.0.2@tcp:/home", "10.0.0.2@tcp:/home", YES},
    {"lustre", "10.0.0.1@tcp,10.1.0.1@o2ib:10.0.0.2@tcp:/home", "10.1.0.1@o2ib:/home", YES},
    {"lustre", "mgs@o2ib:/home", "10.0.0.2@tcp:/home", NO},
    {"lustre", "garbage", "10.0.0.2@tcp:/home", NO},
    {"lustre", "garbage", "garbage", YES},
    {"nfs", "fs-1.fsx.ap-northeast-2.amazonaws.com:/fsx",
     "fs-1.fsx.ap-northeast-2.amazonaws.com:/fsx/", YES},
    {"nfs4", "NAS.example.com:/export//home", "nas.example.com.:/export/home", YES},
    {"nfs", "fs-1.fsx.amazonaws.com:/fsx", "fs-2.fsx.amazonaws.com:/fsx", NO},
    {"nfs", "nas:/export", "nas.example.com:/export", PERHAPS},
    {"nfs", "nas:/export", "sat.example.com:/export", NO},
    {"nfs", "nas.example.com:/export", "10.0.0.5:/export", PERHAPS},
    {"nfs", "10.0.0.6:/export", "10.0.0.5:/export", NO},
    {"nfs", "nas:/export", "nas:/exports", NO},
    {"nfs", "nas:/", "nas:/", YES},
    {"nfs", "nas:/", "nas:/a", NO},
    {"nfs", "[fd00::1]:/export", "[fd00:0:0::1]:/export", YES},
    {"nfs", "[fd00::1]:/export", "[fd00::2]:/export", NO},
    {"nfs", "[fd00::1]:/export", "10.0.0.5:/export", NO},
    {"nfs", "[fd00::1", "[fd00::1", YES},
    {"nfs", "no-colon", "nas:/export", NO},
    {"cifs", "//nas/Share", "\\\\NAS\\share\\", YES},
    {"cifs", "//nas/share", "//nas/other", NO},
    {"cifs", "//nas/share", "//10.0.0.5/share", PERHAPS},
    {"ext4", "/dev/nvme1n1", "/dev/nvme1n1", YES},
    {"ext4", "/dev/nvme1n1", "/dev/nvme2n1", NO},
    {"ext4", "/dev/vg/scratch", "/dev/mapper/vg-scratch", PERHAPS},
    {"ext4", "/dev/disk/by-id/nvme-x", "/dev/nvme1n1", PERHAPS},
    {"ext4", "LABEL=scratch", "/dev/nvme1n1", PERHAPS},
    {"ext4", "UUID=1", "LABEL=a", PERHAPS},
    {"ext4", "UUID=1", "UUID=2", NO},
    {"ext4", "LABEL=a", "tmpfs", NO},
    {"xfs", "/srv/image", "/srv//image/", YES},
    {"fuse.sshfs", "user@host:/path", "user@host:/path", YES},
    {"fuse.sshfs", "user@host:/path", "user@other:/path", NO},
    {"tmpfs", "tmpfs", "none", YES},
    {"tmpfs", "scratch", "tmpfs", YES},
    {"beegfs", "beegfs_nodev", "anything", YES},
    {"overlay", "overlay", "none", YES},
    {NULL, "/dev/sda1", "/dev/sda1", YES},
    {NULL, "/dev/sda1", "/dev/sdb1", NO},
};

static void mount_source_is_compared_by_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool unsure = !(cases[i].answer == PERHAPS);
		bool same = mount_source_same(cases[i].want, cases[i].have, cases[i].type, &unsure);

		if (same != (cases[i].answer != NO) || unsure != (cases[i].answer == PERHAPS)) {
			fail_msg("%s: %s against %s: %d, unsure %d", cases[i].type ? cases[i].type : "no type",
			         cases[i].want, cases[i].have, same, unsure);
		}
	}
}

/* Whatever a source is, it is the same as itself, and the answer is the same both ways. */
static void mount_source_is_itself_and_symmetric(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool unsure, back;

		assert_true(mount_source_same(cases[i].want, cases[i].want, cases[i].type, &unsure));
		assert_false(unsure);
		assert_true(mount_source_same(cases[i].want, cases[i].have, cases[i].type, &unsure) ==
		            mount_source_same(cases[i].have, cases[i].want, cases[i].type, &back));
		assert_true(unsure == back);
	}
	assert_true(mount_source_same("a", "a", "ext4", NULL));
}

static void mount_type_is_compared_as_the_kernel_shows_it(void **state)
{
	static const struct {
		const char *want, *have;
		bool same;
	} types[] = {
	    {"ext4", "ext4", true},        {"ext4", "xfs", false},
	    {"nfs", "nfs4", true},         {"nfs4", "nfs", false},
	    {"sshfs", "fuse.sshfs", true}, {"fuse.sshfs", "fuse.sshfs", true},
	    {"sshfs", "fuse.s3fs", false}, {"none", "ext4", true},
	    {"auto", "xfs", true},         {"ntfs-3g", "fuseblk", true},
	    {"lustre", "nfs4", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_true(mount_type_same(types[i].want, types[i].have) == types[i].same);
	}
}

static void mount_type_knows_what_may_hang(void **state)
{
	static const char *const remote[] = {"lustre", "nfs",       "nfs4", "beegfs",
	                                     "cifs",   "fuse.hang", "fuse"};
	static const char *const local[] = {"ext4", "xfs", "tmpfs", "overlay", "proc", "btrfs", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(remote); i++) {
		assert_true(mount_type_is_remote(remote[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		assert_false(mount_type_is_remote(local[i]));
	}
	assert_true(mount_type_is_sourceless("beegfs"));
	assert_false(mount_type_is_sourceless("lustre"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mount_source_is_compared_by_meaning),
	    cmocka_unit_test(mount_source_is_itself_and_symmetric),
	    cmocka_unit_test(mount_type_is_compared_as_the_kernel_shows_it),
	    cmocka_unit_test(mount_type_knows_what_may_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
