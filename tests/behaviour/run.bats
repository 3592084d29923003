#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 140
#
# `run` as a service: what wakes it and what does not, what it says, and what it backs off from.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load support/common
load support/tree
load support/hangfs
load support/running

setup()
{
	need_root
	need_command jq
	scratch_open
	tree_open
	RUN=
}

teardown()
{
	running_close
	scratch_close
}

# triggers: why passes were made, in order, each word once
triggers()
{
	reconcile history --json | jq -r 'reverse | .[].trigger' | awk '!seen[$0]++' | xargs
}

@test "the first pass is at once, and an unmounted mount is back in a moment" {
	a_mount
	start_run --interval 1h
	wait_for 60 mount_of "$AREA/m"
	passed 1
	for _ in 1 2; do
		in_ns umount "$AREA/m"
		wait_for 60 mount_of "$AREA/m"
		sleep 0.5
	done
	end_run
	assert_status 0
	assert_equal "start mounts" "$(triggers)"
}

@test "its own mounts wake nobody" {
	a_mount
	start_run --interval 1h
	passed 1
	calm
	in_ns umount "$AREA/m"
	passed 2
	calm
	assert_equal 2 "$(passes)"
	end_run
}

@test "a mount and an unmount that leave the table as it was wake nobody" {
	directories d | node_file
	start_run --interval 1h
	passed 1
	in_ns "mkdir $AREA/x; mount -t tmpfs x $AREA/x && umount $AREA/x"
	calm
	assert_equal 1 "$(passes)"
	end_run
}

@test "an edit of the tree is seen at once, however it is made" {
	directories a | node_file
	start_run --interval 1h
	passed 1
	directories a b | node_file
	wait_for 60 test -d "$AREA/b"
	# as an editor does it
	cp "$TREE/state/nodes/n.yaml" "$TREE/state/nodes/.n.yaml.swp"
	echo "  - {kind: directory, path: $AREA/c}" >>"$TREE/state/nodes/.n.yaml.swp"
	mv "$TREE/state/nodes/.n.yaml.swp" "$TREE/state/nodes/n.yaml"
	wait_for 60 test -d "$AREA/c"
	# in a folder that was not there
	mkdir "$TREE/state/roles"
	printf 'version: 1\nresources: [{kind: directory, path: %s/r}]\n' "$AREA" >"$TREE/state/roles/r.yaml"
	printf 'version: 1\nnodes: [n]\nroles: [r]\n' >"$TREE/state/nodes/n.yaml"
	wait_for 60 test -d "$AREA/r"
	end_run
	assert_status 0
}

@test "an edit of a policy is seen at once" {
	directories a | node_file
	start_run --interval 1h
	passed 1
	policy p <<-EOF
	plan:directory{path = "$AREA/of-policy", reason = "r"}
	EOF
	wait_for 60 test -d "$AREA/of-policy"
	end_run
}

@test "a tree that is taken away and brought back is seen again" {
	directories a | node_file
	start_run --interval 1h
	passed 1
	mv "$TREE" "$TREE.away"
	passed 2
	directories a b >"$SCRATCH/two"
	{
		printf 'version: 1\nnodes: [n]\n'
		cat "$SCRATCH/two"
	} >"$TREE.away/state/nodes/n.yaml"
	mv "$TREE.away" "$TREE"
	wait_for 60 test -d "$AREA/b"
	end_run
	assert_stderr -p "going on with the last good tree"
	assert_stderr -p "recovered tree: loads again"
}

# as a volume of a configuration map is: n.yaml -> ..data/n.yaml, ..data -> ..1
@test "an edit behind a link is seen at once" {
	local nodes=$TREE/state/nodes

	mkdir "$nodes/..1" "$nodes/..2"
	directories a | node_file
	mv "$nodes/n.yaml" "$nodes/..1/"
	ln -s ..1 "$nodes/..data"
	ln -s ..data/n.yaml "$nodes/n.yaml"
	start_run --interval 1h
	passed 1
	directories a b | node_file_at "$nodes/..1/n.yaml"
	wait_for 30 test -d "$AREA/b"
	directories a c | node_file_at "$nodes/..2/n.yaml"
	ln -s ..2 "$nodes/new"
	mv -T "$nodes/new" "$nodes/..data"
	wait_for 30 test -d "$AREA/c"
	end_run
	assert_status 0
}

node_file_at()
{
	{
		printf 'version: 1\nnodes: ["%s"]\n' "$NODE"
		cat
	} >"$1"
}

@test "a pause that is taken away, or is over, wakes it" {
	ns_overlay /var/lib # where a pause is written down
	directories a | node_file
	start_run --interval 1h
	passed 1
	run_reconcile pause "for a moment"
	rmdir "$AREA/a"
	run_reconcile resume
	assert_status 0
	wait_for 30 test -d "$AREA/a"
	run_reconcile pause --for 4s "for a moment"
	logged "paused: for a moment"
	rmdir "$AREA/a"
	wait_for 30 test -d "$AREA/a"
	end_run
	assert_status 0
}

@test "status says whether a run is alive, and when its next pass is" {
	directories a | node_file
	run_node status
	assert_line "Agent: not running."
	start_run --interval 1h
	passed 1
	_tells_next()
	{
		reconcile status -C "$TREE" --node "$NODE" >"$SCRATCH/status"
		grep -qE "^Agent: running \(process $RUN\), next pass at 20[-0-9T:]+Z\.$" "$SCRATCH/status"
	}
	wait_for 20 _tells_next || fail "$(cat "$SCRATCH/status")"
	run_node status --json
	assert_equal "$RUN" "$(jq .agent.pid <<<"$output")"
	(($(jq .agent.next <<<"$output") > $(date +%s)))
	refute_output -p "exit code -1"
	end_run
	run_node status --json
	assert_equal null "$(jq .agent <<<"$output")"
}

@test "what would mean nothing is refused: --interval with one pass, a splay longer than the interval" {
	directories a | node_file
	run_node run --once --interval 1m
	assert_status 1
	assert_stderr -p "--once makes one pass: --interval means nothing with it"
	run_node run --boot --splay 1s
	assert_stderr -p "--boot makes one pass: --splay means nothing with it"
	run_node run --boot --until-in-sync 1m
	assert_stderr -p "--boot and --until-in-sync exclude each other"
	run_node run --interval 1m --splay 2m
	assert_status 1
	assert_stderr -p "--splay is longer than the interval, expected 60s or less"
	assert_equal "" "$(ls "$AREA")"
}

@test "SIGHUP is a word to look again, many of them are few passes" {
	local i

	directories d | node_file
	start_run --interval 1h
	passed 1
	rmdir "$AREA/d"
	kill -HUP "$RUN"
	wait_for 60 test -d "$AREA/d"
	passed 2
	for ((i = 0; i < 50; i++)); do
		kill -HUP "$RUN"
		sleep 0.02
	done
	sleep 2
	(($(passes) <= 8)) || fail "$(passes) passes"
	end_run
	assert_status 0
}

@test "a storm of mounts costs a handful of passes, and what it left behind is put right" {
	local before after

	a_mount
	start_run --interval 1h
	passed 1
	before=$(passes)
	in_ns "mkdir $AREA/x
		for i in {1..150}; do
			mount -t tmpfs -o size=\${i}k x $AREA/x
			sleep 0.02
			umount $AREA/x
		done
		umount $AREA/m 2>/dev/null || :"
	after=$(passes)
	((after - before <= 12)) || fail "$((after - before)) passes in the storm"
	((after - before >= 2)) || fail "it did not look"
	wait_for 60 mount_of "$AREA/m"
	end_run
}

@test "without anything to do it says nothing, and each trouble once" {
	directories d no/d | node_file
	start_run --interval 1s --splay 0
	passed 4
	end_run
	assert_equal 1 "$(grep -c "changed directory:$AREA/d" <<<"$stderr")"
	assert_equal 1 "$(grep -c "blocked directory:$AREA/no/d" <<<"$stderr")"
	assert_equal 4 "$(wc -l <<<"$stderr")"
	refute_output
}

@test "a trouble that is over is said to be over" {
	directories no/d | node_file
	start_run --interval 1s --splay 0
	logged "blocked directory:$AREA/no/d"
	mkdir "$AREA/no"
	logged "recovered directory:$AREA/no/d: in sync again after"
	end_run
}

@test "a tree that does not load is said once with its place, and once that it loads again" {
	directories d | node_file
	echo "nonsense: 1" >>"$TREE/state/nodes/n.yaml"
	start_run --interval 1s --splay 0
	logged "n.yaml:5:1: "
	sleep 2.5
	directories d | node_file
	wait_for 60 test -d "$AREA/d"
	logged "recovered run"
	end_run
	assert_equal 1 "$(grep -c "n.yaml:5:1: " <<<"$stderr")"
}

@test "--json: an object a line" {
	directories d no/d | node_file
	start_run --interval 1h --json
	passed 1
	end_run
	assert_status 0
	assert_equal "started changed blocked stopped" "$(jq -r .event <<<"$output" | xargs)"
	assert_equal "directory:$AREA/d" "$(jq -r 'select(.event == "changed") | .id' <<<"$output")"
	jq -es 'map(select(.event == "changed"))[0] | .ts and .level == "notice" and
		.action == "create" and .outcome == "changed" and .reason' <<<"$output" >/dev/null
	[[ -z $stderr ]] || fail "$stderr"
}

@test "--json: a change has the number of its run, and how long it took" {
	directories a | node_file
	start_run --interval 1h --json
	passed 1
	end_run
	assert_equal '1 number' "$(jq -r 'select(.event == "changed") | "\(.run) \(.duration_ms | type)"' <<<"$output")"
}

@test "to the journal each line begins with its level" {
	directories d no/d | node_file
	local ns

	ns=$(ns_pid)
	JOURNAL_STREAM=$(stat -L -c '%d:%i' "$SCRATCH/history.db" 2>/dev/null || :)
	touch "$SCRATCH/log"
	JOURNAL_STREAM=$(stat -c '%d:%i' "$SCRATCH/log")
	export JOURNAL_STREAM
	start_run --once
	wait "$RUN" || :
	RUN=
	unset JOURNAL_STREAM
	grep -q "^<5>changed directory:$AREA/d" "$SCRATCH/log"
	grep -q "^<4>blocked directory:$AREA/no/d" "$SCRATCH/log"
	assert_equal "" "$(grep -v '^<[0-7]>' "$SCRATCH/log")"
	[[ ! -s $SCRATCH/out ]]
}

# ---- backing off

failing()
{
	node_file <<-EOF
	resources:
	  - {kind: command, name: bad, argv: [/bin/sh, -c, "echo x >>$SCRATCH/tries; echo no luck >&2; exit 3"], creates: $AREA/made}
	  - {kind: directory, path: $AREA/d}
	EOF
}

tries()
{
	[[ ! -e $SCRATCH/tries ]] || wc -l <"$SCRATCH/tries"
}

@test "what failed is not tried again before its time; plan, status and JSON say when" {
	failing
	run_node run --once
	assert_status 5
	assert_output -e "again +next try [0-9:]+Z \\(in "
	assert_equal 1 "$(tries)"
	run_node run --once
	assert_status 4
	output=$(tr -s ' \n' ' ' <<<"$output")
	assert_output -e "backing off after 1 failure: .* next try [0-9:]+Z \(in "
	assert_equal 1 "$(tries)"
	assert_dir "$AREA/d"
	run_node run --once --json
	assert_status 4
	assert_equal "1 blocked" "$(jq -r '.steps[] | select(.id == "command:bad") | "\(.retry.failures) \(.outcome)"' <<<"$output")"
	assert_equal true "$(jq '.steps[] | select(.id == "command:bad") | .retry.next_try > now' <<<"$output")"
	# by hand it would be done, and is
	run_node plan
	assert_status 2
	assert_output -e "backing off after 1 failure"
	run_node status
	assert_output -e "command:bad  to change, blocked since [0-9TZ:-]+: \`run\` is backing off after 1 failure: .*next try"
	in_ns rmdir "$AREA/d"
	run_node status
	assert_output -e "directory:$AREA/d  to change  new \(in sync in run [0-9]+\)"
	run_node apply --yes
	assert_status 5
	refute_output -p "backing off"
	assert_equal 2 "$(tries)"
}

@test "a success by hand, another wish and a change of the tree each end the waiting" {
	failing
	run_node run --once
	assert_status 5
	# another wish
	sed -i 's/exit 3/exit 4/' "$TREE/state/nodes/n.yaml"
	run_node run --once
	assert_status 5
	assert_equal 2 "$(tries)"
	# right by other means
	touch "$AREA/made"
	run_node run --once
	assert_status 0
	rm "$AREA/made"
	run_node run --once
	assert_status 5
	assert_equal 3 "$(tries)"
	# a running one: an unrelated edit, and SIGHUP
	start_run --interval 1h
	passed 5
	assert_equal 3 "$(tries)"
	echo "  - {kind: directory, path: $AREA/e}" >>"$TREE/state/nodes/n.yaml"
	wait_for 60 test -d "$AREA/e"
	wait_for 60 eval '(($(tries) == 4))'
	sleep 1
	kill -HUP "$RUN"
	wait_for 60 eval '(($(tries) == 5))'
	end_run
}

@test "undetermined is no failure, and a mount that keeps failing costs few tries" {
	node_file <<-EOF
	mounts:
	  $AREA/m: {source: /dev/none, type: ext4, manage: live}
	EOF
	start_run --interval 1s --splay 0
	passed 5
	end_run
	assert_equal 1 "$(grep -c "failed mount:$AREA/m" <<<"$stderr")"
	refute_stderr -p "blocked mount"
	run_node history --json
	assert_equal 1 "$(jq '[.[] | select(.exit_code == 5)] | length' <<<"$output")"
}

@test "--once from a timer says nothing when nothing is changed and nothing is wrong" {
	failing
	run_node run --once
	assert_status 5
	assert_output -p "Applied: "
	run_node run --once
	assert_status 4
	assert_output -p "command bad"
	touch "$AREA/made"
	run_node run --once
	assert_status 0
	refute_output
	refute_stderr
	run_node run --once --json
	assert_equal 0 "$(jq .exit_code <<<"$output")"
	in_ns rmdir "$AREA/d"
	run_node run --once
	assert_status 0
	assert_line -e '^Applied: 1 changed, 1 in sync \(run [0-9]+\)\.$'
	run_node apply --yes
	assert_line -e '^Applied: 2 in sync'
	# a person sees that it did what it does
	need_command script
	run_within "$GUARD" in_ns script -qec "'$RECONCILE' run --once -C '$TREE' --node '$NODE' --history '$SCRATCH/history.db' --run-dir '$SCRATCH/run'" /dev/null
	assert_output -e "Applied: .*2 in sync \(run [0-9]+\)"
}

# ---- until in sync

@test "--until-in-sync ends with 0 as soon as the node is in sync" {
	node_file <<-EOF
	resources:
	  - {kind: directory, path: $AREA/no/d}
	EOF
	need_ns
	(
		sleep 2
		mkdir "$AREA/no"
	) 3>&- 4>&- &
	run_node run --until-in-sync 60s
	assert_status 0
	assert_dir "$AREA/no/d"
}

@test "--until-in-sync tries what failed again soon, and ends at its time saying what is left" {
	failing
	run_node run --until-in-sync 9s
	[[ $status == [45] ]] || fail "$status"
	(($(tries) >= 2)) || fail "$(tries) tries"
	assert_stderr -p "left: command:bad"
	run_node run --once --until-in-sync 9s
	assert_status 1
}

@test "--until-in-sync says of a tree that is not used that this is what is left, and why" {
	directories d | node_file
	run_node run --once
	assert_status 0
	echo "foo: 1" >>"$TREE/state/nodes/n.yaml"
	run_node run --until-in-sync 2s
	assert_status 4
	assert_stderr -e "left: tree \(blocked: .*n.yaml:[0-9]+:1: .*foo"
}

# ---- what is dead

@test "a tree on a dead file system: the last good one serves, few hang, and it is seen when it is back" {
	directories d | node_file
	start_run --interval 2s --splay 0
	passed 1
	hangfs_start "$TREE" dirs=state:policies
	hangfs_hang "$TREE"
	rmdir "$AREA/d"
	wait_for 90 test -d "$AREA/d"
	logged "going on with the last good tree"
	sleep 10
	rmdir "$AREA/d"
	wait_for 90 test -d "$AREA/d"
	(($(leftovers | wc -w) <= 4)) || fail "$(leftovers)"
	hangfs_stop "$TREE"
	directories d e | node_file
	wait_for 90 test -d "$AREA/e"
	logged "recovered tree: loads again"
	end_run
	assert_status 0
	wait_for 20 none_left
}

@test "many passes leave no memory, no descriptor and no process behind" {
	local rss fds

	sanitizer_frees
	a_mount
	start_run --interval 1s --splay 0
	passed 5
	sleep 0.3
	fds=$(in_ns "ls /proc/$RUN/fd | wc -l")
	rss=$(awk '/VmRSS/ {print $2}' "/proc/$RUN/status")
	passed 30
	sleep 0.3
	assert_equal "$fds" "$(in_ns "ls /proc/$RUN/fd | wc -l")"
	(($(awk '/VmRSS/ {print $2}' "/proc/$RUN/status") < rss + 2048)) ||
		fail "from $rss to $(awk '/VmRSS/ {print $2}' "/proc/$RUN/status") KiB"
	(($(leftovers | wc -w) <= 2)) || fail "$(leftovers)"
	end_run
}
