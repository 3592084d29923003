#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a run may do where nobody is asked: modes, marks, and work that waits for jobs, which are
# counted from the processes of this node alone. The modes of apply as such stand in apply.bats.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	need_command jq
	scratch_open
	tree_open
	need_command apt-get
	ns_overlay /etc /var/lib /var/cache
}

teardown()
{
	scratch_close
}

# Each kind of change there is: no mark, under jobs (a package source that goes), disruptive (an
# unmount).
three_changes()
{
	in_ns "mkdir -p /etc/apt/sources.list.d '$AREA/m'
		printf 'Types: deb\nURIs: file:/nowhere\nSuites: ./\n' >/etc/apt/sources.list.d/old.sources
		rmdir '$AREA/d' 2>/dev/null || :"
	mount_of "$AREA/m" >/dev/null || in_ns mount -t tmpfs tmpfs "$AREA/m"
	node_file <<END
mode: $1
mounts: {$AREA/m: {state: absent, manage: live}}
resources:
  - {kind: directory, path: $AREA/d}
  - {kind: package_source, name: old, state: absent}
END
}

# A process takes the name in this test's namespace alone: a test beside this one would take a real
# one for a job of its node.
# slurm_process NAME [ARGUMENT]: sets PROCESS
slurm_process()
{
	nsenter -t "$(ns_pid)" -m sleep 600 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	PROCESS=$!
	disown
	at_end stop "$PROCESS"
	wait_for 10 _is_named "$PROCESS" sleep
	echo "$1" >"$SCRATCH/comm-$1"
	printf '%s\0' "$1:" ${2:+"$2"} >"$SCRATCH/cmdline-$1"
	in_ns "mount --bind '$SCRATCH/comm-$1' /proc/$PROCESS/comm
		mount --bind '$SCRATCH/cmdline-$1' /proc/$PROCESS/cmdline"
}

stop()
{
	kill -KILL "$1" 2>/dev/null || :
}

# did MADE REMOVED UNMOUNTED: what of the three is so now, "yes" or "no"
did()
{
	local made=no removed=no unmounted=no

	in_ns test -d "$AREA/d" && made=yes
	in_ns test ! -e /etc/apt/sources.list.d/old.sources && removed=yes
	mount_of "$AREA/m" >/dev/null || unmounted=yes
	assert_equal "$*" "$made $removed $unmounted"
}

@test "observe: all is told, nothing is changed, and --allow does not help" {
	three_changes observe
	run_node run --once
	assert_status 4
	assert_equal 3 "$(grep -c "mode: observe makes no changes" <<<"$output")"
	did no no no
	run_node apply --yes --allow disruptive,irreversible,reboot
	assert_status 4
	did no no no
	run_node history --json
	assert_equal observe "$(jq -r '.[0].mode' <<<"$output")"
}

@test "safe: what carries no mark, and work under jobs while no job runs" {
	three_changes safe
	run_node run --once
	assert_status 4
	assert_output -e "disruptive: not done unattended in mode safe"
	did yes yes no
}

@test "no mode said is safe" {
	three_changes safe
	sed -i /^mode:/d "$TREE/state/nodes/n.yaml"
	run_node run --once
	assert_status 4
	did yes yes no
}

@test "full: disruptive changes too, and work under jobs whether or not one runs" {
	slurm_process slurmstepd "[17.0]"
	three_changes full
	run_node run --once
	assert_status 0
	did yes yes yes
}

@test "safe: while a job runs, what would disturb it waits and says so; the rest goes on" {
	slurm_process slurmd
	slurm_process slurmstepd "[17.0]"
	three_changes safe
	run_node run --once
	assert_status 4
	assert_output -p "waits until no job runs on this node (1 now)"
	did yes no no
	# likewise by hand without a terminal, and with consent to something else
	run_node apply --yes --allow disruptive
	assert_output -p "waits until no job runs"
	did yes no yes
	stop "$PROCESS"
	run_node run --once
	assert_status 0
	did yes yes yes
}

@test "what is no job does not count: slurmd alone, and the step that keeps the cgroup" {
	slurm_process slurmd
	slurm_process slurmstepd infinity
	three_changes safe
	run_node run --once
	did yes yes no
}

@test "no word to the scheduler is needed, and none is sent" {
	ns_overlay /usr/local
	# found first in the PATH that the program gives to others
	in_ns "mkdir -p /usr/local/sbin; for p in scontrol squeue sinfo sacct srun; do
		printf '#!/bin/sh\necho \"\$0 \$*\" >>$AREA/called\nexit 1\n' >/usr/local/sbin/\$p; chmod 755 /usr/local/sbin/\$p
		done"
	slurm_process slurmstepd "[17.0]"
	three_changes safe
	run_node run --once
	assert_status 4
	run_node facts scheduler --json
	assert_equal 1 "$(jq '.facts[0].jobs' <<<"$output")"
	assert_missing "$AREA/called"
}

@test "a job that begins while a run is under way is not disturbed" {
	three_changes safe
	slurm_process slurmd
	# the one step waits for a job to be there, and comes first
	node_file <<END
mode: safe
resources:
  - {kind: command, name: before, argv: [sh, -c, 'touch $AREA/begun; while [ ! -e $AREA/end ]; do sleep 0.1; done; touch $AREA/done'], creates: $AREA/done}
END
	policy late <<<"    plan:package_source{name = 'old', state = 'absent', reason = 'r', after = {'command:before'}}"
	nsenter -t "$(ns_pid)" -m "$RECONCILE" run --once -C "$TREE" --node "$NODE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" </dev/null >"$SCRATCH/started" 2>&1 3>&- 4>&- &
	pid=$!
	at_end stop "$pid"
	wait_for 20 test -e "$AREA/begun"
	slurm_process slurmstepd "[18.batch]"
	in_ns touch "$AREA/end"
	code=0
	wait "$pid" || code=$?
	[[ $code == 4 ]] || fail "exit $code" "$(<"$SCRATCH/started")"
	grep -q "waits until no job runs on this node (1 now)" "$SCRATCH/started"
	in_ns test -e /etc/apt/sources.list.d/old.sources
}

@test "the mode binds run at a terminal as well" {
	need_command script
	three_changes observe
	script -qefc "nsenter -t $(ns_pid) -m '$RECONCILE' run --once -C '$TREE' --node n --history '$SCRATCH/history.db' --run-dir '$SCRATCH/run'" \
		"$SCRATCH/typescript" >/dev/null </dev/null || code=$?
	assert_equal 4 "$code"
	did no no no
}
