#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# Our own places on a file system that has died: the folder of what outlives a reboot (pauses, overrides,
# what the hooks of the package manager rest on) and the run-dir. Each command says so in time, and however
# often it is called, one process is held.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	GUARD=60
	scratch_open
	tree_open
	in_ns mount -t tmpfs tmpfs /run
	ns_overlay /etc /var/lib
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
}

teardown()
{
	scratch_close
}

# held: pids in the test's namespace that a dead file system holds
held()
{
	local pid

	for pid in $(_members "$(readlink "/proc/$(ns_pid)/ns/mnt")"); do
		! is_stuck "$pid" || echo "$pid"
	done
}

one_held()
{
	assert_equal 1 "$(held | wc -l)"
}

# in_time COMMAND...
in_time()
{
	local begun=$SECONDS

	run_node "$@"
	((SECONDS - begun < 20)) || _fail_run "took $((SECONDS - begun)) s"
}

state_dies()
{
	in_ns mkdir -p /var/lib/reconcile
	hangfs_start /var/lib/reconcile
	hangfs_hang /var/lib/reconcile
}

@test "pause, resume and allow say so in time, and change nothing" {
	local command

	state_dies
	for command in "pause maintenance" resume allow "allow kernel 6.8.0-1042-aws --for 1d --reason r" \
		"allow kernel 6.8.0-1042-aws --remove" "allow reboots --reason r"; do
		# shellcheck disable=SC2086
		in_time $command
		assert_status 1
		assert_stderr -e "/var/lib/reconcile.*(no answer in time|does not answer)"
		one_held
	done
	assert_stderr -e "/var/lib/reconcile does not answer: process $(held) has hung on it since 20"
}

@test "names that are known here without asking do not fool them" {
	in_ns mkdir -p /var/lib/reconcile
	hangfs_start /var/lib/reconcile cached
	run_within "$GUARD" in_ns ls -la /var/lib/reconcile /var/lib/reconcile/{pause,x}
	hangfs_hang /var/lib/reconcile
	in_time pause maintenance
	assert_status 1
	assert_stderr -e "/var/lib/reconcile.*no answer in time"
	one_held
}

@test "the hook of apt lets pass, in time and with a word; the hook of a kernel fails" {
	state_dies
	in_time preflight --apt
	assert_status 0
	assert_stderr -p "not judged, let pass: "
	assert_stderr -p "/var/lib/reconcile"
	one_held
	in_time preflight --apt
	assert_status 0
	in_time preflight --guard 6.8.0-1042-aws
	assert_status 1
	assert_stderr -e "/var/lib/reconcile.*does not answer"
	one_held
}

@test "a run-dir that has died: every command says so in time" {
	local command

	hangfs_start "$SCRATCH/dead"
	hangfs_hang "$SCRATCH/dead"
	for command in plan "apply --yes" "run --once" status "pause p" resume allow check doctor validate history; do
		begun=$SECONDS
		# shellcheck disable=SC2086
		run_within "$GUARD" in_ns "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/dead/run" \
			-C "$TREE" --node "$NODE" $command
		((SECONDS - begun < 20)) || _fail_run "took $((SECONDS - begun)) s"
		case $command in
		check | doctor) assert_status 3 ;; # unknown, as monitors read it
		*) assert_status 1 ;;
		esac
		assert_stderr -e "^reconcile: error: --run-dir: .*$SCRATCH/dead.*(no answer in time|does not answer)"
		one_held
	done
	assert_missing "$AREA/d"
	hangfs_resume "$SCRATCH/dead"
	wait_for 10 none_left
	assert_equal "" "$(held)"
}
