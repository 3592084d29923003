#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# image: dkms
# timeout: 3600
# BeeGFS 7.4.4 on kernel 6.12: DKMS cannot build its client there, and can on 6.1.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

role_beegfs()
{
	role <<-YAML
		version: 1
		mode: full
		kernel: {strategy: follow}
		modules:
		  beegfs: {dkms: beegfs, filesystem: beegfs, unsupported: $1}
		mounts:
		  /mnt/beegfs: {source: beegfs_nodev, type: beegfs, service: beegfs-client.service, manage: live}
		  /scratch: {source: tmpfs, type: tmpfs, manage: live}
	YAML
}

@test "the build fails on 6.12 for the reason of the field, and dkms status has no line for it" {
	assert_kernel "$C"
	guest_fails "dkms build beegfs/7.4.4 -k $C"
	guest 'cat /var/lib/dkms/beegfs/7.4.4/build/make.log'
	assert_output -p 'asm/unaligned.h: No such file'
	guest "dkms status beegfs"
	refute_output -p installed
}

@test "remedy 1: the node is brought to the newest kernel that the client builds on" {
	role_beegfs pin
	GUEST_TIMEOUT=900 apply
	assert_status 4
	assert_output -p asm/unaligned.h
	assert_boots "$B"
	guest "dkms status beegfs -k $B"
	assert_output -e "^beegfs/7.4.4, $B, x86_64: installed"
	guest findmnt /scratch
	guest dpkg --audit
	refute_output
	"$VM/guest" boot 300
	assert_kernel "$B"
	apply
	assert_status 0
	guest lsmod
	assert_line -e '^beegfs '
	guest findmnt -n -o SOURCE,FSTYPE /mnt/beegfs
	assert_output -e '^beegfs_nodev +beegfs$'
	guest systemctl is-active beegfs-client beegfs-helperd
	settled
}

@test "remedy 2: only the mount is blocked, and the rest of the node converges" {
	role_beegfs skip
	GUEST_TIMEOUT=900 apply
	assert_status 4
	assert_output -p /mnt/beegfs
	guest findmnt /scratch
	guest_fails findmnt /mnt/beegfs
	assert_boots "$C"
	guest dpkg --audit
	refute_output
}
