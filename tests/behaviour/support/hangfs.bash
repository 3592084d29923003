# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A mount that goes dead as a Lustre mount does when its server is gone (tests/programs/hangfs.c),
# in the test's namespace. Needs common.bash. The server is ended at the end of the test in any
# case, which sets free whatever waits for it. Outside /proc nothing may be asked about a dead
# mount: a stat of it would not come back.
#
#	hangfs_start /path; hangfs_hang /path; run_reconcile plan; hangfs_kept /path

HANGFS_SOURCE=10.1.30.23@tcp:/czrc3amv
# shellcheck disable=SC2034
HANGFS_TYPE=fuse.lustre # the kernel always puts fuse. before the subtype

_hangfs_file()
{
	echo "$SCRATCH/.hangfs${1//\//+}.$2"
}

# hangfs_start TARGET [OPTION...]: mounts it there, making the folder; OPTION as in hangfs.c, fsname
# and subtype may be overruled
hangfs_start()
{
	local target=$1 option options=fsname=$HANGFS_SOURCE,subtype=lustre pid

	shift
	need_program hangfs || return
	[[ -c /dev/fuse && -w /dev/fuse ]] || skip "needs /dev/fuse"
	((EUID != 0)) || options+=,allow_other
	options+=,log=$(_hangfs_file "$target" log)
	for option; do
		options+=,$option
	done
	in_ns mkdir -p "$target" || return
	pid=$(_apart in_ns "$TEST_PROGRAMS/hangfs" -o "$options" "$target") || return
	echo "$pid" >"$(_hangfs_file "$target" pid)"
	at_end hangfs_stop "$target"
}

hangfs_pid()
{
	cat "$(_hangfs_file "$1" pid)"
}

# hangfs_hang TARGET: when it returns, the file system has died
hangfs_hang()
{
	_hangfs_mood "$1" USR1 dead
}

# hangfs_resume TARGET: when it returns, it answers again, and has answered who was waiting
hangfs_resume()
{
	_hangfs_mood "$1" USR2 alive
}

_hangfs_mood()
{
	local before

	before=$(_hangfs_count "$1" "$3")
	kill -"$2" "$(hangfs_pid "$1")" || return
	wait_for 10 _hangfs_counts_more "$1" "$3" "$before" || fail "hangfs on $1 did not become $3"
}

_hangfs_count()
{
	grep -c "^$2" "$(_hangfs_file "$1" log)" 2>/dev/null || :
}

_hangfs_counts_more()
{
	(($(_hangfs_count "$1" "$2") > ${3:-0}))
}

# hangfs_kept TARGET: how many requests it was asked and did not answer while dead
hangfs_kept()
{
	_hangfs_count "$1" 'kept '
}

# hangfs_log TARGET: the requests it got: "answered getattr PID", "kept lookup PID", and the lines
# "dead" and "alive"
hangfs_log()
{
	cat "$(_hangfs_file "$1" log)"
}

# hangfs_stop TARGET: ends the server as a crash would, then takes the mount away
hangfs_stop()
{
	local pidfile pid

	pidfile=$(_hangfs_file "$1" pid)
	[[ -f $pidfile ]] || return 0
	pid=$(<"$pidfile")
	rm -f "$pidfile"
	! _is_named "$pid" hangfs || kill -KILL "$pid"
	in_ns umount -l "$1" 2>/dev/null || :
}
