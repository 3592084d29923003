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

@test "every tree of docs/from-your-script.md validates as it stands" {
	local n=0 tree

	awk -v top="$SCRATCH" '
		/^```yaml/ { n++; next }
		/^```/ { n += 0; inside = 0; next }
		/^# state\// && n { file = sprintf("%s/tree%d/%s", top, n, $2); folder = file
			sub(/\/[^\/]*$/, "", folder); system("mkdir -p \"" folder "\""); inside = 1 }
		inside { print >file }' "$TOP/docs/from-your-script.md"
	for tree in "$SCRATCH"/tree*; do
		run_reconcile validate -C "$tree"
		assert_status 0
		n=$((n + 1))
	done
	((n == 5)) || fail "expected 5 trees, found $n"
}

@test "every command that the guides name is one" {
	local name commands

	commands=$("$RECONCILE" --help | awk '/^Commands:/ {on = 1; next} /^$/ {on = 0} on {print $1}')
	for name in $(grep -ohE '`(sudo )?reconcile [a-z]+|^ +(sudo )?reconcile [a-z]+' \
		"$TOP"/docs/field-guide.md "$TOP"/docs/from-your-script.md "$TOP/README.md" |
		awk '{print $NF}' | sort -u); do
		grep -qx "$name" <<<"$commands" || fail "reconcile $name: there is no such command"
	done
}
