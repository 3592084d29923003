#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 60
#
# Where a file system may die: under the tree, under a wanted mount, an unrelated one, the folder that a
# wanted one is to lie in, the history, the home and the folder we were called from. Each run ends in time,
# the rest converges, at most one process is held by each, and once it answers again all is well.
#
# HANG_ROUNDS is how often the runs of the last tests are repeated.
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
	DEAD=$SCRATCH/dead
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

none_held()
{
	[[ -z $(held) ]]
}

# at_most_held N
at_most_held()
{
	local -a pids

	mapfile -t pids < <(held)
	((${#pids[@]} <= $1)) || fail "held: ${pids[*]}, expected at most $1"
}

# in_time SECONDS COMMAND...: sets TOOK
in_time()
{
	local begun=$SECONDS

	run_node "${@:2}"
	TOOK=$((SECONDS - begun))
	((TOOK < $1)) || _fail_run "took $TOOK s"
}

# first_time SECONDS COMMAND...: it has to wait for what is dead, 5 s; sets AGAIN, in which one that does
# not is over, however slow this machine is
first_time()
{
	in_time "$@"
	AGAIN=$((TOOK > 6 ? TOOK : 6))
}

back_again()
{
	hangfs_resume "$DEAD"
	wait_for 10 none_held
}

@test "under the tree: the last good one goes on, and one process is held over many runs" {
	hangfs_start "$DEAD"
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node apply --yes
	assert_status 0
	in_ns rmdir "$AREA/d"
	mv "$TREE" "$TREE.there"
	ln -s "$DEAD/tree" "$TREE"
	hangfs_hang "$DEAD"
	first_time 60 run --once
	assert_dir "$AREA/d"
	assert_output -p "$TREE"
	at_most_held 1
	for _ in 1 2 3 4; do
		in_time "$AGAIN" run --once
		at_most_held 1
	done
	in_time "$AGAIN" apply --yes
	assert_status 1
	assert_stderr -p "does not answer: process $(held) has hung on it since "
	back_again
	rm "$TREE"
	mv "$TREE.there" "$TREE"
	run_node apply --yes
	assert_status 0
}

@test "under an unrelated mount: nobody notices" {
	hangfs_start "$DEAD"
	hangfs_hang "$DEAD"
	node_file <<-END
		mounts: {$AREA/m: {source: tmpfs, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $AREA/d}, {kind: file, path: $AREA/m/f, content: x}]
	END
	in_time 30 apply --yes
	assert_status 0
	assert_file "$AREA/m/f"
	in_time 30 plan
	assert_status 0
	at_most_held 0
	assert_equal 0 "$(hangfs_kept "$DEAD")"
}

@test "under the parent of a wanted directory and of a wanted mount: these are undetermined, since when is told" {
	hangfs_start "$DEAD" dirs=p
	hangfs_hang "$DEAD"
	node_file <<-END
		mounts: {$DEAD/p/m: {source: tmpfs, type: tmpfs, manage: live}}
		resources: [{kind: directory, path: $DEAD/p/d}, {kind: directory, path: $AREA/d}]
	END
	first_time 60 apply --yes
	assert_status 6
	assert_dir "$AREA/d"
	at_most_held 1
	in_time "$AGAIN" apply --yes
	assert_status 6
	assert_output -e "$DEAD +does +not +answer: +process|has hung on it since"
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$DEAD does not answer: process $(held) has hung on it since 20"* ]] ||
		_fail_run "no since-when"
	at_most_held 1
	in_time "$AGAIN" status
	assert_status 6
	back_again
	in_time 20 apply --yes
	refute_output -p "does not answer"
	refute_output -p undetermined
}

@test "under the history: the run goes on without it, and it is used again once it answers" {
	mkdir "$SCRATCH/store"
	hangfs_start "$DEAD"
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	with_history()
	{
		run_within "$GUARD" in_ns "$RECONCILE" --history "$1" --run-dir "$SCRATCH/run" "${@:2}" \
			-C "$TREE" --node "$NODE"
	}
	hangfs_hang "$DEAD"
	begun=$SECONDS
	with_history "$DEAD/sub/history.db" apply --yes
	((SECONDS - begun < 30)) || _fail_run "took $((SECONDS - begun)) s"
	assert_dir "$AREA/d"
	at_most_held 1
	begun=$SECONDS
	for _ in 1 2 3; do
		in_ns rmdir "$AREA/d"
		with_history "$DEAD/sub/history.db" apply --yes
		assert_dir "$AREA/d"
		with_history "$DEAD/sub/history.db" status
		with_history "$DEAD/sub/history.db" history
		with_history "$DEAD/sub/history.db" run --once
		at_most_held 1
	done
	((SECONDS - begun < 30)) || fail "waited each time"
	back_again
	with_history "$SCRATCH/store/history.db" apply --yes
	assert_status 0
	assert_file "$SCRATCH/store/history.db"
}

@test "under the history, whose names are known here without asking: the run goes on without it" {
	hangfs_start "$DEAD" cached
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_within "$GUARD" in_ns ls -la "$DEAD" "$DEAD"/history.db{,-wal,-journal}
	hangfs_hang "$DEAD"
	begun=$SECONDS
	run_within "$GUARD" in_ns "$RECONCILE" --history "$DEAD/history.db" --run-dir "$SCRATCH/run" apply --yes \
		-C "$TREE" --node "$NODE"
	((SECONDS - begun < 30)) || _fail_run "took $((SECONDS - begun)) s"
	assert_status 0
	assert_stderr -e "history: .*$DEAD.*no answer in time"
	assert_dir "$AREA/d"
	at_most_held 1
	back_again
}

@test "under the folder we are called from and the home: that is nobody's matter" {
	hangfs_start "$DEAD" dirs=home
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	mkfifo "$SCRATCH/go"
	# a shell that is there already when it dies, and then becomes the program
	_apart in_ns env HOME="$DEAD/home" sh -c "cd '$DEAD/home' && echo in >'$SCRATCH/in' && read -r x <'$SCRATCH/go' &&
		exec '$RECONCILE' --history '$SCRATCH/history.db' --run-dir '$SCRATCH/run' -C '$TREE' --node n apply --yes" \
		>"$SCRATCH/out" 2>&1 &
	wait_for 10 test -s "$SCRATCH/in"
	hangfs_hang "$DEAD"
	echo go >"$SCRATCH/go"
	wait_for 30 grep -q Applied "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
	assert_dir "$AREA/d"
	at_most_held 0
}

@test "under the folder of our own state: the run ends in time and says so" {
	ns_overlay /var/lib
	in_ns mkdir -p /var/lib/reconcile
	hangfs_start /var/lib/reconcile
	hangfs_hang /var/lib/reconcile
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	for command in plan "apply --yes" "run --once" status pause; do
		# shellcheck disable=SC2086
		in_time 30 $command
		[[ $status != 124 ]] || _fail_run "$command hangs"
	done
}

# two_dead: a wanted mount and the folder of the history, each on a file system that has died
two_dead()
{
	hangfs_start "$DEAD" lifetime=7200
	hangfs_start "$SCRATCH/lost" lifetime=7200
	hangfs_hang "$DEAD"
	hangfs_hang "$SCRATCH/lost"
	node_file <<-END
		mounts: {$DEAD: {source: "$HANGFS_SOURCE", type: $HANGFS_TYPE, manage: live}}
		resources: [{kind: directory, path: $DEAD/d}, {kind: file, path: $DEAD/e/f, content: x},
		  {kind: directory, path: $AREA/d}]
	END
}

with_lost_history()
{
	in_ns "$RECONCILE" --history "$SCRATCH/lost/history.db" --run-dir "$SCRATCH/run" "$@" -C "$TREE" --node n
}

@test "many runs: each of two dead file systems holds one process at most, and the rest stays right" {
	local i rounds=${HANG_ROUNDS:-25}

	two_dead
	for ((i = 0; i < rounds; i++)); do
		! in_ns test -d "$AREA/d" || in_ns rmdir "$AREA/d"
		run_within "$GUARD" with_lost_history apply --yes
		assert_status 6
		assert_dir "$AREA/d"
		((i % 10)) || at_most_held 2
	done
	at_most_held 2
	(($(find "$SCRATCH/run/stuck" -type f | wc -l) <= 2)) || fail "$(ls "$SCRATCH/run/stuck")"
	hangfs_resume "$SCRATCH/lost"
	back_again
	run_within "$GUARD" with_lost_history plan
	refute_output -p undetermined
}

# supervisor: the one of the program's processes that none of them has started
supervisor()
{
	local pid

	for pid in $(leftovers); do
		[[ $(readlink "/proc/$(awk '/^PPid/ {print $2}' "/proc/$pid/status")/exe") == "$RECONCILE" ]] ||
			is_stuck "$pid" || echo "$pid"
	done
}

# grown PID: descriptors and kilobytes of a process, on one line
grown()
{
	echo "$(find "/proc/$1/fd" -mindepth 1 | wc -l) $(awk '/^VmRSS/ {print $2}' "/proc/$1/status")"
}

passes()
{
	local n

	n=$(reconcile history --json --limit 100000 | jq length) && ((n >= $1))
}

@test "one long run: neither descriptors nor memory nor zombies gather, and it sees the return" {
	local pid before after rounds=$((${HANG_ROUNDS:-50} / 10))

	sanitizer_frees
	two_dead
	_apart in_ns "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run" run --interval 1s \
		-C "$TREE" --node n >"$SCRATCH/log" 2>&1 &
	disown $!
	wait_for 60 passes 4
	pid=$(supervisor)
	at_end eval "kill $pid 2>/dev/null || :"
	before=$(grown "$pid") # after the first passes: libraries are loaded at their first need
	wait_for $((60 + 20 * rounds)) passes $((4 + rounds))
	after=$(grown "$pid")
	echo "# $rounds passes: descriptors and kB $before, then $after"
	at_most_held 1
	((${after% *} <= ${before% *} + 1)) || fail "descriptors: $before, then $after"
	((${after#* } <= ${before#* } + 2048)) || fail "kilobytes: $before, then $after"
	hangfs_resume "$DEAD"
	wait_for 10 none_held
	wait_for 60 passes $((6 + rounds))
	# a run that is alive has written down who watches its tree
	[[ -z $(find "$SCRATCH/run/stuck" -type f ! -name "$pid-tree.at") ]] || fail "$(ls "$SCRATCH/run/stuck")"
	[[ $(ps -o stat= --ppid "$pid") != *Z* ]] || fail "$(ps -o pid,stat,cmd --ppid "$pid")"
	kill "$pid"
	wait_for 30 none_left
}
