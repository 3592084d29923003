#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 20
#
# Many of everything: nothing takes longer than a hang guard allows. How long exactly is for make bench.
# timeout: 900
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree

setup()
{
	need_root
	GUARD=60
	scratch_open
	tree_open
	in_ns mount -t tmpfs -o size=512m,nr_inodes=200k,mode=0755 tmpfs "$AREA"
}

teardown()
{
	scratch_close
}

# last_line TEXT: where there are tens of thousands
last_line()
{
	assert_equal "$1" "$(tail -n 1 "$SCRATCH/.stdout")"
}

# all_commands WANTED: validate, plan, apply, plan, apply again, status and history with so many
all_commands()
{
	run_node validate
	assert_status 0
	run_node plan
	assert_status 2
	last_line "Plan: $1 to change."
	run_node apply --yes
	assert_status 0
	last_line "Applied: $1 changed (run 1)."
	run_node plan
	assert_status 0
	last_line "Plan: $1 in sync."
	run_node apply --yes
	assert_status 0
	run_node status
	assert_status 0
	run_node history show 1 --json
	assert_equal "$1" "$(jq '.steps | length' "$SCRATCH/.stdout")"
}

@test "10000 files in 100 directories" {
	{
		echo "resources:"
		for d in {1..100}; do
			echo "  - {kind: directory, path: $AREA/d$d}"
			for f in {1..100}; do
				echo "  - {kind: file, path: $AREA/d$d/f$f, content: \"$d $f\\n\"}"
			done
		done
	} | node_file
	all_commands 10100
}

@test "1000 mounts" {
	{
		echo "mounts:"
		for m in {1..1000}; do
			echo "  $AREA/m$m: {source: tmpfs, type: tmpfs, options: [size=64k], manage: live}"
		done
	} | node_file
	all_commands 1000
}

@test "10000 mounts are validated and planned" {
	{
		echo "mounts:"
		for m in {1..10000}; do
			echo "  $AREA/m$m: {source: tmpfs, type: tmpfs, options: [size=64k], manage: live}"
		done
	} | node_file
	run_node validate
	assert_status 0
	run_node plan
	assert_status 2
	last_line "Plan: 10000 to change."
}

@test "a chain of 5000 needs" {
	policy chain <<END
    for i = 1, 5000 do
      plan:directory{path = "$AREA/c" .. i, reason = "r", after = i < 5000 and {"directory:$AREA/c" .. (i + 1)} or nil}
    end
END
	node_file </dev/null
	run_node plan
	assert_status 2
	last_line "Plan: 5000 to change."
}

@test "a directory 60 deep, and a name as long as names can be" {
	path=$AREA
	{
		echo "resources:"
		for d in {1..60}; do
			path+=/d$d
			echo "  - {kind: directory, path: $path}"
		done
		echo "  - {kind: file, path: $path/$(printf 'n%.0s' {1..240}), content: x}"
	} | node_file
	run_node apply --yes
	assert_status 0
	run_node plan
	assert_status 0
}

@test "200 node files and 200 roles" {
	for n in {1..200}; do
		put "$TREE/state/roles/r$n.yaml" <<<"{version: 1, packages: {pkg-$n: {}}}"
		put "$TREE/state/nodes/n$n.yaml" <<<"{version: 1, nodes: [\"node-$n\"], roles: [r$n]}"
	done
	run_node validate
	assert_status 0
	assert_output -p "200 node entries"
	NODE=node-77
	run_node show
	assert_status 0
	assert_output -p "pkg-77"
}
