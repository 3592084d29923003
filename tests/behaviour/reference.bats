#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# docs/state.md is what the field tables say today, and its example is a tree that holds.

load support/common

setup()
{
	scratch_open
}

teardown()
{
	scratch_close
}

# The blocks of YAML of the reference, each into the file that its first line names.
write_example()
{
	awk -v top="$1" '
		/^```/ { inside = $0 == "```yaml"; file = ""; next }
		inside && file == "" && /^# state\// {
			file = top "/" $2
			folder = file
			sub(/\/[^\/]*$/, "", folder)
			if (system("mkdir -p \"" folder "\""))
				exit 1
		}
		inside && file != "" { print >file }' "$TOP/docs/state.md"
}

@test "docs/state.md is what the program prints" {
	need_program state_reference
	"$TEST_PROGRAMS/state_reference" >"$SCRATCH/state.md"
	diff -u "$TOP/docs/state.md" "$SCRATCH/state.md" || fail "make docs writes it anew"
}

@test "the example of docs/state.md validates" {
	write_example "$SCRATCH/tree"
	[[ $(find "$SCRATCH/tree" -name '*.yaml' | wc -l) == 3 ]]
	run_reconcile validate -C "$SCRATCH/tree"
	assert_status 0
	run_reconcile show --json -C "$SCRATCH/tree" --node compute-7
	assert_status 0
	assert_output -p '"linux-modules-extra-aws"'
	assert_output -p '"linux-image-aws"'
	refute_output -p '"lustre-client-utils"'
}
