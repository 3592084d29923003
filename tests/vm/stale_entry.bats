#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# The menu of GRUB is made anew with other ids, and the default names nothing any more.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

@test "GRUB silently starts another kernel for a stale entry; it is said before and mended after" {
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
	apply
	assert_status 4
	assert_boots "$A"
	local default='grep -h "set default=\"[^$]" /boot/grub/grub.cfg | tail -n 1'
	guest "$default"
	assert_output -p "-$A-"
	local before=$output

	guest 'echo GRUB_DISABLE_SUBMENU=y >>/etc/default/grub; update-grub'
	guest "$default"
	assert_output "$before" # update-grub does not look whether there is such an entry
	assert_boots "$B"
	reconcile plan
	assert_status 2
	assert_output -p "$B"
	assert_output -p "$A"
	guest "$default"
	assert_output "$before" # and a plan changes nothing

	"$VM/guest" boot 300
	assert_kernel "$B" # as the files had it: GRUB took the first entry without a word
	apply
	assert_status 4
	assert_output -e '[Rr]eboot'
	guest "$default"
	assert_output -p "-$A-"
	[[ $output != "$before" ]] || _fail_run "the entry of $A by the id that it has now"
	assert_boots "$A"
	assert_boots_once
}
