#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Modules that DKMS builds, with the real dkms and a compiler. The client of the field includes
# asm/unaligned.h, which moved in 6.12; the trees of the two kernels here are as small as dkms lets
# them be, and have that header where the kernels have it. Real headers are for the VM tests.

load support/common

OLD=6.1.0-50-cloud-amd64
NEW=6.12.43+deb12-cloud-amd64

setup()
{
	scratch_open
	need_root
	need_command dkms gcc make
	# what dkms writes to is ours alone
	in_ns 'for dir in /var/lib/dkms /usr/src /lib/modules /etc/modprobe.d /var/lib/reconcile; do
		mkdir -p "$dir" && mount -t tmpfs tmpfs "$dir"; done'
	kernel "$OLD" asm
	kernel "$NEW" linux
	client
	tree skip
}

teardown() { scratch_close; }

ns_put() # ns_put PATH <TEXT: a file in the test's namespace
{
	# shellcheck disable=SC2016
	in_ns bash -c 'mkdir -p "$(dirname "$1")" && cat >"$1"' _ "$1"
}

# kernel RELEASE FOLDER: its module tree, and headers with unaligned.h in FOLDER
kernel()
{
	local headers=/usr/src/linux-headers-$1

	in_ns mkdir -p "/lib/modules/$1" "$headers/include/asm" "$headers/include/linux"
	in_ns ln -s "$headers" "/lib/modules/$1/build"
	ns_put "$headers/include/$2/unaligned.h" <<<'#define get_unaligned(p) (*(p))'
	ns_put "$headers/.config" <<<'CONFIG_MODULES=y'
	ns_put "/lib/modules/$1/modules.order" </dev/null
	ns_put "/lib/modules/$1/modules.builtin" </dev/null
}

client()
{
	local source=/usr/src/beegfs-7.4.4

	ns_put "$source/beegfs.c" <<-'EOT'
		#include <asm/unaligned.h>
		int beegfs(int *p) { return get_unaligned(p); }
	EOT
	ns_put "$source/Makefile" <<-'EOT'
		all: ; gcc -nostdinc -I$(KDIR)/include -c beegfs.c -o beegfs.ko
	EOT
	ns_put "$source/dkms.conf" <<-'EOT'
		PACKAGE_NAME="beegfs"
		PACKAGE_VERSION="7.4.4"
		BUILT_MODULE_NAME[0]="beegfs"
		DEST_MODULE_LOCATION[0]="/updates/dkms"
		MAKE[0]="make KDIR=$kernel_source_dir"
		CLEAN="true"
		AUTOINSTALL="yes"
	EOT
	in_ns dkms add beegfs/7.4.4 >/dev/null 2>&1
}

tree()
{
	put "$SCRATCH/tree/state/nodes/all.yaml" <<-EOT
		version: 1
		nodes: ["*"]
		roles: [client]
	EOT
	put "$SCRATCH/tree/state/roles/client.yaml" <<-EOT
		version: 1
		resources:
		  - {kind: dkms, module: "beegfs@$OLD"}
		  - {kind: dkms, module: "beegfs@$NEW", version: "7.4.*"}
	EOT
}

fact() # fact RELEASE FIELD
{
	run_reconcile facts --json "dkms:beegfs@$1"
	assert_status 0
	jq -r ".facts[0].$2 // .facts[0].state" <<<"$output"
}

# said TEXT: on stdout, wherever it was wrapped
said()
{
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || fail "expected: $1" "$output"
}

refute_in_status()
{
	! in_ns dkms status | grep -F "$1"
}

@test "a module is built for the kernel that it fits, and for the other the compiler's words are shown" {
	run_reconcile -C "$SCRATCH/tree" plan
	assert_status 2
	assert_equal "$(in_ns dkms status)" "beegfs/7.4.4: added"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	said "beegfs 7.4.4 does not build for $NEW"
	said "fatal error: asm/unaligned.h: No such file or directory"
	in_ns dkms status | grep -q "^beegfs/7.4.4, $OLD, .*: installed"
	assert_equal "$(fact "$OLD" status)" installed
	# dkms itself has not one line for the build that failed
	refute_in_status "$NEW"
	assert_equal "$(fact "$NEW" status)" failed
}

@test "a build that failed is not tried again until something it depends on has changed" {
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 4
	said "tried again when its"
	sleep 0.05
	ns_put "/usr/src/linux-headers-$NEW/include/asm/unaligned.h" <<<'#define get_unaligned(p) (*(p))'
	in_ns touch "/usr/src/linux-headers-$NEW"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 0
	in_ns dkms status | grep -q "^beegfs/7.4.4, $NEW, .*: installed"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 0
}

@test "two kernels that it does not build for are both remembered" {
	local third=6.13.1-cloud-amd64

	kernel "$third" linux
	put "$SCRATCH/tree/state/roles/client.yaml" <<-EOT
		version: 1
		resources:
		  - {kind: dkms, module: "beegfs@$NEW"}
		  - {kind: dkms, module: "beegfs@$third"}
	EOT
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 4
	said "beegfs 7.4.4 does not build for $NEW"
	said "beegfs 7.4.4 does not build for $third"
}

@test "a build that was cut off is no failure, and one that goes on is not run into" {
	ns_put /usr/src/beegfs-7.4.4/Makefile <<-'EOT'
		all: ; touch /run/dkms-builds; while [ -e /run/dkms-waits ]; do sleep 0.1; done; \
			gcc -nostdinc -I$(KDIR)/include -c beegfs.c -o beegfs.ko
	EOT
	put "$SCRATCH/tree/state/roles/client.yaml" <<-EOT
		version: 1
		resources:
		  - {kind: dkms, module: "beegfs@$OLD"}
	EOT
	in_ns mount -t tmpfs tmpfs /run
	in_ns touch /run/dkms-waits
	nsenter -t "$(ns_pid)" -m "$RECONCILE" -C "$SCRATCH/tree" --history "$SCRATCH/h.db" --run-dir "$SCRATCH/r" \
		apply --yes </dev/null >/dev/null 2>&1 3>&- 4>&- &
	local run=$!
	wait_for 30 in_ns test -e /run/dkms-builds
	kill -KILL "$run"
	wait "$run" || :
	assert_equal "$(fact "$OLD" status)" added
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 4
	said "DKMS is still at work"
	in_ns rm /run/dkms-waits
	wait_for 30 in_ns flock -n /var/lib/dkms true
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 0
	assert_equal "$(fact "$OLD" status)" installed
	run_reconcile -C "$SCRATCH/tree" plan
	assert_status 0
}

@test "missing headers are named with the package that has them" {
	in_ns rm -r "/usr/src/linux-headers-$NEW" "/lib/modules/$NEW/build"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 4
	said "linux-headers-$NEW"
	assert_equal "$(fact "$NEW" status)" "no headers"
}

@test "a build that DKMS would skip without a word is excluded" {
	in_ns sh -c "echo 'BUILD_EXCLUSIVE_KERNEL=\"^(6\\.1|6\\.6)\\.\"' >>/usr/src/beegfs-7.4.4/dkms.conf"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 4
	said BUILD_EXCLUSIVE_KERNEL
	assert_equal "$(fact "$NEW" status)" excluded
	assert_equal "$(fact "$OLD" status)" installed
	# and so it is: dkms has nothing to say of it
	in_ns sh -c "dkms autoinstall -k $NEW" >/dev/null 2>&1 || :
	refute_in_status "$NEW"
}

@test "without the package there is no source, and that is said" {
	in_ns dkms remove beegfs/7.4.4 --all >/dev/null 2>&1
	run_reconcile -C "$SCRATCH/tree" plan
	assert_status 4
	said "DKMS has no source of beegfs"
}

@test "all that DKMS has is listed with every kernel" {
	run_reconcile facts --json dkms
	assert_status 0
	assert_equal "$(jq -r '.facts[].key' <<<"$output" | sort | tr '\n' ' ')" \
		"beegfs@$OLD beegfs@$NEW "
}
