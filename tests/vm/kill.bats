#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1800
# The repair is killed where it stands; the next run brings the node to the same end, and the history
# tells of both.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

# kill_when CONDITION [NAME...]: starts the repair, kills the program (and the processes so named) with
# -9 as soon as the shell condition holds
kill_when()
{
	local condition=$1 names
	shift
	names=$(IFS='|'; echo "$*")
	guest "reconcile apply --yes >/tmp/first 2>&1 &
		pid=\$!
		for i in \$(seq 600); do
			if $condition; then break; fi
			kill -0 \$pid 2>/dev/null || { cat /tmp/first; echo 'it ended before'; exit 1; }
			sleep 0.02
		done
		kill -9 \$pid; wait \$pid 2>/dev/null
		if [ -n '$names' ]; then pkill -9 -x '$names'; fi
		for i in \$(seq 300); do pgrep -x 'apt-get|dpkg' >/dev/null || break; sleep 0.2; done
		cat /proc/mounts | grep lustre; dpkg-query -W 'lustre-client-modules-*'"
}

converges()
{
	apply
	assert_status 0
	guest dpkg --audit
	refute_output
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
	settled
	reconcile history
	assert_status 0
	assert_output -e 'cut|interrupted|killed|not finished'
}

@test "killed when the first change has begun" {
	# what is printed comes before what is recorded, and that before what is done
	kill_when 'grep -q ^Plan: /tmp/first && sleep 1'
	converges
}

@test "killed while the package is fetched and unpacked" {
	kill_when 'pgrep -x dpkg >/dev/null'
	converges
}

@test "killed with the package manager in the middle of it, as by a power cut" {
	kill_when "dpkg-query -W -f '\${Status}' lustre-client-modules-$B 2>/dev/null | grep -qE 'unpacked|half'" \
		apt-get dpkg depmod
	converges
}

@test "killed while the file system is mounted" {
	guest 'echo options lustre stall=8 >/etc/modprobe.d/slow.conf'
	kill_when 'pgrep -x mount.lustre >/dev/null'
	guest 'sleep 9'
	converges
}

@test "killed when all was done and nothing of it recorded" {
	kill_when 'findmnt /lustre >/dev/null'
	converges
}
