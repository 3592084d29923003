#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# A package manager that was cut off in the middle.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

deb=/srv/vendor/full/lustre-client-modules-$B

@test "a package that was unpacked only is finished first" {
	guest "dpkg --unpack ${deb}_*.deb && dpkg --audit"
	assert_output -p "lustre-client-modules-$B"
	apply
	assert_status 0
	guest dpkg --audit
	refute_output
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
	settled
}

@test "a half-configured package is repaired when it can be, and reported until then" {
	guest 'printf "#!/bin/sh\nexit 1\n" >/usr/local/sbin/depmod; chmod 755 /usr/local/sbin/depmod'
	guest_fails "dpkg -i ${deb}_*.deb"
	guest dpkg --audit
	assert_output -p 'half configured'
	apply
	assert_status 5
	assert_output -p "lustre-client-modules-$B"
	guest rm /usr/local/sbin/depmod
	apply
	assert_status 0
	guest dpkg --audit
	refute_output
	assert_lustre_mounted
}

@test "a stranger's half-configured package does not keep the module out" {
	guest "dpkg --unpack /srv/vendor/next/lustre-client-modules-${A}_*.deb; dpkg --audit"
	assert_output -p "lustre-client-modules-$A"
	apply
	assert_status 0
	assert_lustre_mounted
	guest dpkg --audit
	refute_output
}

@test "a package manager that somebody else runs is waited for or said, and nothing breaks" {
	guest 'nohup flock /var/lib/dpkg/lock-frontend sleep 30 >/dev/null 2>&1 & sleep 1'
	reconcile apply --yes
	[[ $status == [0245] ]] || assert_status 4
	guest 'sleep 30; dpkg --audit'
	refute_output
	apply
	assert_status 0
	assert_lustre_mounted
}
