#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 20
#
# A node that is to be left alone: by command with reason and end, or by a file; seen everywhere, and
# never resumed by damage.
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
	ns_overlay /etc /var/lib
	PAUSE_FILE=/var/lib/reconcile/pause
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
}

teardown()
{
	scratch_close
}

# left_alone REGEX: whatever would change something refuses with it, and whatever looks says it
left_alone()
{
	local command

	for command in "apply --yes" "run --once"; do
		# shellcheck disable=SC2086
		run_node $command
		assert_status 7
		assert_stderr -e "paused: $1"
		assert_missing "$AREA/d"
	done
	run_node apply --yes --json
	assert_status 7
	assert_equal 7 "$(jq .exit_code <<<"$output")"
	[[ $(jq -r .paused <<<"$output") =~ $1 ]] || fail "$output"
	run_node status
	assert_status 7
	assert_line -e "^Paused: $1"
	run_node status --json
	[[ $(jq -r .plan.paused <<<"$output") =~ $1 ]] || fail "$output"
	assert_equal true "$(jq .pause.paused <<<"$output")"
	run_node plan
	assert_status 2
	assert_output -p "directory $AREA/d"
	assert_line -e "This node is paused: $1"
	run_node check
	assert_status 1
	assert_output -e "paused: $1"
	run_node doctor
	assert_line -e "^This node is paused: $1"
	run_node doctor --json
	[[ $(jq -r .paused <<<"$output") =~ $1 ]] || fail "$output"
}

# goes_on: nothing keeps it from changing what it is to change
goes_on()
{
	run_node apply --yes
	assert_status 0
	assert_dir "$AREA/d"
	run_node status
	assert_status 0
	refute_output -p "Paused"
	run_node doctor
	refute_output -p "paused"
	run_node status --json
	assert_equal '{"paused":false,"reason":null}' "$(jq -c '.pause | {paused, reason}' <<<"$output")"
}

@test "a pause is told with why, who, since when and until when, and how it ends" {
	run_node pause "the rack is moved" --for 2h
	assert_status 0
	assert_line -e '^Paused: the rack is moved \(root, since 20[-0-9]+T[:0-9]+Z, until 20[-0-9]+T[:0-9]+Z\); `reconcile resume` ends it\.$'
	left_alone 'the rack is moved \(root, since 20[-0-9T:]+Z, until 20[-0-9T:]+Z\); `reconcile resume` ends it'
	run_node pause "longer than we thought" --json
	assert_equal '["longer than we thought","root",null,true]' "$(jq -c '[.reason, .who, .until, .paused]' <<<"$output")"
	left_alone 'longer than we thought \(root, since 20[-0-9T:]+Z\); '
	run_node resume
	assert_status 0
	assert_output "Resumed."
	goes_on
	run_node resume --json
	assert_equal false "$(jq .paused <<<"$output")"
	run_node history
	assert_line -e '^ +[0-9]+  [^ ]+  pause    script    exit 0  the rack is moved$'
	assert_line -e '^ +[0-9]+  [^ ]+  resume   script    exit 0$'
}

@test "--until a time, with and without a zone" {
	now=$(date +%s)
	run_node pause "r" --until "$(date -u -d "@$((now + 7200))" +%Y-%m-%dT%H:%MZ)"
	assert_status 0
	assert_output -p "until $(date -u -d "@$((now + 7200))" +%Y-%m-%dT%H:%M):00Z"
	TZ=Asia/Seoul run_node pause "r" --until "$(TZ=Asia/Seoul date -d "@$((now + 10800))" '+%Y-%m-%d %H:%M')"
	assert_output -p "until $(date -u -d "@$((now + 10800))" +%Y-%m-%dT%H:%M):00Z"
	TZ=Asia/Seoul run_node pause "r" --until "$(TZ=Asia/Seoul date -d "@$((now + 14400))" '+%H:%M')"
	assert_output -p "until $(date -u -d "@$((now + 14400))" +%Y-%m-%dT%H:%M):00Z"
	run_node pause "r" --until 2020-01-01T00:00Z
	assert_status 1
	assert_stderr -p "2020-01-01T00:00:00Z has passed"
	for wrong in tomorrow 25:00 2026-11-21 "2099-02-30 10:00" 2099-04-31T10:00Z ""; do
		run_node pause "r" --until "$wrong"
		assert_status 1
		assert_stderr -p "is no time, expected 18:30"
	done
	for wrong in soon 0 -1h 99999d; do
		run_node pause "r" --for "$wrong"
		assert_status 1
		assert_stderr -p "--for"
	done
	run_node pause "r" --for 1h --until 23:59
	assert_status 1
	run_node pause ""
	assert_status 1
	run_node pause
	assert_status 1
	assert_stderr -p "say why"
}

@test "it ends by itself, and the next run says so and forgets it" {
	run_node pause "only a moment" --for 6s
	run_node apply --yes
	assert_status 7
	sleep 6.2
	run_node plan
	refute_output -p "paused"
	assert_file "$PAUSE_FILE"
	run_node run --once
	assert_status 0
	assert_stderr -e "the pause of root \(only a moment\) ended at 20[-0-9T:]+Z; going on"
	assert_missing "$PAUSE_FILE"
	goes_on
}

@test "it survives a reboot, where the wall clock tells its end, and no boot outlasts it" {
	# as another boot has left it, begun a day ago, and for longer than this machine is up
	run_node pause "r" --for 3000d
	in_ns "jq '.boot_id = \"another\" | .since -= 86400 | .until -= 86400' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
	left_alone 'r \(root, '
	# the clock has come to its end
	in_ns "jq '.since -= 2999 * 86400 | .until -= 2999 * 86400' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
	goes_on
	# the clock is years behind, and this boot older than the pause was to be
	in_ns rmdir "$AREA/d"
	run_node pause "r" --for 1s
	in_ns "jq '.boot_id = \"another\" | .since += 100000000 | .until += 100000000' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
	goes_on
}

@test "a jump of the clock neither keeps it for ever nor, in one boot, ends a span" {
	run_node pause "r" --for 1h
	# a clock that was set back to 1970 since, or on by years: what has passed in this boot counts
	for by in 1700000000 -1700000000; do
		in_ns "jq '.since += $by | .until += $by' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
		left_alone 'r \(root, .*until 20'
		in_ns "jq '.since -= $by | .until -= $by' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
	done
	in_ns "jq '.since_ms -= 3600000 | .since += 1700000000 | .until += 1700000000' '$PAUSE_FILE' >/var/lib/p && mv /var/lib/p '$PAUSE_FILE'"
	goes_on
}

@test "a file that is damaged, empty, unreadable or of an earlier version is a pause" {
	in_ns mkdir -p /var/lib/reconcile
	in_ns "printf 'maintenance (root, 2026-01-01T00:00:00Z)' >'$PAUSE_FILE'"
	left_alone 'maintenance \(root, 2026-01-01T00:00:00Z\)'
	in_ns "printf '{\"reconcile_pause\": 1, \"until\": 5' >'$PAUSE_FILE'"
	left_alone 'the file that says so is damaged; `reconcile resume` ends it'
	in_ns "head -c 300 /dev/zero >'$PAUSE_FILE'"
	run_node apply --yes
	assert_status 7
	in_ns "head -c 100000 /dev/urandom >'$PAUSE_FILE'"
	run_node apply --yes
	assert_status 7
	in_ns ": >'$PAUSE_FILE'"
	left_alone 'no reason was given'
	run_node resume
	assert_status 0
	goes_on
	in_ns mkdir "$PAUSE_FILE"
	run_node apply --yes
	assert_status 7
	assert_stderr -p "$PAUSE_FILE"
}

@test "/etc/reconcile/PAUSE pauses, its text is the reason, and only its owner takes it away" {
	in_ns "mkdir -p /etc/reconcile && touch /etc/reconcile/PAUSE"
	left_alone '/etc/reconcile/PAUSE is there \(since 20[-0-9T:]+Z\); `rm /etc/reconcile/PAUSE` ends it'
	in_ns "ln -sf /nowhere /etc/reconcile/PAUSE"
	left_alone '/etc/reconcile/PAUSE is there: a link that leads nowhere'
	in_ns rm /etc/reconcile/PAUSE
	in_ns "printf 'ask Kim\nbefore you touch it\n' >/etc/reconcile/PAUSE"
	left_alone '/etc/reconcile/PAUSE is there: ask Kim before you touch it \(since'
	run_node resume
	assert_status 1
	assert_stderr -p "remove it first (rm /etc/reconcile/PAUSE)"
	in_ns rm /etc/reconcile/PAUSE
	goes_on
}

@test "a dead /etc/reconcile is no pause, and does not hang whoever asks" {
	hangfs_start /etc/reconcile dirs=state
	hangfs_hang /etc/reconcile
	run_node run --once
	assert_status 0
	assert_stderr -e "whether this node is paused cannot be told \(/etc/reconcile/PAUSE[: ].*\); going on"
	assert_dir "$AREA/d"
	run_node resume
	assert_status 1
	assert_stderr -p "cannot be told"
	run_node pause "but this one can be told"
	in_ns rmdir "$AREA/d"
	run_node run --once
	assert_status 7
	assert_missing "$AREA/d"
	hangfs_resume /etc/reconcile
	wait_for 10 none_left
}

@test "a run that is under way goes no further, and says why" {
	local pid

	node_file <<<"resources: [{kind: command, name: slow, argv: [sh, -c, 'touch $AREA/begun; while [ ! -e $AREA/end ]; do sleep 0.1; done; touch $AREA/done'], creates: $AREA/done}]"
	policy last <<<"    plan:directory{path = '$AREA/after', reason = 'r', after = {'command:slow'}}"
	nsenter -t "$(ns_pid)" -m "$RECONCILE" apply --yes -C "$TREE" --node "$NODE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started" 2>&1 3>&- 4>&- &
	pid=$!
	wait_for 10 test -e "$AREA/begun"
	run_node pause "stop at once"
	assert_line -e "^Under way: process $pid \(apply\) .*; it goes no further than its present step\.$"
	in_ns touch "$AREA/end"
	code=0
	wait "$pid" || code=$?
	assert_equal 7 "$code"
	grep -q "broken off: paused: stop at once (root" "$SCRATCH/started" || fail "$(<"$SCRATCH/started")"
	assert_file "$AREA/done"
	assert_missing "$AREA/after"
	run_node history show 1 --json
	assert_equal "7 ended" "$(jq -r '"\(.exit_code) \(.status)"' <<<"$output")"
	run_node resume
	run_node apply --yes
	assert_status 0
	assert_dir "$AREA/after"
}

@test "--ignore-pause is for apply by hand alone" {
	run_node pause "r"
	run_node run --once --ignore-pause
	assert_status 1
	run_node apply --yes --ignore-pause
	assert_status 0
	assert_dir "$AREA/d"
}
