#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# Random trees of mounts, files and directories converge in one apply from any state, after which plan is in
# sync and nothing is touched any more. A failure names its seed: TEST_SEED=N ROUNDS=1 bats tests/behaviour/property.bats
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	need_command python3
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

generate()
{
	python3 "$TOP/tests/behaviour/support/random_tree.py" "$1" "$2" "$AREA"
}

clear_area()
{
	in_ns "umount -l '$AREA'
		mount -t tmpfs -o size=64m,mode=0755 tmpfs '$AREA'"
}

# round SEED
round()
{
	local before

	clear_area
	generate want "$1" | node_file
	generate start "$1" | in_ns bash || fail "the state to start from cannot be made"
	in_ns find "$AREA" -name foreign | sort >"$SCRATCH/foreign"
	run_node plan --json
	planned=$(jq .counts.change <<<"$output")
	run_node apply --yes --allow disruptive,irreversible --json
	[[ $status == 0 ]] || {
		fail "apply: exit code $status" "$stderr" "$(jq -r '.steps[] | select(.outcome != "kept" and .outcome != "changed") | "\(.id) \(.outcome): \(.why)"' <<<"$output")"
		return
	}
	# what is known only after a mount may turn out to be right already
	((planned >= $(jq .counts.changed <<<"$output")))
	before=$(footprint "$AREA" && mounts_listed)
	run_node plan
	assert_status 0
	run_node apply --yes
	assert_status 0
	assert_equal "$before" "$(footprint "$AREA" && mounts_listed)"
}

@test "random trees converge in one apply from any state" {
	local first=$TEST_SEED n

	in_ns mount -t tmpfs -o size=64m,mode=0755 tmpfs "$AREA"
	for ((n = 0; n < ${ROUNDS:-40}; n++)); do
		round $((first + n)) || fail "TEST_SEED=$((first + n))" "$(generate want $((first + n)))" "--- from" "$(generate start $((first + n)))"
	done
}
