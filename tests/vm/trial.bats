#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1800
# A kernel that never ran here is started once, and made the default only by checks that pass.

load support/vm
teardown() { vm_show; }

setup()
{
	vm_restore
	role <<-YAML
		version: 1
		mode: full
		kernel: {release: "$A", strategy: pin}
		reboot: {when: now, trial: true, per_day: 4, attempts_per_kernel: 1}
		modules:
		  lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}
		mounts:
		  /lustre: {source: "$SOURCE", type: lustre, manage: live}
	YAML
	cat >"$SCRATCH/boot.service" <<-'UNIT'
		[Unit]
		Description=reconcile at boot and every now and then

		[Service]
		Type=oneshot
		ExecStart=/usr/local/bin/reconcile run --once
		SuccessExitStatus=1 2 3 4 5 6 7

	UNIT
	cat >"$SCRATCH/boot.timer" <<-'UNIT'
		[Timer]
		OnBootSec=1s
		OnUnitInactiveSec=20s
		AccuracySec=1s

		[Install]
		WantedBy=timers.target
	UNIT
	"$VM/guest" put "$SCRATCH/boot.service" /etc/systemd/system/reconcile-test.service
	"$VM/guest" put "$SCRATCH/boot.timer" /etc/systemd/system/reconcile-test.timer
	guest 'systemctl -q enable reconcile-test.timer'
}

# runs RELEASE [CONDITION]: waits until this kernel runs, and the program has run there;
# the machine may start several times meanwhile
runs()
{
	local end=$((SECONDS + 600))
	while ((SECONDS < end)); do
		in_guest "test \$(uname -r) = $1 && ${2:-true} &&
			test \$(systemctl show -P InactiveEnterTimestampMonotonic reconcile-test.service) -gt 0"
		((status != 0)) || return 0
		sleep 1
	done
	fail "$1 does not run"
}

@test "a trial whose checks pass makes the kernel the default" {
	reconcile apply --yes
	runs "$A"
	assert_lustre_mounted
	apply
	assert_status 0
	assert_boots "$A"
	assert_boots_once
	settled
}

# in_a COMMAND: runs it early in every boot of kernel A, which no look at files could foretell
in_a()
{
	cat >"$SCRATCH/in-a.service" <<-UNIT
		[Unit]
		DefaultDependencies=no
		After=local-fs.target
		Before=sysinit.target

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -c 'test \$(uname -r) != $A || { cat /proc/sys/kernel/random/boot_id >>/var/lib/was-in-a; $1; }'

		[Install]
		WantedBy=sysinit.target
	UNIT
	"$VM/guest" put "$SCRATCH/in-a.service" /etc/systemd/system/in-a.service
	guest systemctl -q enable in-a.service
}

# It was in A once, runs B again as it did, and does not try A a second time (attempts_per_kernel).
assert_came_back()
{
	runs "$B" 'test -s /var/lib/was-in-a'
	guest 'for i in $(seq 60); do findmnt /lustre >/dev/null && break; sleep 1; done'
	assert_lustre_mounted
	assert_boots "$B"
	assert_boots_once
	guest 'sleep 60; sort -u /var/lib/was-in-a | wc -l' # two more runs of the timer
	assert_output 1
	assert_kernel "$B"
	guest systemctl stop reconcile-test.timer
	reconcile --lock-timeout 60s plan
	assert_status 4
	assert_output -e "$A .*tried|trial"
}

# Not by a damaged file: its package would be installed anew.
@test "a trial whose module does not load comes back, and is not tried again" {
	in_a "mkdir -p /run/modprobe.d; echo install lustre /bin/false >/run/modprobe.d/no-lustre.conf"
	reconcile apply --yes
	assert_came_back
}

@test "a trial whose file system does not come up comes back, and is not tried again" {
	in_a "mkdir -p /run/modprobe.d; echo options lustre refuse=$SOURCE >/run/modprobe.d/refuse.conf"
	reconcile apply --yes
	assert_came_back
}
