#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Recordings of a node that somebody shortened, or that another version wrote: anything may be missing.
# A failure names its seed: TEST_SEED=N RECORDINGS=1 bats tests/behaviour/recordings.bats
# shellcheck disable=SC2154

load support/common
load support/tree

setup()
{
	need_command python3
	scratch_open
	tree_open
	FACTS=$SCRATCH/facts.json
}

teardown()
{
	scratch_close
}

@test "whatever is missing, what is said about it are words" {
	run python3 "$TOP/tests/behaviour/support/recordings.py" "$RECONCILE" "$TOP/docs/state.md" "$SCRATCH/recordings" \
		"${RECORDINGS:-60}" "$TEST_SEED"
	assert_status 0
}

@test "a mount whose type was not recorded is undetermined, and no plan is made of it" {
	node_file <<<'mounts: {/fsx: {source: "10.1.30.23@tcp:/fsx", type: lustre}}'
	put "$FACTS" <<-END
		{"reconcile_facts": 1, "facts": [
		  {"kind": "kernel", "key": "", "state": "present", "running": "6.1.0-1"},
		  {"kind": "mount", "key": "/fsx", "state": "present", "live": true, "source": "10.1.30.23@tcp:/fsx"}]}
	END
	run_node plan --facts "$FACTS"
	assert_status 6
	assert_output -p "the recorded facts do not say its type"
	run_within "$GUARD" reconcile doctor --facts "$FACTS"
	refute_output -p "(null)"
}
