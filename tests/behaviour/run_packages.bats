#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A `run` that is asked to end while a package manager is at work: it is waited for or left to itself,
# and never killed half way.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode

setup()
{
	aptnode_open
	make_deb slow 1.0 --postinst 'touch /var/tmp/started; sleep 4; touch /var/tmp/ended'
	make_deb zeal 1.0
	offer
	wanted <<<'packages: {slow: {}, zeal: {}}'
}

teardown()
{
	scratch_close
}

is_settled()
{
	at_node plan
	[[ $status == 0 ]]
}

# start_run [NAME=VALUE]: in there, in the background; its exit code will stand in /run/code
start_run()
{
	in_root bash -c "env $* $PROGRAM --node n run --interval 1h >/run/log 2>&1 & echo \$! >/run/agent
		code=0; wait \$! || code=\$?; echo \$code >/run/code" &
	wait_for 60 in_root test -e /var/tmp/started
}

@test "SIGTERM waits for a package manager that is at work" {
	start_run
	in_root bash -c 'kill -TERM $(cat /run/agent)'
	wait_for 60 in_root test -s /run/code
	in_root test -e /var/tmp/ended
	assert_equal 0 "$(in_root cat /run/code)"
	assert_equal "install ok installed" "$(dpkg_state slow)"
	at_node history show 1
	assert_output -p "stopped by a signal"
	at_node run --once
	settled
}

@test "a second SIGTERM leaves the package manager to itself, and the next run finds the result" {
	start_run
	in_root bash -c 'kill -TERM $(cat /run/agent); sleep 1.2; kill -TERM $(cat /run/agent)'
	wait_for 60 in_root test -s /run/code
	in_root test ! -e /var/tmp/ended
	assert_equal 1 "$(in_root cat /run/code)"
	at_node run --once
	assert_status 4
	assert_output -p "the package manager's lock is held by process"
	wait_for 30 in_root test -e /var/tmp/ended
	assert_equal "install ok installed" "$(dpkg_state slow)"
	at_node run --once
	wait_for 30 is_settled
	settled
}

@test "after 90 s the package manager is left to itself, and the next run finds the result" {
	need_program later
	! is_sanitized || skip "the sanitizers' library has to come first"
	make_deb slow 1.1 --postinst 'touch /var/tmp/started
		until [ -e /var/tmp/go ]; do sleep 0.2; done; touch /var/tmp/ended'
	offer
	cp "$TEST_PROGRAMS/later" "$(root_file /usr/local/lib)/later.so"
	at_end in_root touch /var/tmp/go
	start_run LD_PRELOAD=/usr/local/lib/later.so LATER=/run/later:89
	in_root bash -c 'kill -TERM $(cat /run/agent)'
	# a stop that has just been asked for is none that was asked for long ago
	sleep 3
	in_root test ! -e /run/code
	in_root touch /run/later
	wait_for 60 in_root test -s /run/code
	in_root test ! -e /var/tmp/ended
	assert_equal 0 "$(in_root cat /run/code)"
	at_node history show 1
	assert_output -p "still under way"
	at_node run --once
	assert_status 4
	assert_output -p "the package manager's lock is held by process"
	in_root touch /var/tmp/go
	wait_for 30 in_root test -e /var/tmp/ended
	at_node run --once
	wait_for 30 is_settled
	assert_equal "install ok installed" "$(dpkg_state slow)"
	settled
}
