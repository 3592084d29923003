#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# Services under a real systemd: enabled, active and masked as wanted, and what stands in the way is
# said. Judged by systemctl.

load support/common
load support/booted

setup()
{
	scratch_open
	booted_open
	booted_put /etc/reconcile/state/nodes/all.yaml <<-EOT
		version: 1
		nodes: ["*"]
		roles: [services]
	EOT
}

teardown() { scratch_close; }

# wants TEXT...: the resources of the tree, a line each
wants()
{
	{
		printf 'version: 1\nmode: safe\nresources:\n'
		printf '  - %s\n' "$@"
	} | booted_put /etc/reconcile/state/roles/services.yaml
}

# unit NAME BODY...: a unit of an administrator
unit()
{
	local name=$1

	shift
	printf '%s\n' "$@" | booted_put "/etc/systemd/system/$name"
}

sleeper()
{
	unit "$1" '[Service]' 'ExecStart=/bin/sleep infinity' '[Install]' 'WantedBy=multi-user.target'
	in_booted systemctl daemon-reload
}

is() # is UNIT WORD...: what systemctl says of it
{
	local unit=$1

	shift
	assert_equal "$(in_booted systemctl is-enabled "$unit" 2>/dev/null || :)/$(in_booted \
		systemctl is-active "$unit" || :)" "$1"
}

@test "a service is enabled and started, and a second run finds nothing to do" {
	sleeper idle.service
	wants '{kind: service, unit: idle.service, enabled: true, active: true}'
	booted_reconcile plan
	assert_status 2
	assert_output -p "service idle.service"
	is idle.service disabled/inactive
	booted_reconcile apply --yes
	assert_status 0
	is idle.service enabled/active
	booted_reconcile apply --yes
	assert_status 0
	booted_reconcile plan
	assert_status 0
}

@test "stopping is disruptive: unattended it is blocked, with consent it is done" {
	sleeper idle.service
	in_booted systemctl enable --now --quiet idle.service
	wants '{kind: service, unit: idle.service, enabled: false, active: false}'
	booted_reconcile apply
	assert_status 4
	assert_output -p disruptive
	is idle.service enabled/active
	booted_reconcile apply --allow disruptive
	assert_status 0
	is idle.service disabled/inactive
}

@test "masked and unmasked" {
	sleeper idle.service
	wants '{kind: service, unit: idle.service, masked: true}'
	booted_reconcile apply
	assert_status 5 # the unit's file is in the way of the mask: systemd refuses, and says so
	wants '{kind: service, unit: systemd-timesyncd.service, masked: true}' \
		'{kind: service, unit: dbus.socket, active: true}'
	in_booted systemctl mask --quiet dbus.service
	wants '{kind: service, unit: dbus.service, enabled: true}'
	booted_reconcile plan
	assert_status 4
	assert_output -p "the unit is masked"
	wants '{kind: service, unit: dbus.service, masked: false}'
	booted_reconcile apply
	assert_status 0
	assert_equal "$(in_booted systemctl show -p LoadState --value dbus.service)" loaded
}

@test "a unit that fails at its start is failed, with the unit's own words" {
	unit broken.service '[Service]' "ExecStart=/bin/sh -c 'echo no such disk >&2; exit 7'"
	in_booted systemctl daemon-reload
	wants '{kind: service, unit: broken.service, active: true}'
	booted_reconcile apply
	assert_status 5
	assert_output -p "was started and is failed: exit-code"
	assert_output -p "no such disk"
	# the next time it is well, its earlier failure is no obstacle
	unit broken.service '[Service]' 'ExecStart=/bin/sleep infinity'
	booted_reconcile apply
	assert_status 0
	is broken.service static/active
}

@test "a unit that takes its time is waited for, and is pending when it takes too long" {
	unit slow.service '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/bin/sleep 5'
	in_booted systemctl daemon-reload
	wants '{kind: service, unit: slow.service, active: true}'
	booted_reconcile apply
	assert_status 0
	is slow.service static/active
	unit slower.service '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/bin/sleep 600'
	in_booted systemctl daemon-reload
	in_booted systemctl start --no-block slower.service
	wants '{kind: service, unit: slower.service, active: true}'
	booted_reconcile plan
	assert_status 4
	assert_output -p "the unit is starting"
}

@test "what cannot be enabled, or is not there, is blocked and said" {
	unit plain.service '[Service]' 'ExecStart=/bin/sleep infinity'
	in_booted systemctl daemon-reload
	wants '{kind: service, unit: plain.service, enabled: true}' \
		'{kind: service, unit: nobody.service, active: true}'
	booted_reconcile apply
	assert_status 4
	assert_output -p "no [Install] section"
	assert_output -p "there is no such unit"
}

@test "a unit whose file changed is read anew, and one that the tree writes is started by the next pass" {
	wants '{kind: file, path: /etc/systemd/system/made.service, content: "[Service]\nExecStart=/bin/sleep infinity\n"}' \
		'{kind: service, unit: made.service, active: true}'
	booted_reconcile apply
	assert_status 2
	booted_reconcile apply
	assert_status 0
	is made.service static/active
	sleep 1.1 # systemd compares times of files in seconds
	unit made.service '[Service]' 'ExecStart=/bin/sleep 1000000'
	assert_equal "$(in_booted systemctl show -p NeedDaemonReload --value made.service)" yes
	booted_reconcile plan
	assert_status 2
	assert_output -p needs_reload
	booted_reconcile apply
	assert_status 0
	assert_equal "$(in_booted systemctl show -p NeedDaemonReload --value made.service)" no
}

@test "a line of fstab that reconcile writes is known to systemd at once" {
	in_booted mkdir -p /srv/scratch
	{
		printf 'version: 1\nmounts:\n  /srv/scratch: {source: tmpfs, type: tmpfs, options: [nosuid]}\n'
	} | booted_put /etc/reconcile/state/roles/services.yaml
	booted_reconcile apply
	assert_status 0
	in_booted findmnt /srv/scratch
	assert_equal "$(in_booted systemctl show -p FragmentPath --value srv-scratch.mount)" \
		/run/systemd/generator/srv-scratch.mount
}

@test "a mount unit is not stopped through a service" {
	wants '{kind: service, unit: srv-x.mount, active: false}'
	booted_reconcile validate
	assert_status 1
	assert_stderr -p "want the mount absent instead"
}

# A service of the kind of beegfs-client.service: what it starts mounts, what it stops unmounts.
mounter()
{
	unit client.service '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' "$@" \
		'ExecStop=/bin/umount /mnt/beegfs' '[Install]' 'WantedBy=multi-user.target'
	in_booted systemctl daemon-reload
	in_booted mkdir -p /mnt/beegfs
	booted_put /etc/reconcile/state/roles/services.yaml <<-EOT
		version: 1
		mounts:
		  /mnt/beegfs: {source: beegfs_nodev, type: tmpfs, service: client.service}
	EOT
}

@test "a mount that a service makes is made by starting the service, and never by restarting it" {
	mounter 'ExecStart=/bin/sleep 2' 'ExecStart=/bin/mount -t tmpfs beegfs_nodev /mnt/beegfs'
	booted_reconcile apply
	assert_status 0
	assert_equal "$(in_booted findmnt -no SOURCE /mnt/beegfs)" beegfs_nodev
	is client.service enabled/active
	assert_equal "$(in_booted grep -c beegfs /etc/fstab || :)" 0
	booted_reconcile apply
	assert_status 0
	in_booted umount /mnt/beegfs
	booted_reconcile apply
	assert_status 5
	assert_output -p "systemctl restart client.service"
	is client.service enabled/active
}

@test "a service that does not bring its mount about says why" {
	mounter "ExecStart=/bin/sh -c 'echo module is not for this kernel >&2; exit 1'"
	booted_reconcile apply
	assert_status 5
	assert_output -p "module is not for this kernel"
}
