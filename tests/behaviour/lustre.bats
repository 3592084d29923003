#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Lustre mounts as far as a machine without Lustre can show them: what is wrong in the tree, where
# the source is another one under the same name, what a unit says beside fstab, and what a failed
# mount means. The helper is a script that says what mount.lustre says in the field.

load support/common

setup()
{
	scratch_open
	MNT=$SCRATCH/lustre
	mkdir "$MNT"
	put "$SCRATCH/tree/state/nodes/all.yaml" <<-EOT
		version: 1
		nodes: ["*"]
		roles: [lustre]
	EOT
	in_ns 'mount -t tmpfs tmpfs /run; printf "# hosts\n10.1.30.23 fs-1.fsx.example.org\n" >/run/hosts
		mount --bind /run/hosts /etc/hosts; cp /etc/fstab /run/fstab 2>/dev/null || touch /run/fstab
		mkdir -p /etc/systemd/system; mount -t tmpfs tmpfs /etc/systemd/system'
}

teardown() { scratch_close; }

# wants SOURCE OPTIONS [MANAGE]
wants()
{
	put "$SCRATCH/tree/state/roles/lustre.yaml" <<-EOT
		version: 1
		mounts:
		  $MNT: {source: "$1", type: ${TYPE:-lustre}, options: [$2], manage: ${3:-live}}
	EOT
}

plan() { run_reconcile -C "$SCRATCH/tree" plan; }
said() { [[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || fail "expected: $1" "$output"; }
silent() { [[ $output != *"$1"* ]] || fail "not expected: $1" "$output"; }

@test "options that the client does not know, and fstab words where no fstab line is, are said" {
	wants '10.1.30.23@tcp:/czrc3amv' 'flock, devil, nofail'
	plan
	said "does not know the option devil"
	said "nofail is for fstab"
	wants '10.1.30.23@tcp:/czrc3amv' 'relatime, flock, lazystatfs, retry=3, _netdev'
	plan
	silent lustre-option
	silent lustre-fstab
}

@test "a line of fstab without _netdev is said, and a source that cannot be parsed" {
	wants 'fs-1.fsx.example.org:/too-long-a-name' 'flock' full
	plan
	said "without _netdev"
	said "at most 8 characters"
	wants '10.1.30.23@tcp:/czrc.amv' 'flock, lazytime, exclude=czrc-OST0001'
	plan
	said "letters, digits, _ and - only: czrc.amv"
	said "does not know the option lazytime"
	silent "option exclude"
}

# What mount.lustre says, and with what it ends (field notes, sections 1 and 4).
helper()
{
	in_ns mount -t tmpfs tmpfs /sbin 2>/dev/null || :
	put "$SCRATCH/mount.lustre" 0755 <<-EOT
		#!/bin/sh
		echo "mount.lustre: mount \$1 at \$2 failed: $1" >&2
		exit $2
	EOT
	# /sbin is a link where /usr is merged
	in_ns 'mkdir -p /run/overlay/up /run/overlay/work
		dir=$(readlink -f /sbin)
		mount -t overlay -o lowerdir=$dir,upperdir=/run/overlay/up,workdir=/run/overlay/work overlay $dir
		cp '"$SCRATCH"'/mount.lustre $dir/mount.lustre'
}

@test "EINVAL of the client is explained with its causes" {
	need_root
	helper "Invalid argument" 22
	wants '10.1.30.23@tcp:/ddyezbev' 'flock'
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "Invalid argument"
	said "wrong file system name, an option that the client does not know"
	said "Lustre 2.10"
}

@test "a mount that nobody answered says which ports do" {
	need_root
	helper "Connection timed out" 110
	wants '127.0.0.1@tcp:/czrc3amv' 'flock'
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "security group or firewall"
	said "port 988 of 127.0.0.1 is refused"
}

# The commonest failure in the field: packets are dropped, and mount.lustre goes on trying.
@test "a mount that is not heard of again says what one that timed out says, and what allows more time" {
	need_root
	helper "Connection timed out" 110
	put "$SCRATCH/mount.lustre" 0755 <<<$'#!/bin/sh\nexec sleep 600'
	in_ns "cp $SCRATCH/mount.lustre \$(readlink -f /sbin)/mount.lustre"
	wants '127.0.0.1@tcp:/czrc3amv' 'flock'
	echo 'change_max: 1s' >>"$SCRATCH/tree/state/nodes/all.yaml"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "no answer within 1"
	said "(change_max)"
	said "security group or firewall"
	said "port 988 of 127.0.0.1 is refused"
}

@test "a configuration that the client cannot set itself up by is no missing module" {
	need_root
	helper "No such device or address The target service failed to start (bad config log?)" 6
	wants '10.1.30.23@tcp:/czrc3amv' 'flock'
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "configuration log is damaged"
	silent "module lustre"
}

@test "a missing module is named for what it is" {
	need_root
	helper "No such device" 19
	wants '10.1.30.23@tcp:/czrc3amv' 'flock'
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "the module lustre is not loaded, or there is no such module for this kernel"
}

# A tmpfs cannot say it is of type lustre, and NFS is compared in the same way; nfs here neither. The
# source of a mount of FUSE is free, its type is not: that is what hangfs is for.
lives()
{
	need_program hangfs
	in_ns "$TEST_PROGRAMS/hangfs" -o "fsname=$1,subtype=lustre" "$MNT" </dev/null >/dev/null 2>&1
}

@test "a unit that says otherwise is a third fact" {
	TYPE=tmpfs wants 'tmpfs' 'nosuid'
	in_ns mount -t tmpfs -o nosuid tmpfs "$MNT"
	name=$(systemd-escape -p --suffix=mount "$MNT" 2>/dev/null || tr / - <<<"${MNT#/}.mount")
	plan
	assert_status 0
	printf '[Mount]\nWhat=tmpfs\nWhere=%s\nType=ext4\nOptions=nosuid\n' "$MNT" >"$SCRATCH/unit"
	in_ns cp "$SCRATCH/unit" "/etc/systemd/system/$name"
	plan
	assert_status 4
	said "says otherwise (ext4): it will mount that at the next boot"
	in_ns umount "$MNT"
	TYPE=tmpfs wants 'tmpfs' 'nosuid' full
	plan
	assert_status 4
	said "a line of fstab beside it would be a second owner"
}

# Of a mount of FUSE type and source can be told as one likes.
@test "another file system where one is only observed is pending, with its source and for check as well" {
	need_root
	lives "10.9.9.9@tcp:/otherfs"
	TYPE=fuse.lustre wants '10.1.30.23@tcp:/czrc3amv' 'rw' observe
	plan
	assert_status 4
	said "only observed (manage: observe)"
	said "10.9.9.9@tcp:/otherfs → 10.1.30.23@tcp:/czrc3amv"
	run_reconcile -C "$SCRATCH/tree" check
	assert_status 1
	TYPE=fuse.lustre wants '10.9.9.9@tcp:/otherfs' 'rw' observe
	plan
	assert_status 0
}

@test "a line of fstab that is somebody else's and says otherwise is a third fact" {
	TYPE=tmpfs wants 'tmpfs' 'nosuid'
	in_ns mount -t tmpfs -o nosuid tmpfs "$MNT"
	in_ns "mount --bind /run/fstab /etc/fstab"
	for line in "/dev/other $MNT ext4 defaults 0 0" "tmpfs $MNT ext4 nosuid 0 0" "tmpfs $MNT tmpfs suid 0 0"; do
		in_ns "echo '$line' >/run/fstab"
		plan
		assert_status 4
		said "the line of fstab says otherwise ("
	done
	in_ns "echo 'tmpfs $MNT tmpfs nosuid,nofail,size=1m 0 0' >/run/fstab"
	plan
	assert_status 0
}

@test "ports are asked with a deadline" {
	run_reconcile facts --json port:127.0.0.1:1
	assert_status 0
	assert_equal "$(jq -r '.facts[0].answer' <<<"$output")" refused
	run_reconcile facts --json port:no-such-host.invalid:988
	assert_equal "$(jq -r '.facts[0].answer' <<<"$output")" "unknown host"
	run_reconcile facts --json port:fs-1.fsx.example.org:nonsense
	assert_equal "$(jq -r '.facts[0].state' <<<"$output")" undetermined
}
