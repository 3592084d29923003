#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# One line and an exit code: what a monitor, Slurm's health check and an image build read.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree
load support/hangfs

MOVED=$TOP/tests/behaviour/support/moved-kernel.json

setup()
{
	need_root
	scratch_open
	tree_open
	ns_overlay /etc /var/lib
	in_ns "rm -f /etc/fstab; touch /etc/fstab"
}

teardown()
{
	scratch_close
}

# assert_plugin STATUS WORD: the form that monitoring plugins have
assert_plugin()
{
	assert_status "$1"
	assert_equal 1 "${#lines[@]}"
	assert_line -e "^RECONCILE $2 - [^|]+ \| ([a-z_]+=[0-9]+s? ?)+$"
}

# figure NAME: of the line
figure()
{
	grep -o "$1=[0-9]*" <<<"$output" | cut -d= -f2
}

@test "without a tree: what fstab wants is what counts" {
	run_reconcile check
	assert_plugin 0 OK
	assert_output -p "OK - no file system is wanted, and none of a storage client is mounted |"
	in_ns "echo 'tmpfs $AREA/gone tmpfs size=1m 0 0' >/etc/fstab"
	run_reconcile check
	assert_plugin 2 CRITICAL
	assert_output -p "$AREA/gone NOT MOUNTED"
	assert_equal 1 "$(figure not_mounted)"
	in_ns "echo 'tmpfs $AREA/a|b tmpfs size=1m 0 0' >/etc/fstab"
	run_reconcile check
	assert_plugin 2 CRITICAL
}

@test "with a tree: in sync, to change, a mount that is missing, and what is blocked" {
	node_file <<END
resources:
  - {kind: directory, path: $AREA/d}
END
	run_node check
	assert_plugin 1 WARNING
	assert_output -p "directory:$AREA/d to change"
	assert_equal 1 "$(figure to_change)"
	[[ ! -e $AREA/d ]]
	run_node apply --yes
	assert_status 0
	run_node check
	assert_plugin 0 OK
	assert_equal 1 "$(figure in_sync)"
	[[ -n $(figure last_run) ]]
	node_file <<END
mounts:
  $AREA/t: {source: tmpfs, type: tmpfs, options: [size=1m], manage: live}
END
	run_node check
	assert_plugin 2 CRITICAL
	in_ns "mkdir -p $AREA/t; mount -t tmpfs -o size=1m tmpfs $AREA/t"
	run_node check
	assert_plugin 0 OK
	in_ns "mount -t ramfs over $AREA/t"
	run_node check
	assert_plugin 2 CRITICAL
	assert_output -p "blocked"
	assert_equal 1 "$(figure blocked)"
}

@test "a tree that does not load is unknown, with the place of the fault" {
	node_file <<<"mountz: {}"
	run_node check
	assert_status 3
	assert_equal 1 "${#lines[@]}"
	assert_line -e "^RECONCILE UNKNOWN - .*n\.yaml:3:1: 'mountz' is no section"
	for where in "" --next-boot; do
		run_reconcile check $where -C "$SCRATCH/none"
		assert_status 3
		assert_line -e "^RECONCILE UNKNOWN - .*$SCRATCH/none"
	done
	run_node check --max-age never
	assert_status 1
}

@test "a paused node is a warning" {
	node_file <<END
resources:
  - {kind: directory, path: /etc}
END
	run_node check
	assert_plugin 0 OK
	in_ns "mkdir -p /etc/reconcile; echo 'a person is at it | now' >/etc/reconcile/PAUSE"
	run_node check
	assert_plugin 1 WARNING
	assert_output -p "paused"
}

@test "--max-age: no run, or an old one" {
	node_file <<END
resources:
  - {kind: directory, path: $AREA}
END
	run_node check --max-age 1h
	assert_plugin 3 UNKNOWN
	run_node apply --yes
	run_node check --max-age 1h
	assert_plugin 0 OK
	sleep 2
	run_node check --max-age 1s
	assert_plugin 1 WARNING
	assert_output -p "the last run was"
	# what an operator allows is no look at the node
	run_node allow kernel 9.9.9 --for 1d --reason "a trial"
	assert_status 0
	run_node check --max-age 1s
	assert_plugin 1 WARNING
	assert_output -p "the last run was"
}

@test "--max-age is never passed over in silence" {
	run_reconcile check --max-age 1h
	assert_plugin 3 UNKNOWN
	assert_output -p "no history yet"
	put "$SCRATCH/bad.json" <<<'{"reconcile_facts": 1, "facts": [{"kind": "nothing"}]}'
	run_reconcile check --facts "$SCRATCH/bad.json"
	assert_status 3
	assert_output -p "UNKNOWN - $SCRATCH/bad.json: "
	run_reconcile check --next-boot --max-age 1h
	assert_status 1
	assert_stderr -p "--max-age asks for the runs of this node, which --next-boot does not"
	run_reconcile check --facts "$MOVED" --max-age 1h
	assert_status 1
	assert_stderr -p "which --facts does not"
}

@test "a dead file system is critical, soon said, and looked at once" {
	node_file <<END
mounts:
  $AREA/dead: {source: "$HANGFS_SOURCE", type: $HANGFS_TYPE, manage: live}
END
	hangfs_start "$AREA/dead"
	run_node check
	assert_plugin 0 OK
	hangfs_hang "$AREA/dead"
	begun=$SECONDS
	run_node check
	assert_plugin 2 CRITICAL
	assert_output -p "$AREA/dead HUNG"
	assert_equal 1 "$(figure hung)"
	((SECONDS - begun < 10)) || fail "took $((SECONDS - begun)) s"
	kept=$(hangfs_kept "$AREA/dead")
	run_node check
	assert_plugin 2 CRITICAL
	assert_equal "$kept" "$(hangfs_kept "$AREA/dead")"
}

@test "--next-boot fails an image build whose next kernel has no module, with and without a tree" {
	run_reconcile check --next-boot --facts "$MOVED"
	assert_plugin 2 CRITICAL
	assert_output -p "6.8.0-1042-aws"
	assert_output -p "no lustre module for it; /lustre "
	# the image's own tree, which wants another target
	node_file <<END
modules:
  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
mounts:
  /scratch: {source: "10.1.30.23@tcp:/czrc3amv", type: lustre, manage: live}
END
	run_node check --next-boot --facts "$MOVED"
	assert_plugin 2 CRITICAL
	assert_output -p "no lustre module for it; /scratch "
	# a kernel that has one
	jq '(.facts[] | select(.kind == "kernel") | .running, .boot_default) = "6.8.0-1039-aws"' "$MOVED" >"$SCRATCH/good.json"
	run_node check --next-boot --facts "$SCRATCH/good.json"
	assert_plugin 0 OK
	run_reconcile check --next-boot --facts "$SCRATCH/good.json"
	assert_plugin 0 OK
}

@test "--next-boot: what cannot be proved is unknown, and fails a build as well" {
	jq 'del(.facts[] | select(.kind == "kernel") | .boot_default)' "$MOVED" >"$SCRATCH/untold.json"
	run_reconcile check --next-boot --facts "$SCRATCH/untold.json"
	assert_plugin 3 UNKNOWN
	jq '(.facts[] | select(.key == "lustre@6.8.0-1042-aws")) |= {kind, key, state, verdict: "unproven", cause: "symbols", reason: "no symbol versions"}' \
		"$MOVED" >"$SCRATCH/unproven.json"
	run_reconcile check --next-boot --facts "$SCRATCH/unproven.json"
	assert_plugin 3 UNKNOWN
	assert_equal 0 "$(figure next_boot_lost)"
	((10#$(figure next_boot_unproven) > 0))
}

@test "--next-boot: a kernel that cannot boot is a loss, also where nothing is wanted" {
	put "$SCRATCH/facts.json" <<-END
		{"reconcile_facts": 1, "facts": [
		  {"kind": "kernel", "key": "", "state": "present", "running": "6.1.0-1", "boot_default": "6.1.0-2"},
		  {"kind": "boot_entry", "key": "6.1.0-2", "state": "present", "incomplete": "there is no initrd"}]}
	END
	node_file <<<'resources: [{kind: directory, path: /srv}]'
	for command in run_node run_reconcile; do
		$command check --next-boot --facts "$SCRATCH/facts.json"
		assert_plugin 2 CRITICAL
		assert_output -p "it could not boot as it is: there is no initrd"
	done
}

@test "what only the next boot would lose is a warning, said once" {
	local facts=$TOP/examples/parallelcluster/facts/compute-kernel-will-move.json

	run_reconcile import --facts "$facts" -o "$SCRATCH/imported"
	run_reconcile plan --facts "$facts" -C "$SCRATCH/imported"
	assert_output -p no-module-next-boot
	run_reconcile check --facts "$facts" -C "$SCRATCH/imported"
	assert_plugin 1 WARNING
	assert_equal 1 "$(grep -o "will be lost at the next reboot" <<<"$output" | wc -l)"
}

@test "what fstab wants and cannot be read is unknown, to --next-boot as well" {
	in_ns "rm /etc/fstab; mkdir /etc/fstab"
	for what in "" --next-boot; do
		run_reconcile check $what
		assert_plugin 3 UNKNOWN
		assert_output -p fstab
	done
	run_reconcile doctor --line
	assert_status 3
	assert_equal "" "$output"
	assert_stderr -p "fstab"
	run_reconcile import
	assert_status 6
	assert_stderr -p "left out: mounts"
	refute_output -p "or in fstab"
	assert_output -p "# What fstab wants is not here"
}

@test "--next-boot of a node that wants nothing a kernel could lose passes" {
	run_reconcile check --next-boot
	assert_plugin 0 OK
	assert_output -p "nothing is wanted that a kernel could lose"
}

# The lines of docs/image-builds.md, as Packer runs them; what `apply` could do to this machine is left out.
@test "the image build of the guide: its tree is the one that is judged, also where the folder was there before" {
	put "$SCRATCH/bin/sudo" 0755 <<<$'#!/bin/sh\nexec "$@"'
	ln -s "$RECONCILE" "$SCRATCH/bin/reconcile"
	put "$SCRATCH/reconcile-tree/state/nodes/image.yaml" <<END
version: 1
nodes: [compute-image]
modules:
  no_such_module: {}
END
	grep -o '"sudo [^"]*"' "$TOP/docs/image-builds.md" | grep 'reconcile' | tr -d '"' | grep -v 'reconcile apply' |
		sed "s|/tmp/reconcile-tree|$SCRATCH/reconcile-tree|" >"$SCRATCH/build.sh"
	grep -q 'check .*--next-boot' "$SCRATCH/build.sh"
	in_ns rm -rf /etc/reconcile
	run_within "$GUARD" in_ns env PATH="$SCRATCH/bin:$PATH" sh -e "$SCRATCH/build.sh"
	refute_output -p "OK"
	in_ns test -e /etc/reconcile/state/nodes/image.yaml
	# once more, as on an image that was built from an image
	run_within "$GUARD" in_ns env PATH="$SCRATCH/bin:$PATH" sh -e "$SCRATCH/build.sh"
	[[ $status == [23] ]] || fail "status $status: $output $stderr"
	in_ns test ! -e /etc/reconcile/reconcile-tree
	# and one that did not arrive is no judgement by something else
	in_ns rm -rf /etc/reconcile "$SCRATCH/reconcile-tree/state"
	run_within "$GUARD" in_ns env PATH="$SCRATCH/bin:$PATH" sh -e "$SCRATCH/build.sh"
	assert_status 3
	assert_output -p "there is no tree in /etc/reconcile"
}

@test "--json says the same" {
	run_reconcile check --next-boot --facts "$MOVED" --json
	assert_status 2
	assert_equal "CRITICAL 2 6.8.0-1042-aws" "$(jq -r '[.health, .exit_code, .next_boot.release] | join(" ")' <<<"$output")"
}

@test "it changes nothing and works without root" {
	local program
	program=$(for_nobody "$RECONCILE")
	node_file <<END
resources:
  - {kind: directory, path: $AREA/d}
END
	mark_area
	chown -R 65534:65534 "$TREE"
	run_within 60 as_nobody "$program" check -C "$TREE" --node n --run-dir "$SCRATCH/run" --history "$SCRATCH/none"
	assert_status 1
	assert_untouched
	[[ ! -e $SCRATCH/history.db ]]
}
