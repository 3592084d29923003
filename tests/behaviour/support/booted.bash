# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A Debian (or Ubuntu) root that its own systemd has booted, in a container: units are started and
# stopped by the real thing. Needs common.bash.
#
#	booted_open			boots a fresh one for this test, with the program in it
#	in_booted COMMAND ARG...	runs it in there, as root, with a clean environment
#	booted_put PATH <TEXT		writes a file in there, and the folders above it
#	booted_reconcile ARG...		the program, in there: status, output, stderr
#
# The tree is made once and kept in $TEST_CACHE, as that of aptroot.bash; a test lays an overlay in
# memory over it.

# shellcheck source=tests/behaviour/support/aptroot.bash
source "${BASH_SOURCE[0]%/*}/aptroot.bash"

BOOTED_PACKAGES=systemd-sysv,dbus,systemd-timesyncd,mount,procps

# booted_base: the folder with the tree, made if need be
booted_base()
{
	local key dir

	key=$(cat "$TOP"/tests/behaviour/support/{aptroot,booted}.bash /etc/os-release | sha256sum |
		cut -c1-16)
	dir=$TEST_CACHE/booted-$key
	if [[ ! -e $dir/.complete ]]; then
		mkdir -p "$TEST_CACHE"
		need_command mmdebstrap flock
		exec {BOOTED_LOCK}>"$TEST_CACHE/booted.lock"
		flock "$BOOTED_LOCK"
		[[ -e $dir/.complete ]] || _booted_build "$dir" || return
		exec {BOOTED_LOCK}>&-
	fi
	BOOTED_BASE=$dir/root
}

_booted_build()
{
	local dir=$1 APTROOT_LIBRARIES=$APTROOT_LIBRARIES,$BOOTED_PACKAGES

	rm -rf "$TEST_CACHE"/booted-*
	mkdir -p "$dir"
	# what it clears away and logs is its own
	TEST_CACHE=$dir _aptroot_build "$dir"
}

booted_open()
{
	local memory=$SCRATCH/.booted

	need_root
	need_command systemd-nspawn
	booted_base || return
	ROOT=$SCRATCH/booted
	mkdir -p "$ROOT" "$memory"
	# shellcheck disable=SC2016 # they are the inner shell's
	in_ns bash -euc '
		mount -t tmpfs tmpfs "$2"
		mkdir "$2/up" "$2/work"
		mount -t overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" overlay "$3"' \
		_ "$BOOTED_BASE" "$memory" "$ROOT" || return
	in_root rm -f /usr/sbin/policy-rc.d
	BOOTED_PROGRAM=$(root_program "$RECONCILE") || return
	at_end booted_close
	_booted_start
}

_booted_start()
{
	nsenter -t "$(ns_pid)" -m systemd-nspawn -q --register=no --keep-unit -D "$ROOT" --boot \
		--private-network --console=pipe >"$SCRATCH/.boot" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$SCRATCH/.nspawn"
	disown
	wait_for 60 _booted_is_up && return
	# what a machine does not allow is no fault of ours
	! grep -qE 'Operation not permitted|Failed to .*cgroup' "$SCRATCH/.boot" ||
		skip "no systemd boots in a container here: $(tail -n 1 "$SCRATCH/.boot")"
	fail "it did not boot: $(tail -n 20 "$SCRATCH/.boot")"
}

# _booted_leader: the pid of the systemd in there, as seen from outside
_booted_leader()
{
	local pid

	for pid in $(pgrep -P "$(<"$SCRATCH/.nspawn")"); do
		! _is_named "$pid" systemd || echo "$pid"
	done
}

_booted_is_up()
{
	local leader

	leader=$(_booted_leader)
	[[ -n $leader ]] || return 1
	echo "$leader" >"$SCRATCH/.leader"
	[[ $(in_booted systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

booted_close()
{
	local leader

	leader=$(_booted_leader)
	[[ -z $leader ]] || kill -s RTMIN+4 "$leader" # systemd(1): halt
	wait_for 20 test ! -e "/proc/$(<"$SCRATCH/.nspawn")" || kill -KILL "$(<"$SCRATCH/.nspawn")"
}

in_booted()
{
	nsenter -t "$(<"$SCRATCH/.leader")" -a env -i HOME=/root LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

booted_put()
{
	# shellcheck disable=SC2016
	in_booted bash -euc 'mkdir -p "$(dirname "$1")"; cat >"$1"' _ "$1"
}

booted_reconcile()
{
	run_within "$GUARD" in_booted "$BOOTED_PROGRAM" "$@"
}
