#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 3600
# unattended-upgrades finds a newer kernel (C) for which the vendor has no module. Without us it moves
# the node there; with a pin, a guard or a veto the node keeps its file system.

load support/vm
teardown() { vm_show; }

setup()
{
	vm_restore
	apply
	assert_status 0
	assert_lustre_mounted
	guest "echo 'deb [signed-by=/srv/vendor/vendor.gpg] file:/srv/vendor/archive ./' \
		>/etc/apt/sources.list.d/security.list && apt-get -q update"
}

upgrade()
{
	GUEST_TIMEOUT=900 in_guest 'unattended-upgrade -v'
}

role_with()
{
	{
		cat "$VM/tree/state/roles/compute.yaml"
		cat
	} | role
}

@test "without protection the kernel moves" {
	echo 'preflight: off' | role_with
	apply
	upgrade
	assert_status 0
	assert_installed "linux-image-$C"
	assert_boots "$C"
}

@test "with a pin nothing moves and nothing is removed" {
	printf 'kernel: {release: "%s", strategy: pin}\n' "$B" | role_with
	apply
	assert_status 0
	upgrade
	refute_installed "linux-image-$C"
	assert_installed "linux-image-$B" "linux-image-$A" "lustre-client-modules-$B"
	assert_boots "$B"
	settled
}

@test "guard lets the kernel in and keeps the default on the proven one" {
	echo 'preflight: guard' | role_with
	apply
	assert_status 0
	upgrade
	assert_status 0
	assert_installed "linux-image-$C"
	assert_boots "$B"
	guest 'dpkg --audit'
	refute_output
	"$VM/guest" boot 300
	assert_kernel "$B"
	apply
	assert_lustre_mounted
}

@test "refuse vetoes the transaction, says why, and lets an operator overrule it" {
	echo 'preflight: refuse' | role_with
	apply
	assert_status 0
	upgrade
	refute_installed "linux-image-$C"
	guest_fails 'apt-get -y -q install linux-image-cloud-amd64'
	[[ $output$stderr == *"/lustre"* && $output$stderr == *"$C"* ]] || _fail_run "the veto does not say what is lost"
	refute_installed "linux-image-$C"
	# a transaction that touches no kernel is none of its business
	guest 'apt-get -y -q install --reinstall lustre-client-utils'
	# one command of an operator, and it can be read afterwards who said so and why
	reconcile allow kernel "$C" --for 1h --reason 'moved to NFS'
	assert_status 0
	guest 'journalctl -q --no-pager -o cat -t reconcile'
	assert_output -p 'moved to NFS'
	GUEST_TIMEOUT=900 guest 'apt-get -y -q install linux-image-cloud-amd64'
	assert_installed "linux-image-$C"
	guest 'dpkg --audit'
	refute_output
}

@test "refuse lets a kernel through whose module is published" {
	echo 'preflight: refuse' | role_with
	apply
	vendor next
	upgrade
	assert_status 0
	assert_installed "linux-image-$C"
}
