# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034
#
# A `run` in the background, on the tree of the test. Needs common.bash and tree.bash, and a teardown
# that calls running_close first.

running_close()
{
	[[ -z $RUN ]] || kill -KILL "$RUN" 2>/dev/null || :
}

# start_run OPTION...: in the background; $RUN is the process itself, $SCRATCH/log what it says
start_run()
{
	local ns

	ns=$(ns_pid) || return
	(
		trap - DEBUG ERR EXIT
		exec nsenter -t "$ns" -m "$RECONCILE" --history "$SCRATCH/history.db" \
			--run-dir "$SCRATCH/run" run -C "$TREE" --node "$NODE" "$@"
	) </dev/null >"$SCRATCH/out" 2>"$SCRATCH/log" 3>&- 4>&- &
	RUN=$!
}

# end_run: asks it to end, and waits; its exit code is in $status
end_run()
{
	kill -TERM "$RUN"
	wait_for 60 _is_over "$RUN" || fail "it did not end"
	status=0
	wait "$RUN" || status=$?
	RUN=
	output=$(<"$SCRATCH/out")
	stderr=$(<"$SCRATCH/log")
}

_is_over()
{
	! kill -0 "$1" 2>/dev/null || [[ $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) == [ZX] ]]
}

# passes: how many have ended, also those that changed nothing
passes()
{
	reconcile history --json --limit 1000 2>/dev/null |
		jq '[.[] | select(.exit_code != null)] | length' 2>/dev/null || echo 0
}

_passed()
{
	(($(passes) >= $1))
}

# passed N: waits until there were as many
passed()
{
	wait_for 60 _passed "$1" || fail "no pass number $1 but $(passes)" "$(<"$SCRATCH/log")"
}

# calm: it is asleep, and no pass comes for a second and a half
calm()
{
	local before after

	before=$(passes)
	sleep 1.5
	after=$(passes)
	assert_equal "$before" "$after"
}

a_mount()
{
	node_file <<-EOF
	mounts:
	  $AREA/m: {source: tmpfs, type: tmpfs, manage: live}
	EOF
}

directories()
{
	local name

	echo "resources:"
	for name; do
		echo "  - {kind: directory, path: $AREA/$name}"
	done
}

_logged()
{
	grep -q -e "$1" "$SCRATCH/log" "$SCRATCH/out"
}

logged()
{
	wait_for 60 _logged "$1" || fail "not said: $1" "$(cat "$SCRATCH/log" "$SCRATCH/out")"
}
