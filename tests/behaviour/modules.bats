#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Modules as libkmod sees them in the tree of a Debian kernel package. Nothing is loaded.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load support/common
load support/modtree

setup()
{
	GUARD=30
	scratch_open
	modtree_bind
	# the tree stands in for that of the running kernel
	in_ns ln -sfn "$MODTREE_RELEASE" "/lib/modules/$(uname -r)"
}

teardown()
{
	scratch_close
}

fact()
{
	run_reconcile facts "module:$1" --json
	assert_status 0
	fact=$(jq -c '.facts[0]' <<<"$output")
}

field()
{
	jq -r ".$1" <<<"$fact"
}

@test "a module that is not loaded is found with its file, by either dash" {
	need_command jq
	[[ ! -e /sys/module/xfs && ! -e /sys/module/nls_utf8 ]] || skip "this kernel has xfs"
	fact xfs
	assert_equal present "$(field state)"
	assert_equal false "$(field loaded)"
	[[ $(field file) == */kernel/fs/xfs/xfs.ko* ]]
}

@test "a module of the kernel image is built in" {
	need_command jq
	name=$(sed -n 's|.*/\(.*\)\.ko$|\1|p' "$MODTREE/lib/modules/$MODTREE_RELEASE/modules.builtin" | head -n 1)
	fact "$name"
	assert_equal true "$(field builtin)"
	assert_equal true "$(field loaded)"
}

@test "a module that nobody has is absent, with the reason" {
	need_command jq
	fact lustre
	assert_equal absent "$(field state)"
	[[ -n $(field obstacle) ]]
}

@test "a file that depmod has not seen is found and said" {
	need_command jq
	in_ns install -D -m 0644 /dev/null "/lib/modules/$MODTREE_RELEASE/updates/lustre.ko"
	fact lustre
	assert_equal present "$(field state)"
	assert_equal false "$(field loaded)"
	if [[ -e /proc/modules ]]; then
		assert_equal "$(field obstacle)" "$(field file) is in no index: depmod is needed"
	else
		assert_equal "$(field obstacle)" "the running kernel loads no modules: all it has is built in"
	fi
}

@test "with indexes that are gone every module is still found" {
	need_command jq
	[[ ! -e /sys/module/xfs ]] || skip "this kernel has xfs"
	in_ns rm "/lib/modules/$MODTREE_RELEASE/modules.dep.bin"
	fact xfs
	assert_equal present "$(field state)"
	[[ $(field file) == */kernel/fs/xfs/xfs.ko* ]]
}

@test "what a look at the tree tells is proved on the real tree" {
	run_within 60 in_ns "$BUILD/tests/unit/host/modules_test"
	assert_status 0
	refute_output -p "no module tree"
}

@test "a wanted module that cannot be loaded yet is blocked, calmly" {
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], resources: [{kind: module, name: lustre, loaded: true}]}'
	run_reconcile plan -C "$SCRATCH/tree" --node n
	assert_status 4
	# the line is wrapped where the reason before it ends
	assert_output -e "loading modules is not[[:space:]]+in this version of reconcile"
}
