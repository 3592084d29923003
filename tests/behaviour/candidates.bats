#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What apt's own list offers, also where it is long: a distribution has more names than fit into the
# head and tail that are kept of what other tools print.
# shellcheck disable=SC2154

load support/common
load support/aptroot

setup()
{
	GUARD=60
	scratch_open
	aptroot_open
	PROGRAM=$(root_program "$RECONCILE")
}

teardown()
{
	scratch_close
}

@test "of eight thousand names a glob finds the one in the middle" {
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<<$'version: 1\nnodes: [n]'
	make_deb tool 1.0
	publish
	apt_get update
	seq 1 8000 | awk '{ printf "\nPackage: linux-image-6.1.0-%d-cloud\nStatus: deinstall ok config-files\n", $1
		printf "Maintainer: F <f@example.org>\nArchitecture: all\nVersion: 1\nDescription: x\n" }' >"$SCRATCH/stanzas"
	in_root tee -a /var/lib/dpkg/status <"$SCRATCH/stanzas" >/dev/null
	for i in 1 4000 8000; do
		run_within "$GUARD" in_root "$PROGRAM" --node n facts "candidate:linux-image-*-$i-cloud" --json
		assert_status 0
		assert_equal "linux-image-6.1.0-$i-cloud" "$(jq -r '.facts[0].names[]' <<<"$output")"
	done
}
