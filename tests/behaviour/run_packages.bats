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

# start_run: in there, in the background; its exit code will stand in /run/code
start_run()
{
	in_root bash -c "$PROGRAM --node n run --interval 1h >/run/log 2>&1 & echo \$! >/run/agent
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
