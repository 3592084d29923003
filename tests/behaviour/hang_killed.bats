#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The agent is killed while something of it hangs: a mount helper, a look. Nobody was left to record that, and
# yet the next run knows of it, starts no second one, and all is well once the file system is back.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load support/common
load support/tree
load support/hangfs
load support/running

setup()
{
	need_root
	need_command jq
	GUARD=60
	scratch_open
	tree_open
	hangfs_start "$SCRATCH/dead"
	hangfs_hang "$SCRATCH/dead"
}

teardown()
{
	running_close
	scratch_close
}

# waiting: pids in the test's namespace that a dead file system holds
waiting()
{
	local pid

	for pid in $(_members "$(readlink "/proc/$(ns_pid)/ns/mnt")"); do
		! is_stuck "$pid" || echo "$pid"
	done
}

waits()
{
	[[ -n $(waiting) ]]
}

none_waits()
{
	[[ -z $(waiting) ]]
}

is_told()
{
	grep -qs "$1" "$SCRATCH"/run/stuck/*.at
}

said()
{
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || _fail_run "expected: $1"
}

# helper_stalls: /sbin/mount.tmpfs waits for the file system that has died in a process of its own, which no
# signal tells of our end; then it mounts
helper_stalls()
{
	ns_overlay /usr/sbin
	in_ns tee /usr/sbin/mount.tmpfs >/dev/null <<-END
		#!/bin/sh
		echo "\$\$" >>$SCRATCH/helpers
		stat $SCRATCH/dead/x
		mount -i -t tmpfs "\$1" "\$2"
	END
	in_ns chmod 755 /usr/sbin/mount.tmpfs
}

# killed_at WORD COMMAND...: kills the agent once something hangs and WORD stands in its note
killed_at()
{
	local pid word=$1

	shift
	_apart node_run "$@" >/dev/null 2>&1 &
	pid=$!
	wait_for 20 waits
	wait_for 20 is_told "$word"
	kill -KILL "$(sed 's/.*"pid": *\([0-9]*\).*/\1/' "$SCRATCH"/run/stuck/*.at)"
	wait "$pid" || :
}

@test "a mount helper of an agent that was killed is known, and no second one is started" {
	local held

	helper_stalls
	node_file <<-END
		mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $AREA/other}]
	END
	killed_at '"act":"mounting' apply --yes
	held=$(waiting)
	assert_equal 1 "$(wc -l <<<"$held")"
	for command in plan "apply --yes" "run --once" status; do
		# shellcheck disable=SC2086
		run_node $command
		said "mounting $AREA/m has not come to an end: process $held has been at it since 20"
		assert_equal "$held" "$(waiting)"
	done
	assert_dir "$AREA/other"
	assert_equal 1 "$(wc -l <"$SCRATCH/helpers")"
	hangfs_resume "$SCRATCH/dead"
	wait_for 10 none_waits
	run_node apply --yes
	assert_status 0
	assert_mounted "$AREA/m" tmpfs
	assert_equal "" "$(find "$SCRATCH/run/stuck" -type f)"
}

@test "a look that hung when the agent was killed is known, and none is begun beside it" {
	local held

	node_file <<<"resources: [{kind: directory, path: $SCRATCH/dead/d}, {kind: directory, path: $AREA/other}]"
	killed_at "$SCRATCH/dead/d" apply --yes
	held=$(waiting)
	for command in plan "apply --yes" "run --once" status; do
		# shellcheck disable=SC2086
		run_node $command
		said "$SCRATCH/dead does not answer: process $held has hung on it since 20"
		assert_equal "$held" "$(waiting)"
	done
	assert_dir "$AREA/other"
}

@test "a tree that hung when the agent was killed is known, and not asked again" {
	local held

	TREE=$SCRATCH/dead/tree
	killed_at "$TREE" run --once
	held=$(waiting)
	for command in plan "apply --yes" "run --once"; do
		# shellcheck disable=SC2086
		run_node $command
		assert_status 1
		assert_stderr -p "$SCRATCH/dead does not answer: process $held has hung on it since 20"
		assert_equal "$held" "$(waiting)"
	done
}

@test "a run on a tree that hangs, killed again and again, leaves one process behind and not one each time" {
	local held=

	# shellcheck disable=SC2030,SC2031
	TREE=$SCRATCH/dead/tree
	for seconds in 1 2 3; do
		start_run
		sleep "$seconds"
		kill -KILL "$RUN"
		wait "$RUN" || :
		RUN=
		assert_equal 1 "$(waiting | wc -l)"
		: "${held:=$(waiting)}"
		assert_equal "$held" "$(waiting)"
	done
	start_run
	wait_for 30 grep -q "process $held" "$SCRATCH/log"
	sleep 7
	assert_equal "$held" "$(waiting)"
	end_run
	assert_equal "$held" "$(waiting)"
	hangfs_resume "$SCRATCH/dead"
	wait_for 10 none_waits
}

@test "what a killed agent has just mounted stays, with the process that serves it" {
	ns_overlay /usr/sbin
	in_ns tee /usr/sbin/mount.tmpfs >/dev/null <<-END
		#!/bin/sh
		mount -i -t tmpfs "\$1" "\$2"
		sleep 3517 &
		stat $SCRATCH/dead/x
	END
	in_ns chmod 755 /usr/sbin/mount.tmpfs
	node_file <<<"mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}"
	killed_at '"act":"mounting' apply --yes
	run_node apply --yes
	assert_mounted "$AREA/m" tmpfs
	pgrep -fx "sleep 3517" >"$SCRATCH/serving"
	assert_equal 1 "$(wc -l <"$SCRATCH/serving")"
}
