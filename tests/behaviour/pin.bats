#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 30
#
# A pinned kernel that is not the running one, against all that would move or remove it: the real
# unattended-upgrades, apt's autoremove and an operator's upgrade; and the two kinds that a pin is
# made of besides packages, hold with apt's mark and lists of apt's configuration.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/pinroot
load support/aptnode

PINNED=6.1.0-50-cloud-amd64
IMAGE=linux-image-$PINNED
MODULE=lustre-client-modules-$PINNED
METAS=(linux-image-cloud-amd64 lustre-client-modules-cloud-amd64)

setup()
{
	aptnode_open
	TRACES=(/var/lib/dpkg /var/lib/apt /etc/apt)
}

teardown()
{
	scratch_close
}

applied()
{
	at_node apply --yes
	assert_status 0
}

# drifted: the node was made with the pinned kernel, its upgrades brought two more, and nobody ever
# named one of the three: what holds for a node that was pinned too late
drifted()
{
	local abi

	kernel_offered 50
	apt_get install "${METAS[@]}" >/dev/null
	for abi in 56 57; do
		kernel_offered "$abi"
		apt_get dist-upgrade >/dev/null
	done
	assert_equal "$IMAGE"$'\n'"$MODULE" "$(autoremovable)"
}

# pin: the tree that says what a pin is; versions of the metapackages stay as they are
pin()
{
	wanted <<END
resources:
  - {kind: hold, package: ${METAS[0]}}
  - {kind: hold, package: ${METAS[1]}}
  - {kind: hold, package: $IMAGE}
  - {kind: hold, package: $MODULE}
  - kind: apt_option
    option: APT::NeverAutoRemove
    items: ['^linux-image-6\.1\.0-50-cloud-amd64$', '^lustre-client-modules-6\.1\.0-50-cloud-amd64$']
  - kind: apt_option
    option: Unattended-Upgrade::Package-Blacklist
    items: ['^linux-image-cloud-amd64$', '^lustre-client-modules-cloud-amd64$',
            '^linux-image-6\.1\.0-50-cloud-amd64$', '^lustre-client-modules-6\.1\.0-50-cloud-amd64$']
END
}

# unpin: nothing of it is wanted any more
unpin()
{
	wanted <<END
resources:
  - {kind: hold, package: ${METAS[0]}, state: absent}
  - {kind: hold, package: ${METAS[1]}, state: absent}
  - {kind: hold, package: $IMAGE, state: absent, manual: false}
  - {kind: hold, package: $MODULE, state: absent, manual: false}
  - {kind: apt_option, option: APT::NeverAutoRemove, state: absent}
  - {kind: apt_option, option: 'Unattended-Upgrade::Package-Blacklist', state: absent}
END
}

installed()
{
	in_root dpkg-query -W -f '${Package}=${Version} ${db:Status-Status}\n'
}

@test "without a pin one night moves the kernel and removes the one that was good" {
	drifted
	kernel_offered 58
	run unattended_upgrade
	assert_output -p "All upgrades installed"
	assert_output -p "$IMAGE"
	assert_equal "6.1.0-57-cloud-amd64 6.1.0-58-cloud-amd64" "$(kernels_there | xargs)"
	assert_equal "" "$(dpkg_state "$MODULE" | grep ' installed$')"
}

@test "with a pin no night, no autoremove and no upgrade moves or removes anything" {
	local before

	drifted
	pin
	at_node plan
	assert_status 2
	assert_output -p "automatic"
	assert_equal "$IMAGE"$'\n'"$MODULE" "$(autoremovable)"
	applied
	settled
	assert_equal "" "$(autoremovable)"
	assert_equal "$(printf '%s\n' "$IMAGE" "$MODULE" "${METAS[@]}" | sort)" \
		"$(in_root apt-mark showhold | sort)"
	assert_equal "$IMAGE"$'\n'"$MODULE" "$(in_root apt-mark showmanual "$IMAGE" "$MODULE" | sort)"

	kernel_offered 58
	before=$(installed)
	run unattended_upgrade
	assert_output -p "No packages found that can be upgraded unattended and no pending auto-removals"
	apt_get autoremove
	apt_get upgrade
	apt_get dist-upgrade
	assert_equal "$before" "$(installed)"
	settled
}

@test "a pin that is lifted leaves nothing behind, and the next night has its way" {
	drifted
	before=$(in_root find /etc/apt -type f)
	pin
	applied
	unpin
	applied
	settled
	assert_equal "$before" "$(in_root find /etc/apt -type f)"
	assert_equal "" "$(in_root apt-mark showhold)"
	assert_equal "$IMAGE"$'\n'"$MODULE" "$(autoremovable)"
	kernel_offered 58
	unattended_upgrade
	assert_equal "6.1.0-57-cloud-amd64 6.1.0-58-cloud-amd64" "$(kernels_there | xargs)"
}

@test "a pin that becomes follow leaves no hold and no list of its own, and those of others as they were" {
	drifted
	echo 'Unattended-Upgrade::Package-Blacklist { "^libc6$"; };' |
		put "$(root_file /etc/apt/apt.conf.d)/60others"
	before=$(in_root find /etc/apt -type f)
	pin
	applied
	make_deb libg++ 1.0
	publish
	apt_get update
	apt_get install libg++
	in_root apt-mark hold libg++ >/dev/null
	wanted <<<'kernel: {strategy: follow}'
	at_node plan
	assert_status 2
	assert_output -p "kernel.strategy is follow; it was held by the pin"
	applied
	settled
	assert_equal "$before" "$(in_root find /etc/apt -type f)"
	assert_equal libg++ "$(in_root apt-mark showhold)"
	at_node plan
	refute_output -p orphan
}

@test "each part of a pin protects by itself" {
	local before

	drifted
	kernel_offered 58
	before=$(installed)
	# from the nightly upgrade, whoever lifts a hold
	wanted <<'END'
resources:
  - {kind: apt_option, option: 'Unattended-Upgrade::Package-Blacklist',
     items: ['^linux-image-cloud-amd64$', '^lustre-client-modules-cloud-amd64$']}
END
	applied
	run unattended_upgrade --dry-run
	assert_output -p "Initial blacklist: ^linux-image-cloud-amd64$ ^lustre-client-modules-cloud-amd64$"
	refute_output -p "Packages that will be upgraded"
	# from autoremove, with neither hold nor mark
	wanted <<'END'
resources:
  - {kind: apt_option, option: 'APT::NeverAutoRemove',
     items: ['^(linux-image|lustre-client-modules)-6\.1\.0-50-cloud-amd64$']}
END
	applied
	assert_equal "" "$(autoremovable)"
	wanted <<'END'
resources:
  - {kind: apt_option, option: 'APT::NeverAutoRemove', state: absent}
END
	applied
	assert_equal "$IMAGE"$'\n'"$MODULE" "$(autoremovable)"
	# and the mark, when dpkg -i has lifted the hold
	wanted <<<"resources: [{kind: hold, package: $MODULE}]"
	applied
	in_root bash -c "dpkg -i /srv/repository/pool/${MODULE}_*.deb" >/dev/null
	assert_equal "" "$(in_root apt-mark showhold)"
	assert_equal "" "$(autoremovable)"
	applied
	assert_equal "$MODULE" "$(in_root apt-mark showhold)"
	assert_equal "$before" "$(installed)"
}

@test "a pattern names exactly what it says, to apt and to unattended-upgrades" {
	local name

	for name in "$IMAGE" "$IMAGE-extra" linux-image-6x1x0-50-cloud-amd64 libg++; do
		make_deb "$name" 1.0
	done
	publish
	apt_get update
	apt_get install "$IMAGE" "$IMAGE-extra" linux-image-6x1x0-50-cloud-amd64 libg++
	for name in "$IMAGE" "$IMAGE-extra" linux-image-6x1x0-50-cloud-amd64 libg++; do
		make_deb "$name" 2.0
	done
	publish
	apt_get update
	wanted <<'END'
resources:
  - kind: apt_option
    option: Unattended-Upgrade::Package-Blacklist
    items: ['^linux-image-6\.1\.0-50-cloud-amd64$', '^libg\+\+$']
END
	applied
	settled
	run in_root apt-config dump Unattended-Upgrade::Package-Blacklist
	assert_line 'Unattended-Upgrade::Package-Blacklist:: "^linux-image-6\.1\.0-50-cloud-amd64$";'
	assert_line 'Unattended-Upgrade::Package-Blacklist:: "^libg\+\+$";'
	run unattended_upgrade
	assert_line 'Initial blacklist: ^linux-image-6\.1\.0-50-cloud-amd64$ ^libg\+\+$'
	assert_equal "libg++ 1.0 $IMAGE 1.0 $IMAGE-extra 2.0 linux-image-6x1x0-50-cloud-amd64 2.0" \
		"$(in_root dpkg-query -W -f '${Package} ${Version}\n' 'linux-image-6*' libg++ | sort | xargs)"
}

@test "what others put into a list counts and stays, and one who clears it is named" {
	local parts

	parts=$(root_file /etc/apt/apt.conf.d)
	echo 'Unattended-Upgrade::Package-Blacklist { "^a$"; "^b$"; };' | put "$parts/60others"
	wanted <<<'resources: [{kind: apt_option, option: "unattended-upgrade::package-blacklist", items: ["^a$"]}]'
	at_node plan
	assert_status 0
	wanted <<<'resources: [{kind: apt_option, option: "Unattended-Upgrade::Package-Blacklist", items: ["^a$", "^c$"]}]'
	applied
	settled
	assert_equal 2 "$(in_root apt-config dump Unattended-Upgrade::Package-Blacklist | grep -c '\^a')"

	echo '#clear Unattended-Upgrade::Package-Blacklist;' | put "$parts/zzzz-later"
	before=$(in_root cat /etc/apt/apt.conf.d/zz-reconcile-unattended-upgrade--package-blacklist.conf)
	at_node apply --yes
	assert_status 5
	assert_output -p "/etc/apt/apt.conf.d/zzzz-later"
	assert_equal "$before" \
		"$(in_root cat /etc/apt/apt.conf.d/zz-reconcile-unattended-upgrade--package-blacklist.conf)"
	in_root rm /etc/apt/apt.conf.d/zzzz-later
	settled

	echo 'nonsense {{{' | put "$parts/zzzz-later"
	at_node plan
	assert_status 6
	assert_output -p "zzzz-later"
	in_root rm /etc/apt/apt.conf.d/zzzz-later
	wanted <<<'resources: [{kind: apt_option, option: "Unattended-Upgrade::Package-Blacklist", state: absent}]'
	applied
	settled
	assert_equal '^a$ ^b$' "$(in_root apt-config dump --format '%v ' Unattended-Upgrade::Package-Blacklist |
		xargs)"
}

@test "a wish that is no pattern, or none at all, is a fault of the tree" {
	wanted <<<'resources: [{kind: apt_option, option: "APT::NeverAutoRemove", items: ["^linux-("]}]'
	at_node validate
	assert_status 1
	assert_stderr -p "expected an extended regular expression"
	wanted <<<'resources: [{kind: apt_option, option: "APT::NeverAutoRemove"}]'
	at_node plan
	assert_status 1
	assert_stderr -p "items is missing"
}

@test "a fault in any call of these providers is mended by the next run" {
	local name program

	make_deb tool 1.0
	make_deb tool 2.0
	make_deb part 1.0
	make_deb whole 1.0 --depends part
	publish
	apt_get update
	for name in apt_option hold; do
		program=$(root_program "$BUILD/tests/unit/provider/${name}_test")
		run_within 400 in_root env RECONCILE_APTROOT=1 "$program"
		assert_status 0
	done
}
