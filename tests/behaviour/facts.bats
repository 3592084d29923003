#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Facts: one, a kind, all that a plan reads; recorded and planned for elsewhere; and the plans of the recorded
# nodes of the examples, as they stand in examples/*/expected. After a change that is meant:
#
#	UPDATE_EXPECTED=1 bats -f expected tests/behaviour/facts.bats, and read the diff
#
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

@test "of a recording one fact or one kind is shown without a tree" {
	put "$SCRATCH/facts.json" <<-END
		{"reconcile_facts": 1, "facts": [
		  {"kind": "package", "key": "tool", "state": "present", "version": "1.0", "status": "installed"},
		  {"kind": "package", "key": "other", "state": "absent"}]}
	END
	run_within "$GUARD" reconcile facts package:tool --facts "$SCRATCH/facts.json" -C "$SCRATCH/no-tree"
	assert_status 0
	assert_output -p "1.0"
	run_within "$GUARD" reconcile facts package --facts "$SCRATCH/facts.json" -C "$SCRATCH/no-tree" --json
	assert_status 0
	assert_equal "other tool" "$(jq -r '[.facts[].key] | sort | join(" ")' <<<"$output")"
	run_within "$GUARD" reconcile facts hold:tool --facts "$SCRATCH/facts.json" -C "$SCRATCH/no-tree"
	assert_status 0
	assert_output -p "not in the recorded facts"
}

@test "one fact, all of a kind, and as JSON the same" {
	in_ns "mkdir $AREA/d; chmod 0711 $AREA/d"
	run_reconcile facts "directory:$AREA/d"
	assert_status 0
	assert_line -e "^directory:$AREA/d +present$"
	assert_line -e '^ +mode +0711$'
	run_reconcile facts "directory:$AREA/none"
	assert_status 0
	assert_line -e "^directory:$AREA/none +absent$"
	run_reconcile facts mount
	text=$(grep -c '^mount:' <<<"$output")
	run_reconcile facts mount --json
	assert_equal "$text" "$(jq '.facts | length' <<<"$output")"
	assert_equal proc "$(jq -r '.facts[] | select(.key == "/proc") | .type' <<<"$output")"
	run_reconcile facts node --json
	assert_equal "$(uname -m)" "$(jq -r '.facts[0].architecture' <<<"$output")"
	run_reconcile facts kernel --json
	assert_equal "$(uname -r)" "$(jq -r '.facts[0].running' <<<"$output")"
	run_reconcile facts "filesystem:tmpfs" --json
	assert_equal present "$(jq -r '.facts[0].state' <<<"$output")"
}

@test "a kind that cannot be listed says so" {
	run_reconcile facts directory
	assert_status 1
	assert_stderr -p "name one as directory:"
}

@test "the facts of a plan, recorded, give the same plan" {
	need_root
	node_file <<END
mounts:
  $AREA/m: {source: tmpfs, type: tmpfs, options: [size=1m], manage: live}
resources:
  - {kind: directory, path: $AREA/m/d}
  - {kind: directory, path: $AREA/a, mode: "0700"}
  - {kind: file, path: $AREA/a/f, content: "x"}
  - {kind: command, name: c, argv: ["true"], creates: $AREA/never}
END
	in_ns mkdir "$AREA/a"
	run_node facts --json
	assert_status 0
	put "$SCRATCH/facts.json" <<<"$output"
	run_node plan
	assert_status 2
	live=$(sed 1d <<<"$output")
	in_ns rmdir "$AREA/a"
	run_node plan --facts "$SCRATCH/facts.json"
	assert_status 2
	assert_equal "$live" "$(sed 1d <<<"$output")"
	run_reconcile plan -C "$TREE" --node n --facts "$SCRATCH/facts.json" --json
	assert_equal 2 "$(jq .exit_code <<<"$output")"
	mark_area
	run_node apply --facts "$SCRATCH/facts.json"
	assert_status 1
	assert_untouched
}

@test "what was not recorded is undetermined, never absent" {
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	put "$SCRATCH/facts.json" <<<'{"reconcile_facts": 1, "facts": []}'
	run_node plan --facts "$SCRATCH/facts.json"
	assert_status 6
	assert_output -p "undetermined"
	assert_output -p "not in the recorded facts"
}

@test "the same facts and tree give the same plan, byte for byte" {
	local first

	cp -r "$TOP/examples/parallelcluster" "$SCRATCH/pc"
	chmod -R go-w "$SCRATCH/pc"
	run_reconcile plan -C "$SCRATCH/pc" --facts "$SCRATCH/pc/facts/compute-kernel-moved.json" --json
	first=$output
	for _ in 1 2 3; do
		run_reconcile plan -C "$SCRATCH/pc" --facts "$SCRATCH/pc/facts/compute-kernel-moved.json" --json
		assert_equal "$first" "$output"
	done
}

# ---- the examples

# as_expected EXAMPLE: each recording gives the plan that stands in expected/NAME.txt, the exit code in its last
# line. Where in a shipped policy something was planned may move.
as_expected()
{
	local example=$1 facts name expected plan count=0

	cp -r "$TOP/examples/$example" "$SCRATCH/$example"
	chmod -R go-w "$SCRATCH/$example"
	for facts in "$SCRATCH/$example"/facts/*.json; do
		name=$(basename "$facts" .json)
		expected=$TOP/examples/$example/expected/$name.txt
		run_reconcile plan -C "$SCRATCH/$example" --facts "$facts"
		plan=$(sed -E "s|$SCRATCH/||g; s|(shipped:[^ ]*\.lua):[0-9]+|\1|" <<<"$output"; echo "exit code $status")
		refute_stderr
		if [[ -n ${UPDATE_EXPECTED:-} ]]; then
			mkdir -p "$(dirname "$expected")"
			echo "$plan" >"$expected"
		fi
		assert_equal "$(<"$expected")" "$plan"
		((++count))
	done
	((count >= 3))
	assert_equal "$(cd "$TOP/examples/$example/facts" && ls | sed 's/\.json$//')" \
		"$(cd "$TOP/examples/$example/expected" && ls | sed 's/\.txt$//')"
}

@test "parallelcluster: the recorded nodes have the expected plans" {
	as_expected parallelcluster
}

@test "beegfs: the recorded nodes have the expected plans" {
	as_expected beegfs
}

@test "eks: the recorded nodes have the expected plans" {
	as_expected eks
}

# moved FILTER: of the plan for the node whose kernel moved
moved()
{
	jq -r "$1" <<<"$MOVED"
}

@test "the node whose kernel moved cannot have /lustre, and is told why; /fsx stays" {
	cp -r "$TOP/examples/parallelcluster" "$SCRATCH/pc"
	chmod -R go-w "$SCRATCH/pc"
	run_reconcile plan -C "$SCRATCH/pc" --facts "$SCRATCH/pc/facts/compute-kernel-moved.json" --json
	MOVED=$output
	assert_equal blocked "$(moved '.steps[] | select(.id == "mount:/lustre") | .outcome')"
	[[ $(moved '.steps[] | select(.id == "mount:/lustre") | .why') == *"6.8.0-1042-aws"*"lustre-client-modules-6.8.0-1042-aws is not published"*"6.8.0-1039-aws has one"* ]]
	assert_equal kept "$(moved '.steps[] | select(.id == "mount:/fsx") | .outcome')"
	assert_equal "4" "$(moved '[.steps[] | select(.kind == "data_repository" and .outcome == "blocked")] | length')"
	assert_equal "kept observe" "$(moved '.steps[] | select(.id == "mount:/scratch") | "\(.outcome) \(.wanted.manage)"')"
}
