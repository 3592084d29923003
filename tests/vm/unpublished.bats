#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# The vendor has no module for the kernel that runs, which is the newest.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

@test "the newest kernel that has a module becomes the default, and a reboot is said to be needed" {
	vendor old
	role <<-YAML
		version: 1
		mode: full
		kernel: {strategy: follow}
		reboot: {when: never}
		modules:
		  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
		mounts:
		  /lustre: {source: "$SOURCE", type: lustre, manage: live}
		  /scratch: {source: tmpfs, type: tmpfs, manage: live}
	YAML
	apply
	assert_status 4
	assert_output -p "$A"
	assert_output -e '[Rr]eboot'
	assert_boots "$A"
	assert_kernel "$B"
	refute_lustre_mounted
	guest findmnt /scratch # what can be mounted now is
	"$VM/guest" boot 300
	assert_kernel "$A"
	apply
	assert_status 0
	assert_lustre_mounted
	assert_boots "$A"
	settled
}

@test "without any kernel that has a module nothing is made the default" {
	guest "dpkg --purge lustre-client-modules-$A && rm /etc/apt/sources.list.d/lustre.list && apt-get -q update"
	apply
	assert_status 4
	assert_boots "$B"
}
