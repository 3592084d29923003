#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1800
# The units at work in a real boot: the module that the booted kernel lacks is there before systemd
# mounts what stands in the fstab.

load support/vm

teardown()
{
	vm_show
	[[ -n ${BATS_TEST_COMPLETED:-} ]] ||
		"$VM/guest" exec 'exec 2>&1; journalctl -q -b -u "reconcile*" -u lustre.mount | tail -n 40
			reconcile history; systemctl --failed; systemctl list-jobs' || :
}

setup()
{
	local unit

	vm_restore
	make -s -C "$TOP" -o "$RECONCILE" -o "$RECONCILE-fsx" install BIN="$RECONCILE" \
		DESTDIR="$SCRATCH/node" >/dev/null
	for unit in "$SCRATCH"/node/usr/local/lib/systemd/system/*; do
		"$VM/guest" put "$unit" "/etc/systemd/system/${unit##*/}"
	done
	guest 'systemctl daemon-reload'
}

# until_guest SECONDS COMMAND: waits until it does well
until_guest()
{
	local end=$((SECONDS + $1))

	while ((SECONDS < end)); do
		in_guest "$2"
		((status != 0)) || return 0
		sleep 1
	done
	guest 'journalctl -q -b -u "reconcile*" | tail -n 50'
	_fail_run "not within $1 s: $2"
}

fstab_line()
{
	guest "echo '$SOURCE /lustre lustre $1 0 0' >>/etc/fstab; systemctl daemon-reload"
}

# one of Slurm's name that is ordered like it
slurmd()
{
	guest 'printf "%s\n" "[Unit]" "After=network-online.target remote-fs.target" "[Service]" \
		"ExecStart=/bin/sleep infinity" "[Install]" "WantedBy=multi-user.target" \
		>/etc/systemd/system/slurmd.service; systemctl -q enable slurmd.service'
}

# assert_before UNIT...: the boot unit was done when each of them began
assert_before()
{
	local unit

	for unit; do
		guest "end=\$(systemctl show -P InactiveEnterTimestampMonotonic reconcile-boot.service)
			begin=\$(systemctl show -P InactiveExitTimestampMonotonic $unit)
			echo \"reconcile-boot.service ended at \$end, $unit began at \$begin\" >&2
			test \"\$end\" -gt 0 && test \"\$begin\" -ge \"\$end\""
	done
	guest 'journalctl -q -b -o cat _PID=1 | grep -A 12 "ordering cycle" || :'
	refute_output
}

@test "a kernel without its module boots, and the file system in the fstab comes up by itself" {
	slurmd
	fstab_line _netdev,nofail
	refute_installed "lustre-client-modules-$B"
	guest_fails 'modprobe lustre'
	guest 'systemctl -q enable reconcile-boot.service; sync'
	"$VM/guest" boot 300
	until_guest 300 'systemctl is-system-running | grep -qE "running|degraded"'
	assert_kernel "$B"
	assert_lustre_mounted
	assert_installed "lustre-client-modules-$B"
	assert_before remote-fs-pre.target lustre.mount slurmd.service
	guest 'systemctl show -P Result reconcile-boot.service lustre.mount | sort -u | xargs'
	assert_output success
	guest 'reconcile history'
	assert_output -p boot
}

@test "under the service's hardening a module is loaded and its mount seen by PID 1" {
	guest 'systemctl start reconcile.service'
	until_guest 300 'grep -q " /lustre " /proc/1/mountinfo'
	assert_installed "lustre-client-modules-$B"
	assert_lustre_mounted
	guest 'systemctl stop reconcile.service; systemctl show -P ActiveState reconcile.service'
	assert_output inactive
	assert_lustre_mounted
	settled
}
