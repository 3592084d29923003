#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 40
#
# What is started and cannot be ended, or does not come to an end: a mount helper, a guard, what asks for
# modules, a remote service. The run ends in time, the next ones start no second one, and once it has come
# free all is well.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree
load support/hangfs
load support/modtree

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

# helper_stalls: /sbin/mount.tmpfs waits for a file system that has died, until that answers again; then it
# mounts
helper_stalls()
{
	hangfs_start "$SCRATCH/dead"
	hangfs_hang "$SCRATCH/dead"
	ns_overlay /usr/sbin
	in_ns tee /usr/sbin/mount.tmpfs >/dev/null <<-END
		#!/bin/sh
		echo "\$\$" >>$SCRATCH/helpers
		stat $SCRATCH/dead/x
		exec mount -i -t tmpfs "\$1" "\$2"
	END
	in_ns chmod 755 /usr/sbin/mount.tmpfs
}

# waiting: pids in the test's namespace that a dead file system holds
waiting()
{
	local pid

	for pid in $(_members "$(readlink "/proc/$(ns_pid)/ns/mnt")"); do
		! is_stuck "$pid" || echo "$pid"
	done
}

none_waits()
{
	[[ -z $(waiting) ]]
}

# said TEXT: on stdout, wherever the lines break
said()
{
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || _fail_run "expected: $1"
}

helpers_run()
{
	wc -l <"$SCRATCH/helpers"
}

@test "a mount helper that cannot be ended is recorded, and no second one is started on that target" {
	helper_stalls
	node_file <<-END
		change_max: 1s
		mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $AREA/m/below}, {kind: directory, path: $AREA/other}]
	END
	run_node apply --yes
	assert_status 5
	assert_output -p "no answer within"
	assert_output -p "cannot be killed"
	assert_dir "$AREA/other"
	assert_equal 1 "$(helpers_run)"
	assert_equal 1 "$(waiting | wc -l)"
	for command in plan "apply --yes" "run --once" "plan --json" status; do
		begun=$SECONDS
		# shellcheck disable=SC2086
		run_node $command
		((SECONDS - begun < 20)) || fail "$command waited"
		said "mounting $AREA/m has not come to an end: process $(waiting) has been at it since "
	done
	assert_equal 1 "$(helpers_run)"
	run_node facts "mount:$AREA/m" --json
	assert_equal absent "$(jq -r '.facts[0].state' <<<"$output")"
	run_node facts "directory:$AREA/m/below" --json
	assert_equal undetermined "$(jq -r '.facts[0].state' <<<"$output")"
}

@test "once the helper has come free, the mount is tried again" {
	helper_stalls
	node_file <<-END
		change_max: 1s
		mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}
	END
	run_node apply --yes
	assert_status 5
	assert_equal 1 "$(waiting | wc -l)"
	hangfs_resume "$SCRATCH/dead"
	wait_for 10 none_waits
	run_node apply --yes
	assert_status 0
	assert_mounted "$AREA/m" tmpfs
	assert_equal 2 "$(helpers_run)"
	assert_equal "" "$(find "$SCRATCH/run/stuck" -type f)"
}

@test "what somebody has mounted by hand meanwhile is used, whoever still waits" {
	helper_stalls
	node_file <<-END
		change_max: 1s
		mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $AREA/m/below}]
	END
	run_node apply --yes
	assert_status 5
	in_ns mount -i -t tmpfs x "$AREA/m"
	run_node apply --yes
	assert_dir "$AREA/m/below"
	assert_equal 1 "$(helpers_run)"
}

@test "a guard that cannot be ended: that command is undetermined, and it is not asked again" {
	hangfs_start "$SCRATCH/dead"
	hangfs_hang "$SCRATCH/dead"
	node_file <<<"resources: [{kind: directory, path: $AREA/other}]"
	policy z <<-END
		    plan:command{name = "looks", argv = {"true"}, unless = {"sh", "-c", "echo x >>$SCRATCH/guards; stat $SCRATCH/dead/x"}, reason = "r"}
	END
	run_node apply --yes
	assert_status 6
	assert_dir "$AREA/other"
	said "cannot be killed"
	for _ in 1 2 3; do
		run_node apply --yes
		assert_status 6
		said "command:looks does not answer: process $(waiting) has hung on it since "
	done
	assert_equal 1 "$(wc -l <"$SCRATCH/guards")"
	hangfs_resume "$SCRATCH/dead"
	wait_for 10 none_waits
	run_node apply --yes
	refute_output -p "does not answer"
	(($(wc -l <"$SCRATCH/guards") > 1)) || fail "not asked again"
}

@test "modules on a file system that has died: undetermined, one process, and the rest goes on" {
	local release

	release=$(uname -r)
	in_ns mkdir -p /usr/lib
	ns_overlay /usr/lib
	in_ns mkdir -p "/usr/lib/modules/$release"
	hangfs_start "/usr/lib/modules/$release"
	hangfs_hang "/usr/lib/modules/$release"
	node_file <<-END
		modules: {some: {}}
		mounts: {$AREA/ram: {source: tmpfs, type: tmpfs, manage: live}}
	END
	run_node apply --yes
	assert_status 6
	assert_mounted "$AREA/ram"
	local held
	held=$(waiting)
	((1 <= $(wc -l <<<"$held") && $(wc -l <<<"$held") <= 2)) || fail "waiting: $held"
	begun=$SECONDS
	for _ in 1 2 3; do
		run_node apply --yes
		assert_status 6
	done
	((SECONDS - begun < 30)) || fail "asked again"
	assert_equal "$held" "$(waiting)"
	hangfs_resume "/usr/lib/modules/$release"
	wait_for 10 none_waits
	run_node apply --yes
	assert_status 4
	refute_output -p "does not answer"
	assert_equal "" "$(find "$SCRATCH/run/stuck" -type f)"
}

# modprobe_stalls: /sbin/mount.tmpfs loads a module first, as mount.lustre does, and the module's file lies
# on a file system that has died
modprobe_stalls()
{
	local tree

	modtree
	tree=/usr/lib/modules/$(uname -r)
	in_ns mkdir -p /usr/lib
	ns_overlay /usr/lib /usr/sbin
	in_ns "rm -rf $tree; mkdir -p $tree/updates
		cp $MODTREE/lib/modules/$MODTREE_RELEASE/kernel/fs/nls/nls_utf8.ko* $tree/updates
		depmod $(uname -r)"
	hangfs_start "$tree/updates"
	hangfs_hang "$tree/updates"
	in_ns tee /usr/sbin/mount.tmpfs >/dev/null <<-END
		#!/bin/sh
		echo "\$\$" >>$SCRATCH/helpers
		modprobe nls_utf8 || exit 1
		exec mount -i -t tmpfs "\$1" "\$2"
	END
	in_ns chmod 755 /usr/sbin/mount.tmpfs
}

@test "a modprobe that stalls in the kernel: one, recorded once, and the reason is said once it has come free" {
	local held

	[[ ! -e /sys/module/nls_utf8 ]] || skip "this kernel has nls_utf8"
	modprobe_stalls
	node_file <<-END
		change_max: 1s
		mounts: {$AREA/m: {source: x, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $AREA/other}]
	END
	begun=$SECONDS
	run_node apply --yes
	assert_status 5
	((SECONDS - begun < 30)) || fail "it waited $((SECONDS - begun)) s"
	assert_output -p "cannot be killed"
	assert_dir "$AREA/other"
	held=$(waiting)
	assert_equal 1 "$(wc -l <<<"$held")"
	assert_equal modprobe "$(tr '\0' ' ' <"/proc/$held/cmdline" | cut -d' ' -f1)"
	for _ in 1 2; do
		run_node apply --yes
		assert_status 4
		said "mounting $AREA/m has not come to an end: process $held has been at it since "
		assert_equal 1 "$(find "$SCRATCH/run/stuck" -type f | wc -l)"
	done
	assert_equal "$held" "$(waiting)"
	assert_equal 1 "$(helpers_run)"
	# its file can be read again; that it cannot be loaded here is what modprobe says
	hangfs_resume "/usr/lib/modules/$(uname -r)/updates"
	wait_for 10 none_waits
	run_node apply --yes
	assert_status 5
	assert_output -p "modprobe: "
	refute_output -p "has not come to an end"
	assert_equal 2 "$(helpers_run)"
	assert_equal "" "$(find "$SCRATCH/run/stuck" -type f)"
	# once nothing has to be loaded any more, it converges
	in_ns sed -i 's/modprobe nls_utf8/true/' /usr/sbin/mount.tmpfs
	run_node apply --yes
	assert_status 0
	assert_mounted "$AREA/m" tmpfs
}

@test "a remote service that trickles, dribbles or pours costs its deadline and nothing else" {
	local word

	# shellcheck source=tests/behaviour/support/fsx.bash
	source "$TOP/tests/behaviour/support/fsx.bash"
	fsx_open
	in_ns mkdir -p "$SCRATCH/lustre"
	in_ns mount -t tmpfs '10.1.30.23@tcp:/czrc3amv' "$SCRATCH/lustre"
	in_ns mkdir "$SCRATCH/lustre/data"
	node_file <<-END
		data_repositories:
		  $SCRATCH/lustre/data:
		    {repository: "s3://bucket/data", file_system: $FSX_ID, region: ap-northeast-2, manage: owner, owner: n}
		resources: [{kind: directory, path: $AREA/other}]
	END
	for word in trickle trickle-head flood; do
		in_ns rm -rf "$AREA/other"
		fsx_faults always "$word"
		begun=$SECONDS
		run_node apply --yes
		assert_status 6
		assert_dir "$AREA/other"
		((SECONDS - begun < 30)) || fail "$word: took $((SECONDS - begun)) s"
		wait_for 10 none_left
		assert_equal "" "$(pgrep -f "^$RECONCILE-fsx" || true)"
	done
	fsx_faults ok
	run_node apply --yes
	assert_equal CREATING "$(fsx_state '.associations[0].Lifecycle')"
}
