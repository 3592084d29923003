#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# Killed at any moment, the next run converges and the history tells what was cut. One run at a time.
# Signals end a run after the step under way.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

# many: about thirty things that lie on and in each other
many()
{
	local i

	{
		echo "mounts:"
		for i in 1 2 3 4; do
			echo "  $AREA/m$i: {source: tmpfs, type: tmpfs, options: [size=1m, mode=0755], manage: live}"
			echo "  $AREA/b$i: {source: $AREA/m$i/d, type: none, options: [bind], manage: live}"
		done
		echo "resources:"
		for i in 1 2 3 4; do
			echo "  - {kind: directory, path: $AREA/m$i/d, mode: '0750'}"
			echo "  - {kind: file, path: $AREA/m$i/d/f, content: \"$i\\n\", owner: daemon}"
			echo "  - {kind: directory, path: $AREA/p$i}"
			echo "  - {kind: file, path: $AREA/p$i/f, content: \"$i\\n\", mode: '0600'}"
			echo "  - {kind: command, name: c$i, argv: [cp, $AREA/p$i/f, $AREA/p$i/copy], creates: $AREA/p$i/copy}"
		done
	} | node_file
	# the commands need their files
	for i in 1 2 3 4; do
		echo "    plan:command{name = 'c$i', argv = {'cp', '$AREA/p$i/f', '$AREA/p$i/copy'}, creates = '$AREA/p$i/copy', reason = 'r', after = {'file:$AREA/p$i/f'}}"
	done | policy order
}

# start COMMAND...: in the background; sets RUN, the pid of the program itself
start()
{
	nsenter -t "$(ns_pid)" -m "$RECONCILE" "$@" -C "$TREE" --node "$NODE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started" 2>&1 3>&- 4>&- &
	RUN=$!
}

# usual_time: of an apply that is let alone, in microseconds
usual_time()
{
	local began

	began=$(date +%s%N)
	start apply --yes
	wait "$RUN"
	echo $((($(date +%s%N) - began) / 1000))
}

worker_of()
{
	pgrep -P "$1" | head -n 1
}

clear_area()
{
	local i

	for i in 4 3 2 1; do
		in_ns umount -l "$AREA/b$i" 2>/dev/null || :
		in_ns umount -l "$AREA/m$i" 2>/dev/null || :
	done
	in_ns find "$AREA" -mindepth 1 -delete
}

# converges: the next apply mends all, the one after it touches nothing
converges()
{
	local before

	run_node apply --lock-timeout 10s
	assert_status 0
	before=$(footprint "$AREA" && mounts_listed)
	run_node apply
	assert_status 0
	assert_line -e '^Applied: 28 in sync'
	assert_equal "$before" "$(footprint "$AREA" && mounts_listed)"
	# nothing of a half-written file is left, and nobody of the killed run
	assert_equal "" "$(in_ns find "$AREA" -name '.*')"
	wait_for 5 none_left || fail "processes are left: $(ps -fp "$(leftovers | xargs)")"
}

# told: of every run there is an end, and of every intent an outcome or what was found
told()
{
	local run

	FOUND=0
	for run in $(reconcile history --json --limit 100 | jq '.[].run'); do
		reconcile history show "$run" --json | jq -e '
			.status != "running" and all(.steps[]; .outcome != null or .found != null)' >/dev/null ||
			fail "run $run:" "$(reconcile history show "$run")"
		((FOUND += $(reconcile history show "$run" --json | jq '[.steps[] | select(.found != null)] | length'))) || :
	done
}

@test "the supervisor is killed at any moment: the next run converges, and the history tells it" {
	local took i cut=0

	many
	took=$(usual_time)
	# on a machine that does other things too, many a run is over before its moment has come
	for ((i = 1; i <= 24 || (cut < 9 && i <= 96); i++)); do
		clear_area
		start apply --yes
		sleep "$(awk -v t="$took" -v i="$((i % 24))" 'BEGIN {printf "%.6f", t * i / 24 / 1000000}')"
		kill -KILL "$RUN" 2>/dev/null && ((++cut))
		wait "$RUN" 2>/dev/null || :
		converges || fail "killed $((i % 24))/24 through $took us"
	done
	told
	((FOUND > 2)) || fail "of $FOUND steps only it is told what was found"
	((cut > 8)) || fail "only $cut of $i runs were cut"
	run_reconcile history --limit 100
	assert_output -p "interrupted"
}

@test "a run that was cut is told of, with what was found" {
	node_file <<<"resources: [{kind: command, name: slow, argv: [sh, -c, 'touch $AREA/begun; exec sleep 30'], creates: $AREA/done}]"
	start apply --yes
	wait_for 10 test -e "$AREA/begun"
	kill -KILL "$RUN"
	wait "$RUN" || :
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node status
	assert_line -e '^Last run: 1, 20[-0-9T:]+Z, (running|interrupted)\.$'
	run_node apply --accept-shrink
	assert_status 0
	assert_stderr -p "run 1 was cut off"
	assert_stderr -p "command:slow"
	run_reconcile history
	assert_line -e '^ +1 .* interrupted'
	run_reconcile history show 1
	assert_output -p "command:slow"
	assert_output -p "found"
	refute_output -p '{"'
	told
}

@test "the worker is killed: that step is told as it is, the run goes on, the next converges" {
	local i took worker

	many
	took=$(usual_time)
	for i in {1..12}; do
		clear_area
		start apply --yes
		sleep "$(awk -v t="$took" -v i="$i" 'BEGIN {printf "%.6f", t * i / 12 / 1000000}')"
		worker=$(worker_of "$RUN") && kill -KILL "$worker" 2>/dev/null || :
		wait "$RUN" || :
		converges || fail "worker killed $i/12 through $took us: $(<"$SCRATCH/started")"
	done
	told
}

@test "the run-dir or the history is lost between two runs" {
	many
	run_node apply
	rm -rf "$SCRATCH/run"
	converges
	rm -f "$SCRATCH"/history.db*
	run_node apply
	assert_status 0
	assert_line -e '^Applied: 28 in sync \(run 1\)'
}

@test "a file is never seen half written" {
	local i size

	node_file <<<"resources: [{kind: file, path: $AREA/big, content: '$(head -c 1000000 /dev/zero | tr '\0' x)'}]"
	for i in {1..10}; do
		rm -f "$AREA/big"
		start apply --yes
		sleep "0.0$((i * 7 % 60))"
		kill -KILL "$RUN" 2>/dev/null || :
		wait "$RUN" 2>/dev/null || :
		size=$(stat -c %s "$AREA/big" 2>/dev/null || echo none)
		[[ $size == none || $size == 1000000 ]] || fail "a file of $size bytes"
	done
	run_node apply
	assert_status 0
	assert_equal big "$(ls -A "$AREA")"
}

# ---- one at a time

# busy: a run that holds the lock until it is killed
busy()
{
	node_file <<<"resources: [{kind: command, name: slow, argv: [sh, -c, 'touch $AREA/begun; exec sleep 30'], creates: $AREA/done}]"
	start apply --yes
	wait_for 10 test -e "$AREA/begun"
}

@test "a second run exits 3 and names the holder; plan and status say it; --lock-timeout waits" {
	local begun

	busy
	run_node apply
	assert_status 3
	assert_stderr -p "$RUN"
	assert_stderr -p "apply"
	run_node run --once --json
	assert_status 3
	assert_equal 3 "$(jq .exit_code <<<"$output")"
	run_node plan
	assert_output -p "$RUN"
	run_node status
	assert_output -p "$RUN"
	begun=$SECONDS
	run_node apply --lock-timeout 1s
	assert_status 3
	((SECONDS - begun >= 1))
	{
		sleep 1
		kill -KILL "$RUN"
	} &
	run_node apply --lock-timeout 30s --only directory 2>/dev/null
	[[ $status != 3 ]]
}

@test "the lock of a killed run is free at once, and a stale record of its holder fools nobody" {
	busy
	kill -KILL "$RUN"
	wait "$RUN" || :
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node plan
	refute_output -p "under way"
	run_node apply --accept-shrink
	assert_status 0
}

# ---- signals

@test "SIGTERM and SIGINT: the step under way is finished or left safely, recorded, exit 1" {
	local signal

	for signal in TERM INT; do
		rm -rf "$AREA"
		mkdir "$AREA"
		node_file <<<"resources: [{kind: command, name: slow, argv: [sh, -c, 'touch $AREA/begun; sleep 1; touch $AREA/done'], creates: $AREA/done}]"
		policy last <<<"    plan:directory{path = '$AREA/after', reason = 'r', after = {'command:slow'}}"
		# a shell ignores SIGINT for what it starts in the background
		nsenter -t "$(ns_pid)" -m env --default-signal=INT "$RECONCILE" apply --yes -C "$TREE" --node "$NODE" \
			--history "$SCRATCH/history.db" --run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started" 2>&1 3>&- 4>&- &
		RUN=$!
		wait_for 10 test -e "$AREA/begun"
		kill "-$signal" "$RUN"
		code=0
		wait "$RUN" || code=$?
		[[ $code == 1 ]] || fail "SIG$signal: exit $code" "$(<"$SCRATCH/started")"
		assert_missing "$AREA/after"
		grep -q "stopped by signal" "$SCRATCH/started"
		assert_equal ended "$(reconcile history --json | jq -r '.[0].status')"
		assert_equal 1 "$(reconcile history --json | jq -r '.[0].exit_code')"
		told
		run_node apply
		assert_status 0
		assert_dir "$AREA/after"
	done
}

# takes_term PID: it is the program, and would not just be ended by a SIGTERM
takes_term()
{
	_is_named "$1" reconcile && grep -qE '^Sig(Blk|Cgt):.*[4-7c-f]...$' "/proc/$1/status"
}

@test "SIGTERM while waiting for the lock and while observing ends at once" {
	local begun

	busy
	holder=$RUN
	start apply --yes --lock-timeout 60s
	wait_for 20 takes_term "$RUN"
	sleep 0.3
	begun=$SECONDS
	kill -TERM "$RUN"
	wait "$RUN" || code=$?
	((SECONDS - begun < 20))
	[[ $code == 1 || $code == 3 ]]
	kill -KILL "$holder"
}
