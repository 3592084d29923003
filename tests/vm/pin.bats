#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1800
# Kernel A is pinned while B runs: the whole of the pin, two reboots, and a menu that moved meanwhile.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

role_pin()
{
	role <<-YAML
		version: 1
		mode: full
		kernel: {release: "$A", strategy: pin}
		reboot: {when: never}
		modules:
		  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
		mounts:
		  /lustre: {source: "$SOURCE", type: lustre, manage: live}
	YAML
}

assert_pinned()
{
	assert_boots "$A"
	guest apt-mark showhold
	assert_line linux-image-cloud-amd64
	assert_line "linux-image-$A"
	assert_line "lustre-client-modules-$A"
	guest apt-mark showmanual
	assert_line "linux-image-$A"
	assert_line "lustre-client-modules-$A"
	guest apt-config dump
	assert_line -e '^Unattended-Upgrade::Package-Blacklist:: ".*linux-image'
	assert_line -e '^APT::NeverAutoRemove:: ".*linux-image'
}

@test "the pinned kernel is held, protected and booted; a stale entry is mended; it is booted again" {
	role_pin
	reconcile plan
	assert_output -p "$A"
	guest apt-mark showhold
	refute_output
	apply
	assert_status 4
	assert_output -e '[Rr]eboot'
	assert_pinned
	assert_kernel "$B"
	assert_lustre_mounted # the running kernel is served meanwhile

	"$VM/guest" boot 300
	assert_kernel "$A"
	apply
	assert_status 0
	assert_lustre_mounted
	assert_pinned
	settled

	# the menu is made anew with other ids: what was the default names nothing, GRUB takes the first
	guest "echo GRUB_DISABLE_SUBMENU=y >>/etc/default/grub; update-grub"
	assert_boots "$B"
	reconcile plan
	assert_status 2
	assert_output -p "$A"
	apply
	assert_status 0
	assert_pinned
	"$VM/guest" boot 300
	assert_kernel "$A"
	apply
	assert_status 0
	assert_lustre_mounted
}

@test "strategy none undoes the pin and nothing else" {
	role_pin
	apply
	assert_pinned
	sed "s/kernel: .*/kernel: {strategy: none}/" "$SCRATCH/role.yaml" >"$SCRATCH/none.yaml"
	role <"$SCRATCH/none.yaml"
	apply
	assert_status 0
	guest apt-mark showhold
	refute_output
	guest apt-config dump
	refute_line -e '^Unattended-Upgrade::Package-Blacklist:: ".*linux-image'
	assert_installed "linux-image-$A" "linux-image-$B" "lustre-client-modules-$A"
	assert_lustre_mounted
}
