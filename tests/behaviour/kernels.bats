#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What is decided about kernels, the modules for them and reboots, on recorded nodes; and what becomes of many
# nodes on paper when each plan is carried out as shown. A failure of the latter names its seed:
# TEST_SEED=N WORLDS=1 bats -f paper tests/behaviour/kernels.bats
# shellcheck disable=SC2030,SC2031

load support/common
load support/tree

OLD=6.8.0-1039-aws
NEW=6.8.0-1042-aws

setup()
{
	need_command python3
	scratch_open
	tree_open
	FACTS=$SCRATCH/facts.json
	recorded compute-kernel-will-move
}

teardown()
{
	scratch_close
}

# recorded NAME: a recording of the parallelcluster example
recorded()
{
	put "$FACTS" <"$TOP/examples/parallelcluster/facts/$1.json"
}

# change FILTER: of the recorded facts, each as .
change()
{
	local changed

	changed=$(jq ".facts |= map($1)" "$FACTS")
	put "$FACTS" <<<"$changed"
}

# fact JSON: one more, or in place of the one there
fact()
{
	local changed

	changed=$(jq --argjson f "$1" '.facts |= (map(select(.kind != $f.kind or .key != $f.key)) + [$f])' "$FACTS")
	put "$FACTS" <<<"$changed"
}

# wanted YAML: beside the module and the mount that need it
wanted()
{
	node_file <<-END
		$1
		modules:
		  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
		mounts:
		  /lustre: {source: "10.1.30.23@tcp:/czrc3amv", type: lustre, manage: live}
	END
}

made_plan()
{
	run_node plan --facts "$FACTS" --json
	refute_stderr
	PLAN=$output
}

# of FILTER: of the plan
of()
{
	jq -r "$1" <<<"$PLAN"
}

# step ID FIELD
step()
{
	of ".steps[] | select(.id == \"$1\") | $2"
}

# ---- many

@test "nodes on paper settle, reboot a bounded number of times, and boot no kernel without a module" {
	run python3 "$TOP/tests/behaviour/support/kernel_world.py" "$RECONCILE" "$TREE" "${WORLDS:-60}" "$TEST_SEED"
	assert_status 0
}

# ---- the next boot

@test "the loss is said before it happens, counts as blocked, and status says it too" {
	wanted "mode: safe"
	fact '{"kind": "kernel", "key": "", "state": "present", "running": "'$OLD'", "installed": ["'$OLD'", "'$NEW'"], "boot_default": "'$NEW'", "obstacle": "no boot loader that can be set"}'
	made_plan
	assert_equal 4 "$status"
	[[ $(of .next_boot.sentence) == "$NEW is installed and will boot next; no lustre module for it; /lustre will be lost at the next reboot; brought in by unattended-upgrades at 06:12 UTC on 2026-11-20" ]]
	assert_equal "2 false" "$(of '"\(.next_boot.lost) \(.next_boot.remedied)"')"
	run_node plan --facts "$FACTS"
	# listed as the others that the plan counts
	assert_line -e "^  ! Next boot: $NEW is installed and will boot next; no lustre module for it; /lustre will"
	assert_equal "$(of .counts.blocked)" "$(grep -c '^  ! ' <<<"$output")"
}

@test "a plan that puts the next boot right says so and is no alarm" {
	wanted "kernel: {strategy: follow}"
	made_plan
	assert_equal 2 "$status"
	assert_equal "true 0" "$(of '"\(.next_boot.remedied) \(.counts.blocked)"')"
	[[ $(of .next_boot.sentence) == *"this plan puts that right: $OLD will boot instead" ]]
}

@test "a tree without storage says nothing about the next boot" {
	node_file <<<"mode: safe"
	made_plan
	assert_equal null "$(of .next_boot)"
}

# ---- follow

@test "follow: the next kernel's module goes in before the reboot, and the default stays" {
	wanted "kernel: {strategy: follow}"
	fact '{"kind": "candidate", "key": "lustre-client-modules-'$NEW'", "state": "present", "version": "2.15.6-1fsx24", "versions": ["2.15.6-1fsx24"]}'
	fact '{"kind": "package", "key": "lustre-client-modules-'$NEW'", "state": "absent", "candidate": "2.15.6-1fsx24", "offered": ["2.15.6-1fsx24"]}'
	made_plan
	assert_equal change "$(step "package:lustre-client-modules-$NEW" .outcome)"
	assert_equal "" "$(step kernel .id)$(step reboot .id)"
	assert_equal true "$(of .next_boot.remedied)"
}

@test "follow: what a default of ours stood in for gives way once the newest kernel has its module" {
	wanted "kernel: {strategy: follow}"
	change 'if .kind == "kernel" then .boot_default = "'$OLD'" | .own_entry = .default_entry else . end'
	change 'if .kind == "loadable" then .verdict = "yes" | del(.cause) else . end'
	made_plan
	assert_equal distribution "$(step kernel .wanted.boot_default)"
	assert_equal change "$(step kernel .outcome)"
}

@test "follow: nothing is rebooted while the index may not know what is published" {
	recorded compute-kernel-moved
	wanted "$(printf 'kernel: {strategy: follow}\nreboot: {when: now}')"
	made_plan
	assert_equal change "$(step reboot .outcome)"
	fact '{"kind": "package_index", "key": "apt", "state": "present", "age": 400000}'
	made_plan
	assert_equal "" "$(step reboot .id)"
	assert_equal reboot-waits-for-index "$(of '.blocks[] | select(.rule == "reboot-waits-for-index") | .rule')"
}

# ---- pin

@test "pin: held, kept from removal, made the default; each of it a resource" {
	wanted "kernel: {release: $OLD, strategy: pin}"
	made_plan
	for id in hold:linux-aws "hold:linux-image-$OLD" "hold:lustre-client-modules-$OLD" apt_option:APT::NeverAutoRemove \
		apt_option:Unattended-Upgrade::Package-Blacklist kernel; do
		assert_equal change "$(step "$id" .outcome)"
	done
	assert_equal '^linux-image-6\.8\.0-1039-aws$' "$(step apt_option:APT::NeverAutoRemove '.wanted.items[] | select(startswith("^linux-image"))')"
	assert_equal '^linux-aws$' "$(step apt_option:Unattended-Upgrade::Package-Blacklist '.wanted.items[] | select(. == "^linux-aws$")')"
	assert_equal "" "$(step apt_option:APT::NeverAutoRemove '.wanted.items[] | select(. == "^linux-aws$")')"
}

@test "pin: a kernel without a module does not become the default" {
	wanted "kernel: {release: $NEW, strategy: pin}"
	change 'if .kind == "kernel" then .boot_default = "'$OLD'" else . end'
	made_plan
	assert_equal blocked "$(step kernel .outcome)"
	[[ $(step kernel .why) == *"lustre-client-modules-$NEW is not published" ]]
	assert_equal "" "$(step reboot .id)"
}

@test "pin: a glob is the newest installed kernel that fits; one that fits none is said" {
	wanted 'kernel: {release: "6.8.0-103*-aws", strategy: pin}'
	made_plan
	assert_equal "$OLD" "$(step kernel .wanted.boot_default)"
	wanted 'kernel: {release: "6.6.*", strategy: pin}'
	made_plan
	assert_equal kernel-not-installed "$(of '.blocks[].rule' | grep kernel)"
	assert_equal "" "$(step kernel .id)"
}

@test "pin: the need of a reboot is said even when there must be none" {
	recorded compute-kernel-moved
	wanted "kernel: {release: $OLD, strategy: pin}"
	made_plan
	assert_equal pending "$(step reboot .outcome)"
	[[ $(step reboot .why) == *"reboot.when is never"* ]]
}

@test "none: what the pin made is undone, and what is held otherwise stays" {
	recorded compute-healthy
	wanted "$(printf 'kernel: {strategy: none}\nholds: [linux-aws]')"
	made_plan
	assert_equal distribution "$(step kernel .wanted.boot_default)"
	assert_equal absent "$(step "hold:linux-image-$OLD" .wanted.state)"
	assert_equal absent "$(step hold:linux-image-aws .wanted.state)"
	assert_equal kept "$(step hold:linux-aws .outcome)"
	assert_equal absent "$(step apt_option:APT::NeverAutoRemove .wanted.state)"
}

# not_planned ID ...
not_planned()
{
	local id

	for id; do
		assert_equal "" "$(step "$id" .id)"
	done
}

@test "follow after a pin: what the pin made goes, and nothing of others" {
	recorded compute-healthy
	change 'if .key == "Unattended-Upgrade::Package-Blacklist" then .items += ["^linux-modules-extra-aws$"] else . end'
	fact '{"kind": "hold", "key": "linux-modules-extra-aws", "state": "present", "selection": "hold"}'
	wanted "$(printf 'kernel: {strategy: follow}\nholds: [linux-aws]')"
	made_plan
	assert_equal 2 "$status"
	for id in "hold:linux-image-$OLD" "hold:lustre-client-modules-$OLD" hold:linux-image-aws \
		apt_option:APT::NeverAutoRemove apt_option:Unattended-Upgrade::Package-Blacklist; do
		assert_equal "absent change" "$(step "$id" '"\(.wanted.state) \(.outcome)"')"
	done
	[[ $(step hold:linux-image-aws '.origins[0].reason') == "kernel.strategy is follow; it was held by the pin" ]]
	# the holds first: the lists are what they are known by
	assert_equal true "$(of '[.steps[] | select(.wanted.state == "absent").kind] | rindex("hold") < index("apt_option")')"
	assert_equal kept "$(step hold:linux-aws .outcome)"
	not_planned hold:linux-modules-extra-aws
}

@test "follow after a pin: what the tree writes about an option or a hold is no pin" {
	recorded compute-healthy
	wanted "$(printf '%s\n' 'kernel: {strategy: follow}' 'resources:' \
		'  - {kind: apt_option, option: "apt::neverautoremove", items: ["^linux-image-x$"]}' \
		'  - {kind: hold, package: linux-image-aws}')"
	made_plan
	assert_equal 2 "$status"
	assert_equal absent "$(step apt_option:Unattended-Upgrade::Package-Blacklist .wanted.state)"
	assert_equal absent "$(step hold:linux-aws .wanted.state)"
	assert_equal kept "$(step hold:linux-image-aws .outcome)"
	not_planned apt_option:APT::NeverAutoRemove
}

@test "follow after a pin: a hold that cannot be told leaves the lists and lets the kernel be decided" {
	recorded compute-healthy
	wanted "kernel: {strategy: follow}"
	change 'if .key == "linux-aws" then {kind, key, state: "undetermined", why: "dpkg is busy"} else . end'
	change 'if .kind == "kernel" then .installed += ["'$NEW'"] | .boot_default = "'$NEW'" else . end'
	fact '{"kind": "loadable", "key": "lustre@'$NEW'", "state": "present", "verdict": "no", "cause": "missing", "reason": "none"}'
	fact '{"kind": "package", "key": "lustre-client-modules-'$NEW'", "state": "absent"}'
	fact '{"kind": "candidate", "key": "lustre-client-modules-'$NEW'", "state": "absent"}'
	made_plan
	not_planned "hold:linux-image-$OLD" apt_option:APT::NeverAutoRemove
	assert_equal "$OLD" "$(step kernel .wanted.boot_default)"
}

@test "no kernel section: a pin that merely disappears is not undone" {
	recorded compute-healthy
	wanted "mode: safe"
	made_plan
	assert_equal "" "$(of '.steps[] | select(.kind == "hold" or .kind == "apt_option" or .kind == "kernel") | .id')"
}

# ---- trial

trial()
{
	wanted "$(printf 'kernel: {release: %s, strategy: pin}\nreboot: {when: now, trial: true, attempts_per_kernel: 2}' "$NEW")"
	change 'if .kind == "kernel" then .boot_default = "'$OLD'" | .own_entry = .default_entry else . end'
	change 'if .kind == "loadable" then .verdict = "yes" | del(.cause) else . end'
	fact '{"kind": "package", "key": "lustre-client-modules-'$NEW'", "state": "present", "version": "2.15.6-1fsx24", "status": "installed"}'
}

# ledger RESULT ATTEMPTS
ledger()
{
	fact '{"kind": "reboot", "key": "", "state": "present", "into": "'"$3"'", "open": "'$NEW'", "result": "'"$1"'", "open_trial": true, "attempts": ["'$NEW'='"$2"'"]}'
}

@test "trial: started once, the default stays" {
	trial
	fact '{"kind": "reboot", "key": "", "state": "present", "into": "'$OLD'"}'
	made_plan
	assert_equal "$NEW null" "$(step kernel '"\(.wanted.boot_next) \(.wanted.boot_default)"')"
	assert_equal "$NEW true" "$(step reboot '"\(.wanted.into) \(.wanted.trial)"')"
}

@test "trial: the default only after module and mounts came up" {
	trial
	change 'if .kind == "kernel" then .running = "'$NEW'" else . end'
	ledger arrived 1 "$NEW"
	made_plan
	assert_equal "$NEW change" "$(step kernel '"\(.wanted.boot_default) \(.outcome)"')"
	change 'if .kind == "mount" and .key == "/lustre" then {kind, key, state: "undetermined", why: "it does not answer"} else . end'
	made_plan
	assert_equal "" "$(step kernel .id)"
	[[ $(of '.blocks[] | select(.rule == "trial-undecided") | .origin.reason') == *"/lustre did not come up, as far as can be told; $OLD stays the default" ]]
}

@test "trial: one whose module cannot load goes back, and not in circles" {
	trial
	change 'if .kind == "kernel" then .running = "'$NEW'" else . end'
	change 'if .kind == "module" then {kind, key, state: "absent", obstacle: "it does not fit"} else . end'
	fact '{"kind": "loadable", "key": "lustre@'$NEW'", "state": "present", "verdict": "no", "cause": "symbols", "reason": "symbol versions differ"}'
	ledger arrived 1 "$NEW"
	made_plan
	assert_equal "$OLD null" "$(step reboot '"\(.wanted.into) \(.wanted.trial)"')"
	assert_equal "" "$(step kernel .id)"
	# Back again, with as many attempts as are allowed:
	recorded compute-kernel-will-move
	trial
	ledger "came back" 2 "$OLD"
	made_plan
	assert_equal "" "$(step reboot .id)$(step kernel .id)"
	[[ $(of '.blocks[] | select(.rule == "trial-failed") | .origin.reason') == *"tried 2 times"* ]]
}

# ---- what is there and would not load

@test "a damaged module is said with the command that mends it" {
	wanted "kernel: {strategy: follow}"
	recorded compute-healthy
	change 'if .kind == "module" then {kind, key, state: "present", loaded: false, obstacle: "its file is cut off"} else . end'
	change 'if .kind == "mount" and .key == "/lustre" then {kind, key, state: "absent"} else . end'
	change 'if .kind == "loadable" then .verdict = "no" | .cause = "damaged" | .reason = "its file is cut off" else . end'
	made_plan
	assert_equal blocked "$(step module:lustre .outcome)"
	[[ $(step module:lustre .why) == *"apt-get install --reinstall lustre-client-modules-$OLD" ]]
	assert_equal blocked "$(step mount:/lustre .outcome)"
}

# damaged_module: of the kernel that runs; its file is cut off
damaged_module()
{
	wanted "kernel: {strategy: follow}"
	recorded compute-healthy
	change 'if .kind == "module" then {kind, key, state: "present", loaded: false, obstacle: "its file is cut off"} else . end'
	change 'if .kind == "mount" and .key == "/lustre" then {kind, key, state: "absent"} else . end'
	change 'if .kind == "loadable" then .verdict = "no" | .cause = "damaged" | .reason = "its file is cut off" else . end'
}

@test "a damaged module whose package can be had is put back, and no other kernel is taken for it" {
	local package=lustre-client-modules-$OLD version

	damaged_module
	version=$(jq -r '.facts[] | select(.kind == "package" and .key == "'"$package"'") | .version' "$FACTS")
	fact '{"kind": "package_files", "key": "'"$package"'", "state": "present", "damaged": ["/lib/modules/'$OLD'/updates/lustre.ko"]}'
	fact '{"kind": "candidate", "key": "'"$package"'", "state": "present", "version": "'"$version"'", "versions": ["'"$version"'"]}'
	change 'if .kind == "package" and .key == "'"$package"'" then .intact = false | .damaged = "/lib/modules/'$OLD'/updates/lustre.ko" | .candidate = .version else . end'
	made_plan
	assert_equal "true change" "$(step "package:$package" '"\(.wanted.intact) \(.outcome)"')"
	assert_equal change "$(step module:lustre .outcome)"
	assert_equal change "$(step mount:/lustre .outcome)"
	# the newest kernel it is, as before
	assert_equal "$OLD kept " "$(step kernel '"\(.wanted.boot_default) \(.outcome)"') $(step reboot .id)"
	# where the version is gone, there is only the command to name
	fact '{"kind": "candidate", "key": "'"$package"'", "state": "present", "version": "9", "versions": ["9"]}'
	fact '{"kind": "cached_package", "key": "'"$package"'", "state": "absent"}'
	made_plan
	assert_equal blocked "$(step module:lustre .outcome)"
}

# ---- BeeGFS

beegfs()
{
	FACTS=$SCRATCH/beegfs.json
	put "$FACTS" <"$TOP/examples/beegfs/facts/$1.json"
	node_file <<-END
		modules:
		  beegfs: {filesystem: beegfs, dkms: beegfs, version: "7.4.4*"${2:+, unsupported: $2}}
		mounts:
		  /mnt/beegfs: {source: beegfs_nodev, type: beegfs, manage: live, service: beegfs-client.service}
		resources:
		  - {kind: directory, path: /srv}
	END
	fact '{"kind": "directory", "key": "/srv", "state": "absent"}'
}

@test "beegfs: remedy 1 makes a supported kernel the default and keeps it" {
	beegfs incompatible pin
	made_plan
	assert_equal 6.1.0-56-cloud-amd64 "$(step kernel .wanted.boot_default)"
	assert_equal change "$(step hold:linux-image-6.1.0-56-cloud-amd64 .outcome)"
	assert_equal pending "$(step reboot .outcome)"
	[[ $(step module:beegfs .why) == *"asm/unaligned.h: No such file or directory"* ]]
}

@test "beegfs: remedy 1 without a supported kernel names those that would work" {
	beegfs without pin
	made_plan
	assert_equal "" "$(step kernel .id)"
	assert_equal no-kernel-serves "$(of '.blocks[] | select(.rule == "no-kernel-serves") | .rule')"
	fact '{"kind": "dkms", "key": "beegfs@6.12.38+deb12-cloud-amd64", "state": "present", "version": "7.4.4", "status": "no headers", "headers": false}'
	made_plan
	[[ $(of '.warnings[].origin.reason') == *"is incompatible"*"none of the installed kernels is said to do; 6.1 and 6.6 are"* ]]
}

@test "beegfs: remedy 2 blocks the mount alone, the rest converges" {
	beegfs incompatible skip
	made_plan
	assert_equal blocked "$(step mount:/mnt/beegfs .outcome)"
	assert_equal change "$(step directory:/srv .outcome)"
	assert_equal "" "$(step kernel .id)$(step module:beegfs .id)$(step service:beegfs-client.service .id)"
}

@test "beegfs: the helper of the client runs where it is installed" {
	beegfs supported
	fact '{"kind": "service", "key": "beegfs-helperd.service", "state": "present", "enabled": false, "active": false, "unit_state": "disabled/inactive"}'
	made_plan
	assert_equal "true true change" "$(step service:beegfs-helperd.service '"\(.wanted.enabled) \(.wanted.active) \(.outcome)"')"
	fact '{"kind": "service", "key": "beegfs-helperd.service", "state": "absent"}'
	made_plan
	assert_equal "" "$(step service:beegfs-helperd.service .id)"
}

@test "beegfs: what DKMS did overrules the matrix" {
	beegfs incompatible pin
	fact '{"kind": "dkms", "key": "beegfs@6.12.38+deb12-cloud-amd64", "state": "present", "version": "7.4.4", "status": "installed", "headers": true}'
	fact '{"kind": "loadable", "key": "beegfs@6.12.38+deb12-cloud-amd64", "state": "present", "verdict": "yes"}'
	made_plan
	assert_equal "" "$(step kernel .id)$(of '.warnings[].rule')"
	# and a version that is not in the list for 6.12, where DKMS has not answered, is only doubted
	beegfs incompatible
	node_file <<-END
		modules:
		  beegfs: {filesystem: beegfs, dkms: beegfs, version: "8.1.0*"}
	END
	fact '{"kind": "dkms", "key": "beegfs@6.12.38+deb12-cloud-amd64", "state": "present", "version": "8.1.0", "status": "added", "headers": true}'
	made_plan
	assert_equal change "$(step dkms:beegfs@6.12.38+deb12-cloud-amd64 .outcome)"
	[[ $(of '.warnings[].origin.reason') == *"BeeGFS 8.1.0 on it is untested"* ]]
}
