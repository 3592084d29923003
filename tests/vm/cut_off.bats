#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# Repository, indexes and file system are all away: what is left is the node's own cache.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

@test "the module comes out of the node's cache when nothing else is there" {
	apply
	assert_status 0
	assert_lustre_mounted
	guest 'ls -R /var/cache/reconcile/packages'
	assert_output -p "lustre-client-modules-$B"
	guest 'du -sk /var/cache/reconcile/packages | cut -f1'
	((output < 1048576))

	guest "umount /lustre; rmmod lustre; dpkg -P lustre-client-modules-$B lustre-client-utils
		umount /srv/vendor; apt-get clean; rm -rf /var/lib/apt/lists/*; ! ls /srv/vendor/*"
	guest 'test ! -e /sbin/mount.lustre' # it was of the closure only if a package said so
	guest 'mount /srv/vendor; dpkg -i /srv/vendor/full/lustre-client-utils_*.deb; umount /srv/vendor'
	apply
	assert_status 0
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
}

@test "a damaged file of the cache is not installed" {
	apply
	assert_status 0
	guest "umount /lustre; rmmod lustre; dpkg -P lustre-client-modules-$B; umount /srv/vendor
		apt-get clean; rm -rf /var/lib/apt/lists/*
		for f in \$(find /var/cache/reconcile/packages -name 'lustre-client-modules-$B*.deb'); do
			printf X | dd of=\$f bs=1 seek=60000 conv=notrunc status=none; done"
	reconcile apply --yes
	[[ $status == [456] ]] || assert_status 6
	refute_installed "lustre-client-modules-$B"
	guest dpkg --audit
	refute_output
}
