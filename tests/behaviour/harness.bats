#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# The ground the behaviour tests stand on, proved with ordinary tools: a test that passes because
# its harness does nothing would be worse than none.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/hangfs
load support/aptroot
load support/modtree

setup()
{
	scratch_open
}

teardown()
{
	scratch_close
}

# ---- common

@test "scratch is trusted and is gone after the test" {
	path=$SCRATCH
	assert_dir "$SCRATCH" 0755
	[[ $(stat -c %u "$SCRATCH") == "$EUID" ]]
	echo text | put "$SCRATCH/a/b" 0640
	assert_file "$SCRATCH/a/b" 0640
	scratch_close
	[[ ! -e $path ]]
}

@test "scratch is never made below a folder that others can write to" {
	mkdir -m 0777 "$SCRATCH/open"
	other=$(TMPDIR=$SCRATCH/open new_scratch)
	[[ $other != "$SCRATCH"/* ]]
	rmdir "$other"
	chmod 1777 "$SCRATCH/open"
	other=$(TMPDIR=$SCRATCH/open new_scratch)
	[[ $other == "$SCRATCH/open/"* ]]
}

@test "clean-up runs last first, goes on after a failure, and with arguments as they were" {
	log=$BATS_TEST_TMPDIR/log
	at_end bash -c 'echo "$1" >>"$2"' _ "first one" "$log"
	at_end false
	at_end bash -c 'echo "$1" >>"$2"' _ "a 'quoted' *" "$log"
	scratch_close
	assert_equal "a 'quoted' *"$'\n'"first one" "$(<"$log")"
}

@test "clean-up takes mounts below scratch away and spares what is on them" {
	need_root
	in_ns "mkdir '$SCRATCH/keep' '$SCRATCH/mnt'; touch '$SCRATCH/keep/file'"
	run_within 30 in_ns "
		source '$BATS_TEST_DIRNAME/support/common.bash'
		mkdir '$SCRATCH/reconcile-test.inner' '$SCRATCH/reconcile-test.inner/m'
		mount --bind '$SCRATCH/keep' '$SCRATCH/reconcile-test.inner/m'
		_remove_scratch '$SCRATCH/reconcile-test.inner'"
	assert_status 0
	assert_missing "$SCRATCH/reconcile-test.inner"
	assert_file "$SCRATCH/keep/file"
}

@test "a mount made in the namespace stays in it, from call to call" {
	mkdir "$SCRATCH/m"
	in_ns mount -t tmpfs -o size=64k,nodev some-source "$SCRATCH/m"
	in_ns "echo inside >'$SCRATCH/m/file'"
	assert_mounted "$SCRATCH/m" tmpfs some-source
	assert_content "$SCRATCH/m/file" inside
	[[ ! -e $SCRATCH/m/file ]]
	run_within 10 grep -F "$SCRATCH/m" /proc/self/mountinfo
	assert_status 1
	in_ns umount "$SCRATCH/m"
	refute_mounted "$SCRATCH/m"
}

@test "nothing is run when the namespace would be the machine's own" {
	printf '#!/bin/sh\nexec sleep 60\n' | put "$SCRATCH/bin/unshare" 0755
	if said=$(PATH=$SCRATCH/bin:$PATH in_ns touch "$SCRATCH/was-here" 2>&1); then
		fail "should have failed"
	fi
	[[ $said == "no private mount namespace"* ]]
	echo $$ >"$SCRATCH/.ns"
	if in_ns touch "$SCRATCH/was-here"; then
		fail "should have failed"
	fi
	[[ ! -e $SCRATCH/was-here ]]
	rm "$SCRATCH/.ns"
}

@test "a namespace that ends does not take down the one that gets its number" {
	open_and_close='source "$1"; for i in 1 2 3; do scratch_open; in_ns true; scratch_close || exit; done'
	for ((i = 0; i < 20; i++)); do
		bash -c "$open_and_close" _ "$BATS_TEST_DIRNAME/support/common.bash" 2>>"$SCRATCH/errors" ||
			echo "failed: $i" >>"$SCRATCH/errors" &
	done
	wait
	assert_equal "" "$(<"$SCRATCH/errors")"
}

@test "the upper of two mounts on one target is the one that is seen" {
	mkdir "$SCRATCH/m"
	in_ns mount -t tmpfs lower "$SCRATCH/m"
	in_ns mount -t tmpfs upper "$SCRATCH/m"
	assert_mounted "$SCRATCH/m" tmpfs upper
	run_within 10 assert_mounted "$SCRATCH/m" tmpfs lower
	assert_status 1
}

@test "the end of a test ends what runs in its namespace" {
	in_ns "sleep 1000 </dev/null >/dev/null 2>&1 3>&- 4>&- & echo \$! >'$SCRATCH/pid'"
	pid=$(<"$SCRATCH/pid")
	test -e "/proc/$pid/stat"
	scratch_close
	wait_for 10 test ! -e "/proc/$pid/stat"
}

@test "an overlaid folder takes changes that are not seen outside" {
	ns_overlay /etc
	before=$(stat -c '%i %Y' /etc/passwd)
	in_ns "echo changed >/etc/passwd; touch /etc/reconcile-was-here"
	assert_content /etc/passwd changed
	[[ ! -e /etc/reconcile-was-here ]]
	assert_equal "$before" "$(stat -c '%i %Y' /etc/passwd)"
}

@test "run_within keeps status, stdout and stderr apart" {
	run_within 10 in_ns "echo one; echo two words; echo wrong >&2; exit 7"
	assert_status 7
	assert_equal "one"$'\n'"two words" "$output"
	assert_equal "two words" "${lines[1]}"
	assert_equal wrong "$stderr"
}

@test "run_within ends what does not end, with its children" {
	run_within 1 bash -c 'echo $$; sleep 1000 & echo $!; wait'
	assert_status 124
	assert_stderr "[not done after 1 s]"
	wait_for 10 test ! -e "/proc/${lines[0]}/stat"
	wait_for 10 test ! -e "/proc/${lines[1]}/stat"
}

@test "each check can fail and says why" {
	run_within 10 bash -c 'echo "a b"; echo "c.d"; echo e >&2; exit 2'
	seen_status=$status seen_output=$output seen_stderr=$stderr

	good() {
		status=$seen_status output=$seen_output stderr=$seen_stderr
		"$@" || fail "should have passed: $*"
	}
	bad() {
		local said

		status=$seen_status output=$seen_output stderr=$seen_stderr
		! said=$("$@" 2>&1) || fail "should have failed: $*"
		[[ -n $said ]] || fail "failed without a word: $*"
	}
	good assert_status 2
	bad assert_status 0
	good assert_output "a b"$'\n'"c.d"
	bad assert_output "a b"
	good assert_output -p "b"
	bad assert_output -p "cxd"
	good assert_output -e 'c.d$'
	bad assert_output -e '^c.d'
	good assert_output
	bad refute_output
	bad refute_output -p "a b"
	good refute_output -p "z"
	good assert_line "c.d"
	bad assert_line "c"
	good assert_line -p "c"
	good assert_line -e '^c.d$'
	bad assert_line -e '^d'
	bad refute_line "a b"
	good refute_line "a"
	good assert_stderr e
	bad assert_stderr f
	bad refute_stderr
	good assert_stderr_line e
	bad refute_stderr_line -p e
	bad assert_equal a b
	echo text | put "$SCRATCH/f"
	good assert_file "$SCRATCH/f" 0644
	bad assert_file "$SCRATCH/f" 0600
	bad assert_file "$SCRATCH/f" 0644 nobody:nogroup
	bad assert_dir "$SCRATCH/f"
	bad assert_file "$SCRATCH/g"
	good assert_missing "$SCRATCH/g"
	bad assert_missing "$SCRATCH/f"
	ln -s nowhere "$SCRATCH/l"
	bad assert_missing "$SCRATCH/l"
	good assert_content "$SCRATCH/f" text
	bad assert_content "$SCRATCH/f" tex
	bad assert_mounted "$SCRATCH"
	good refute_mounted "$SCRATCH"
	bad refute_mounted /proc
}

@test "a footprint moves when a file is rewritten with the same bytes" {
	echo same | put "$SCRATCH/d/f"
	before=$(footprint "$SCRATCH/d")
	cat "$SCRATCH/d/f"
	assert_equal "$before" "$(footprint "$SCRATCH/d")"
	echo same | put "$SCRATCH/d/f"
	[[ $before != "$(footprint "$SCRATCH/d")" ]]
}

@test "nobody has no rights and still reaches the program" {
	need_root
	echo secret | put "$SCRATCH/secret" 0600
	run_within 10 as_nobody cat "$SCRATCH/secret"
	assert_status 1
	run_within 10 as_nobody id -u
	assert_output 65534
	run_within 10 as_nobody "$(for_nobody /bin/echo)" hello
	assert_output hello
}

# ---- a file system that dies

# stuck_call COMMAND...: starts it in the namespace and waits until it is stuck; sets stuck
stuck_call()
{
	_apart in_ns bash -c 'echo $$ >"$1"; shift; exec "$@"' _ "$SCRATCH/stuck" "$@" >/dev/null 2>&1 &
	disown
	wait_for 10 test -s "$SCRATCH/stuck"
	stuck=$(<"$SCRATCH/stuck")
	wait_for 10 is_stuck "$stuck"
}

state_of()
{
	awk '{sub(/.*\) /, ""); print $1}' "/proc/$1/stat" 2>/dev/null || echo gone
}

@test "hangfs answers, and shows the source and type it was given" {
	hangfs_start "$SCRATCH/lustre" dirs=data:results
	assert_mounted "$SCRATCH/lustre" fuse.lustre 10.1.30.23@tcp:/czrc3amv
	run_within 10 in_ns ls "$SCRATCH/lustre"
	assert_output "data"$'\n'"results"
	assert_dir "$SCRATCH/lustre/data" 0755
	run_within 10 in_ns stat "$SCRATCH/lustre/other"
	assert_status 1
	run_within 10 in_ns stat -f "$SCRATCH/lustre"
	assert_status 0
	hangfs_log "$SCRATCH/lustre" | grep -E '^answered lookup [0-9]+$'
}

@test "a dead hangfs keeps its callers, in state D once they were killed, until it comes back" {
	hangfs_start "$SCRATCH/lustre"
	hangfs_hang "$SCRATCH/lustre"
	stuck_call stat "$SCRATCH/lustre"
	[[ $(state_of "$stuck") == S ]]
	kill -KILL "$stuck"
	wait_for 10 bash -c "grep -q '^State:.D' /proc/$stuck/status"
	[[ $(hangfs_kept "$SCRATCH/lustre") -ge 1 ]]
	hangfs_resume "$SCRATCH/lustre"
	wait_for 10 test ! -e "/proc/$stuck/stat"
	assert_dir "$SCRATCH/lustre"
}

@test "a dead hangfs answers late and right to who waited" {
	hangfs_start "$SCRATCH/lustre" dirs=data
	hangfs_hang "$SCRATCH/lustre"
	_apart in_ns ls "$SCRATCH/lustre" >"$SCRATCH/listing" 2>&1 &
	wait_for 10 _hangfs_counts_more "$SCRATCH/lustre" 'kept '
	[[ ! -s $SCRATCH/listing ]]
	hangfs_resume "$SCRATCH/lustre"
	wait_for 10 test -s "$SCRATCH/listing"
	assert_equal data "$(<"$SCRATCH/listing")"
}

@test "run_within does not wait for a caller of a dead hangfs that cannot be killed" {
	hangfs_start "$SCRATCH/lustre" dead
	run_within 1 in_ns stat "$SCRATCH/lustre"
	assert_status 124
}

@test "statfs hangs too, the mount table does not" {
	hangfs_start "$SCRATCH/lustre"
	hangfs_hang "$SCRATCH/lustre"
	run_within 1 in_ns df "$SCRATCH/lustre"
	assert_status 124
	run_within 10 in_ns findmnt -n -o FSTYPE "$SCRATCH/lustre"
	assert_output fuse.lustre
	run_within 1 in_ns umount "$SCRATCH/lustre"
	assert_status 124
	run_within 10 in_ns umount -l "$SCRATCH/lustre"
	assert_status 0
	refute_mounted "$SCRATCH/lustre"
}

@test "the end of a test frees callers of a dead hangfs and ends its server" {
	hangfs_start "$SCRATCH/lustre"
	server=$(hangfs_pid "$SCRATCH/lustre")
	hangfs_hang "$SCRATCH/lustre"
	stuck_call stat "$SCRATCH/lustre"
	kill -KILL "$stuck"
	scratch_close
	wait_for 10 test ! -e "/proc/$stuck/stat"
	wait_for 10 test ! -e "/proc/$server/stat"
}

@test "a test that fails in the middle leaves no server behind" {
	local test=@test # written out, bats would take it for a test of this file

	cat >"$SCRATCH/fails.bats" <<-END
		load $BATS_TEST_DIRNAME/support/common
		load $BATS_TEST_DIRNAME/support/hangfs
		setup() { scratch_open; }
		teardown() { scratch_close; }
		$test "fails" {
			hangfs_start "\$SCRATCH/lustre"
			hangfs_pid "\$SCRATCH/lustre" >$SCRATCH/server
			echo "\$SCRATCH" >$SCRATCH/inner
			hangfs_hang "\$SCRATCH/lustre"
			run_within 1 in_ns stat "\$SCRATCH/lustre"
			false
		}
	END
	[[ -w /dev/fuse ]] || skip "needs /dev/fuse"
	run_within 60 env -u BATS_RUN_TMPDIR bats "$SCRATCH/fails.bats"
	assert_status 1
	assert_output -p "not ok 1 fails"
	wait_for 10 test ! -e "/proc/$(<"$SCRATCH/server")/stat"
	[[ ! -e $(<"$SCRATCH/inner") ]]
}

# ---- apt and dpkg

@test "the apt root has a working apt, dpkg, and no source but ours" {
	aptroot_open
	make_deb hello 1.0-1 --file /etc/hello "hello there" --postinst 'echo configured >/var/tmp/hello'
	publish
	run_within 60 apt_get update
	assert_status 0
	refute_output -p "http"
	run_within 60 in_root apt-cache policy hello
	assert_line -p "Candidate: 1.0-1"
	run_within 60 apt_get install hello
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state hello)"
	assert_content "$ROOT/etc/hello" "hello there"
	assert_content "$ROOT/var/tmp/hello" configured
	[[ ! -e /etc/hello && ! -e $ROOT/etc/hello ]]
	run_within 60 apt_get install no-such-package
	assert_status 100
}

@test "each test gets a root as new" {
	aptroot_open
	assert_equal "" "$(dpkg_state hello)"
	assert_missing "$ROOT/etc/hello"
	[[ ! -e $APTROOT_BASE/var/tmp/hello ]]
}

@test "the root has its own proc and dev, and services do not start" {
	aptroot_open
	run_within 10 in_root 'head -c1 /dev/urandom >/dev/null; grep " / " /proc/self/mountinfo'
	assert_output -p "overlay"
	run_within 10 in_root /usr/sbin/policy-rc.d ssh start
	assert_status 101
	run_within 10 in_root 'echo out; echo wrong >&2; exit 9'
	assert_status 9
	assert_equal out "$output"
	assert_equal wrong "$stderr"
}

@test "the packages of the field: versions, holds, the metapackage that brings the next kernel" {
	aptroot_open
	field_debs
	apt_get update
	apt_get install linux-aws=6.8.0.1039.1039 linux-image-aws=6.8.0.1039.1039 \
		linux-headers-aws=6.8.0.1039.1039 lustre-client-modules-6.8.0-1039-aws lustre-client-utils
	run_within 60 in_root dpkg-query -W -f '${Version}' lustre-client-modules-6.8.0-1039-aws
	assert_output 2.15.6-1fsx21
	in_root apt-mark hold linux-aws linux-image-aws linux-headers-aws
	assert_equal "hold ok installed" "$(dpkg_state linux-aws)"
	run_within 60 apt_get dist-upgrade
	assert_status 0
	assert_equal "" "$(dpkg_state linux-image-6.8.0-1043-aws)"
	in_root apt-mark unhold linux-aws linux-image-aws linux-headers-aws
	run_within 60 apt_get dist-upgrade
	assert_equal "install ok installed" "$(dpkg_state linux-image-6.8.0-1043-aws)"
	unpublish lustre-client-modules-6.8.0-1043-aws
	publish
	apt_get update
	run_within 60 apt_get install lustre-client-modules-6.8.0-1043-aws
	assert_status 100
	assert_stderr -p "Unable to locate package lustre-client-modules-6.8.0-1043-aws"
}

@test "a lock that is held stops apt, and dpkg names its holder" {
	aptroot_open
	field_debs
	apt_get update
	hold_lock
	run_within 60 apt_get install lustre-client-utils
	assert_status 100
	assert_stderr -p "held by process $LOCK_HOLDER (holdlock)"
	release_lock
	run_within 60 apt_get install lustre-client-utils
	assert_status 0
}

@test "the lock of the lists stops apt-get update" {
	aptroot_open
	hold_lock /var/lib/apt/lists/lock
	run_within 60 apt_get update
	assert_status 100
	assert_stderr -p "Could not get lock /var/lib/apt/lists/lock"
}

@test "a package left half-configured is mended by dpkg --configure -a" {
	aptroot_open
	leave_half_configured shaky 1.0
	assert_equal "install ok half-configured" "$(dpkg_state shaky)"
	in_root dpkg --configure -a
	assert_equal "install ok installed" "$(dpkg_state shaky)"
}

@test "a dpkg that was killed leaves its journal, and apt refuses to work" {
	aptroot_open
	leave_interrupted shaky 1.0
	run_within 60 apt_get install shaky
	assert_status 100
	assert_stderr -p "dpkg was interrupted"
	in_root dpkg --configure -a
	assert_equal "install ok installed" "$(dpkg_state shaky)"
	assert_equal "" "$(in_root ls /var/lib/dpkg/updates)"
}

@test "a program of ours runs in the root with its libraries" {
	aptroot_open
	need_program hangfs
	before=$(in_root 'ls /usr/lib/*/libfuse3.so.3 2>/dev/null || :')
	assert_equal "" "$before"
	inside=$(root_program "$TEST_PROGRAMS/hangfs")
	run_within 10 in_root "$inside" --no-such-option
	assert_stderr -p "hangfs"
	run_within 10 in_root ldd "$inside"
	refute_output -p "not found"
}

# ---- modules

@test "the module tree is that of a real kernel, with indexes that answer" {
	modtree
	[[ $MODTREE_RELEASE == *-cloud-* ]]
	run_within 30 modinfo -b "$MODTREE" -k "$MODTREE_RELEASE" -F vermagic nfsv4
	assert_output -p "$MODTREE_RELEASE SMP"
	run_within 30 modinfo -b "$MODTREE" -k "$MODTREE_RELEASE" lustre
	assert_status 1
	run_within 30 modprobe -d "$MODTREE" -S "$MODTREE_RELEASE" --show-depends nfsv4
	assert_line -p "/sunrpc.ko"
	grep -q . "$MODTREE/lib/modules/$MODTREE_RELEASE/modules.builtin"
	grep -q '^CONFIG_MODVERSIONS=y' "$MODTREE/boot/config-$MODTREE_RELEASE"
}

@test "a bound module tree can be changed without changing the one that is shared" {
	modtree_bind
	in_ns "modinfo -k $MODTREE_RELEASE -F name nfsv4"
	in_ns rm "/lib/modules/$MODTREE_RELEASE/modules.dep.bin"
	in_ns "cd /lib/modules/$MODTREE_RELEASE; mkdir updates; echo x >updates/lustre.ko"
	run_within 30 in_ns ls -v /lib/modules
	assert_output "$MODTREE_OTHER"$'\n'"$MODTREE_RELEASE"
	[[ -s $MODTREE/lib/modules/$MODTREE_RELEASE/modules.dep.bin ]]
	[[ ! -e $MODTREE/lib/modules/$MODTREE_RELEASE/updates && ! -e /lib/modules/$MODTREE_RELEASE ]]
}
