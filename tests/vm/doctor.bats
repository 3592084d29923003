#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# Without a tree: what is said of a node that is broken, and a tree that is written from a whole one.

load support/vm
teardown() { vm_show; }

setup()
{
	vm_restore
	guest "rm -r /etc/reconcile; echo '$SOURCE /lustre lustre _netdev 0 0' >>/etc/fstab"
}

@test "the doctor names what is lost, and why, to anybody, and leaves everything as it is" {
	local state='cat /proc/mounts /proc/modules /var/lib/dpkg/status; cat /boot/grub/grubenv
		ls -lR /etc /var/lib/reconcile 2>&1; find /run/reconcile -type f 2>/dev/null'
	guest "($state) | md5sum"
	local before=$output
	in_guest 'setpriv --reuid nobody --regid nogroup --clear-groups reconcile doctor'
	assert_status 2
	assert_output -e '/lustre +NOT MOUNTED'
	assert_output -p "the running kernel $B cannot load lustre"
	reconcile doctor --line
	assert_status 2
	assert_line -e '/lustre .*NOT.MOUNTED|NOT.MOUNTED.* /lustre'
	guest "($state) | md5sum"
	assert_output "$before"
}

@test "what was imported from a whole node plans empty, and mends the node later" {
	guest "apt-get -qq install lustre-client-modules-$B >/dev/null && mount /lustre"
	assert_lustre_mounted
	reconcile doctor
	assert_status 0
	assert_output -e '/lustre +.*MOUNTED'
	reconcile import --out /etc/reconcile
	assert_status 0
	reconcile plan
	assert_status 0
	settled

	guest "umount /lustre; rmmod lustre; dpkg -P lustre-client-modules-$B; apt-get clean"
	reconcile doctor
	assert_status 2
	apply
	assert_status 0
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
	reconcile doctor
	assert_status 0
	settled
}
