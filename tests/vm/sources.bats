#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# The module of the running kernel is published, but the node does not know where, or not any more.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

forget_the_vendor()
{
	guest 'rm -f /etc/apt/sources.list.d/lustre.list; rm -rf /var/lib/apt/lists/*; apt-get -q update
		apt-cache policy lustre-client-modules-$(uname -r)'
	refute_output -p 2.15.6
}

role_with_source()
{
	{
		cat "$VM/tree/state/roles/compute.yaml"
		echo 'package_sources:'
		echo '  lustre:'
		echo "    uri: file:/srv/vendor/full"
		echo "    suites: [./]"
		echo "    signed_by: /usr/share/keyrings/lustre.gpg"
		echo "    key: |"
		guest cat /srv/vendor/vendor.asc
		sed 's/^/      /' <<<"$output"
	} | role
}

@test "without a source the package is named and nothing is changed" {
	forget_the_vendor
	reconcile apply --yes
	assert_status 4
	assert_output -p "lustre-client-modules-$B"
	refute_installed "lustre-client-modules-$B"
	refute_lustre_mounted
}

@test "a source that is wanted and missing is written with its key, and the node mended" {
	forget_the_vendor
	role_with_source
	apply
	assert_status 0
	guest 'grep -rhoE "file:/srv/vendor/full" /etc/apt/sources.list.d/ | sort | uniq -c'
	assert_output -e '^ +1 '
	guest 'gpgv --keyring /usr/share/keyrings/lustre.gpg /srv/vendor/full/InRelease'
	guest 'apt-get -q update'
	refute_stderr -p 'W:'
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
	settled
}

@test "a source with the wrong key is mended in place, never written a second time" {
	forget_the_vendor
	guest "echo 'deb [signed-by=/etc/apt/trusted.gpg.d/none.gpg] file:/srv/vendor/full ./' \
		>/etc/apt/sources.list.d/fsxlustreclientrepo.list"
	role_with_source
	apply
	assert_status 0
	guest 'grep -rlE "file:/srv/vendor/full" /etc/apt/sources.list.d/'
	assert_output /etc/apt/sources.list.d/fsxlustreclientrepo.list
	guest 'apt-get -q update'
	refute_stderr -p 'W:'
	assert_lustre_mounted
}

@test "a module package whose dependency nobody has is not half installed" {
	vendor broken
	reconcile apply --yes
	assert_status 4
	assert_output -p lustre-client-common
	refute_installed "lustre-client-modules-$B"
	guest dpkg --audit
	refute_output
}
