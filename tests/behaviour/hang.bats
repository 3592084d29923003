#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 50
#
# A file system that has died: it costs what lies on it and nothing else. The run ends in time, the lock is
# free, no second process gets stuck on it, and once it answers again all is well.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	GUARD=60
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

# among_twenty: the dead mount and what lies on it among twenty things that are well
among_twenty()
{
	local i

	{
		echo "mounts:"
		echo "  $AREA/dead: {source: \"$HANGFS_SOURCE\", type: $HANGFS_TYPE, manage: live}"
		echo "  $AREA/ram: {source: tmpfs, type: tmpfs, options: [size=1m], manage: live}"
		echo "resources:"
		echo "  - {kind: file, path: $AREA/dead/f, content: x}"
		echo "  - {kind: directory, path: $AREA/dead/d}"
		for i in {1..9}; do
			echo "  - {kind: directory, path: $AREA/d$i}"
			echo "  - {kind: file, path: $AREA/d$i/f, content: \"$i\"}"
		done
	} | node_file
}

# stuck: pids of the program that wait for the dead file system
stuck()
{
	local pid

	for pid in $(leftovers); do
		! is_stuck "$pid" || echo "$pid"
	done
}

@test "a dead mount among twenty resources: undetermined with a reason, exit 6, the others converge" {
	among_twenty
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_node plan
	assert_status 2
	assert_line -e "^  \? (file|directory) $AREA/dead/"
	assert_output -p "undetermined"
	run_node apply --yes
	assert_status 6
	assert_dir "$AREA/d9"
	assert_file "$AREA/d1/f"
	assert_mounted "$AREA/ram"
	assert_output -p "$AREA/dead"
	run_node status
	assert_status 6
	assert_output -p "$AREA/dead"
}

@test "a second run asks nothing more of the mount while the first one's worker is stuck on it" {
	among_twenty
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	begun=$SECONDS
	run_node apply --yes
	assert_status 6
	first=$((SECONDS - begun))
	assert_equal 1 "$(stuck | wc -l)"
	kept=$(hangfs_kept "$AREA/dead")
	begun=$SECONDS
	run_node apply --yes
	assert_status 6
	((SECONDS - begun < (first > 5 ? first : 5))) || fail "the second run waited again"
	assert_equal "$kept" "$(hangfs_kept "$AREA/dead")"
	assert_equal 1 "$(stuck | wc -l)"
	run_node run --once
	assert_status 6
	assert_equal 1 "$(stuck | wc -l)"
}

@test "once it answers again, nothing is stuck and all converges" {
	among_twenty
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_node apply --yes
	assert_status 6
	hangfs_resume "$AREA/dead"
	wait_for 10 none_left
	run_node apply --yes
	[[ $status != 6 ]]
	refute_output -p undetermined
	run_node plan
	refute_output -p undetermined
}

@test "plan, status and facts ask nothing of it either while somebody is stuck on it" {
	among_twenty
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_node apply --yes
	kept=$(hangfs_kept "$AREA/dead")
	for command in plan status "facts directory:$AREA/dead/d"; do
		# shellcheck disable=SC2086
		run_node $command
		assert_output -p "undetermined"
	done
	assert_equal "$kept" "$(hangfs_kept "$AREA/dead")"
	assert_equal 1 "$(leftovers | wc -w)"
}

@test "it dies in the middle of an apply: that step is undetermined, the rest goes on" {
	hangfs_start "$AREA/dead"
	node_file <<<"resources: [{kind: directory, path: $AREA/dead/d, mode: '0700'}, {kind: directory, path: $AREA/other}]"
	policy z <<END
    plan:command{name = "die", argv = {"sh", "-c", "kill -USR1 $(hangfs_pid "$AREA/dead"); touch $AREA/dying"}, creates = "$AREA/dying", reason = "r"}
    plan:directory{path = "$AREA/dead/d", reason = "r", after = {"command:die"}}
    plan:directory{path = "$AREA/other", reason = "r", after = {"command:die"}}
END
	run_node plan
	assert_line "Plan: 3 to change."
	run_node apply --yes
	assert_status 6
	assert_output -p "directory $AREA/dead/d"
	assert_dir "$AREA/other"
	assert_file "$AREA/dying"
	hangfs_resume "$AREA/dead"
	wait_for 10 none_left
}

@test "the lock is free while a worker is stuck, and the stuck one holds nothing of ours" {
	among_twenty
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_node apply --yes
	assert_status 6
	pid=$(stuck)
	if is_sanitized; then # its child keeps a stderr to report to
		assert_equal "/proc/$pid/fd/2" "$(find "/proc/$pid/fd" -lname "$SCRATCH/*" 2>/dev/null)"
	else
		assert_equal "" "$(find "/proc/$pid/fd" -lname "$SCRATCH/*" 2>/dev/null)"
	fi
	node_file <<<"resources: [{kind: directory, path: $AREA/new}]"
	run_node apply --yes --accept-shrink
	assert_status 0
	assert_dir "$AREA/new"
}

@test "a tree on a dead file system is an error in time" {
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	TREE=$AREA/dead
	for command in "apply --yes" validate; do
		# shellcheck disable=SC2086
		run_node $command
		assert_status 1
		assert_stderr -p "error: "
		assert_stderr -p "$AREA/dead"
	done
	run_reconcile facts directory:/tmp
	assert_status 0
}

@test "facts of a dead file system are undetermined, of others not; the mount itself needs no answer of it" {
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	run_reconcile facts "directory:$AREA/dead/x" --json
	assert_status 0
	assert_equal undetermined "$(jq -r '.facts[0].state' <<<"$output")"
	assert_equal true "$(jq -r '.facts[0].why | length > 10' <<<"$output")"
	run_reconcile facts "mount:$AREA/dead" --json
	assert_status 0
	assert_equal "$HANGFS_SOURCE" "$(jq -r '.facts[0].source' <<<"$output")"
	run_reconcile facts mount
	assert_status 0
}

@test "a dead file system that is to be mounted over, or unmounted, does not hang the run" {
	hangfs_start "$AREA/dead"
	node_file <<<"mounts: {$AREA/dead: {state: absent, manage: live}, $AREA/dead/in: {source: tmpfs, type: tmpfs, manage: live}}"
	hangfs_hang "$AREA/dead"
	run_node plan
	[[ $status != 124 ]]
	run_node apply --yes --allow disruptive
	[[ $status != 124 ]]
	[[ $status != 0 ]]
}
