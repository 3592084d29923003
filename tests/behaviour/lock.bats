#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# One run at a time: who holds the lock is told with what it is at, waiting, and what may become of
# the run-dir meanwhile. That a killed run holds nothing stands in crash.bats.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	need_command jq
	scratch_open
	tree_open
	need_ns
}

teardown()
{
	scratch_close
}

# busy [COMMAND ARG...]: a run (default: apply) that is inside a long step when this returns
busy()
{
	(($# > 0)) || set -- apply --yes
	node_file <<<"resources: [{kind: command, name: slow, argv: [sh, -c, 'touch $AREA/begun; while [ ! -e $AREA/end ]; do sleep 0.1; done; touch $AREA/done'], creates: $AREA/done}]"
	start "$@"
	wait_for 10 test -e "$AREA/begun"
}

# start COMMAND ARG...: in the background, in the folder $WHERE (or /); sets RUN, and the output goes
# to $SCRATCH/started
start()
{
	nsenter -t "$(ns_pid)" -m bash -c 'cd "$0" && exec "$@"' "${WHERE:-/}" "$RECONCILE" "$@" -C "$TREE" --node "$NODE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started" 2>&1 3>&- 4>&- &
	RUN=$!
	at_end ended "$RUN"
}

ended()
{
	kill -KILL "$1" 2>/dev/null || :
}

# finish: the long step may end; sets code
finish()
{
	in_ns touch "$AREA/end"
	code=0
	wait "$RUN" || code=$?
}

@test "who is kept out is told who holds it, since when, for how long, and what it is at" {
	busy
	run_node apply --yes
	assert_status 3
	assert_stderr -e "locked by process $RUN \(apply\) since 20[-0-9]+T[:0-9]+Z, for [0-9.]+s, by root, tree $TREE; at the moment step 1 of 1, command:slow, for [0-9]"
	run_node run --once --json
	assert_status 3
	assert_equal 3 "$(jq .exit_code <<<"$output")"
	[[ $(jq -r '.errors[0].error' <<<"$output") == *"process $RUN (apply)"* ]]
	run_node status --json
	[[ $(jq -r .plan.lock_holder <<<"$output") == *"process $RUN (apply)"*"command:slow"* ]]
	finish
	assert_equal 0 "$code"
	run_node plan
	assert_status 0
	refute_output -p "under way"
	assert_missing "$SCRATCH/run/holder.json"
}

@test "run keeps apply out, and the other way round; each goes on where the other has ended" {
	busy run --once
	run_node apply --yes
	assert_status 3
	assert_stderr -p "process $RUN (run)"
	finish
	assert_equal 0 "$code"
	run_node apply --yes
	assert_status 0
}

@test "a run that never sleeps between two passes lets others in" {
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	start run --interval 1h
	wait_for 20 test -d "$AREA/d"
	in_ns rmdir "$AREA/d"
	run_node apply --yes --lock-timeout 30s
	assert_status 0
	run_node plan
	refute_output -p "under way"
}

@test "--lock-timeout waits, says for whom, and then goes by what the tree says by then" {
	busy
	holder=$RUN
	start apply --yes --lock-timeout 60s
	wait_for 20 grep -q "waiting for the lock, held by process $holder (apply)" "$SCRATCH/started"
	node_file <<<"resources: [{kind: command, name: slow, argv: [touch, $AREA/done], creates: $AREA/done}, {kind: directory, path: $AREA/later}]"
	in_ns touch "$AREA/end"
	wait "$holder"
	wait "$RUN"
	assert_dir "$AREA/later"
}

# refused TEXT: no command of root touches that run-dir
refused()
{
	local command before

	before=$(cd "$SCRATCH/place" && find . -printf '%p %m %T@ %C@\n')
	for command in "apply --yes" "run --once" "plan" "pause r"; do
		# shellcheck disable=SC2086
		run_within "$GUARD" in_ns "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/place/run" \
			-C "$TREE" --node "$NODE" $command
		assert_status 1
		assert_stderr -e "error: --run-dir: $1"
	done
	run_within "$GUARD" in_ns "$RECONCILE" --run-dir "$SCRATCH/place/run" check
	assert_status 3 # a monitor reads its line, whatever happened
	assert_output "RECONCILE UNKNOWN - the run-dir $SCRATCH/place/run cannot be used"
	assert_missing "$AREA/d" "$SCRATCH/history.db"
	assert_equal "$before" "$(cd "$SCRATCH/place" && find . -printf '%p %m %T@ %C@\n')"
}

@test "a run-dir of somebody else, or that others may write to, is refused before anything is written" {
	local place=$SCRATCH/place

	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	mkdir -p "$place/run"
	chown 65534:65534 "$place/run"
	refused "$place/run .*belongs to user 65534"
	chown 0:0 "$place/run"
	chmod 1777 "$place/run"
	refused "others may write to $place/run \(mode 1777\): a run-dir must be root's"
	chmod 0775 "$place/run"
	chgrp 65534 "$place/run"
	refused ".*others may write.*$place/run|$place/run .*others may write it"
	chgrp 0 "$place/run"
	chmod 0755 "$place/run"
	# whoever owns what it lies in can put another in its place, or be the first to make it
	chown 65534:65534 "$place"
	refused "$place .*belongs to user 65534"
	rmdir "$place/run"
	refused "$place .*belongs to user 65534"
	chown 0:0 "$place"
	run_within "$GUARD" in_ns "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$place/run" \
		-C "$TREE" --node "$NODE" apply --yes
	assert_status 0
	# the kernel does not say who root is to whom, where one user alone is mapped
	chown -R 65534:65534 "$place"
	run_within "$GUARD" in_ns unshare --user --map-root-user "$RECONCILE" --run-dir "$place/run" \
		--history "$SCRATCH/history.db" -C "$TREE" --node "$NODE" plan
	assert_status 0
}

@test "--lock-timeout 0 and a wait that was in vain exit 3; what is no duration is an error" {
	busy
	run_node apply --yes --lock-timeout 0
	assert_status 3
	run_node apply --yes --lock-timeout 2s
	assert_status 3
	assert_stderr -p "waiting for the lock"
	assert_stderr -e "locked by process $RUN"
	run_node apply --yes --lock-timeout soon
	assert_status 1
	assert_stderr -p "no duration"
	finish
}

@test "a tree that was broken while a run waited stops it with its place" {
	busy
	holder=$RUN
	start apply --yes --lock-timeout 60s
	wait_for 20 grep -q "waiting for the lock" "$SCRATCH/started"
	node_file <<<"mode: quick"
	in_ns touch "$AREA/end"
	wait "$holder"
	code=0
	wait "$RUN" || code=$?
	assert_equal 1 "$code"
	grep -q "n.yaml:3:7: .*quick" "$SCRATCH/started" || fail "$(<"$SCRATCH/started")"
}

@test "a holder that stands on a dead file system, and does nothing more, is named in time" {
	hangfs_start "$AREA/dead" dirs=state
	WHERE=$AREA/dead
	busy
	[[ $(readlink "/proc/$RUN/cwd") == "$AREA/dead" ]]
	kill -STOP "$RUN"
	hangfs_hang "$AREA/dead"
	run_node apply --yes
	assert_status 3
	assert_stderr -p "process $RUN"
	# nor does a tree of our own that hangs keep us from coming to an end
	run_within 60 in_ns "$RECONCILE" apply --yes -C "$AREA/dead" --node n --history "$SCRATCH/h.db" --run-dir "$SCRATCH/run"
	assert_status 1
	assert_stderr -p "$AREA/dead"
	kill -CONT "$RUN"
	hangfs_resume "$AREA/dead"
	finish
	assert_equal 0 "$code"
}

@test "a record of another process, another boot or half of one is no holder" {
	busy
	local record=$SCRATCH/run/holder.json good

	good=$(<"$record")
	for change in '.pid = 1' '.starttime = 5' '.boot_id = "x"' 'del(.command)'; do
		jq "$change" <<<"$good" >"$record"
		run_node apply --yes
		assert_status 3
		assert_stderr -p "locked by another run"
	done
	head -c 40 <<<"$good" >"$record"
	run_node status
	assert_output -p "Under way: another run"
	finish
	# and without a holder none is told of, whatever lies there
	echo "$good" >"$record"
	run_node status
	refute_output -p "Under way"
}

@test "a run-dir that cannot be written to: one at a time as well" {
	in_ns "mkdir '$SCRATCH/run' && mount -t tmpfs -o mode=0755 tmpfs '$SCRATCH/run' && mount -o remount,ro '$SCRATCH/run'"
	busy
	run_node apply --yes
	assert_status 3
	run_node status
	assert_output -p "Under way: another run"
	in_ns mount -o remount,rw "$SCRATCH/run"
	run_node apply --yes
	assert_status 3
	finish
	assert_equal 0 "$code"
	run_node apply --yes
	assert_status 0
}

@test "a run-dir that is full, or has no inode left" {
	local options

	for options in size=4k nr_inodes=1; do
		rm -rf "$AREA"
		mkdir "$AREA"
		in_ns "mkdir -p '$SCRATCH/run' && mount -t tmpfs -o mode=0755,$options tmpfs '$SCRATCH/run'"
		in_ns "head -c 8192 /dev/zero >'$SCRATCH/run/fill' || :" 2>/dev/null
		busy
		run_node apply --yes
		assert_status 3
		finish
		assert_equal 0 "$code"
		in_ns umount "$SCRATCH/run"
	done
}

@test "a run-dir that is replaced under a run is taken anew, or given up when another was quicker" {
	local first other

	busy
	policy last <<<"    plan:directory{path = '$AREA/after', reason = 'r', after = {'command:slow'}}"
	finish
	in_ns rm -rf "$AREA/done" "$AREA/end" "$AREA/begun"
	start apply --yes
	wait_for 10 test -e "$AREA/begun"
	in_ns mv "$SCRATCH/run" "$SCRATCH/run.away"
	finish
	assert_equal 0 "$code"
	assert_dir "$AREA/after"
	# another holds it by the time the step is done
	in_ns rm -rf "$AREA/done" "$AREA/end" "$AREA/begun" "$AREA/after"
	start apply --yes
	first=$RUN
	wait_for 10 test -e "$AREA/begun"
	in_ns rm -rf "$SCRATCH/run"
	mkdir "$SCRATCH/other"
	put "$SCRATCH/second/state/nodes/n.yaml" <<<"{version: 1, nodes: [n], resources: [{kind: command, name: hold, argv: [sh, -c, 'touch $SCRATCH/other/begun; sleep 60'], creates: $SCRATCH/other/never}]}"
	nsenter -t "$(ns_pid)" -m "$RECONCILE" apply --yes -C "$SCRATCH/second" --node n --history "$SCRATCH/second.db" \
		--run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started2" 2>&1 3>&- 4>&- &
	other=$!
	at_end ended "$other"
	wait_for 10 test -e "$SCRATCH/other/begun"
	in_ns touch "$AREA/end"
	code=0
	wait "$first" || code=$?
	assert_equal 3 "$code"
	grep -q "broken off: .* was replaced, and is now locked by process $other (apply)" "$SCRATCH/started" ||
		fail "$(<"$SCRATCH/started")"
	assert_missing "$AREA/after"
}

@test "what a run has left running holds nothing" {
	node_file <<<"resources: [{kind: command, name: left, argv: [sh, -c, 'setsid sleep 300 >/dev/null 2>&1 & echo \$! >$AREA/pid'], creates: $AREA/pid}]"
	run_node apply --yes
	assert_status 0
	at_end ended "$(<"$AREA/pid")"
	kill -0 "$(<"$AREA/pid")"
	run_node apply --yes
	assert_status 0
}

@test "who is not root sees that a run is under way, and whose" {
	local program

	program=$(for_nobody "$RECONCILE")
	busy
	mkdir "$SCRATCH/theirs"
	cp -r "$TREE/state" "$TREE/policies" "$SCRATCH/theirs/"
	chown -R 65534:65534 "$SCRATCH/theirs"
	run_within 60 as_nobody "$program" plan -C "$SCRATCH/theirs" --node n --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run"
	assert_output -p "Another run is under way: process $RUN (apply)"
	finish
	run_within 60 as_nobody "$program" plan -C "$SCRATCH/theirs" --node n --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run"
	refute_output -p "under way"
}
