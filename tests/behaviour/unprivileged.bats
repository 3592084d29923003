#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Without root: what can be seen is shown, what cannot is said; and the demo, as root and as nobody.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	scratch_open
	tree_open
	PROGRAM=$(for_nobody "$RECONCILE")
}

teardown()
{
	scratch_close
}

# own_tree: the tree belongs to nobody
own_tree()
{
	chown -R 65534:65534 "$TREE"
}

nobody_runs()
{
	run_within 60 as_nobody "$PROGRAM" "$@" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run"
}

@test "validate, show, plan, facts and status work as nobody from an own tree" {
	in_ns "mkdir -m 0755 $AREA/open; mkdir -m 0700 $AREA/closed; echo secret >$AREA/closed/f; echo t >$AREA/open/f; chmod 0600 $AREA/open/f"
	node_file <<END
resources:
  - {kind: directory, path: $AREA/open, mode: "0755"}
  - {kind: directory, path: $AREA/closed/d}
  - {kind: file, path: $AREA/open/f, content: "t\n", mode: "0600"}
  - {kind: directory, path: $AREA/new}
END
	own_tree
	nobody_runs validate -C "$TREE"
	assert_status 0
	nobody_runs show -C "$TREE" --node n
	assert_status 0
	assert_output -p "directory:$AREA/open"
	nobody_runs plan -C "$TREE" --node n
	assert_status 2
	assert_line "Plan: 1 to change, 2 undetermined, 1 in sync."
	assert_line -e "^  \? directory $AREA/closed/d +undetermined"
	assert_line -e "^  \? file $AREA/open/f +undetermined"
	assert_output -p "ermi"
	nobody_runs status -C "$TREE" --node n
	assert_status 2
	nobody_runs facts "directory:$AREA/closed/d" --json
	assert_status 0
	assert_equal undetermined "$(jq -r '.facts[0].state' <<<"$output")"
	nobody_runs facts mount
	assert_status 0
	assert_missing "$SCRATCH/history.db" "$SCRATCH/run" "$AREA/new"
}

@test "what root did: nobody may see that a run is under way, or is told what could not be seen" {
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node apply
	own_tree
	nobody_runs status -C "$TREE" --node n
	assert_status 0
	assert_output -p "History:"
	nobody_runs history
	assert_status 1
	assert_stderr -p "error: "
}

@test "a tree that nobody may read is an error that says so" {
	node_file </dev/null
	chmod 0700 "$TREE"
	nobody_runs plan -C "$TREE" --node n
	assert_status 1
	assert_stderr -p "$TREE"
	assert_stderr -p "ermission denied"
}

@test "pause and resume need root" {
	nobody_runs pause "for a test"
	assert_status 1
	assert_stderr -e "root|ermission"
	nobody_runs resume
	assert_status 1
}

# paused_for_nobody TEXT: whatever nobody may look with tells of that pause, and of when that was so
paused_for_nobody()
{
	nobody_runs status -C "$TREE" --node n
	assert_status 7
	assert_line -e "^Paused: $1"
	refute_stderr -p "cannot be told"
	nobody_runs status -C "$TREE" --node n --json
	assert_equal "true null" "$(jq -r '"\(.pause.paused) \(.pause.cannot_tell)"' <<<"$output")"
	(($(jq .pause.as_of <<<"$output") > 1700000000))
	nobody_runs plan -C "$TREE" --node n
	assert_status 2
	assert_line -e "^This node is paused: $1"
	nobody_runs check -C "$TREE" --node n
	assert_output -e "paused: $1"
	nobody_runs doctor
	assert_line -e "^This node is paused: $1"
}

@test "a pause in root's own folder is told to nobody from what root last saw, and says of when" {
	local of="as of 20[-0-9T:]+Z"

	ns_overlay /etc /var/lib
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	in_ns "mkdir -p /var/lib/reconcile && rm -f /var/lib/reconcile/pause && chmod 0750 /var/lib/reconcile"
	# nobody knows before root has looked
	chmod -R go+rX "$TREE"
	own_tree
	nobody_runs status -C "$TREE" --node n
	assert_status 2
	assert_stderr -e "whether this node is paused cannot be told: .*/var/lib/reconcile/pause.*ermission denied, and root has left no word of it in $SCRATCH/run"
	nobody_runs status -C "$TREE" --node n --json
	[[ $(jq -r .pause.cannot_tell <<<"$output") == *"no word"* ]] || fail "$output"
	chown -R 0:0 "$TREE"
	rm -rf "$SCRATCH/run" # it may be the first command of a boot
	run_node pause "the rack is moved" --for 2h
	assert_equal 755 "$(stat -c %a "$SCRATCH/run")"
	refute_output -p "as of"
	own_tree
	paused_for_nobody "the rack is moved \(root, since 20[-0-9T:]+Z, until 20[-0-9T:]+Z, $of\); "
	assert_equal 644 "$(stat -c %a "$SCRATCH/run/pause.json")"
	run_node resume
	nobody_runs status -C "$TREE" --node n
	assert_status 2
	refute_output -p "Paused"
	refute_stderr -p "cannot be told"
	# what another hand did there is seen by the next run of root, and no earlier
	chown -R 0:0 "$TREE"
	in_ns "echo 'ask Kim' >/var/lib/reconcile/pause"
	run_node run --once
	assert_status 7
	own_tree
	paused_for_nobody "ask Kim \($of\)"
	chown -R 0:0 "$TREE"
	in_ns rm /var/lib/reconcile/pause
	run_node apply
	assert_status 0
	own_tree
	nobody_runs status -C "$TREE" --node n
	assert_status 0
	refute_output -p "Paused"
	# of another boot it says nothing
	jq '.boot_id = "another" | .paused = true' "$SCRATCH/run/pause.json" >"$SCRATCH/run/p"
	mv "$SCRATCH/run/p" "$SCRATCH/run/pause.json"
	nobody_runs status -C "$TREE" --node n
	assert_status 0
	assert_stderr -p "root has left no word of it"
}

# ---- the demo

# outside: what the demo must not touch
outside()
{
	cat /proc/self/mountinfo
	find /mnt /run/reconcile /var/lib/reconcile /etc/reconcile -printf '%p %i %T@ %C@\n' 2>/dev/null
	find /tmp /var/tmp -maxdepth 1 -not -name 'reconcile-test.*' -not -name 'bats*' -printf '%p\n' | grep -i -e demo -e reconcile || :
}

# demo_here: a copy of the examples that nobody can read
demo_here()
{
	cp -r "$TOP/examples" "$SCRATCH/examples"
	chmod -R go+rX,go-w "$SCRATCH/examples"
}

tells_the_story()
{
	assert_status 0
	assert_line -e '^Applied: [0-9]+ changed \(run 1\)'
	assert_line -e '^Plan: [0-9]+ in sync\.$'
	assert_line -e '^Plan: 2 to change'
	assert_output -p "size=8192k → size=16m"
	assert_output -p "lustre-client-modules-6.8.0-1042-aws is not published"
	assert_output -p "Done. Nothing outside this namespace was touched."
}

@test "the demo works as root and leaves nothing behind" {
	demo_here
	before=$(outside)
	run_within 60 "$SCRATCH/examples/first-node/demo.sh" "$RECONCILE"
	tells_the_story
	assert_equal "$before" "$(outside)"
}

@test "the demo works as nobody, in a user namespace, and leaves nothing behind" {
	setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Ur true 2>/dev/null ||
		skip "this machine allows no user namespaces without root"
	demo_here
	before=$(outside)
	run_within 60 "${AS_NOBODY[@]}" "$SCRATCH/examples/first-node/demo.sh" "$PROGRAM"
	tells_the_story
	assert_equal "$before" "$(outside)"
}
