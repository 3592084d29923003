#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 150
#
# The units that `make install` puts there, under a real systemd: what each promises (docs/running.md).
# Judged by systemctl, by the journal and by what PID 1 sees.

load support/common
load support/booted
load support/hangfs

setup() { scratch_open; }
teardown() { scratch_close; }

UNITS=(reconcile.service reconcile-once.service reconcile-boot.service reconcile.timer)

# make_install VARIABLE=VALUE...: with the program under test, which is not built anew
make_install()
{
	make -s -C "$TOP" -o "$RECONCILE" -o "$RECONCILE-fsx" install BIN="$RECONCILE" "$@"
}

# node_open: a booted node with the units, that wants one mount
node_open()
{
	booted_open
	in_ns make -s -C "$TOP" -o "$RECONCILE" -o "$RECONCILE-fsx" install BIN="$RECONCILE" \
		DESTDIR="$ROOT" || return
	in_booted systemctl daemon-reload
	booted_put /etc/reconcile/state/nodes/all.yaml <<-EOT
		version: 1
		nodes: ["*"]
		roles: [unattended]
	EOT
	wants 'mounts:' '  /srv/scratch: {source: tmpfs, type: tmpfs, manage: live}'
}

# wants LINE...: what the tree says
wants()
{
	printf '%s\n' 'version: 1' "$@" | booted_put /etc/reconcile/state/roles/unattended.yaml
}

# drop_in UNIT LINE...: what an administrator changes of a unit
drop_in()
{
	local unit=$1

	shift
	printf '%s\n' "$@" | booted_put "/etc/systemd/system/$unit.d/test.conf"
	in_booted systemctl daemon-reload
}

# prop UNIT PROPERTY: its value
prop()
{
	in_booted systemctl show -p "$2" --value "$1"
}

is_prop() # is_prop UNIT PROPERTY VALUE
{
	[[ $(prop "$1" "$2") == "$3" ]]
}

assert_prop()
{
	assert_equal "$1 $2=$(prop "$1" "$2")" "$1 $2=$3"
}

# seen_by_init PATH: is it a mount for PID 1?
seen_by_init()
{
	in_booted grep -q " $1 " /proc/1/mountinfo
}

# field_repository: the packages that were made so far are what apt in there has on offer
field_repository()
{
	publish
	in_ns cp -r "$REPOSITORY/." "$ROOT/srv/repository/"
	in_booted apt-get -q update >/dev/null
}

# slow_package NAME [SECONDS]: its postinst takes this long, and says so all the while
slow_package()
{
	REPOSITORY=$SCRATCH/repository
	mkdir -p "$REPOSITORY/pool" "$REPOSITORY/dists"
	make_deb "$1" 1 --postinst "touch /run/configuring
		for i in \$(seq ${2:-6}); do echo \"still at it: \$i\"; sleep 1; done"
	field_repository
}

has_state() # has_state PACKAGE STATE, as dpkg says it
{
	[[ $(in_booted dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == "$2" ]]
}

configuring()
{
	in_booted test -e /run/configuring
}

# reboot_node: the same node, started again
reboot_node()
{
	booted_close
	_booted_start
}

# ---- as installed

@test "the installed units are what systemd takes, and uninstall takes them away" {
	local at=$SCRATCH/prefix unit

	need_command systemd-analyze make
	make_install PREFIX="$at" sysconfdir="$at/etc"
	for unit in "${UNITS[@]}"; do
		assert_file "$at/lib/systemd/system/$unit" 0644
		run_within 60 systemd-analyze verify "$at/lib/systemd/system/$unit"
		assert_status 0
		refute_output
		refute_stderr
	done
	refute_output -p @ # all is filled in
	# it would say so
	sed -i 's/^WatchdogSec=/WatchDog=/' "$at/lib/systemd/system/reconcile.service"
	run_within 60 systemd-analyze verify "$at/lib/systemd/system/reconcile.service"
	assert_stderr -p WatchDog
	make -s -C "$TOP" uninstall BIN="$RECONCILE" PREFIX="$at" sysconfdir="$at/etc"
	run_within 10 find "$at" -type f
	refute_output
}

@test "installing enables nothing" {
	local unit

	node_open
	for unit in reconcile.service reconcile-boot.service reconcile.timer; do
		assert_prop "$unit" UnitFileState disabled
	done
	assert_prop reconcile-once.service UnitFileState static
}

# ---- hardening that breaks nothing

# probe UNIT: what the unit could do, as the unit
probe()
{
	booted_put /usr/local/bin/probe <<-'EOT'
		#!/bin/sh -eux
		test "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/1/ns/mnt)"
		test "$(readlink /proc/self/ns/uts)" = "$(readlink /proc/1/ns/uts)"
		mkdir -p /srv/probe && mount -t tmpfs probe /srv/probe
		for dir in /usr /boot /etc /var/lib /root /lib/modules /tmp; do
			mkdir -p $dir && echo here >$dir/probe && rm $dir/probe
		done
		ls /lib/modules >/dev/null
		mkdir /srv/probe/a && chown nobody /srv/probe/a && chmod 6755 /srv/probe/a
		mknod /srv/probe/null c 1 3
		test "$(cat /proc/sys/kernel/osrelease)" = "$(uname -r)"
		: </dev/null >/dev/null
		su -s /bin/sh -c 'test "$(id -un)" = nobody' nobody
	EOT
	in_booted chmod 0755 /usr/local/bin/probe
	drop_in "$1" '[Service]' Type=oneshot Restart=no WatchdogSec=0 ExecStart= 'ExecStart=/usr/local/bin/probe'
	run_within 60 in_booted systemctl start "$1"
	((status == 0)) || fail "$1: $(in_booted journalctl -q -o cat -u "$1")"
	seen_by_init /srv/probe || fail "PID 1 does not see the mount that $1 made"
	in_booted umount /srv/probe
}

@test "a unit's mounts are seen by all, and it may write, load and own whatever it must" {
	local unit

	node_open
	for unit in reconcile.service reconcile-once.service reconcile-boot.service; do
		probe "$unit"
		assert_prop "$unit" ProtectKernelModules no
		run_within 10 prop "$unit" CapabilityBoundingSet
		assert_output -p cap_sys_module
		assert_output -p cap_sys_admin
		assert_output -p cap_sys_ptrace
		refute_output -p cap_sys_time
	done
	# and such a probe does tell
	printf '%s\n' '[Service]' PrivateTmp=yes | booted_put /etc/systemd/system/reconcile.service.d/private.conf
	in_booted systemctl daemon-reload
	run_within 60 in_booted systemctl start reconcile.service
	((status != 0)) || fail "a mount namespace of its own was not noticed"
}

# ---- reconcile.service

@test "the service says when it is ready and what it is at, and mends what is broken" {
	node_open
	run_within 90 in_booted systemctl start reconcile.service
	assert_status 0
	assert_prop reconcile.service ActiveState active
	wait_for 60 seen_by_init /srv/scratch || fail "$(in_booted journalctl -q -u reconcile)"
	wait_for 30 status_says "next pass at" || fail "StatusText: $(prop reconcile.service StatusText)"
	in_booted umount /srv/scratch
	wait_for 60 seen_by_init /srv/scratch
	assert_prop reconcile.service NRestarts 0
	run_within 100 in_booted systemctl stop reconcile.service
	assert_status 0
	assert_prop reconcile.service ActiveState inactive
	assert_prop reconcile.service Result success
	seen_by_init /srv/scratch
}

status_says()
{
	[[ $(prop reconcile.service StatusText) == *"$1"* ]]
}

restarted() # restarted UNIT TIMES, and runs again
{
	(($(prop "$1" NRestarts) >= $2)) && is_prop "$1" ActiveState active
}

@test "a service with a mount namespace of its own refuses to mount, and says why" {
	node_open
	drop_in reconcile-once.service '[Service]' ProtectSystem=yes
	run_within 60 in_booted systemctl start reconcile-once.service
	assert_status 0
	seen_by_init /srv/scratch && fail "it did"
	run_within 20 in_booted journalctl -q -o cat -u reconcile-once.service
	assert_output -p "mount namespace of its own"
	in_booted rm -r /etc/systemd/system/reconcile-once.service.d
	in_booted systemctl daemon-reload
	in_booted systemctl start reconcile-once.service
	seen_by_init /srv/scratch
}

@test "the service is started again when it is killed, and when it does not answer" {
	local pid

	node_open
	drop_in reconcile.service '[Service]' RestartSec=1 WatchdogSec=5 TimeoutAbortSec=5
	in_booted systemctl start reconcile.service
	in_booted systemctl kill -s KILL --kill-who=main reconcile.service
	wait_for 30 restarted reconcile.service 1
	# whatever it was told to end with
	in_booted systemctl kill -s TERM --kill-who=main reconcile.service
	wait_for 30 restarted reconcile.service 2
	pid=$(prop reconcile.service MainPID)
	in_booted kill -STOP "$pid"
	wait_for 60 restarted reconcile.service 3
	in_booted test ! -e "/proc/$pid"
	run_within 20 in_booted journalctl -q -o cat -u reconcile.service
	assert_output -p Watchdog
	in_booted systemctl stop reconcile.service
}

left_behind() # a process of ours that no signal reaches
{
	in_booted ps -eo stat=,comm= | grep -q '^D.*reconcile'
}

@test "a process that is stuck on a dead file system holds up neither a stop nor a start" {
	local began pid

	node_open
	booted_close
	hangfs_start "$ROOT/mnt/dead"
	_booted_start
	hangfs_hang "$ROOT/mnt/dead"
	wants 'mounts: {/srv/scratch: {source: tmpfs, type: tmpfs, manage: live}}' \
		'resources: [{kind: directory, path: /mnt/dead/below}]'
	in_booted systemctl start reconcile.service
	wait_for 60 seen_by_init /srv/scratch || fail "$(in_booted journalctl -q -u reconcile)"
	wait_for 60 left_behind || fail "nothing is stuck: $(in_booted ps -eo stat,wchan,args)"
	pid=$(prop reconcile.service MainPID)
	run_within 60 in_booted systemctl stop reconcile.service
	assert_status 0
	in_booted test ! -e "/proc/$pid"
	left_behind
	run_within 60 in_booted systemctl start reconcile.service
	assert_status 0
	in_booted umount /srv/scratch
	wait_for 60 seen_by_init /srv/scratch
	run_within 60 in_booted systemctl stop reconcile.service
	assert_prop reconcile.service Result success
	hangfs_resume "$ROOT/mnt/dead"
}

@test "the folder of the lock outlives the service" {
	node_open
	in_booted systemctl start reconcile.service
	wait_for 30 in_booted test -e /run/reconcile/lock
	in_booted systemctl restart reconcile.service
	in_booted systemctl stop reconcile.service
	in_booted test -e /run/reconcile/lock
	booted_reconcile apply --yes
	assert_status 0
}

# ---- a package manager at work

# Stopping, restarting and killing: it is let be, and the next run finds what it did.
stopped_in_the_middle() # stopped_in_the_middle COMMAND ARG...
{
	node_open
	slow_package tools
	wants 'packages: {tools: {}}'
	in_booted systemctl start reconcile.service
	wait_for 60 configuring || fail "$(in_booted journalctl -q -u reconcile)"
	run_within 20 in_booted systemctl --plain --no-legend list-units 'reconcile-package-*'
	assert_output -p running
	run_within 120 in_booted "$@"
	assert_status 0
	wait_for 60 has_state tools "install ok installed" ||
		fail "$(in_booted dpkg --audit; in_booted journalctl -q)"
	refute_audit
	in_booted systemctl stop reconcile.service
	booted_reconcile apply --yes
	assert_status 0
}

refute_audit()
{
	run_within 20 in_booted dpkg --audit
	refute_output
}

@test "stopping the service lets an installation that it began come to its end" {
	stopped_in_the_middle systemctl stop reconcile.service
}

@test "restarting the service lets an installation that it began come to its end" {
	stopped_in_the_middle systemctl restart reconcile.service
}

@test "killing all of the service lets an installation that it began come to its end" {
	stopped_in_the_middle systemctl kill -s KILL --kill-who=all reconcile.service
}

@test "the shutdown of the node waits for an installation" {
	local leader

	node_open
	slow_package tools 8
	wants 'packages: {tools: {}}'
	in_booted systemctl start reconcile.service
	wait_for 60 configuring
	in_booted systemctl --no-block poweroff
	wait_for 120 test ! -e "/proc/$(<"$SCRATCH/.nspawn")"
	_booted_start
	has_state tools "install ok installed" || fail "$(in_booted dpkg --audit)"
	refute_audit
}

# ---- timer and oneshot

@test "a state of the node is no failure of the unit, an error is" {
	local code

	node_open
	for code in 0 1 2 3 4 5 6 7 8; do
		drop_in reconcile-once.service '[Service]' ExecStart= "ExecStart=/bin/sh -c 'exit $code'"
		in_booted systemctl reset-failed
		run_within 30 in_booted systemctl start reconcile-once.service
		case $code in
		1 | 5 | 8) assert_prop reconcile-once.service ActiveState failed ;;
		*) assert_prop reconcile-once.service ActiveState inactive ;;
		esac
	done
}

@test "the timer starts a run, and another one a while after that has ended" {
	node_open
	drop_in reconcile.timer '[Timer]' OnBootSec= OnUnitInactiveSec= RandomizedDelaySec=0 \
		OnActiveSec=1 OnUnitInactiveSec=2
	in_booted systemctl start reconcile.timer
	wait_for 60 seen_by_init /srv/scratch || fail "$(in_booted journalctl -q -u reconcile-once)"
	in_booted umount /srv/scratch
	wait_for 60 seen_by_init /srv/scratch
	in_booted umount /srv/scratch
	wait_for 60 seen_by_init /srv/scratch
	run_within 20 in_booted reconcile history
	assert_output -p timer
}

@test "the timer that is installed fires after the boot, and nodes of one image do not fire together" {
	node_open
	in_booted systemctl start reconcile.timer
	assert_prop reconcile.timer Unit reconcile-once.service
	assert_prop reconcile.timer RandomizedDelayUSec 1min
	assert_prop reconcile.timer FixedRandomDelay no # it would rest on the machine id
	run_within 20 in_booted systemctl list-timers reconcile.timer
	assert_output -p reconcile-once.service
	refute_output -p n/a" "n/a
}

@test "service and timer beside each other do no harm" {
	node_open
	drop_in reconcile.timer '[Timer]' OnBootSec= OnUnitInactiveSec= RandomizedDelaySec=0 \
		OnActiveSec=1 OnUnitInactiveSec=1
	in_booted systemctl start reconcile.service reconcile.timer
	wait_for 60 seen_by_init /srv/scratch
	in_booted umount /srv/scratch
	wait_for 60 seen_by_init /srv/scratch
	sleep 3
	assert_equal "$(in_booted grep -c ' /srv/scratch ' /proc/1/mountinfo)" 1
	assert_prop reconcile.service ActiveState active
	refute_failed reconcile-once.service
	in_booted systemctl stop reconcile.timer reconcile.service
}

refute_failed()
{
	[[ $(prop "$1" ActiveState) != failed ]] || fail "$(in_booted journalctl -q -u "$1")"
}

# ---- at boot

# boot_node: a node with a mount of the network in its fstab, a slurmd and apt's daily work at each
# boot; its tree wants a module whose package is on offer, and much else
boot_node()
{
	node_open
	REPOSITORY=$SCRATCH/repository
	mkdir -p "$REPOSITORY/pool" "$REPOSITORY/dists"
	make_deb "fabric-modules-$(uname -r)" 1 --postinst "$1"
	make_deb tools 1
	field_repository
	wants 'modules: {fabric: {package: "fabric-modules-{kernel}"}}' 'packages: {tools: {}}' \
		'mounts: {/srv/scratch: {source: tmpfs, type: tmpfs, manage: live}}' \
		'resources:' '  - {kind: service, unit: slurmd.service, active: true}'
	in_booted mkdir -p /lustre
	booted_put /etc/fstab <<<"remote /lustre tmpfs _netdev,nofail 0 0"
	printf '%s\n' '[Service]' 'ExecStart=/bin/sleep infinity' '[Install]' 'WantedBy=multi-user.target' |
		booted_put /etc/systemd/system/slurmd.service
	in_booted mkdir -p /etc/systemd/system/multi-user.target.wants
	for unit in apt-daily apt-daily-upgrade; do
		printf '%s\n' '[Service]' ExecStartPre= ExecStart= 'ExecStart=/bin/true' |
			booted_put "/etc/systemd/system/$unit.service.d/test.conf"
		in_booted ln -s "/lib/systemd/system/$unit.service" /etc/systemd/system/multi-user.target.wants/
	done
	in_booted systemctl daemon-reload
	in_booted systemctl -q enable slurmd.service reconcile-boot.service
}

# moment UNIT PROPERTY: in microseconds since the boot
moment()
{
	prop "$1" "$2Monotonic"
}

assert_boot_first() # the boot unit was left before the others were begun
{
	local unit end

	end=$(moment reconcile-boot.service InactiveEnterTimestamp)
	((end > 0)) || fail "it did not run: $(in_booted journalctl -q -b)"
	for unit in remote-fs-pre.target lustre.mount slurmd.service apt-daily.service \
		apt-daily-upgrade.service; do
		(($(moment "$unit" InactiveExitTimestamp) >= end)) ||
			fail "$unit began at $(moment "$unit" InactiveExitTimestamp), before $end"
	done
	run_within 20 in_booted journalctl -q -b
	refute_output -p "ordering cycle"
}

@test "at boot the module's package is installed, and nothing else, before all that needs it" {
	boot_node true
	reboot_node
	assert_boot_first
	refute_failed reconcile-boot.service
	has_state "fabric-modules-$(uname -r)" "install ok installed" ||
		fail "$(in_booted journalctl -q -b -u reconcile-boot)"
	run_within 20 has_state tools "install ok installed"
	assert_status 1
	run_within 20 seen_by_init /srv/scratch
	assert_status 1
	seen_by_init /lustre
	run_within 20 in_booted reconcile history
	assert_output -p boot
	# the rest is for the service
	in_booted reconcile run --once || :
	has_state tools "install ok installed"
	seen_by_init /srv/scratch
}

@test "a run at boot that does not end gives the boot back, and the installation goes on" {
	boot_node 'touch /run/configuring; sleep 25'
	drop_in reconcile-boot.service '[Service]' TimeoutStartSec=10
	reboot_node
	seen_by_init /lustre
	assert_prop slurmd.service ActiveState active
	assert_boot_given_back
	wait_for 100 has_state "fabric-modules-$(uname -r)" "install ok installed"
	refute_audit
}

assert_boot_given_back()
{
	wait_for 60 is_prop reconcile-boot.service ActiveState failed
	assert_prop reconcile-boot.service Result timeout
	# it did not wait for the package manager until it was killed
	run_within 20 in_booted journalctl -q -b -u reconcile-boot.service
	refute_output -p "stop-sigterm' timed out"
}

@test "a package that starts a unit which waits for the boot run holds the boot no longer than that" {
	boot_node 'touch /run/configuring; systemctl start slurmd.service'
	drop_in reconcile-boot.service '[Service]' TimeoutStartSec=10
	reboot_node
	assert_boot_given_back
	seen_by_init /lustre
	wait_for 60 has_state "fabric-modules-$(uname -r)" "install ok installed"
	assert_prop slurmd.service ActiveState active
}

@test "a run at boot tries again what went wrong, and does not wait for what is blocked" {
	boot_node 'test -e /srv/tried || { touch /srv/tried; exit 1; }'
	reboot_node
	in_booted test -e /srv/tried
	has_state "fabric-modules-$(uname -r)" "install ok installed" ||
		fail "$(in_booted journalctl -q -b -u reconcile-boot)"
	assert_boot_first
	wants 'modules: {other: {package: "nobody-has-this-{kernel}"}}'
	in_booted rm -r /var/lib/reconcile
	reboot_node
	assert_prop reconcile-boot.service Result success
	run_within 20 in_booted reconcile history
	assert_line -e ' boot +exit 4'
	assert_equal "$(grep -c ' boot ' <<<"$output")" 1
}

@test "a boot without a tree, or with a broken one, goes on" {
	boot_node true
	wants 'modules: ['
	reboot_node
	assert_prop reconcile-boot.service ActiveState failed
	seen_by_init /lustre
	assert_prop slurmd.service ActiveState active
}
