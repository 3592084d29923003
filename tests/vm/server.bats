#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1800
# The module is right and the server is not: it refuses, or it does not answer.

load support/vm
teardown() { vm_show; }

setup()
{
	vm_restore
	role <<-YAML
		version: 1
		mode: full
		modules:
		  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
		mounts:
		  /lustre: {source: "$SOURCE", type: lustre, manage: live}
		  /scratch: {source: tmpfs, type: tmpfs, manage: live}
	YAML
}

@test "a server that cannot be reached is said with the kernel's reason, and the rest goes on" {
	guest "echo options lustre refuse=$SOURCE >/etc/modprobe.d/server.conf"
	apply
	assert_status 5
	assert_output -e 'No route to host|EHOSTUNREACH'
	assert_installed "lustre-client-modules-$B"
	guest lsmod
	assert_line -e '^lustre '
	refute_lustre_mounted
	guest findmnt /scratch
	guest 'echo >/sys/module/lustre/parameters/refuse'
	apply
	assert_status 0
	assert_lustre_mounted
}

@test "a server that knows no such name is told from one that is away" {
	guest "echo options lustre refuse=$SOURCE error=22 >/etc/modprobe.d/server.conf"
	apply
	assert_status 5
	assert_output -p czrc3amv
	assert_output -p 'wrong file system name'
	refute_output -e 'No route to host|EHOSTUNREACH'
	refute_lustre_mounted
	guest findmnt /scratch
}

@test "a mount that does not return is given up, and costs later runs nothing" {
	guest 'echo options lustre stall=420 >/etc/modprobe.d/server.conf'
	GUEST_TIMEOUT=240 apply
	[[ $status == [56] ]] || assert_status 5
	assert_output -p 'no answer within'
	guest findmnt /scratch
	guest 'pgrep -cx "mount|mount.lustre"; ps -o stat= -p $(pgrep -x mount.lustre)'
	assert_line -e '^D'
	local began=$SECONDS
	GUEST_TIMEOUT=60 reconcile plan
	((SECONDS - began < 30)) || fail "the plan took $((SECONDS - began)) s"
	GUEST_TIMEOUT=60 reconcile status
	# not one more of them per run
	GUEST_TIMEOUT=120 reconcile apply --yes
	guest 'pgrep -cx mount.lustre'
	assert_output 1
}
