# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The node of an apt root: what it should be, and the program in there. Needs common.bash, and
# aptroot.bash or one that is made of it.
#
#	aptnode_open		a scratch folder, a fresh root and the program in it
#	wanted <<YAML		what the node should be; version and nodes are put before it
#	at_node COMMAND ARG...	the program, in the root
#	offer			what is made is published, and apt has seen it
#	traces			what can be seen of each file below the folders of TRACES
#	settled			a second apply and a plan find nothing to do, and leave those as they are

TRACES=(/var/lib/dpkg /var/lib/apt /var/cache/apt)

aptnode_open()
{
	GUARD=120
	scratch_open
	aptroot_open
	PROGRAM=$(root_program "$RECONCILE")
}

wanted()
{
	{
		echo 'version: 1'
		echo 'nodes: ["n"]'
		cat
	} | put "$(root_file /etc/reconcile)/state/nodes/n.yaml"
}

at_node()
{
	run_within "$GUARD" in_root "$PROGRAM" --node n "$@"
}

offer()
{
	publish && apt_get update >/dev/null
}

traces()
{
	in_root find "${TRACES[@]}" -printf '%p %i %s %T@ %C@\n' | sort
}

settled()
{
	local before

	before=$(traces)
	at_node apply --yes
	assert_status 0
	at_node plan
	assert_status 0
	assert_equal "$before" "$(traces)"
}
