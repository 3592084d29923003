#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# takes: 20
#
# Killed between any two system calls, alone or with all its children: the next run converges, the
# history is whole and says of no step that it was done which was not, and no half-written file stays.
# Of thousands of moments 60 are tried, other ones each time; CRASH_POINTS=N tries so many, all all.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	need_program killat
	# who is traced cannot look for its leaks
	! is_sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	scratch_open
	tree_open
	# one of each kind of step: made, changed, taken away
	node_file <<-YAML
		mounts:
		  $AREA/ram: {source: tmpfs, type: tmpfs, options: [size=1m, nosuid, mode=0755], manage: live}
		resources:
		  - {kind: directory, path: $AREA/ram/d, mode: "0750"}
		  - {kind: file, path: $AREA/ram/d/f, content: "on it\n"}
		  - {kind: file, path: $AREA/new, content: "new\n", mode: "0600"}
		  - {kind: file, path: $AREA/old, content: "changed\n"}
		  - {kind: file, path: $AREA/gone, state: absent}
		  - {kind: directory, path: $AREA/mode, mode: "0711"}
		  - {kind: command, name: once, argv: [cp, /etc/hostname, $AREA/made], creates: $AREA/made}
	YAML
	# the namespace's own path to the program that is traced, without a process per call
	NS=$(ns_pid)
	OPTIONS=(-C "$TREE" --node "$NODE" --history "$SCRATCH/state/history.db" --run-dir "$SCRATCH/run")
}

teardown()
{
	scratch_close
}

within()
{
	nsenter -t "$NS" -m "$@" </dev/null 3>&- 4>&-
}

broken()
{
	within bash -c 'cd "$1" && { umount -l ram 2>/dev/null; rm -rf --one-file-system ram new made mode; mkdir mode
		echo old >old; echo there >gone; }' - "$AREA"
}

# is_so ID: it is as wanted, as ordinary tools see it
is_so()
{
	case $1 in
	mount:*) within findmnt -n -o OPTIONS "$AREA/ram" | grep -q nosuid ;;
	directory:*/ram/d) [[ $(within stat -c %a "$AREA/ram/d") == 750 ]] ;;
	file:*/ram/d/f) [[ $(within cat "$AREA/ram/d/f") == "on it" ]] ;;
	file:*/new) [[ $(within stat -c %a "$AREA/new") == 600 && $(<"$AREA/new") == new ]] ;;
	file:*/old) [[ $(<"$AREA/old") == changed ]] ;;
	file:*/gone) [[ ! -e $AREA/gone ]] ;;
	directory:*/mode) [[ $(stat -c %a "$AREA/mode") == 711 ]] ;;
	command:*) [[ -e $AREA/made ]] ;;
	*) fail "what is $1?" ;;
	esac
}

# truthful: of the run that was cut, what its history calls changed is so
truthful()
{
	local id

	[[ -e $SCRATCH/state/history.db ]] || return 0
	for id in $(within "$RECONCILE" history show "$1" --json "${OPTIONS[@]}" 2>/dev/null |
		jq -r '.steps[]? | select(.outcome == "changed") | .id'); do
		is_so "$id" || fail "the history says that $id was changed"
	done
}

newest_run()
{
	within "$RECONCILE" history --json --limit 1 "${OPTIONS[@]}" 2>/dev/null | jq -r '.[0].run // 0' 2>/dev/null || echo 0
}

# point N [-f]: one moment
point()
{
	local said before after

	broken
	before=$(newest_run)
	said=$(within "$TEST_PROGRAMS/killat" "${@:2}" "$1" "$RECONCILE" apply --yes "${OPTIONS[@]}" 2>&1 | tail -n 1)
	[[ $said == killed ]] || {
		[[ $said == ended* ]] || fail "killat: $said"
		return 1
	}
	after=$(newest_run)
	((after == before)) || truthful "$after"
	within "$RECONCILE" apply --yes --lock-timeout 20s "${OPTIONS[@]}" >"$SCRATCH/out" 2>&1 ||
		fail "killed at $*: the next apply ended with $?" "$(<"$SCRATCH/out")"
	for id in mount: directory:/ram/d file:/ram/d/f file:/new file:/old file:/gone directory:/mode command:; do
		is_so "$id" || fail "killed at $*: $id" "$(<"$SCRATCH/out")"
	done
	[[ -z $(within find "$AREA" "$SCRATCH/run" "$SCRATCH/state" -name '.*' -o -name '*.tmp' -o -name '*.new') ]] ||
		fail "killed at $*: left behind: $(within find "$AREA" "$SCRATCH/run" "$SCRATCH/state")"
}

# points [-f]: moments over the whole of an apply
points()
{
	local total step at tried=0

	broken
	total=$(within "$TEST_PROGRAMS/killat" "$@" 0 "$RECONCILE" apply --yes "${OPTIONS[@]}" 2>/dev/null | tail -n 1)
	[[ $total == "ended 0 "* ]] || fail "an apply that is let alone: $total"
	total=${total##* }
	case ${CRASH_POINTS:-60} in
	all) step=1 ;;
	*) step=$((total / ${CRASH_POINTS:-60} + 1)) ;;
	esac
	for ((at = 1 + TEST_SEED % step; at <= total; at += step)); do
		point "$at" "$@" || {
			# it makes fewer calls when what it waits for comes sooner
			((at > total * 3 / 4)) || fail "only $at of $total calls"
			break
		}
		((++tried))
	done
	((tried >= 20)) || fail "only $tried moments were tried"
	within "$RECONCILE" history --json --limit 100000 "${OPTIONS[@]}" |
		jq -e 'all(.[]; .status != "running")' >/dev/null || fail "a run has no end"
	echo "# $tried of $total moments" >&3
}

@test "killed alone between any two system calls" {
	points
}

@test "killed with all its children between any two system calls" {
	points -f
}
