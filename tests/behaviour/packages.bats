#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 70
#
# Packages, holds and the package index with real apt and dpkg, in a root of their own with a package
# source of our making.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode

MODULES=lustre-client-modules

setup()
{
	aptnode_open
}

teardown()
{
	scratch_close
}

is_settled()
{
	at_node plan
	[[ $status == 0 ]]
}

version_of()
{
	in_root dpkg-query -W -f '${Version}' "$1"
}

@test "a package is installed once, with the newest version that is allowed" {
	field_debs
	make_deb tool 1.0
	make_deb tool 1.5
	make_deb tool 2.0
	offer
	wanted <<<'packages: {tool: {version: "1.*"}}'
	at_node plan
	assert_status 2
	assert_output -p 1.5
	[[ -z $(dpkg_state tool) ]]
	at_node apply --yes
	assert_status 0
	assert_equal 1.5 "$(version_of tool)"
	settled
}

# The run-dir aside: where root looks for longer than a moment is written down there.
everything()
{
	in_root find /var /etc /run -path /run/reconcile -prune -o ! -path /run -printf '%p %i %s %T@ %C@\n' | sort
}

@test "a plan changes nothing, not even apt's cache" {
	make_deb tool 1.0
	offer
	in_root rm -f /var/cache/apt/pkgcache.bin /var/cache/apt/srcpkgcache.bin
	in_root mkdir -p /var/log/apt
	wanted <<<'packages: {tool: {}, nowhere: {}}'
	before=$(everything)
	at_node plan
	assert_output -p "nowhere is not published"
	assert_equal "$before" "$(everything)"
}

@test "what is installed stays right when nobody publishes it any more" {
	make_deb tool 1.0
	offer
	wanted <<<'packages: {tool: {version: "1.0"}}'
	at_node apply --yes
	assert_status 0
	unpublish tool
	offer
	settled
}

@test "a version is a condition: a newer one on offer is not taken" {
	make_deb tool 1.0
	offer
	wanted <<<'packages: {tool: {}}'
	at_node apply --yes
	assert_status 0
	make_deb tool 2.0
	offer
	settled
	assert_equal 1.0 "$(version_of tool)"
}

@test "without an index nothing is said to be unpublished" {
	make_deb tool 1.0
	publish
	wanted <<<'packages: {tool: {}}'
	at_node plan
	assert_status 6
	assert_output -p "there is no package index"
}

@test "the index is refreshed when it is wanted, and then the package can be had" {
	make_deb tool 1.0
	publish
	wanted <<'END'
packages: {tool: {}}
resources: [{kind: package_index, source: apt, max_age: 1d}]
END
	at_node apply --yes
	[[ $status == [26] ]] || fail "status $status: $output$stderr"
	at_node apply --yes
	assert_status 0
	assert_equal 1.0 "$(version_of tool)"
	settled
}

@test "a refresh that fails says which source, and one that works is enough to go on" {
	make_deb tool 1.0
	publish
	echo 'deb [trusted=yes] file:/srv/gone field main' | put "$(root_file /etc/apt/sources.list.d)/gone.list"
	in_root mv /etc/apt/sources.list.d/field.list /srv/
	wanted <<'END'
packages: {tool: {}}
resources: [{kind: package_index, source: apt, max_age: 1d}]
END
	at_node apply --yes
	assert_status 5
	assert_output -p /srv/gone
	assert_missing "$ROOT/var/lib/apt/periodic/update-success-stamp"
	in_root mv /srv/field.list /etc/apt/sources.list.d/
	at_node apply --yes
	at_node apply --yes
	assert_equal 1.0 "$(version_of tool)"
	assert_missing "$ROOT/var/lib/apt/periodic/update-success-stamp"
}

@test "holds are set and lifted, and an unknown package cannot be held" {
	field_debs
	apt_get update >/dev/null
	apt_get install linux-aws=6.8.0.1039.1039 linux-image-aws=6.8.0.1039.1039 \
		linux-headers-aws=6.8.0.1039.1039 >/dev/null
	wanted <<<'holds: [linux-aws, linux-image-aws, nowhere]'
	at_node apply --yes
	assert_status 4
	assert_output -p "apt does not know it"
	assert_equal "linux-aws"$'\n'"linux-image-aws" "$(in_root apt-mark showhold)"
	wanted <<<'holds: {linux-aws: {state: absent}, linux-image-aws: {}}'
	at_node apply --yes
	assert_status 0
	assert_equal linux-image-aws "$(in_root apt-mark showhold)"
	settled
}

@test "a name that is a pattern to apt, and no package, means nobody" {
	make_deb tool-6.1.0-50 1.0
	make_deb tool-6.1.0-56 1.0
	make_deb spare-6.1.0-7 1.0
	offer
	apt_get install tool-6.1.0-50 tool-6.1.0-56 >/dev/null
	wanted <<<'holds: [tool-6.1.0-5]
packages: {spare-6.1.0: {}, tool-6.1.0: {state: absent}}'
	at_node plan
	assert_output -p "tool-6.1.0-5 is neither installed nor published"
	at_node apply --yes
	assert_status 4
	assert_equal "" "$(in_root apt-mark showhold)"
	assert_equal "" "$(dpkg_state spare-6.1.0-7)"
	[[ -n $(dpkg_state tool-6.1.0-50) && -n $(dpkg_state tool-6.1.0-56) ]]
}

@test "a held package is changed when it is wanted otherwise, and stays held" {
	field_debs
	make_deb lustre-client-utils 2.15.5
	offer
	apt_get install lustre-client-utils=2.15.5 >/dev/null
	in_root apt-mark hold lustre-client-utils
	wanted <<'END'
packages: {lustre-client-utils: {version: "2.15.6*"}}
holds: [lustre-client-utils]
END
	at_node apply --yes
	assert_status 0
	assert_equal 2.15.6-1fsx25 "$(version_of lustre-client-utils)"
	assert_equal "hold ok installed" "$(dpkg_state lustre-client-utils)"
	settled
}

@test "another kernel never comes along unasked" {
	field_debs
	make_deb "$MODULES-meta" 1 --depends "linux-image-6.8.0-1043-aws"
	offer
	wanted <<<"packages: {$MODULES-meta: {}}"
	at_node apply --yes
	assert_status 4
	assert_output -p "linux-image-6.8.0-1043-aws"
	[[ -z $(dpkg_state linux-image-6.8.0-1043-aws) ]]
	wanted <<<"packages: {$MODULES-meta: {}, linux-image-6.8.0-1043-aws: {}}"
	at_node apply --yes
	at_node apply --yes
	assert_status 0
	settled
}

@test "a dependency that nobody publishes is named before anything is installed" {
	make_deb middle 1.0 --depends "bottom (>= 2.0)"
	make_deb top 1.0 --depends middle
	make_deb side 1.0 --depends "part (= 2.0)"
	make_deb part 1.0
	offer
	wanted <<<'packages: {top: {}, side: {}}'
	at_node plan
	assert_status 4
	assert_output -p "top brings middle, which needs bottom (>= 2.0), which is not published"
	assert_output -p "side needs part (= 2.0), but 1.0 is what there would be"
	at_node apply --yes
	assert_status 4
	[[ -z $(dpkg_state middle)$(dpkg_state part) ]]
	make_deb bottom 2.0
	make_deb part 2.0
	offer
	at_node apply --yes
	assert_status 0
	settled
}

@test "what would take another package away is blocked, and a removal takes only what is named" {
	make_deb part 1.0
	make_deb whole 1.0 --depends part
	make_deb rival 1.0 --field "Conflicts: whole"
	offer
	apt_get install whole >/dev/null
	wanted <<<'packages: {rival: {}, part: {state: absent}}'
	at_node apply --yes --allow irreversible,disruptive
	assert_status 4
	assert_output -p "it would remove whole"
	assert_equal "install ok installed" "$(dpkg_state whole)"
	wanted <<<'packages: {whole: {state: absent}}'
	at_node apply --yes --allow irreversible
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state part)"
	settled
}

@test "while somebody holds the lock it is blocked and the holder named, and a plan still tells" {
	make_deb tool 1.0
	make_deb other 1.0
	offer
	apt_get install other >/dev/null
	wanted <<<'packages: {tool: {}, other: {}}'
	hold_lock
	at_node apply --yes
	assert_status 4
	assert_output -p "held by process $LOCK_HOLDER (holdlock)"
	release_lock
	at_node apply --yes
	assert_status 0
	settled
}

@test "a package that is half configured is repaired first, in sight" {
	leave_half_configured broken 1.0
	make_deb tool 1.0
	offer
	wanted <<<'packages: {tool: {}, broken: {}}'
	at_node plan
	assert_status 2
	assert_output -p "half-configured"
	assert_output -p "dpkg --configure -a"
	at_node apply --yes
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state broken)"
	assert_equal "install ok installed" "$(dpkg_state tool)"
	settled
}

@test "after dpkg itself was killed the next run mends it" {
	leave_interrupted broken 1.0
	wanted <<<'packages: {broken: {}}'
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state broken)"
	settled
}

@test "a package that cannot be configured fails with its words, and nothing else suffers" {
	make_deb bad 1.0 --postinst 'echo "no such device" >&2; exit 1'
	make_deb fine 1.0
	offer
	wanted <<<'packages: {bad: {}, fine: {}}'
	at_node apply --yes
	assert_status 5
	assert_output -p "bad"
	assert_equal "install ok half-configured" "$(dpkg_state bad)"
}

@test "apt goes on when the agent is killed, and the next run finds the result" {
	make_deb slow 1.0 --postinst 'touch /var/tmp/started; sleep 3; touch /var/tmp/ended'
	offer
	wanted <<<'packages: {slow: {}}'
	in_root bash -c "$PROGRAM --node n apply --yes >/dev/null 2>&1 & echo \$! >/run/agent; wait" &
	wait_for 60 in_root test -e /var/tmp/started
	in_root bash -c 'kill -9 $(cat /run/agent)'
	at_node plan
	assert_status 4
	assert_output -p "the package manager's lock is held by process"
	wait_for 30 in_root test -e /var/tmp/ended
	wait_for 30 is_settled
	assert_equal "install ok installed" "$(dpkg_state slow)"
	at_node apply --yes
	settled
}

@test "an apt-get that does not come back leaves its package undetermined, and no one else's" {
	make_deb tool 1.0
	make_deb other 1.0
	offer
	apt_get install other >/dev/null
	printf '#!/bin/sh\nexec sleep 300\n' | put "$(root_file /usr/local/sbin/apt-get)" 0755
	wanted <<<'packages: {tool: {}, other: {}}'
	at_node plan
	assert_status 6
	assert_output -p "apt-get does not answer in time"
	assert_output -p "1 in sync"
	assert_equal "" "$(in_root find /run/reconcile/stuck -type f 2>/dev/null)"
	# and an apt-cache, of which the version is asked
	in_root mv /usr/local/sbin/apt-get /usr/local/sbin/apt-cache
	at_node plan
	assert_status 6
	assert_output -p "apt-cache does not answer"
}

@test "without root it can be planned, and what would be needed is said" {
	make_deb tool 1.0
	offer
	wanted <<<'packages: {tool: {}}'
	in_root chmod -R a+rX /etc/reconcile
	run_within "$GUARD" in_ns chroot --userspec=65534:65534 "$ROOT" "$PROGRAM" --node n plan
	assert_status 2
	assert_output -p "tool"
}

@test "a fault in any call of a provider is mended by the next run" {
	local name

	make_deb tool 1.0
	make_deb tool 2.0
	make_deb part 1.0
	make_deb whole 1.0 --depends part
	offer
	for name in hold package_index package_change; do
		program=$(root_program "$BUILD/tests/unit/provider/${name}_test")
		run_within 400 in_root env RECONCILE_APTROOT=1 "$program"
		assert_status 0
	done
}
