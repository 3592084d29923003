# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A tree of desired state below $SCRATCH for one node, and an area for it to manage. Needs
# common.bash.
#
#	tree_open [NODE]	sets TREE and AREA (a folder that is there), NODE=n; run_node then acts on it
#	node_file <YAML		state/nodes/n.yaml: version and nodes are put before it
#	policy NAME <LUA	policies/NAME.lua
#	run_node COMMAND ...	run_reconcile with this tree and node; node_run: the same without run_within
#	assert_untouched	nothing in AREA and no mount is other than at the last mark_area
#	leftovers, none_left	whether processes of the program live on
#	refused COMMAND ...	it fails: status 1, an error on stderr, nothing on stdout but JSON, AREA untouched

tree_open()
{
	NODE=${1:-n}
	TREE=$SCRATCH/tree
	AREA=$SCRATCH/area
	mkdir -p "$TREE/state/nodes" "$TREE/policies" "$AREA"
}

node_file()
{
	{
		printf 'version: 1\nnodes: ["%s"]\n' "$NODE"
		cat
	} | put "$TREE/state/nodes/$NODE.yaml"
}

# policy NAME <LUA: the body of plan(want, facts, plan), which begins at line 4
policy()
{
	{
		printf 'return {\n  name = "%s", summary = "of a test", handles = {},\n  plan = function(want, facts, plan)\n' "$1"
		cat
		printf '  end,\n}\n'
	} | put "$TREE/policies/$1.lua"
}

node_run()
{
	reconcile "$@" -C "$TREE" --node "$NODE"
}

run_node()
{
	run_within "$GUARD" node_run "$@"
}

mark_area()
{
	AREA_BEFORE=$(footprint "$AREA")
	MOUNTS_BEFORE=$(mounts_listed)
}

# mounts_listed: the mount table of the test's namespace, with the numbers of the mounts
mounts_listed()
{
	cat "/proc/$(ns_pid)/mountinfo"
}

assert_untouched()
{
	assert_equal "$AREA_BEFORE" "$(footprint "$AREA")"
	assert_equal "$MOUNTS_BEFORE" "$(mounts_listed)"
}

# intents_recorded: how many changes the history knows of, in all runs
intents_recorded()
{
	local run total=0

	[[ -e $SCRATCH/history.db ]] || {
		echo 0
		return
	}
	for run in $(reconcile history --json --limit 1000 | jq '.[].run'); do
		((total += $(reconcile history show "$run" --json | jq '.steps | length'))) || :
	done
	echo "$total"
}

refused()
{
	local before

	before=$(intents_recorded)
	mark_area
	run_node "$@"
	assert_status 1
	assert_stderr -p "error: "
	[[ " $* " == *" --json "* ]] || refute_output
	assert_untouched
	assert_equal "$before" "$(intents_recorded)"
}

# leftovers: pids of the program that still live in the test's namespace
leftovers()
{
	local pid found=

	for pid in $(_members "$(readlink "/proc/$(ns_pid)/ns/mnt")"); do
		[[ $(readlink "/proc/$pid/exe") != "$RECONCILE" ]] || found+=" $pid"
	done
	[[ -n $found ]] && echo "$found"
}

# none_left: nobody of the program lives in the test's namespace
none_left()
{
	! leftovers >/dev/null
}
