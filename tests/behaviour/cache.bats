#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 80
#
# Packages that are kept on the node, and a repair from them with everything else cut off: real apt,
# in a root with a signed source of our making.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode
load support/signed

MODULES=lustre-client-modules-6.8.0-1039-aws
CACHE=/var/cache/reconcile/packages

setup()
{
	aptnode_open
	make_deb lustre-client-utils 2.15.6-1 --file /sbin/mount.lustre "not a program"
	make_deb "$MODULES" 2.15.6-1 --depends "lustre-client-utils (= 2.15.6-1)" \
		--file /lib/modules/x/lustre.ko "lustre"
	publish
	signed_open
	key_text | put "$(root_file /etc/apt/keyrings/field.asc)"
	echo 'deb [signed-by=/etc/apt/keyrings/field.asc] file:/srv/repository field main' |
		put "$(root_file /etc/apt/sources.list.d/vendor.list)"
	apt_get update >/dev/null
}

teardown()
{
	scratch_close
}

# want_kept: the modules installed and kept
want_kept()
{
	wanted <<END
packages: {$MODULES: {version: "2.15.*"}}
resources:
  - {kind: cached_package, name: $MODULES}
END
}

# keep: installed and in the cache
keep()
{
	want_kept
	at_node apply --yes
	[[ $status == [02] ]] || fail "$output$stderr"
	at_node apply --yes
	assert_status 0
}

# cut_off: nobody has the packages any more
cut_off()
{
	in_root mv /srv/repository/pool /srv/repository/away
}

# lose: the modules and what they need are gone
lose()
{
	in_root dpkg --purge "$MODULES" lustre-client-utils >/dev/null
}

# kept: a second apply and a plan find nothing to do, and touch nothing
kept()
{
	local before after

	before=$(in_root find $CACHE /var/lib/dpkg /var/lib/apt -printf '%p %i %s %T@ %C@\n' | sort)
	at_node apply --yes
	assert_status 0
	at_node plan
	assert_status 0
	after=$(in_root find $CACHE /var/lib/dpkg /var/lib/apt -printf '%p %i %s %T@ %C@\n' | sort)
	assert_equal "$before" "$after"
}

# is_idle: no package manager is at work
is_idle()
{
	at_node plan
	[[ $output != *"lock is held"* ]]
}

is_whole()
{
	assert_equal "install ok installed" "$(dpkg_state $MODULES)"
	assert_equal "install ok installed" "$(dpkg_state lustre-client-utils)"
}

@test "a package and what it needs are kept, also what is installed already, with their digests" {
	local name

	apt_get install lustre-client-utils >/dev/null
	keep
	for name in "$MODULES" lustre-client-utils; do
		cmp "$REPOSITORY/pool/${name}_2.15.6-1_all.deb" \
			"$(root_file "$CACHE/${name}_2.15.6-1_all.deb")"
		in_root grep -q "$(sha256sum <"$REPOSITORY/pool/${name}_2.15.6-1_all.deb" | cut -c1-64)" \
			$CACHE/index.json
	done
	kept
}

@test "with lists, sources and packages gone it is repaired from the cache, and the plan says so" {
	keep
	lose
	in_root 'mv /srv/repository/pool /srv/repository/dists /srv/repository/.. 2>/dev/null || true
		rm -rf /var/lib/apt/lists /etc/apt/sources.list.d; rm -rf /srv/repository/*'
	at_node plan
	assert_status 2
	assert_output -p "from"
	assert_output -p "the cache"
	at_node apply --yes
	assert_status 0
	is_whole
	kept
}

@test "an index that no more has it is no obstacle" {
	keep
	lose
	unpublish "$MODULES"
	unpublish lustre-client-utils
	make_deb other 1.0
	publish
	sign
	apt_get update >/dev/null
	at_node facts "candidate:$MODULES"
	assert_output -p "cache"
	at_node apply --yes
	assert_status 0
	is_whole
	kept
}

@test "what the index has and nobody gives is taken from the cache" {
	keep
	lose
	cut_off
	at_node apply --yes
	assert_status 0
	is_whole
	kept
}

@test "a file that was altered is refused and said, and fetched again once that is possible" {
	local deb

	deb=$(root_file "$CACHE/lustre-client-utils_2.15.6-1_all.deb")
	keep
	lose
	cut_off
	in_root rm -rf /var/lib/apt/lists
	printf X | dd of="$deb" bs=1 seek=300 conv=notrunc 2>/dev/null
	at_node apply --yes
	[[ $status != 0 ]] || fail "it should not be in sync: $output"
	assert_output -p "lustre-client-utils_2.15.6-1_all.deb was altered"
	[[ $(dpkg_state $MODULES) != "install ok installed" ]]
	in_root mv /srv/repository/away /srv/repository/pool
	apt_get update >/dev/null
	at_node apply --yes
	at_node apply --yes
	assert_status 0
	cmp "$REPOSITORY/pool/lustre-client-utils_2.15.6-1_all.deb" "$deb"
	is_whole
	kept
}

@test "an alteration that keeps size and time is found before the file is used" {
	local deb

	deb=$(root_file "$CACHE/${MODULES}_2.15.6-1_all.deb")
	keep
	lose
	cut_off
	touch -r "$deb" "$SCRATCH/time"
	printf X | dd of="$deb" bs=1 seek=300 conv=notrunc 2>/dev/null
	touch -r "$SCRATCH/time" "$deb"
	at_node apply --yes
	assert_status 5
	assert_output -p "was altered"
	[[ $(dpkg_state $MODULES) != "install ok installed" ]]
}

@test "of an unsigned source nothing is kept, and why is said" {
	echo 'deb [trusted=yes] file:/srv/repository field main' |
		put "$(root_file /etc/apt/sources.list.d/vendor.list)"
	rm "$REPOSITORY/dists/field/InRelease"
	in_root rm -rf /var/lib/apt/lists
	apt_get update >/dev/null
	want_kept
	at_node plan
	assert_output -p "blocked"
	at_node apply --yes
	assert_status 4
	assert_output -p "vendor.list:1 is trusted without a signature"
	[[ -z $(in_root find /var/cache/reconcile -name '*.deb') ]]
}

# claim NAME BYTES: the cache has that much of a package
claim()
{
	put "$(root_file "$CACHE/index.json")" <<END
{"reconcile_packages": 1,
 "files": {"$1_1_all.deb": {"package": "$1", "version": "1", "size": $2, "modified_ns": 0,
  "sha256": "$(printf '%064d' 0)"}},
 "sets": {"$1": {"version": "1", "at": 1, "files": ["$1_1_all.deb"]}}}
END
}

@test "what needs something that nobody publishes is blocked in the plan already, and stays so" {
	make_deb "$MODULES" 2.15.7-1 --depends "lustre-client-common (= 2.15.7-1)" \
		--file /lib/modules/x/lustre.ko "lustre"
	publish
	sign
	apt_get update >/dev/null
	wanted <<<"resources: [{kind: cached_package, name: $MODULES, version: 2.15.7-1}]"
	for command in plan "apply --yes" plan; do
		# shellcheck disable=SC2086
		at_node $command
		assert_status 4
		assert_output -p "needs lustre-client-common (= 2.15.7-1), which"
	done
}

@test "there is room for a gibibyte and no more: what is not installed goes first" {
	claim dpkg 1073741824
	wanted <<<"resources: [{kind: cached_package, name: $MODULES}]"
	at_node apply --yes
	assert_status 4
	assert_output -p "of the 1024.0 MiB that may be kept 1024.0 MiB are taken by"
	claim nobody 1073741824
	: | put "$(root_file "$CACHE/nobody_1_all.deb")"
	at_node apply --yes
	assert_status 0
	assert_missing "$ROOT$CACHE/nobody_1_all.deb"
	kept
}

@test "another version is kept when that one is installed, and absent takes all away" {
	keep
	make_deb lustre-client-utils 2.15.7-1
	make_deb "$MODULES" 2.15.7-1 --depends "lustre-client-utils (= 2.15.7-1)"
	publish
	sign
	apt_get update >/dev/null
	kept
	apt_get install "$MODULES" >/dev/null
	at_node apply --yes
	assert_status 0
	assert_equal "index.json lustre-client-modules-6.8.0-1039-aws_2.15.7-1_all.deb lustre-client-utils_2.15.7-1_all.deb" \
		"$(in_root ls $CACHE | xargs)"
	wanted <<<"resources: [{kind: cached_package, name: $MODULES, state: absent}]"
	at_node apply --yes
	assert_status 0
	assert_equal index.json "$(in_root ls $CACHE | xargs)"
}

@test "killed at any moment, the next run keeps what it should, and repairs" {
	local delay

	for delay in 0.05 0.2 0.4 0.6 0.8 1.1 1.4 1.8; do
		in_root rm -rf /var/cache/reconcile
		lose 2>/dev/null
		want_kept
		run_within 60 in_root timeout -s KILL "$delay" "$PROGRAM" --node n apply --yes
		wait_for 60 is_idle
		keep
		is_whole
		assert_equal 3 "$(in_root ls $CACHE | wc -l)"
	done
}

@test "a repair from the cache that is killed at any moment is finished by the next run" {
	local delay

	keep
	cut_off
	for delay in 0.05 0.15 0.25 0.35 0.5 0.7 1; do
		lose 2>/dev/null
		run_within 60 in_root timeout -s KILL "$delay" "$PROGRAM" --node n apply --yes
		wait_for 60 is_idle
		at_node apply --yes
		at_node apply --yes
		assert_status 0
		is_whole
	done
}

@test "others than root must not be able to write to the cache" {
	keep
	lose
	in_root rm -rf /var/lib/apt/lists
	in_root chmod 0777 $CACHE
	at_node plan
	assert_output -p "the package cache is not used"
	[[ $status != 0 ]]
}

@test "a fault in any call of a provider is mended by the next run" {
	local name

	make_deb part 1.0
	make_deb whole 1.0 --depends part
	publish
	sign
	apt_get update >/dev/null
	in_root mkdir -p $CACHE
	in_root touch $CACHE/index.json
	for name in package_cache cached_package_change; do
		program=$(root_program "$BUILD/tests/unit/provider/${name}_test")
		run_within 600 in_root env RECONCILE_APTROOT=1 "$program"
		assert_status 0
	done
}
