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
