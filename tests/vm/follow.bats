#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# The kernel moved and the module stayed: kernel B runs, the package is there for kernel A only.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

@test "the node is broken as the field knows it before anything is done" {
	assert_kernel "$B"
	assert_installed "lustre-client-modules-$A"
	refute_installed "lustre-client-modules-$B"
	guest_fails modprobe lustre
	guest_fails "mount -t lustre $SOURCE /lustre"
	assert_stderr -p "No such device"
}

@test "the module of the running kernel is installed, loaded and the file system mounted" {
	reconcile plan
	assert_status 2
	assert_output -p "lustre-client-modules-$B"
	refute_installed "lustre-client-modules-$B"
	refute_lustre_mounted
	apply
	assert_status 0
	assert_installed "lustre-client-modules-$A" "lustre-client-modules-$B"
	guest lsmod
	assert_line -e '^lustre '
	guest "modinfo -F vermagic lustre"
	assert_output -e "^$B "
	assert_lustre_mounted
	settled
	reconcile apply --yes
	assert_status 0
}
