#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 20
#
# `run` and those who run it: what it tells the service manager, how it ends, and who goes first.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

load support/common
load support/tree
load support/running

setup()
{
	need_root
	need_command jq
	scratch_open
	tree_open
	RUN=
}

teardown()
{
	running_close
	scratch_close
}

# ---- the service manager

# listen: a socket that keeps all it is told, a message a line, in $SCRATCH/told
listen()
{
	need_command python3
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "a", buffering=1) as f:
    while True:
        f.write(s.recv(65536).decode().replace("\n", " | ") + "\n")
' "$SCRATCH/notify" "$SCRATCH/told" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	disown
	at_end kill $!
	wait_for 10 test -S "$SCRATCH/notify"
}

_told()
{
	grep -q -e "$1" "$SCRATCH/told"
}

told()
{
	wait_for 60 _told "$1" || fail "not told: $1" "$(cat "$SCRATCH/told")"
}

@test "the service manager is told READY, how it goes, that it is alive, and STOPPING" {
	local pings

	listen
	directories d | node_file
	NOTIFY_SOCKET=$SCRATCH/notify WATCHDOG_USEC=400000 start_run --interval 1h
	told "^READY=1"
	told "^STATUS=1 changed at .*; next pass at "
	told "^WATCHDOG=1"
	pings=$(grep -c WATCHDOG "$SCRATCH/told")
	sleep 2
	(($(grep -c WATCHDOG "$SCRATCH/told") >= pings + 3)) || fail "not alive between passes"
	end_run
	assert_status 0
	told "^STOPPING=1"
}

@test "the service manager is told why a pass failed" {
	listen
	node_file <<<"resources: [{kind: nothing}]"
	NOTIFY_SOCKET=$SCRATCH/notify start_run --interval 1h
	told "^STATUS=the last pass failed at 20.*Z: .*nothing.*; next pass at "
	end_run
}

@test "READY comes before the first pass has done its work, and children do not speak for it" {
	listen
	node_file <<-EOF
	resources:
	  - {kind: command, name: slow, argv: [/bin/sh, -c, "env >$SCRATCH/environment; while test ! -e $SCRATCH/go; do sleep 0.1; done; touch $AREA/done"], creates: $AREA/done}
	EOF
	NOTIFY_SOCKET=$SCRATCH/notify WATCHDOG_USEC=2000000 start_run --interval 1h
	told "^READY=1"
	told "^STATUS=Waiting for command:slow"
	told "^WATCHDOG=1" # also while a worker is waited for
	wait_for 60 test -s "$SCRATCH/environment"
	assert_equal "" "$(grep -E 'NOTIFY|WATCHDOG' "$SCRATCH/environment")"
	touch "$SCRATCH/go"
	wait_for 60 test -e "$AREA/done"
	end_run
}

@test "an abstract socket is spoken to as well" {
	need_command python3
	directories d | node_file
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + sys.argv[1])
open(sys.argv[2], "w")
while True:
    with open(sys.argv[2], "a") as f:
        f.write(s.recv(65536).decode() + "\n")
' "reconcile-$$" "$SCRATCH/told" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	disown
	at_end kill $!
	wait_for 10 test -e "$SCRATCH/told"
	NOTIFY_SOCKET=@reconcile-$$ start_run --interval 1h
	told "^READY=1"
	end_run
}

# ---- its end

# slow_command [SECONDS]
slow_command()
{
	node_file <<-EOF
	resources:
	  - {kind: command, name: slow, argv: [/bin/sh, -c, "touch $SCRATCH/began; sleep ${1:-2}; touch $AREA/done"], creates: $AREA/done}
	EOF
	policy later <<-EOF
	plan:directory{path = "$AREA/later", reason = "r", after = {"command:slow"}}
	EOF
}

@test "SIGTERM lets the step under way end, begins no other, and says what was skipped" {
	listen
	slow_command
	NOTIFY_SOCKET=$SCRATCH/notify start_run --interval 1h
	wait_for 60 test -e "$SCRATCH/began"
	end_run
	assert_status 0
	assert_file "$AREA/done"
	assert_missing "$AREA/later"
	told "^STOPPING=1"
	told "^EXTEND_TIMEOUT_USEC="
	logged "stopping: waiting for command:slow; another signal stops at once"
	run_node history show 1
	assert_output -p "stopped by a signal"
	run_node plan
	assert_status 2
	refute_output -p "was cut off"
}

@test "a second SIGTERM ends it at once, and the next run says what was cut off" {
	slow_command 10
	start_run --interval 1h
	wait_for 60 test -e "$SCRATCH/began"
	kill -TERM "$RUN"
	sleep 1.2
	end_run
	assert_status 1
	wait_for 10 none_left
	assert_missing "$AREA/done"
	run_node run --once
	assert_status 0
	assert_stderr -p "was cut off"
	assert_dir "$AREA/later"
}

@test "one SIGTERM that comes twice is one" {
	slow_command
	start_run --interval 1h
	wait_for 60 test -e "$SCRATCH/began"
	kill -TERM "$RUN"
	sleep 0.1
	end_run
	assert_status 0
	assert_file "$AREA/done"
}

# ---- one at a time

# lock_elsewhere: somebody has the lock until there is $SCRATCH/free
lock_elsewhere()
{
	in_ns mkdir -p "$SCRATCH/run"
	_apart in_ns "exec 9<>$SCRATCH/run/lock; python3 -c '
import fcntl, struct, time, os
fcntl.fcntl(9, 37, struct.pack(\"hhqqi4x\", fcntl.F_WRLCK, 0, 0, 0, 0))
open(\"$SCRATCH/locked\", \"w\")
while not os.path.exists(\"$SCRATCH/free\"): time.sleep(0.05)
'" &
	wait_for 20 test -e "$SCRATCH/locked"
}

@test "a SIGTERM while somebody else holds the lock is no error" {
	directories d | node_file
	lock_elsewhere
	listen
	NOTIFY_SOCKET=$SCRATCH/notify start_run --interval 1h --lock-timeout 1h --json
	told "^STATUS=Waiting for the lock, held by "
	end_run
	assert_status 0
	assert_equal "" "$(jq -c 'select(.level == "err")' <<<"$output")"
	assert_equal "stopped by a signal" "$(jq -r 'select(.event == "skipped") | .reason' <<<"$output")"
	touch "$SCRATCH/free"
}

@test "while somebody else holds the lock a pass is skipped, said once, and tried again" {
	directories d | node_file
	lock_elsewhere
	start_run --interval 1h
	logged "skipped: "
	sleep 6
	assert_missing "$AREA/d"
	touch "$SCRATCH/free"
	wait_for 60 test -d "$AREA/d"
	end_run
	assert_equal 1 "$(grep -c "skipped: " <<<"$stderr")"
}
