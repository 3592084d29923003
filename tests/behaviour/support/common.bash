# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What every behaviour test stands on. A test file has
#
#	load support/common
#	setup() { scratch_open; }
#	teardown() { scratch_close; }
#
# and gets
#
#	$SCRATCH	a folder of its own that root trusts (nobody else can write to it, up to /)
#	at_end		what has to be undone at the end of the test, however it ends
#	in_ns		a command or a bash snippet in the test's private mount namespace
#	run_within	a command with a deadline, also when it cannot be killed: $status, $output, $stderr
#	run_reconcile	the program, in that namespace, with history and run-dir in $SCRATCH
#	assert_...	checks that print all there is to see when they fail
#
# All mounts of a test live in its private namespace, so nothing it does to mounts can be seen
# outside, and all of it is gone when the processes in it are. Nothing here calls stat on a path
# below a mount.

umask 022

TOP=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)
RECONCILE=$(realpath -m "${RECONCILE:-$TOP/build/reconcile}")
TEST_PROGRAMS=$(realpath -m "${TEST_PROGRAMS:-$TOP/build/release/tests/programs}")
TEST_CACHE=${TEST_CACHE:-$TOP/build/cache}
GUARD=${GUARD:-60} # seconds that run_reconcile waits; only a hang reaches them
TEST_SEED=${TEST_SEED:-$RANDOM} # what a test chooses by chance it chooses by this number
export TOP RECONCILE TEST_PROGRAMS TEST_CACHE TEST_SEED

# ---- what a test needs, and skips or fails without

need_root()
{
	((EUID == 0)) || skip "needs root"
}

need_command()
{
	local name

	for name; do
		command -v "$name" >/dev/null || skip "needs the program $name"
	done
}

# need_program NAME...: helpers of the tests, built from tests/programs/NAME.c
need_program()
{
	local name

	for name; do
		[[ -x $TEST_PROGRAMS/$name ]] || {
			fail "$TEST_PROGRAMS/$name is missing: build it with make"
			return
		}
	done
}

# is_sanitized: the program was built for ASan and UBSan (make sanitize)
is_sanitized()
{
	grep -q __asan_init "$RECONCILE"
}

# sanitizer_frees: from here on a sanitizer keeps nothing for itself of what was freed or called, so
# that memory can be compared with what it was
sanitizer_frees()
{
	! is_sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0:\
malloc_context_size=0:detect_stack_use_after_return=0"
}

# ---- scratch folder and clean-up

# Root refuses a tree that somebody else could change, so each folder up to / has to be root's or
# our own, and not writable by others unless it is sticky.
_is_trusted()
{
	local dir=$1 owner mode

	[[ -d $dir && -w $dir ]] || return 1
	dir=$(realpath "$dir")
	while :; do
		read -r owner mode < <(stat -c '%u %a' "$dir")
		((owner == 0 || owner == EUID)) || return 1
		(((8#$mode & 8#022) == 0 || (8#$mode & 8#1000) != 0)) || return 1
		[[ $dir != / ]] || return 0
		dir=$(dirname "$dir")
	done
}

# new_scratch: makes such a folder and prints its path
new_scratch()
{
	local base dir

	for base in "${TMPDIR:-/tmp}" /tmp /var/tmp /run; do
		if _is_trusted "$base"; then
			dir=$(mktemp -d "$(realpath "$base")/reconcile-test.XXXXXX")
			chmod 0755 "$dir"
			echo "$dir"
			return
		fi
	done
	fail "no folder to work in that only root can write to"
}

scratch_open()
{
	SCRATCH=$(new_scratch)
	export SCRATCH
}

# at_end COMMAND ARG...: run it at the end of the test; what was registered last runs first
at_end()
{
	printf '%q ' "$@" >>"$SCRATCH/.at_end"
	echo >>"$SCRATCH/.at_end"
}

scratch_close()
{
	local line kept=0
	local -a undo=()

	[[ ${SCRATCH:-} == */reconcile-test.* && -d $SCRATCH ]] || return 0
	if [[ -f $SCRATCH/.at_end ]]; then
		mapfile -t undo < <(tac "$SCRATCH/.at_end")
	fi
	for line in "${undo[@]}"; do
		eval "$line" || echo "clean-up failed: $line" >&2
	done
	ns_close || kept=1
	_remove_scratch "$SCRATCH" || kept=1
	unset SCRATCH
	return $kept
}

# Should a test have mounted below its folder outside its namespace, the mount goes first and what
# is on it stays.
_remove_scratch()
{
	local target

	while read -r target; do
		umount -l "$(printf '%b' "$target")" || return 1
	done < <(awk -v under="$1/" 'index($5, under) == 1 {print $5}' /proc/self/mountinfo | tac)
	rm -rf --one-file-system -- "$1"
}

# put PATH [MODE] <TEXT: writes a file and the folders above it
put()
{
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chmod "${2:-0644}" "$1"
}

# _apart COMMAND ARG...: without the descriptors by which bats would wait for it, should it live on
_apart()
{
	"$@" </dev/null 3>&- 4>&-
}

# ---- private mount namespace

# A process that does nothing but keep the namespace; without root it is root in a user namespace of
# its own. It is started here and not by a function, so that $! is the process itself.
ns_open()
{
	local -a flags=(-m)
	local pid

	((EUID == 0)) || flags=(-rUm)
	unshare "${flags[@]}" --propagation private sleep 3600 \
		</dev/null >/dev/null 2>"$SCRATCH/.ns-err" 3>&- 4>&- &
	pid=$!
	disown
	if wait_for 10 _is_started "$pid" && _keeps_namespace "$pid"; then
		echo "$pid" >"$SCRATCH/.ns"
		return
	fi
	kill "$pid" 2>/dev/null
	# in a subshell skip would end nothing but the subshell, and with success
	if ((EUID != 0 && BASH_SUBSHELL == 0)); then
		skip "needs root or user namespaces: $(<"$SCRATCH/.ns-err")"
	fi
	fail "no private mount namespace: $(<"$SCRATCH/.ns-err")"
}

# need_ns: opens the namespace if it is not open yet. All that uses it calls this; a test whose first
# use is in a subshell or below run_within calls it itself, so that it can be skipped.
need_ns()
{
	[[ -f $SCRATCH/.ns ]] || ns_open
}

_is_named()
{
	[[ $(cat "/proc/$1/comm" 2>/dev/null) == "$2" ]]
}

# The namespace is ready when unshare has become the sleep, and never will be when it has ended.
_is_started()
{
	_is_named "$1" sleep || [[ ! -e /proc/$1 ]]
}

# Nothing is ever run in the machine's own namespace by mistake: what would be undone at the end of a
# test stays there for good.
_keeps_namespace()
{
	local ns

	ns=$(readlink "/proc/$1/ns/mnt") && _is_named "$1" sleep &&
		[[ -n $ns && $ns != "$(readlink /proc/self/ns/mnt)" ]]
}

# ns_pid: the process that keeps the namespace; /proc/PID/root/PATH is a file in there, seen from
# outside
ns_pid()
{
	local pid

	need_ns && pid=$(<"$SCRATCH/.ns") || return
	_keeps_namespace "$pid" || {
		fail "the test's namespace is gone"
		return
	}
	echo "$pid"
}

# in_ns COMMAND ARG... | in_ns 'SNIPPET': the first call opens the namespace, and the mounts made in
# one call are there in the next. The folder is /.
in_ns()
{
	local pid
	local -a enter

	need_ns && pid=$(ns_pid) || return
	enter=(nsenter -t "$pid" -m)
	((EUID == 0)) || enter+=(-U --preserve-credentials)
	if (($# == 1)); then
		"${enter[@]}" bash -euo pipefail -c "$1"
	else
		"${enter[@]}" "$@"
	fi
}

# Ends whatever still runs in the namespace, and with the last process go the mounts. It is kept open
# meanwhile: its number would be given to the next one, which may be that of another test.
ns_close()
{
	local pid ns pin

	[[ -f $SCRATCH/.ns ]] || return 0
	pid=$(<"$SCRATCH/.ns")
	rm -f "$SCRATCH/.ns"
	_keeps_namespace "$pid" || {
		fail "the process that kept the test's namespace is gone"
		return
	}
	exec {pin}<"/proc/$pid/ns/mnt"
	ns=$(readlink "/proc/self/fd/$pin")
	wait_for 10 _kill_members "$ns" ||
		echo "still alive in the test's namespace: $(_members "$ns" | xargs)" >&2
	exec {pin}<&-
}

_members()
{
	find /proc/[0-9]*/ns/mnt -maxdepth 0 -lname "${1//[\[\]]/?}" 2>/dev/null | cut -d/ -f3
}

_kill_members()
{
	local -a pids

	mapfile -t pids < <(_members "$1")
	((${#pids[@]} > 0)) || return 0
	kill -KILL "${pids[@]}" 2>/dev/null
	return 1
}

# ns_overlay DIR...: what is written below DIR (say /etc) from now on stays in the namespace. Needs
# root: in a user namespace the files of the machine's root would belong to nobody.
ns_overlay()
{
	local dir upper n

	need_root
	for dir; do
		n=$(find "$SCRATCH" -maxdepth 1 -name '.overlay*' | wc -l)
		upper=$SCRATCH/.overlay$n
		mkdir "$upper"
		in_ns "mount -t tmpfs tmpfs '$upper'
			mkdir '$upper/up' '$upper/work'
			chmod --reference='$dir' '$upper/up'
			mount -t overlay -o 'lowerdir=$dir,upperdir=$upper/up,workdir=$upper/work' overlay '$dir'"
	done
}

# ---- running

# The prefix that makes a command run as nobody; inside in_ns: in_ns "${AS_NOBODY[@]}" COMMAND
AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all
	env HOME=/nonexistent)

# as_nobody COMMAND ARG...: in the test's namespace, as the user with no rights
as_nobody()
{
	need_root
	in_ns "${AS_NOBODY[@]}" "$@"
}

# for_nobody PROGRAM: prints the path of a copy that nobody can run even if PROGRAM lies in
# somebody's home
for_nobody()
{
	install -D -m 0755 "$1" "$SCRATCH/bin/$(basename "$1")"
	echo "$SCRATCH/bin/$(basename "$1")"
}

reconcile()
{
	in_ns "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run" "$@"
}

run_reconcile()
{
	run_within "$GUARD" reconcile "$@"
}

# wait_for SECONDS COMMAND ARG...: until it succeeds; fails when it never did
wait_for()
{
	local end=$((SECONDS + $1 + 1))

	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

# run_within SECONDS COMMAND ARG...: sets status, output (stdout), stderr and lines. A command that
# does not end is killed and has status 124; one that cannot be killed, because it waits for a dead
# file system, is left behind and not waited for.
run_within()
{
	local limit=$1 pid timer first=

	shift
	[[ $1 != in_ns && $1 != reconcile ]] || need_ns || return
	ran="$*"
	status=0
	set -m # a process group of its own, so that the whole command can be killed
	(
		trap - DEBUG ERR EXIT
		set +eETm
		"$@"
	) </dev/null >"$SCRATCH/.stdout" 2>"$SCRATCH/.stderr" 3>&- 4>&- &
	pid=$!
	set +m
	# no function and no TERM: a shell that is told to end before it has become sleep would run the
	# traps of the test, which take its scratch folder away
	# shellcheck disable=SC2217 # it would keep the stdin open
	sleep "$limit" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	timer=$!
	wait -n -p first "$pid" "$timer" || status=$?
	if [[ $first == "$timer" ]]; then
		disown "$pid"
		kill -KILL -- "-$pid" 2>/dev/null || :
		status=124
		echo "[not done after $limit s]" >>"$SCRATCH/.stderr"
	else
		disown "$timer" # or the shell would tell of its end
		kill -KILL "$timer" 2>/dev/null || :
	fi
	output=$(<"$SCRATCH/.stdout")
	stderr=$(<"$SCRATCH/.stderr")
	# found in a child it would be one more way to fail, which the test may even expect
	[[ $stderr != *Sanitizer:\ * ]] || status=sanitizer
	# shellcheck disable=SC2034
	mapfile -t lines <"$SCRATCH/.stdout"
}

# is_stuck PID: it waits in the kernel for an answer of a file system (asleep or, once it was told
# to die, in state D)
is_stuck()
{
	[[ $(cat "/proc/$1/wchan" 2>/dev/null) == *request_wait_answer* ]]
}

# ---- checks

fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

_fail_run()
{
	{
		printf '%s\n' "$@"
		echo "--- command: ${ran:-?}"
		echo "--- status: ${status:-?}"
		echo "--- stdout:"
		head -n 200 <<<"${output:-}"
		echo "--- stderr:"
		head -n 200 <<<"${stderr:-}"
	} >&2
	return 1
}

assert_status()
{
	[[ ${status:-} == "$1" ]] || _fail_run "expected status $1, got ${status:-none}"
}

# _matches [-p|-e] WANTED TEXT: equal, or containing (-p), or matching a regular expression (-e)
_matches()
{
	case $1 in
	-p) [[ $3 == *"$2"* ]] ;;
	-e) [[ $3 =~ $2 ]] ;;
	*) [[ $2 == "$1" ]] ;;
	esac
}

# _has_line [-p|-e] WANTED TEXT: one of the lines does
_has_line()
{
	local line
	local -a how=("${@:1:$#-1}")

	while IFS= read -r line; do
		_matches "${how[@]}" "$line" && return
	done <<<"${*: -1}"
	return 1
}

# {assert,refute}_{output,stderr} [-p|-e] TEXT: the whole of it; without arguments: something was
# printed, or nothing
# {assert,refute}_{line,stderr_line} [-p|-e] TEXT: one line of it
assert_output()
{
	if (($# == 0)); then
		[[ -n $output ]] || _fail_run "expected something on stdout"
	else
		_matches "$@" "$output" || _fail_run "expected on stdout ($*):" "${*: -1}"
	fi
}

refute_output()
{
	if (($# == 0)); then
		[[ -z $output ]] || _fail_run "expected nothing on stdout"
	else
		! _matches "$@" "$output" || _fail_run "not expected on stdout ($*)"
	fi
}

assert_stderr()
{
	if (($# == 0)); then
		[[ -n $stderr ]] || _fail_run "expected something on stderr"
	else
		_matches "$@" "$stderr" || _fail_run "expected on stderr ($*)"
	fi
}

refute_stderr()
{
	if (($# == 0)); then
		[[ -z $stderr ]] || _fail_run "expected nothing on stderr"
	else
		! _matches "$@" "$stderr" || _fail_run "not expected on stderr ($*)"
	fi
}

assert_line()
{
	_has_line "$@" "$output" || _fail_run "expected a line on stdout ($*)"
}

refute_line()
{
	! _has_line "$@" "$output" || _fail_run "no such line expected on stdout ($*)"
}

assert_stderr_line()
{
	_has_line "$@" "$stderr" || _fail_run "expected a line on stderr ($*)"
}

refute_stderr_line()
{
	! _has_line "$@" "$stderr" || _fail_run "no such line expected on stderr ($*)"
}

# assert_equal WANTED HAVE: texts, shown as a diff when they differ
assert_equal()
{
	[[ $1 == "$2" ]] || fail "$(diff -u --label wanted --label have <(echo "$1") <(echo "$2"))"
}

# assert_file PATH [MODE [OWNER:GROUP]], assert_dir likewise: as seen in the namespace
assert_file()
{
	_assert_kind "regular file" "$@"
}

assert_dir()
{
	_assert_kind directory "$@"
}

_assert_kind()
{
	local have kind mode owner

	have=$(in_ns stat -c '%F|0%a|%U:%G' "$2") || return
	IFS='|' read -r kind mode owner <<<"$have"
	kind=${kind/regular empty file/regular file}
	if [[ $kind != "$1" ]]; then
		fail "$2: expected a $1, is a $kind"
	elif [[ -n ${3:-} ]] && ((8#$mode != 8#$3)); then
		fail "$2: expected mode $3, has $mode"
	elif [[ -n ${4:-} && $owner != "$4" ]]; then
		fail "$2: expected owner $4, has $owner"
	fi
}

assert_missing()
{
	local path

	for path; do
		in_ns test ! -e "$path" -a ! -L "$path" || {
			fail "$path: expected nothing there"
			return
		}
	done
}

# assert_content PATH TEXT: the file holds exactly this text, ended by a newline
assert_content()
{
	in_ns cmp -s - "$1" <<<"$2" || fail "$1 differs:" \
		"$(in_ns cat "$1" | diff -u --label wanted --label have <(echo "$2") -)"
}

# footprint PATH...: a line for each file below: inode, mode, owner, size, times. Equal before and
# after = not touched.
footprint()
{
	in_ns find "$@" -printf '%p %i %M %U:%G %s %T@ %C@ %l\n' | sort
}

# mount_of TARGET: type, source, mount options and options of the file system of what is mounted on
# it and can be seen
mount_of()
{
	local target=${1// /\\040}

	awk -v target="$target" '$5 == target {
		for (i = 7; $i != "-"; i++) {}
		found = $(i + 1) " " $(i + 2) " " $6 " " $(i + 3)
	} END {if (found == "") exit 1; print found}' "/proc/$(ns_pid)/mountinfo"
}

# assert_mounted TARGET [TYPE [SOURCE]]
assert_mounted()
{
	local have type source

	have=$(mount_of "$1") || {
		fail "$1: nothing is mounted there"
		return
	}
	read -r type source _ <<<"$have"
	if [[ -n ${2:-} && $type != "$2" ]]; then
		fail "$1: expected type $2, has $type"
	elif [[ -n ${3:-} && $source != "$3" ]]; then
		fail "$1: expected source $3, has $source"
	fi
}

refute_mounted()
{
	! mount_of "$1" >/dev/null || fail "$1: expected nothing mounted there: $(mount_of "$1")"
}
