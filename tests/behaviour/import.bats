#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a node is, written as a tree: on a node that is whole it plans empty, and it says where each
# value came from.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	scratch_open
	AREA=$SCRATCH/area
	OUT=$SCRATCH/out
	mkdir -p "$AREA"
	ns_overlay /etc
	in_ns "rm -f /etc/fstab; touch /etc/fstab"
}

teardown()
{
	scratch_close
}

fstab()
{
	cat >"$SCRATCH/fstab"
	in_ns cp "$SCRATCH/fstab" /etc/fstab
}

# plans_empty: the tree in $OUT loads, and there is nothing to do
plans_empty()
{
	run_reconcile validate -C "$OUT"
	assert_status 0
	run_reconcile plan -C "$OUT" --all
	assert_status 0
}

@test "tmpfs, bind and loop mounts with their fstab lines: import --all, then plan is empty" {
	need_command mkfs.ext4
	truncate -s 16M "$SCRATCH/disk"
	mkfs.ext4 -q "$SCRATCH/disk"
	in_ns "mkdir -p $AREA/t $AREA/b $AREA/l '$AREA/odd name' $AREA/from"
	fstab <<END
# a comment
tmpfs $AREA/t tmpfs defaults,size=4m,nosuid,noatime,x-own=word 0 0
$AREA/from $AREA/b none bind,ro 0 0
$SCRATCH/disk $AREA/l ext4 loop,nodev,nofail 0 2
tmpfs $AREA/odd\\040name tmpfs size=1m,mode=0700 0 0
LABEL=swap none swap sw 0 0
END
	at_end in_ns umount "$AREA/l"
	in_ns "mount $AREA/t; mount $AREA/b; mount -o remount,bind,ro $AREA/b; mount $AREA/l || skip 'no loop devices'; mount '$AREA/odd name'" ||
		skip "no loop devices"
	run_reconcile import --all -o "$OUT"
	assert_status 0
	assert_output -p "Wrote $OUT/state/nodes/$(hostname -s).yaml"
	refute_stderr
	plans_empty
	assert_output -p "mount $AREA/l"
	assert_output -p "mount $AREA/odd name"
	run_within 20 cat "$OUT/state/nodes/$(hostname -s).yaml"
	assert_output -p 'options: [size=4m, nosuid, noatime, x-own=word]'
	assert_output -p "manage: full"
}

@test "a storage client's mounts by default, and what others own is only kept alive" {
	in_ns "mkdir -p $AREA/t"
	hangfs_start "$AREA/lustre"
	hangfs_start "$AREA/home" fsname=server:/home
	fstab <<END
tmpfs $AREA/t tmpfs size=4m 0 0
$HANGFS_SOURCE $AREA/lustre $HANGFS_TYPE noauto,x-systemd.automount,_netdev 0 0
END
	in_ns "mount $AREA/t"
	run_reconcile import -o "$OUT"
	assert_status 0
	run_within 20 cat "$OUT/state/nodes/$(hostname -s).yaml"
	refute_output -p "$AREA/t:"
	assert_output -p "belongs to whoever wrote it"
	assert_output -p "no line in fstab"
	refute_output -p "manage: full"
	refute_output -p "_netdev"
	plans_empty
	assert_output -p "mount $AREA/home"
}

@test "what is mounted on request only is left out, and the plan is empty" {
	in_ns "mkdir -p $AREA/t $AREA/u; mount -t tmpfs -o size=4m tmpfs $AREA/t"
	fstab <<-END
		tmpfs $AREA/t tmpfs size=4m 0 0
		tmpfs $AREA/u tmpfs noauto 0 0
		server:/n $AREA/n nfs noauto,_netdev 0 0
	END
	run_reconcile import --all -o "$OUT"
	assert_status 0
	assert_stderr -p "$AREA/u: its fstab line says noauto"
	assert_stderr -p "$AREA/n: its fstab line says noauto"
	plans_empty
	assert_output -p "mount $AREA/t"
	refute_output -p "mount $AREA/u"
	run_reconcile import
	assert_status 0
	refute_output -p "or in fstab"
}

@test "an option that is written and not in force is not asserted, and said" {
	in_ns "mkdir -p $AREA/t; mount -t tmpfs -o size=4m tmpfs $AREA/t"
	fstab <<<"tmpfs $AREA/t tmpfs size=4m,noexec 0 0"
	run_reconcile import --all -o "$OUT"
	assert_status 0
	run_within 20 cat "$OUT/state/nodes/$(hostname -s).yaml"
	assert_output -p "# fstab says noexec, which is not in force"
	assert_output -p "options: [size=4m]"
	plans_empty
}

@test "what is broken is said, and is what the plan mends" {
	fstab <<<"tmpfs $AREA/gone tmpfs size=4m 0 0"
	run_reconcile import --all -o "$OUT"
	assert_status 0
	assert_stderr -p "the plan will not be empty: $AREA/gone is NOT MOUNTED"
	run_reconcile plan -C "$OUT"
	assert_status 2
	assert_output -p "mount $AREA/gone"
	run_reconcile apply -C "$OUT" --yes
	assert_status 0
	assert_mounted "$AREA/gone"
}

@test "nothing is overwritten, and without --out the tree goes to standard output" {
	run_reconcile import -o "$OUT"
	assert_status 0
	sum=$(sha256sum "$OUT/state/nodes/$(hostname -s).yaml")
	run_reconcile import -o "$OUT"
	assert_status 1
	assert_stderr -p "is not overwritten"
	assert_equal "$sum" "$(sha256sum "$OUT/state/nodes/$(hostname -s).yaml")"
	run_reconcile import
	assert_status 0
	assert_equal "$(cat "$OUT/state/nodes/$(hostname -s).yaml")" "$output"
}

@test "an empty node imports as a tree that loads and plans empty" {
	in_ns rm -f /etc/fstab
	run_reconcile import -o "$OUT"
	assert_status 0
	plans_empty
}

@test "a dead file system is imported like a living one" {
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_reconcile import -o "$OUT"
	assert_status 0
	assert_stderr -p "$AREA/dead is HUNG"
	plans_empty
}

@test "a target, source and options that YAML would read otherwise survive" {
	in_ns mkdir -p "$AREA/a: b #c" "$AREA/q\"\\"
	fstab <<END
"#\\040x:\\040[]" $AREA/a:\\040b\\040#c tmpfs size=1m 0 0
{y} $AREA/q"\\134 tmpfs size=1m,mode=0755 0 0
END
	in_ns "mount -a"
	run_reconcile import --all -o "$OUT"
	assert_status 0
	plans_empty
	assert_output -p "mount $AREA/a: b #c"
}

@test "the module's package is told from its name, for a kernel that has none as well" {
	run_reconcile import --facts "$TOP/tests/behaviour/support/moved-kernel.json" -o "$OUT"
	assert_status 0
	run_within 20 cat "$OUT/state/nodes/compute-gpu-st-distributed-ml-1.yaml"
	assert_output -p 'package: "lustre-client-modules-{kernel}"'
	assert_output -p 'lustre-client-utils: {version: "2.15.*"}'
	assert_output -p "strategy: pin, release: 6.8.0-1039-aws"
	assert_output -p "options: [_netdev, flock, user_xattr, noatime]"
	run_reconcile validate -C "$OUT"
	assert_status 0
}

@test "a node that is whole plans empty from what was imported of it" {
	local facts=$TOP/examples/parallelcluster/facts/head-whole.json

	run_reconcile import --facts "$facts" -o "$OUT"
	assert_status 0
	run_reconcile plan -C "$OUT" --facts "$facts"
	assert_status 0
	# our own guards are not there, as far as can be told: they are not wanted before somebody says so
	jq '.facts |= map(select(.kind != "cached_package")) + [
		{kind: "file", key: "/etc/kernel/postinst.d/zzz-reconcile", state: "absent"},
		{kind: "file", key: "/etc/apt/apt.conf.d/zz-reconcile-preflight", state: "absent"},
		{kind: "directory", key: "/etc/kernel/postinst.d", state: "present", mode: "0755"},
		{kind: "cached_package", key: "lustre-client-modules-6.8.0-1043-aws", state: "absent"}]' "$facts" >"$SCRATCH/facts.json"
	run_reconcile import --facts "$SCRATCH/facts.json" -o "$OUT.2"
	assert_status 0
	run_within 20 cat "$OUT.2/state/nodes/ip-10-0-3-12.yaml"
	assert_output -p "preflight: off"
	assert_output -p $'# take this line away, and it is kept for a repair without network\n    cached: false'
	run_reconcile plan -C "$OUT.2" --facts "$SCRATCH/facts.json"
	assert_status 0
	sed -i '/^preflight: off/d' "$OUT.2/state/nodes/ip-10-0-3-12.yaml"
	run_reconcile plan -C "$OUT.2" --facts "$SCRATCH/facts.json"
	assert_status 2
	assert_output -p "file /etc/kernel/postinst.d/zzz-reconcile"
}

@test "what a recording holds acts on no terminal, and ends no comment" {
	local turned=$'\u202e' facts=$TOP/examples/parallelcluster/facts/head-whole.json

	jq --arg turned "$turned" '(.facts[] | select(.key == "/lustre" and .kind == "mount") | .fstab_source) |= . + $turned
		| (.facts[] | select(.kind == "kernel") | .running) = "6\nholds: [bash]\n#"' "$facts" >"$SCRATCH/facts.json"
	run_reconcile import --facts "$SCRATCH/facts.json" -o "$OUT"
	assert_status 0
	run_within 20 cat "$OUT/state/nodes/ip-10-0-3-12.yaml"
	refute_output -p "$turned"
	refute_line "holds: [bash]"
}

@test "a loss that is still to come keeps the plan from being empty, and is said" {
	local facts=$TOP/examples/parallelcluster/facts/compute-kernel-will-move.json

	run_reconcile import --facts "$facts" -o "$OUT"
	assert_status 0
	assert_stderr -p "the plan will not be empty: 6.8.0-1042-aws is installed and will boot next; no lustre module for it; /lustre will be lost"
	run_reconcile plan -C "$OUT" --facts "$facts"
	assert_status 4
}

@test "a node that is broken gets no guards taken away, and --json is JSON" {
	local facts=$SCRATCH/broken.json

	jq '.facts += [{kind: "file", key: "/etc/kernel/postinst.d/zzz-reconcile", state: "absent"},
		(.facts[] | select(.kind == "package") | {kind: "cached_package", key, state: "absent"})]' \
		"$TOP/tests/behaviour/support/moved-kernel.json" >"$facts"
	run_reconcile import --facts "$facts" --json
	assert_status 0
	assert_equal "state/nodes/compute-gpu-st-distributed-ml-1.yaml" "$(jq -r '.files[0].path' <<<"$output")"
	jq -e '.to_mend | length > 0' <<<"$output"
	content=$(jq -r '.files[0].content' <<<"$output")
	[[ $content == *"modules:"* && $content != *"preflight: off"* && $content != *"cached: false"* ]]
	run_reconcile import --facts "$facts"
	assert_equal "$content" "$output"
	run_reconcile import --facts "$facts" --json --out "$SCRATCH/json"
	assert_status 0
	assert_equal "$content" "$(<"$(jq -r '.files[0].path' <<<"$output")")"
}

@test "without root a tree is written as well" {
	local program
	program=$(for_nobody "$RECONCILE")
	in_ns "mkdir -p $AREA/t; mount -t tmpfs -o size=4m tmpfs $AREA/t"
	fstab <<<"tmpfs $AREA/t tmpfs size=4m 0 0"
	install -d -o 65534 -g 65534 "$SCRATCH/mine"
	run_within 60 as_nobody "$program" import --all -o "$SCRATCH/mine/tree" --run-dir "$SCRATCH/run"
	assert_status 0
	run_within 60 as_nobody "$program" plan -C "$SCRATCH/mine/tree" --run-dir "$SCRATCH/run" --history "$SCRATCH/none"
	assert_status 0
}
