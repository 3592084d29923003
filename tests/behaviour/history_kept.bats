#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The history over the months: bounded in age and size, looked through for damage, read by others while
# it is written, taken over from earlier versions; and what it cannot tell, it says.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	need_command sqlite3
	scratch_open
	tree_open
	HISTORY=$SCRATCH/var/history.db
	mkdir "$SCRATCH/var"
	one
}

teardown()
{
	scratch_close
}

# one [SECTION]: a directory is wanted, and what else the node file says
one()
{
	printf '%s\nresources: [{kind: directory, path: %s/d, mode: "0750"}]\n' "${1:-}" "$AREA" | node_file
}

node_run()
{
	in_ns "$RECONCILE" "$@" --history "$HISTORY" --run-dir "$SCRATCH/run" -C "$TREE" --node "$NODE"
}

# history_of ARG...: history with these arguments
history_of()
{
	run_within "$GUARD" in_ns "$RECONCILE" history --history "$HISTORY" "$@"
}

ask()
{
	sqlite3 "$HISTORY" "$1"
}

# aged SECONDS: all that is there happened so much earlier
aged()
{
	ask "UPDATE run SET started = started - $1, finished = finished - $1; UPDATE blob SET kept_at = kept_at - $1"
}

# change: something to do for the next run
change()
{
	in_ns chmod 0700 "$AREA/d"
}

@test "the tree says how long and how much is kept; what makes no sense is refused with its place" {
	local i

	for i in 1 2 3; do
		run_node run --once
	done
	aged 8000
	run_node run --once # 90 days, when nothing is said
	assert_equal 4 "$(ask 'SELECT count(*) FROM run')"
	one 'history: {keep: 1h}'
	run_node run --once
	assert_status 0
	assert_equal "4,5" "$(ask 'SELECT group_concat(id) FROM run')"
	one 'history: {keep: never, size_mib: 0}'
	run_node validate
	assert_status 1
	assert_stderr -e 'n\.yaml:3:[0-9]+: '
	assert_stderr -p 'keep'
	assert_stderr -p 'size_mib'
}

@test "a history that is too large becomes smaller by and by, and no run fails for it" {
	local before i

	run_node apply
	ask "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
		INSERT INTO run SELECT 10 + i, command, started_by, who, version, node, boot_id, mode, tree_path, 0, 0, tree,
			policies, 'f' || i, state, 1, 1, started - 100000 + i, 1, started, 1, 0, NULL, 1, 0, 0, 0, 0, 0, 0, 0, NULL
		FROM run, n WHERE id = 1;
		INSERT INTO blob SELECT facts, 'facts', started, hex(randomblob(1000)) FROM run WHERE id > 10 ORDER BY id;
		PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	before=$(stat -c %s "$HISTORY")
	((before > 8 << 20))
	one 'history: {size_mib: 2}'
	for i in {1..300}; do # each gives it a moment, in which a busy machine gets little done
		run_node run --once
		assert_status 0
		(($(stat -c %s "$HISTORY") > 2 << 20)) || break
	done
	(($(stat -c %s "$HISTORY") <= 2 << 20)) || fail "still $(stat -c %s "$HISTORY") bytes after $i runs"
	assert_equal ok "$(ask 'PRAGMA quick_check')"
	# the newest stay, each with its text
	assert_equal "$(ask 'SELECT max(id) FROM run')" "$((6010 + i))"
	assert_equal 0 "$(ask "SELECT count(*) FROM run WHERE facts LIKE 'f%' AND length(facts) < 9
		AND facts NOT IN (SELECT digest FROM blob)")"
	history_of
	assert_status 0
}

@test "killed at any instant while old runs are dropped, it stays whole" {
	local i

	run_node apply
	one 'history: {keep: 1h}'
	for i in {1..15}; do
		ask "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
			INSERT INTO run (id, command, started_by, who, version, node, boot_id, mode, tree_path, stale_tree, partial,
				pid, starttime, started, started_boot_ms, finished, exit_code)
			SELECT (SELECT min(id) FROM run) - i, 'run', '', '', '', '', '', '', '', 0, 0, 1, 1, 1000000, 0, 1000001, 0
			FROM n"
		nsenter -t "$(ns_pid)" -m "$RECONCILE" run --once --history "$HISTORY" --run-dir "$SCRATCH/run" -C "$TREE" \
			--node "$NODE" >/dev/null 2>&1 3>&- 4>&- &
		sleep "0.0$((i * 6))"
		kill -KILL $! 2>/dev/null || :
		wait $! 2>/dev/null || :
		assert_equal ok "$(ask 'PRAGMA quick_check')"
	done
	for i in {1..200}; do
		run_node run --once
		assert_status 0
		(($(ask 'SELECT count(*) FROM run WHERE started < 2000000') > 0)) || break
	done
	assert_equal 0 "$(ask 'SELECT count(*) FROM run WHERE started < 2000000')"
	assert_equal 0 "$(ask 'SELECT count(*) FROM step WHERE run NOT IN (SELECT id FROM run)')"
	run_node run --once # sqlite3 took log and index away
	assert_equal "history.db history.db-shm history.db-wal last-good.json" \
		"$(find "$SCRATCH/var" -mindepth 1 -printf '%f\n' | LC_ALL=C sort | paste -sd ' ')"
}

@test "group adm reads it while it is written and while its log is moved" {
	local i program

	run_node apply
	program=$(for_nobody "$RECONCILE")
	(
		for i in {1..25}; do
			change
			node_run apply --yes >/dev/null 2>&1
		done
		touch "$SCRATCH/written"
	) 3>&- 4>&- &
	i=0
	until [[ -e $SCRATCH/written ]]; do
		in_ns setpriv --reuid 65534 --regid 65534 --groups adm "$program" history --history "$HISTORY" \
			>"$SCRATCH/read" 2>&1 || fail "reading: $(<"$SCRATCH/read")"
		grep -q '^ *1 ' "$SCRATCH/read" || grep -q 'exit 0' "$SCRATCH/read" || fail "$(<"$SCRATCH/read")"
		((++i))
	done
	wait
	((i > 5))
	assert_equal 26 "$(ask 'SELECT count(*) FROM run WHERE exit_code = 0')"
	run_within 30 in_ns setpriv --reuid 65534 --regid 65534 --clear-groups "$program" history --history "$HISTORY"
	assert_status 1
	assert_stderr -p "needs root or group adm"
}

@test "a reader that stays holds nobody up" {
	local i begun

	run_node apply
	mkfifo "$SCRATCH/go"
	{
		echo 'BEGIN; SELECT count(*) FROM run;'
		cat "$SCRATCH/go"
	} | sqlite3 "$HISTORY" >"$SCRATCH/read" 3>&- 4>&- &
	wait_for 10 test -s "$SCRATCH/read"
	begun=$SECONDS
	for i in {1..6}; do
		change
		run_node apply
		assert_status 0
		refute_stderr -p history
	done
	# a patience of 5 s at each would be 30 s
	((SECONDS - begun < 25))
	(($(stat -c %s "$HISTORY-wal") > 0))
	: >"$SCRATCH/go"
	wait
	change
	run_node apply
	assert_equal 0 "$(stat -c %s "$HISTORY-wal")"
}

@test "damage is found by looking once a day, and after a run that did not end; both say what became of it" {
	local root

	run_node apply
	change
	run_node apply
	ask 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	root=$(ask "SELECT rootpage FROM sqlite_master WHERE name = 'resource_past_id'")
	head -c 4096 /dev/urandom | dd of="$HISTORY" bs=4096 seek=$((root - 1)) conv=notrunc status=none
	run_node run --once
	assert_status 0
	refute_stderr -p damaged # looked through today
	ask "UPDATE meta SET at = at - 90000 WHERE key = 'checked'"
	run_node run --once
	assert_status 0
	assert_stderr -p "history: damaged"
	assert_equal ok "$(ask 'PRAGMA quick_check')"
	run_node run --once
	assert_status 0
	refute_stderr -p history
	history_of
	assert_status 0
	assert_line -e '^Begun anew [-0-9TZ:]+; what it told until then is in .*/history\.db\.set-aside-'
	assert_line -p "damaged"
	run_node status
	assert_line -e '^History: begun anew [-0-9TZ:]+; what it told until then is in .*set-aside-.*damaged'
	run_node status --json
	[[ -e $(jq -r .history.about.set_aside.set_aside <<<"$output") ]]
	jq -e '.history.about.set_aside.at > 0 and .history.about.checked > 0' <<<"$output" >/dev/null
}

@test "at most three that were set aside stay" {
	local i

	for i in {1..6}; do
		echo "nonsense, the $i." >"$HISTORY"
		rm -f "$HISTORY-wal" "$HISTORY-shm"
		run_node apply
		assert_status 0
		assert_stderr -p "set aside"
	done
	assert_equal 3 "$(find "$SCRATCH/var" -name 'history.db.set-aside-*' | wc -l)"
	cat "$SCRATCH/var"/history.db.set-aside-* | grep -q 'the 6\.'
}

@test "what could not be recorded on a full disk is told when it can be again" {
	local i

	in_ns "mount -t tmpfs -o size=2m tmpfs '$SCRATCH/var'"
	ask() { in_ns sqlite3 "$HISTORY" "$1"; }
	run_node apply
	in_ns "head -c 3000000 /dev/zero >'$SCRATCH/var/fill' 2>/dev/null || :"
	for i in {1..3}; do
		run_node run --once
		assert_status 0
	done
	change
	run_node apply
	assert_status 0
	in_ns rm "$SCRATCH/var/fill"
	run_node run --once
	assert_status 0
	refute_stderr -p "history: "
	history_of
	assert_status 0
	refute_output -p interrupted
	assert_equal ok "$(ask 'PRAGMA quick_check')"
	# each of the six runs is a row or is counted in a gap
	assert_equal 6 "$(ask 'SELECT (SELECT count(*) FROM run) + (SELECT coalesce(sum(runs), 0) FROM gap)')"
	# and what was changed meanwhile is there
	assert_equal 2 "$(ask "SELECT count(*) FROM step WHERE outcome = 'changed'")"
}

@test "runs on a read-only disk are counted, and listed where they are missing" {
	local i

	in_ns "mount -t tmpfs tmpfs '$SCRATCH/var'"
	run_node apply
	in_ns mount -o remount,ro "$SCRATCH/var"
	for i in {1..3}; do
		run_node run --once
		assert_status 0
		assert_stderr -p "history: read-only"
	done
	in_ns mount -o remount,rw "$SCRATCH/var"
	run_node run --once
	refute_stderr -p "history: "
	history_of
	assert_line -e '^Not in it: 3 runs, [-0-9TZ:]+ to [-0-9TZ:]+:$'
	assert_line -e '^  read-only$'
	assert_missing "$SCRATCH/run/history-gap.json"
	run_node status --json
	assert_equal 3 "$(jq '.history.about.gaps[0].runs' <<<"$output")"
}

@test "a run that loses its history on the way is told to its end" {
	in_ns "mount -t tmpfs -o size=300k tmpfs '$SCRATCH/var'"
	node_file <<-YAML
		resources:
		  - {kind: directory, path: $AREA/d}
		  - {kind: command, name: fill, argv: [sh, -c, "cat /dev/zero >$SCRATCH/var/fill; touch $AREA/filled"], creates: $AREA/filled}
	YAML
	policy last <<<"    plan:directory{path = '$AREA/after', reason = 'r', after = {'command:fill'}}"
	run_node apply
	assert_status 0
	assert_stderr -p "history: "
	in_ns rm "$SCRATCH/var/fill"
	run_node run --once
	assert_status 0
	history_of show 1
	assert_status 0
	assert_output -p "ended with exit code 0"
	assert_output -p "directory:$AREA/after  create: changed"
	assert_output -p "could not be written"
}

@test "a history that lies too deep for SQLite is said to be so, and the run goes on" {
	local deep=$SCRATCH part

	part=$(printf 'd%.0s' {1..150})
	deep+=/$part/$part/$part/$part
	mkdir -p "$deep"
	one
	HISTORY=$deep/history.db
	run_within "$GUARD" node_run run --once
	assert_status 0
	assert_stderr -p "history: its path is too long"
	assert_dir "$AREA/d" 0750
}

@test "the history of an earlier version is read as it is, taken over and gone on with; a newer one is left alone" {
	cp "$TOP/tests/golden/history/schema-1.db" "$HISTORY"
	chmod 0640 "$HISTORY"
	history_of show 2
	assert_status 0
	assert_line -e '^ +mode +0755 → 0750$'
	assert_equal 1 "$(ask 'PRAGMA user_version')"
	run_node apply --accept-shrink
	assert_stderr -p "run 5 was cut off while it was to run command:slow"
	history_of
	assert_line -e '^ +6 .* apply'
	assert_line -e '^ +5 .* interrupted'
	assert_line -e '^ +1 .* exit 0 +3 changed'
	assert_line -p "Begun anew 2026-11-21T08:28:05Z"
	assert_equal 2 "$(ask 'PRAGMA user_version')"
}
