#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The history never stops a run: damaged, somebody else's, newer, full, read-only, missing or on a dead file
# system, the node converges, and what cannot be told is said.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree
load support/hangfs

setup()
{
	need_root
	scratch_open
	tree_open
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	HISTORY=$SCRATCH/history.db
}

teardown()
{
	scratch_close
}

# with_history FILE COMMAND...
with_history()
{
	local file=$1

	shift
	in_ns "$RECONCILE" "$@" --history "$file" --run-dir "$SCRATCH/run" -C "$TREE" --node "$NODE"
}

# goes_on FILE: an apply with that history converges in spite of it
goes_on()
{
	in_ns rm -rf "$AREA/d"
	run_within 60 with_history "$1" apply --yes
	assert_status 0
	assert_dir "$AREA/d"
}

@test "before any run: status works, history says that there is none" {
	run_node status
	assert_status 2
	assert_missing "$HISTORY"
	run_reconcile history
	assert_status 1
	assert_stderr -p "no history yet"
	run_reconcile history show 1
	assert_status 1
	assert_stderr -p "no history yet"
	run_reconcile history --json
	assert_status 1
	jq -e '.errors[0].error' <<<"$output" >/dev/null
}

@test "it tells what ran, what changed, from what to what, why, and since when" {
	run_node apply
	in_ns chmod 0700 "$AREA/d"
	run_node run --once
	run_reconcile history
	assert_line -e '^ +2 .* run +script +exit 0 +1 in sync$'
	assert_line -e '^ +1 .* apply +script +exit 0 +1 changed$'
	node_file <<<"resources: [{kind: directory, path: $AREA/d, mode: '0750'}]"
	run_node apply
	run_reconcile history show 3
	assert_status 0
	assert_line -e '^ +mode +0700 → 0750$'
	assert_line -e "because +wanted by resources, policy resources, shipped:policies/resources.lua:[0-9]+, $TREE/state/nodes/n.yaml:3:"
	run_reconcile history show 4
	assert_status 1
	assert_stderr -p "history has no run 4"
	run_reconcile history --limit 1 --json
	assert_equal 3 "$(jq '.[0].run' <<<"$output")"
	assert_equal 1 "$(jq length <<<"$output")"
	assert_file "$HISTORY" 0640
}

@test "its folder is made when it is missing" {
	goes_on "$SCRATCH/no/such/folder/history.db"
	assert_file "$SCRATCH/no/such/folder/history.db" 0640
}

@test "a damaged one is set aside and a new one begun; status says so" {
	local damage

	for damage in 'head -c 30000 /dev/urandom' 'echo nonsense' 'head -c 4096 /dev/zero'; do
		rm -f "$SCRATCH"/history.db*
		$damage >"$HISTORY"
		goes_on "$HISTORY"
		assert_stderr -p "set aside"
		[[ $(find "$SCRATCH" -maxdepth 1 -name 'history.db?*' -not -name '*-wal' -not -name '*-shm' | wc -l) -ge 1 ]]
		run_reconcile history
		assert_status 0
		assert_line -e '^ +1 .* apply'
	done
}

@test "damaged in the middle: the run goes on, and the next has a good one" {
	local i

	for i in {1..15}; do
		run_node run --once
	done
	for i in 3 5 7 9 11; do
		head -c 3000 /dev/urandom | dd of="$HISTORY" bs=1 seek=$((i * 4096 + 100)) conv=notrunc status=none
	done
	rm -f "$HISTORY-wal" "$HISTORY-shm"
	goes_on "$HISTORY"
	goes_on "$HISTORY"
	run_reconcile history
	[[ $status == 0 || $status == 1 ]]
}

@test "an empty file is as good as none" {
	: >"$HISTORY"
	chmod 0640 "$HISTORY"
	goes_on "$HISTORY"
	run_reconcile history
	assert_status 0
}

@test "one of another owner, or that others may write, is not believed" {
	run_node apply
	chown 65534 "$HISTORY"
	goes_on "$HISTORY"
	assert_stderr -e "set aside|history"
	run_reconcile history --json
	assert_status 0
	assert_equal 1 "$(jq length <<<"$output")"
	chmod 0666 "$HISTORY"
	goes_on "$HISTORY"
	assert_stderr -p "history"
}

@test "a newer one is left alone" {
	run_node apply
	need_command sqlite3
	sqlite3 "$HISTORY" 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 999;' >/dev/null
	before=$(sha256sum <"$HISTORY")
	goes_on "$HISTORY"
	assert_stderr -p "newer"
	assert_equal "$before" "$(sha256sum <"$HISTORY")"
	run_reconcile history
	[[ $status == 0 || $status == 1 ]]
	assert_equal "$before" "$(sha256sum <"$HISTORY")"
}

@test "read-only and full disks: the run goes on and says so" {
	in_ns "mkdir '$SCRATCH/ro' '$SCRATCH/full'
		mount -t tmpfs tmpfs '$SCRATCH/ro' && mount -o remount,ro '$SCRATCH/ro'
		mount -t tmpfs -o size=16k tmpfs '$SCRATCH/full'"
	goes_on "$SCRATCH/ro/history.db"
	assert_stderr -p "history"
	goes_on "$SCRATCH/full/history.db"
	assert_stderr -p "history"
	in_ns "head -c 65536 /dev/zero >'$SCRATCH/full/fill' || :"
	goes_on "$SCRATCH/full/history.db"
	assert_stderr -p "history"
}

@test "a disk that fills up while it is written to" {
	in_ns "mkdir '$SCRATCH/small' && mount -t tmpfs -o size=300k tmpfs '$SCRATCH/small'"
	for i in {1..8}; do
		node_file <<<"resources: [{kind: directory, path: $AREA/d}, {kind: file, path: $AREA/f$i, content: '$(head -c 40000 /dev/urandom | base64 -w0)'}]"
		run_within 60 with_history "$SCRATCH/small/history.db" apply --yes
		assert_status 0
		assert_file "$AREA/f$i"
	done
	assert_stderr -p "history"
	run_within 60 with_history "$SCRATCH/small/history.db" plan
	assert_status 0
}

@test "what could not be written is taken in later, from the run-dir" {
	in_ns "mkdir '$SCRATCH/disk' && mount -t tmpfs tmpfs '$SCRATCH/disk' && mount -o remount,ro '$SCRATCH/disk'"
	goes_on "$SCRATCH/disk/history.db"
	in_ns mount -o remount,rw "$SCRATCH/disk"
	goes_on "$SCRATCH/disk/history.db"
	run_within 60 with_history "$SCRATCH/disk/history.db" history --json
	assert_equal 2 "$(jq length <<<"$output")"
	run_within 60 with_history "$SCRATCH/disk/history.db" history show 1
	assert_output -p "directory:$AREA/d"
	assert_output -p "kept in the journal"
}

@test "on a dead file system: it is left out, in time" {
	hangfs_start "$AREA/dead"
	hangfs_hang "$AREA/dead"
	goes_on "$AREA/dead/history.db"
	assert_stderr -p "history"
	run_within 60 with_history "$AREA/dead/history.db" status
	[[ $status == 0 || $status == 6 ]]
	run_within 60 with_history "$AREA/dead/history.db" history
	assert_status 1
	hangfs_resume "$AREA/dead"
	wait_for 10 none_left
}

@test "neither history nor run-dir can be written: the lock is an error, nothing is changed" {
	in_ns "mkdir '$SCRATCH/ro' && mount -t tmpfs tmpfs '$SCRATCH/ro' && mount -o remount,ro '$SCRATCH/ro'"
	run_within 60 in_ns "$RECONCILE" apply --yes --history "$SCRATCH/ro/h.db" --run-dir "$SCRATCH/ro/run" -C "$TREE" --node n
	assert_status 1
	assert_stderr -p "$SCRATCH/ro/run"
	assert_missing "$AREA/d"
}

@test "a link or a folder in its place is not written to" {
	echo mine >"$SCRATCH/mine"
	ln -s "$SCRATCH/mine" "$SCRATCH/link.db"
	goes_on "$SCRATCH/link.db"
	assert_equal mine "$(<"$SCRATCH/mine")"
	mkdir "$SCRATCH/dir.db"
	goes_on "$SCRATCH/dir.db"
	assert_stderr -p "history"
}

@test "as nobody: status says what it could not see, history that it may not be read" {
	run_node apply
	program=$(for_nobody "$RECONCILE")
	cp -r "$TREE" "$SCRATCH/theirs"
	chown -R 65534 "$SCRATCH/theirs"
	run_within 30 as_nobody "$program" status -C "$SCRATCH/theirs" --node n --history "$HISTORY" --run-dir "$SCRATCH/run"
	assert_status 0
	assert_output -p "History: "
	run_within 30 as_nobody "$program" history --history "$HISTORY"
	assert_status 1
	assert_stderr -p "$HISTORY"
	refute_stderr -p "set aside"
	assert_file "$HISTORY" 0640
}
