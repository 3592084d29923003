#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `validate` and `show`: every fault of a tree in one pass with its place, and what a tree says in
# the end.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree

setup()
{
	GUARD=10
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

@test "the trees of the examples and the example of every section are valid" {
	local example

	for example in first-node parallelcluster; do
		cp -r "$TOP/examples/$example" "$SCRATCH/$example"
		chmod -R go-w "$SCRATCH/$example"
		run_reconcile validate -C "$SCRATCH/$example"
		assert_status 0
		assert_output -p "$SCRATCH/$example is valid"
		refute_stderr
	done
}

@test "all sections are understood" {
	put "$TREE/state/roles/compute.yaml" <<'END'
version: 1
mode: safe
kernel: {release: 6.8.0-1039-aws, strategy: pin}
reboot: {when: window, window: "Sun 02:00-05:00 Asia/Seoul", per_day: 1, attempts_per_kernel: 2}
modules:
  lustre: {package: "lustre-client-modules-{kernel}", version: "2.15.6-1fsx*", filesystem: lustre}
mounts:
  /lustre: {source: "10.1.30.23@tcp:/czrc3amv", type: lustre, options: [relatime, flock, _netdev], manage: live}
data_repositories:
  /lustre/data: {repository: "s3://BUCKET/data/", file_system: fs-04cb64a224a31f75d, region: ap-northeast-2, import: [NEW, CHANGED], manage: observe}
packages:
  lustre-client-utils: {version: "2.15.*"}
holds: [linux-aws, linux-image-aws, linux-headers-aws]
resources:
  - {kind: file, path: /etc/motd.d/reconcile, content: "managed\n", mode: "0644"}
END
	put "$TREE/state/nodes/compute.yaml" <<<'{version: 1, nodes: ["compute-*"], roles: [compute], holds: [own]}'
	run_reconcile validate -C "$TREE"
	assert_status 0
	assert_output -p "$TREE is valid: 2 files, 1 node entry,"
	run_reconcile show -C "$TREE" --node compute-1
	assert_status 0
	assert_line -e '^  linux-aws: .*# .*/roles/compute.yaml:13:9$'
	assert_line -e '^  own: .*# .*/nodes/compute.yaml:1:[0-9]+$'
	assert_line -e '^    options: \[relatime, flock, _netdev\] +# .*/roles/compute.yaml:8:'
	assert_line -p "# node compute-1, named by --node"
}

@test "every fault is told in one pass, with place, line, caret and what was expected" {
	node_file <<'END'
mont:
  /x: {}
mounts:
  /a: {source: tmpfs, type: tmpfs, optoins: [x], manage: lve}
  rel: {source: tmpfs, type: tmpfs}
  /a/../b: {source: tmpfs, type: tmpfs}
  /c: 5
resources:
  - {kind: fil, path: /x}
  - {kind: file, path: x, mode: 0644}
  - {kind: file, path: /x, mode: "644", content: 5}
  - {kind: directory, path: /q, size: 7}
  - {path: /x}
mode: quick
END
	run_reconcile validate -C "$TREE"
	assert_status 1
	refute_output
	file=$TREE/state/nodes/n.yaml
	assert_stderr_line -p "$file:3:1: error: 'mont' is no section"
	assert_stderr_line -p "$file:6:36: error: mounts./a: unknown key 'optoins'"
	assert_stderr_line "       = did you mean 'options'?"
	assert_stderr_line '     6 |   /a: {source: tmpfs, type: tmpfs, optoins: [x], manage: lve}'
	assert_stderr_line '       |                                    ^'
	assert_stderr_line -e "$file:6:58: error: mounts./a.manage: .*expected one of full, live, observe"
	assert_stderr_line -e "$file:7:3: error: .*relative, expected an absolute path"
	assert_stderr_line -e "$file:8:3: error: .*\"\.\.\""
	assert_stderr_line -e "$file:9:7: error: mounts./c: expected a map"
	assert_stderr_line -e "$file:11:12: error: .*'fil' is no kind"
	assert_stderr_line -e "$file:12:24: error: .*relative"
	assert_stderr_line -e "$file:12:33: error: .*quotes, expected \"0644\""
	assert_stderr_line -e "$file:13:34: error: .*\"644\" is no mode"
	assert_stderr_line -e "$file:13:50: error: .*expected text"
	assert_stderr_line -e "$file:14:33: error: .*unknown key 'size'"
	assert_stderr_line -e "$file:15:5: error: .*kind is missing"
	assert_stderr_line -e "$file:16:7: error: mode: \"quick\""
	assert_stderr -p "14 faults"
}

@test "faults of several files come together, and --json has each with its place" {
	node_file <<<'roles: [r]'
	put "$TREE/state/roles/r.yaml" <<<$'version: 1\nholds: 5'
	put "$TREE/state/defaults.yaml" <<<$'version: 1\npakages: {}'
	run_reconcile validate -C "$TREE" --json
	assert_status 1
	jq -e . <<<"$output" >/dev/null
	assert_equal "$TREE/state/defaults.yaml:2:1 $TREE/state/roles/r.yaml:2:8" \
		"$(jq -r '.errors[] | "\(.file):\(.line):\(.column)"' <<<"$output" | sort | xargs)"
}

@test "a Lua file that does not compile is a fault of the tree" {
	node_file </dev/null
	put "$TREE/policies/bad.lua" <<<$'return {\n  name = = 5,\n}'
	run_reconcile validate -C "$TREE"
	assert_status 1
	assert_stderr -e "$TREE/policies/bad.lua:2: error: "
}

@test "nodes: an exact name beats a glob, a longer literal part a shorter, equal right is an error" {
	put "$TREE/state/nodes/a.yaml" <<<'{version: 1, nodes: ["compute-*"], holds: [glob]}'
	put "$TREE/state/nodes/b.yaml" <<<'{version: 1, nodes: ["compute-gpu-*"], holds: [longer]}'
	put "$TREE/state/nodes/c.yaml" <<<'{version: 1, nodes: ["compute-gpu-1"], holds: [exact]}'
	run_reconcile show -C "$TREE" --node compute-gpu-1 --json
	assert_equal exact "$(jq -r '.state.holds | keys[]' <<<"$output")"
	run_reconcile show -C "$TREE" --node compute-gpu-2 --json
	assert_equal longer "$(jq -r '.state.holds | keys[]' <<<"$output")"
	run_reconcile show -C "$TREE" --node compute-2 --json
	assert_equal glob "$(jq -r '.state.holds | keys[]' <<<"$output")"
	put "$TREE/state/nodes/d.yaml" <<<'{version: 1, nodes: ["*-gpu-1tail"]}'
	put "$TREE/state/nodes/e.yaml" <<<'{version: 1, nodes: ["compute-gpu-1"]}'
	NODE=compute-gpu-1
	run_node show
	assert_status 1
	assert_stderr -p "state/nodes/c.yaml"
	assert_stderr -p "state/nodes/e.yaml"
}

@test "collections merge, lists inside a value replace, unmanaged drops, each value knows its line" {
	put "$TREE/state/defaults.yaml" <<'END'
version: 1
holds: [one, two]
mounts:
  /m: {source: tmpfs, type: tmpfs, options: [nosuid, nodev], manage: live}
END
	node_file <<'END'
holds: {three: {}, one: {state: unmanaged}}
mounts:
  /m: {options: [noexec]}
END
	run_node show --json
	assert_status 0
	assert_equal '["three","two"]' "$(jq -c '[.state.holds | to_entries[] | select(.value.state != "unmanaged") | .key]' <<<"$output")"
	assert_equal '["noexec"]' "$(jq -c '.state.mounts["/m"].options' <<<"$output")"
	assert_equal tmpfs "$(jq -r '.state.mounts["/m"].source' <<<"$output")"
	assert_equal "$TREE/state/nodes/n.yaml:5" \
		"$(jq -r '.places.mounts["/m"].options | "\(.file):\(.line)"' <<<"$output")"
	assert_equal "$TREE/state/defaults.yaml:4" \
		"$(jq -r '.places.mounts["/m"].source | "\(.file):\(.line)"' <<<"$output")"
}

@test "the node is named by --node, else by node.yaml, else by the host, and show says which" {
	need_root
	NODE=$(uname -n)
	NODE=${NODE%%.*}
	node_file </dev/null
	put "$TREE/state/nodes/other.yaml" <<<'{version: 1, nodes: [other]}'
	put "$TREE/state/roles/extra.yaml" <<<'{version: 1, holds: [extra]}'
	ns_overlay /etc
	in_ns "mkdir -p /etc/reconcile; rm -f /etc/reconcile/node.yaml"
	run_reconcile show -C "$TREE"
	assert_status 0
	assert_output -p "# node $NODE, named by the host name"
	in_ns "echo '{name: other, roles: [extra]}' >/etc/reconcile/node.yaml"
	run_reconcile show -C "$TREE"
	assert_status 0
	assert_output -p "# node other, named by /etc/reconcile/node.yaml"
	assert_output -p "extra:"
	run_reconcile show -C "$TREE" --node "$NODE"
	assert_output -p "# node $NODE, named by --node"
}
