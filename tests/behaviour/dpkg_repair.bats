#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A package manager that was left half way: what dpkg can finish is finished, what it cannot is said
# in its words, and a package that has nothing to do with it is installed all the same. Nothing is
# ever left worse than it was found.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode

MODULE=lustre-client-modules-6.8.0-1039-aws

setup()
{
	aptnode_open
	make_module_deb 6.8.0-1039-aws 2.15.6-1fsx21
}

teardown()
{
	scratch_close
}

# broken NAME: installed, but for a postinst that never does well
broken()
{
	make_deb "$1" 1.0 --postinst 'echo "no such device" >&2; exit 1'
	offer
	apt_get install "$1" >/dev/null 2>&1 && fail "$1 should have failed"
	[[ $(dpkg_state "$1") == "install ok half-configured" ]]
}

# damaged NAME FLAG STATUS: installed, and then dpkg was cut off while it unpacked it anew
damaged()
{
	make_deb "$1" 1.0
	offer
	apt_get install "$1" >/dev/null
	in_root sed -i "/^Package: $1\$/,/^\$/s/^Status: .*/Status: install $2 $3/" /var/lib/dpkg/status
	[[ $(dpkg_state "$1") == "install $2 $3" ]]
}

@test "what another package left half way is finished first, and the module is installed with it" {
	leave_half_configured other 1.0
	wanted <<<"packages: {$MODULE: {}}"
	at_node plan
	assert_status 2
	assert_output -p "not configured: other"
	assert_output -p "finished by dpkg --configure -a first"
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state other)"
	assert_equal "install ok installed" "$(dpkg_state "$MODULE")"
	settled
}

@test "a package that fails again is reported in its words, as often as it is tried, and is none the worse" {
	local before time

	broken bad
	wanted <<<'packages: {bad: {}}'
	before=$(in_root dpkg-query -W -f '${Package} ${Version} ${Status}\n')
	for time in 1 2; do
		at_node apply --yes
		assert_status 5
		assert_output -p "post-installation script subprocess returned error exit status 1"
		assert_output -p "no such device"
		assert_equal "$before" "$(in_root dpkg-query -W -f '${Package} ${Version} ${Status}\n')"
	done
	# and when its maker has mended it
	make_deb bad 1.1
	offer
	wanted <<<'packages: {bad: {version: "1.1"}}'
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state bad)"
	settled
}

@test "what fails for good keeps no other package from being installed" {
	broken bad
	wanted <<<"packages: {$MODULE: {}}"
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state "$MODULE")"
	assert_equal "install ok half-configured" "$(dpkg_state bad)"
	settled
}

@test "what fails for good can be removed, and a hold of what is half configured stays" {
	broken bad
	leave_half_configured other 1.0
	wanted <<'END'
packages: {bad: {state: absent}, other: {}}
holds: [other]
END
	at_node apply --yes --allow irreversible
	assert_status 0
	assert_equal "" "$(dpkg_state bad | grep installed)"
	assert_equal "hold ok installed" "$(dpkg_state other)"
	settled
}

@test "what must be installed anew is left to a person, and the rest of the node is not" {
	local before

	damaged bad reinstreq half-installed
	wanted <<<'packages: {bad: {}}'
	before=$(traces)
	at_node apply --yes
	assert_status 4
	assert_output -p "reinst-required"
	assert_equal "$before" "$(traces)"

	wanted <<<"packages: {$MODULE: {}}"
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state "$MODULE")"
	assert_equal "install reinstreq half-installed" "$(dpkg_state bad)"
	settled
}

@test "when apt refuses everything because of one package, that is what is said" {
	local before

	damaged bad reinstreq half-installed
	unpublish bad
	offer
	wanted <<<"packages: {$MODULE: {}}"
	before=$(traces)
	at_node apply --yes
	assert_status 4
	assert_output -p "bad needs to be reinstalled"
	assert_equal "$before" "$(traces)"
}

@test "what is half installed and cannot be had anew is reported and not touched" {
	local before

	damaged tool ok half-installed
	wanted <<<'packages: {tool: {}}'
	before=$(traces)
	at_node apply --yes
	assert_status 4
	assert_output -p "half-installed → installed"
	assert_equal "$before" "$(traces)"
}
