#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# A tree that is gone, does not answer, is faulty, lost much, or is just being written: `run` goes on
# with the last good one, says so everywhere, and for no longer than stale_max.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

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
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	policy own <<<"    plan:directory{path = '$AREA/own', reason = 'r'}"
	run_node run --once
	assert_status 0
	refute_stderr
	drift
}

teardown()
{
	scratch_close
}

drift()
{
	in_ns rmdir "$AREA/d" "$AREA/own"
}

# converges_stale REGEX: run mends what drifted, of state and policies, and says with what and why
converges_stale()
{
	run_node run --once
	assert_status 4
	assert_dir "$AREA/d"
	assert_dir "$AREA/own"
	assert_stderr -e "going on with the last good tree: $1"
	assert_line -e "^Applied: .*1 blocked"
	assert_output -e "  ! The tree is not used \(.*$1.*\): this is the last good one, which last served at 20[-0-9T:]+Z\."
	drift
	run_node run --once --json
	assert_equal '4 true' "$(jq -r '"\(.exit_code) \(.basis.stale_tree)"' <<<"$output")"
	[[ $(jq -r .basis.stale_reason <<<"$output") =~ $1 ]] || fail "$output"
	(($(jq .basis.stale_since <<<"$output") > 1700000000))
	run_node history --json
	assert_equal true "$(jq '.[0].stale_tree' <<<"$output")"
	[[ $(jq -r '.[0].error' <<<"$output") =~ $1 ]] || fail "$output"
	run_node status
	assert_status 4
	assert_output -e "The tree is not used \(.*$1.*\): \`run\` goes on with the last good one"
	run_node status --json
	assert_equal true "$(jq .plan.basis.stale_tree <<<"$output")"
}

# by_hand STATUS: apply takes what lies there, and no other
by_hand()
{
	run_node apply --yes
	assert_status "$1"
	refute_stderr -p "going on with the last good tree"
}

back_again()
{
	run_node run --once
	assert_status 0
	refute_stderr -p "last good"
	refute_output -p "The tree is not used"
}

@test "gone: the folder, or what was in it" {
	in_ns mv "$TREE" "$TREE.away"
	converges_stale "there is no tree in $TREE"
	by_hand 1
	mkdir -p "$TREE/state/nodes"
	converges_stale ".*"
	rm -r "$TREE"
	in_ns mv "$TREE.away" "$TREE"
	back_again
}

@test "gone with the mount it lies on, which is what is to be repaired" {
	in_ns "mkdir '$SCRATCH/server' '$AREA/fs' && cp -a '$TREE/.' '$SCRATCH/server/' && mount --bind '$SCRATCH/server' '$AREA/fs'"
	put "$SCRATCH/server/state/nodes/n.yaml" <<END
version: 1
nodes: [n]
mounts: {$AREA/fs: {source: $SCRATCH/server, type: none, options: [bind], manage: live}}
resources: [{kind: directory, path: $AREA/d}]
END
	TREE=$AREA/fs
	run_node run --once
	assert_status 0
	in_ns umount "$AREA/fs"
	run_node run --once
	assert_status 4
	assert_stderr -p "going on with the last good tree: there is no tree"
	assert_mounted "$AREA/fs"
	back_again
}

@test "hung: the tree is on a dead file system" {
	# as the tree of that name has served before
	hangfs_start "$AREA/dead" dirs=state
	hangfs_hang "$AREA/dead"
	in_ns "mv '$TREE' '$TREE.away' && ln -s '$AREA/dead' '$TREE'"
	converges_stale "does not answer|no answer in time"
	hangfs_resume "$AREA/dead"
	in_ns "rm '$TREE' && mv '$TREE.away' '$TREE'"
	back_again
	wait_for 10 none_left
}

@test "invalid: state, or a policy, or both against each other" {
	node_file <<<"resources: [{kind: directory, path: $AREA/d, modus: x}]"
	converges_stale ".*n.yaml:3:[0-9]+: .*modus"
	by_hand 1
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	policy own <<<"    plan:directory{path = nil .. 'x', reason = 'r'}"
	converges_stale ".*own.lua:4:"
	by_hand 1
	policy own <<<"    plan:directory{path = '$AREA/own', reason = 'r'}"
	policy other <<<"    plan:directory{path = '$AREA/own', mode = '0700', reason = 'r'} plan:directory{path = '$AREA/d', state = 'absent', reason = 'r'}"
	converges_stale ".*/d"
	rm "$TREE/policies/other.lua"
	back_again
}

@test "shrunk: what is wanted, or all policies; used once that is accepted" {
	node_file <<<"resources: [$(printf "{kind: directory, path: $AREA/%s}, " d {1..8}) {kind: directory, path: $AREA/9}]"
	run_node run --once
	assert_status 0
	drift
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	converges_stale "9 of 10 entries of the last applied state are gone"
	assert_dir "$AREA/9"
	run_node run --once
	accept=$(grep -o 'accept: [0-9a-f]\{64\}' <<<"$stderr" | head -n 1)
	node_file <<<"$accept
resources: [{kind: directory, path: $AREA/d}]"
	back_again
	drift
	mv "$TREE/policies/own.lua" "$SCRATCH/"
	converges_stale "there is no policy in the tree any more, and there were 1"
	run_node run --once
	accept=$(grep -o 'accept: [0-9a-f]\{64\}' <<<"$stderr" | head -n 1)
	node_file <<<"$accept
resources: [{kind: directory, path: $AREA/d}]"
	back_again
	mv "$SCRATCH/own.lua" "$TREE/policies/"
	back_again
	drift
	rm "$TREE/policies/own.lua"
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	converges_stale "there is no policy in the tree any more, and there were 1"
	run_node apply --yes --accept-shrink
	assert_status 0
	back_again
}

@test "for stale_max and no longer" {
	node_file <<<"stale_max: 1h
resources: [{kind: directory, path: $AREA/d}]"
	run_node run --once
	drift
	node_file <<<"mode: quick"
	run_node run --once
	assert_status 4
	# as if two hours had passed in this boot
	in_ns "old=\$(sed -n '1s/.* \([0-9]*\)\$/\1/p' '$SCRATCH/last-good.json')
		sed -i \"1s/[0-9]*\$/\$(printf %020d \$((10#\$old - 7200000)))/\" '$SCRATCH/last-good.json'"
	drift
	run_node run --once
	assert_status 1
	assert_stderr -p "not going on with the last good tree: it last served 2h 0m ago, and stale_max is 1h 0m"
	assert_stderr -p "n.yaml:3:7"
	assert_missing "$AREA/d"
	run_node status
	assert_status 1
}

@test "a jump of the clock makes it neither old nor young" {
	node_file <<<"mode: quick"
	in_ns touch -d 2001-01-01 "$SCRATCH/last-good.json"
	run_node run --once
	assert_status 4
	in_ns touch -d 2101-01-01 "$SCRATCH/last-good.json"
	drift
	run_node run --once
	assert_status 4
	assert_dir "$AREA/d"
	# of another boot, the wall clock tells
	in_ns "sed -i '1s/ [0-9a-f-]\{36\} / 00000000-0000-0000-0000-000000000000 /' '$SCRATCH/last-good.json' && touch -d 2001-01-01 '$SCRATCH/last-good.json'"
	run_node run --once
	assert_status 1
	assert_stderr -p "and stale_max is 7d 0h"
	in_ns touch -d '1 day ago' "$SCRATCH/last-good.json"
	run_node run --once
	assert_status 4
}

@test "a last good tree that is damaged, or another's, serves nobody, and the next good run mends it" {
	local damage kept=$SCRATCH/last-good.json

	cp -p "$kept" "$SCRATCH/good"
	for damage in "truncate -s 100 $kept" "truncate -s 0 $kept" "sed -i s/directory/Directory/ $kept" \
		"chmod 0644 $kept" "chown 65534 $kept" "rm $kept" "sh -c 'rm $kept; mkdir $kept'"; do
		node_file <<<"mode: quick"
		in_ns "$damage"
		run_node run --once
		assert_status 1
		assert_stderr -p "not going on with the last good tree: "
		assert_stderr -p "n.yaml:3:7"
		assert_missing "$AREA/d"
		[[ $damage != *mkdir* ]] || in_ns rmdir "$kept"
		node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
		back_again
		drift
		node_file <<<"mode: quick"
		run_node run --once
		assert_status 4
		drift
	done
}

@test "the node keeps its name and roles when they are gone with the tree" {
	in_ns "mkdir -p /etc/reconcile && echo '{name: n}' >/etc/reconcile/node.yaml && chmod 0644 /etc/reconcile/node.yaml"
	as_itself()
	{
		run_within 60 in_ns "$RECONCILE" "$@" -C "$TREE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run"
	}
	as_itself run --once
	assert_status 0
	drift
	in_ns "rm /etc/reconcile/node.yaml && mv '$TREE' '$TREE.away'"
	as_itself run --once --json
	assert_status 4
	assert_equal n "$(jq -r .basis.node <<<"$output")"
	assert_dir "$AREA/d"
}

@test "a tree that is being written is not used before two readings agree" {
	local pid

	# file by file, for a while
	(
		for i in {1..60}; do
			printf 'version: 1\nnodes: ["n"]\nresources: [{kind: directory, path: %s/w%d}]\n' "$AREA" "$i" >"$SCRATCH/next"
			mv "$SCRATCH/next" "$TREE/state/nodes/n.yaml"
			sleep 0.05
		done
	) </dev/null >/dev/null 2>&1 3>&- 4>&- &
	pid=$!
	sleep 0.2
	run_node run --once
	wait "$pid"
	# either it came to rest in between, on a loaded machine, or none of them was used
	if [[ $status == 4 ]]; then
		assert_stderr -p "keeps changing: of 6 readings no two in a row were the same"
		assert_dir "$AREA/d"
		! compgen -G "$AREA/w*" || fail "one that was just being written was used"
	else
		assert_status 0
	fi
	run_node run --once
	assert_status 0
	assert_dir "$AREA/w60"
}

@test "on a network file system the readings are two seconds apart, and only of a tree that is new" {
	local begun

	hangfs_start "$AREA/net" dirs=state
	begun=$(date +%s%N)
	run_within 60 in_ns "$RECONCILE" run --once -C "$AREA/net" --node n --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run"
	# it is empty; what matters is that it was read again before that was believed
	(($(date +%s%N) - begun >= 2000000000)) || fail "it was believed at once"
	assert_stderr -p "going on with the last good tree"
	assert_dir "$AREA/d"
}

@test "a name that --only mistakes is the caller's fault: nothing is done, with the last good tree neither" {
	node_file <<<"resources: [{kind: directory, path: $AREA/e}]"
	run_node run --once --only "directory:$AREA/d"
	assert_status 1
	assert_stderr -p "--only directory:$AREA/d: nothing of that name is wanted on this node"
	refute_stderr -p "last good tree"
	[[ ! -e $AREA/d && ! -e $AREA/e ]]
	run_node run --once --only "directory:$AREA/e"
	assert_status 0
	assert_dir "$AREA/e"
}

@test "without a last good tree the fault is the error, and nothing is changed" {
	rm "$SCRATCH/last-good.json"
	node_file <<<"mode: quick"
	run_node run --once
	assert_status 1
	assert_stderr -p "n.yaml:3:7"
	assert_stderr -p "no tree was ever kept"
	assert_missing "$AREA/d"
}
