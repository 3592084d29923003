#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 40
#
# Reboots by a real Slurm: slurmctld, slurmd and munge of this machine's release, in a root and a
# network of their own. Only its RebootProgram is ours: it writes down that it was called, and slurmd
# is started anew as after a boot. The node is called compute7 there, and its host otherwise.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/bootroot
load support/slurm

LEDGER=/var/lib/reconcile/reboots.json
RUNS=$(uname -r)
OURS="reconcile: reboot into $RUNS"

setup()
{
	GUARD=120
	scratch_open
	slurm_tools
	bootroot_open
	slurm_open
	boot_kernel "$RUNS"
	in_root update-grub 2>"$SCRATCH/.update-grub" || fail "$(<"$SCRATCH/.update-grub")"
	PROGRAM=$(root_program "$RECONCILE")
	put "$(root_file /etc/reconcile)/policies/reboot.lua" <<<"return {
  name = 'reboot', summary = 'of a test', handles = { 'reboot' },
  plan = function(want, facts, plan)
    plan:kernel{ boot_default = '$RUNS', reason = 'a test' }
    plan:reboot(lib.with(want.reboot, { into = '$RUNS', renew = 'a module is old', reason = 'a test' }))
  end,
}"
	wanted '{}'
}

teardown()
{
	scratch_close
}

# wanted MOUNTS: and reboots by Slurm
wanted()
{
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<END
version: 1
nodes: [n]
kernel: {strategy: follow}
reboot: {when: slurm, per_day: 9}
mounts: $1
END
}

at_node()
{
	run_within "$GUARD" in_slurm "$PROGRAM" --node n "$@"
}

ledger()
{
	in_root cat "$LEDGER" | jq -r "$1"
}

# asked_for: a reboot, drained with our reason
asked_for()
{
	at_node apply --yes
	assert_status 4
	assert_output -p "the node is going down, to come up with $RUNS"
}

# rebooted: Slurm has carried it out, slurmd is there again, and under the shipped policies nothing
# is left to be rebooted for
rebooted()
{
	local text

	wait_for 60 in_root test -e /root/rebooted
	slurmd_again
	text=$(ledger '.reboots[-1].boot_id = "another"') && in_root bash -c 'cat >"$1"' _ "$LEDGER" <<<"$text"
	in_root rm -f /etc/reconcile/policies/reboot.lua
}

@test "a busy node is drained, rebooted when its job has ended, and resumed when it is whole" {
	in_slurm sbatch -n1 -w compute7 -o /dev/null --wrap 'sleep 3'
	wait_for 60 job_runs
	asked_for
	assert_equal "$OURS" "$(slurm_says Reason)"
	[[ $(slurm_says State) == *+DRAIN* ]]
	# not lost, not asked for twice, and the job goes on
	at_node apply --yes
	assert_status 4
	[[ $(slurm_says State) == *REBOOT* ]]
	in_root test ! -e /root/rebooted
	job_runs
	rebooted
	# whatever ReturnToService says
	assert_equal "IDLE+DRAIN" "$(slurm_says State)"
	wanted '{/data: {source: /dev/nothing, type: ext4}}'
	at_node plan
	assert_status 2
	at_node apply --yes
	assert_status 5
	assert_equal "IDLE+DRAIN" "$(slurm_says State)"
	wanted '{/data: {source: tmpfs, type: tmpfs}}'
	at_node plan
	assert_status 2
	assert_output -e 'drained +yes → no'
	assert_equal "IDLE+DRAIN" "$(slurm_says State)"
	at_node apply --yes
	assert_status 0
	assert_equal "IDLE " "$(slurm_says State) $(slurm_says Reason)"
	assert_equal "arrived true" "$(ledger '.reboots[-1] | "\(.result) \(.resumed)"')"
	assert_equal 1 "$(in_root wc -l </dev/null /root/rebooted | cut -d ' ' -f 1)"
	# what Slurm keeps from work later is not ours, and is not even asked for
	in_slurm scontrol update NodeName=compute7 State=DRAIN Reason="$OURS"
	at_node apply --yes
	assert_status 0
	assert_equal "IDLE+DRAIN" "$(slurm_says State)"
}

@test "somebody else's drain is neither taken for ours nor taken away" {
	in_slurm scontrol update NodeName=compute7 State=DRAIN Reason="disk is old"
	at_node apply --yes
	assert_status 4
	assert_output -p "Slurm keeps compute7 from work for another reason: disk is old"
	assert_equal "IDLE+DRAIN disk is old" "$(slurm_says State) $(slurm_says Reason)"
	in_root test ! -e "$LEDGER" || assert_equal 0 "$(ledger '.reboots | length')"
	in_slurm scontrol update NodeName=compute7 State=RESUME
	asked_for
	rebooted
	for reason in "disk is old" "$OURS, and the disk is old" "${OURS}0"; do
		in_slurm scontrol update NodeName=compute7 State=DRAIN Reason="$reason"
		at_node apply --yes
		assert_status 0
		assert_equal "IDLE+DRAIN $reason" "$(slurm_says State) $(slurm_says Reason)"
	done
}

@test "while Slurm does not answer nothing is known, and the next run asks again" {
	asked_for
	rebooted
	slurmctld_ends
	at_node apply --yes
	assert_status 6
	assert_output -p "Slurm does not say whether it keeps this node from work"
	assert_equal false "$(ledger '.reboots[-1].resumed')"
	slurmctld_starts
	wait_for 60 is_node IDLE+DRAIN
	at_node apply --yes
	assert_status 0
	assert_equal "IDLE " "$(slurm_says State) $(slurm_says Reason)"
}

# scontrol_fails: to ask for a reboot, after the controller has heard of it or, with `before`, without
scontrol_fails()
{
	local real

	real=$(in_root readlink -f "$(in_root bash -c 'command -v scontrol')")
	in_root bash -c 'cat >/usr/local/sbin/scontrol && chmod 0755 /usr/local/sbin/scontrol' <<-END
		#!/bin/bash
		[[ \$1 == reboot ]] || exec $real "\$@"
		[[ "$1" == before ]] || $real "\$@"
		echo "slurm_reboot_nodes error: Socket timed out on send/recv operation" >&2
		exit 1
	END
}

@test "a scontrol that fails after the controller took the reboot undoes nothing, and it counts" {
	in_slurm sbatch -n1 -w compute7 -o /dev/null --wrap 'sleep 3'
	wait_for 20 job_runs
	scontrol_fails after
	asked_for
	[[ $(slurm_says State) == *+DRAIN* && $(slurm_says State) == *REBOOT* ]]
	rebooted
	at_node apply --yes
	assert_status 0
	assert_equal "IDLE " "$(slurm_says State) $(slurm_says Reason)"
	assert_equal "arrived true" "$(ledger '.reboots[-1] | "\(.result) \(.resumed)"')"
}

@test "a scontrol that fails before that leaves the node to its work" {
	scontrol_fails before
	at_node apply --yes
	assert_status 5
	assert_equal "IDLE " "$(slurm_says State) $(slurm_says Reason)"
	assert_equal failed "$(ledger '.reboots[-1].result')"
}
