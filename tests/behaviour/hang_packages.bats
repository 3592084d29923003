#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A package manager that never returns: it is waited for as long as the tree says, then left alone and
# never ended. Nobody starts a second one beside it, the rest converges, and when it has come to an end
# the next run finishes what it left half way.
# shellcheck disable=SC2046,SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode

setup()
{
	aptnode_open
	make_deb stuck 1.0 --postinst 'echo x >>/var/tmp/begun
		test -e /var/tmp/again || { touch /var/tmp/again; exec sleep 3000; }'
	make_deb zeal 1.0
	offer
	wanted <<-'END'
		transaction_max: 3s
		packages: {stuck: {}, zeal: {}}
		resources: [{kind: directory, path: /srv/other}, {kind: file, path: /srv/other/f, content: "x\n"}]
	END
}

teardown()
{
	scratch_close
}

# said TEXT: on stdout, wherever the lines break
said()
{
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || _fail_run "expected: $1"
}

# running NAME...: pids in the test's namespace, in the order of the names
running()
{
	local name pid

	for name; do
		for pid in $(_members "$(readlink "/proc/$(ns_pid)/ns/mnt")"); do
			! _is_named "$pid" "$name" || grep -qz '^3600$' "/proc/$pid/cmdline" || echo "$pid"
		done
	done
}

managers()
{
	running apt-get dpkg
}

nobody_at_work()
{
	[[ -z $(managers) ]]
}

@test "a package manager that never returns is left alone, no second one is started, and the rest converges" {
	local before command

	at_node apply --yes
	assert_status 4
	said "apt-get still runs (process "
	said "and is left alone"
	at_node history show 1 --json
	assert_equal pending "$(jq -r '.steps[] | select(.id == "package:stuck") | .outcome' <<<"$output")"
	in_root test -f /srv/other/f
	before=$(managers)
	assert_equal 2 "$(wc -l <<<"$before")"
	for command in plan "apply --yes" "run --once"; do
		# shellcheck disable=SC2086
		at_node $command
		assert_status 4
		said "the package manager's lock is held by process $(head -n 1 <<<"$before") (apt-get) since 2"
	done
	at_node status
	said "process $(head -n 1 <<<"$before")"
	assert_equal "$before" "$(managers)"
	assert_equal 1 "$(in_root cat /var/tmp/begun | wc -l)"
	kill $(running sleep)
	wait_for 30 nobody_at_work
	assert_equal "install ok half-configured" "$(dpkg_state stuck)"
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state stuck)"
	assert_equal "install ok installed" "$(dpkg_state zeal)"
	settled
}

@test "a package manager that was killed meanwhile is mended by the next run" {
	at_node run --once
	assert_status 4
	kill -KILL $(running apt-get dpkg sleep)
	wait_for 30 nobody_at_work
	at_node run --once
	assert_status 0
	settled
	assert_equal "install ok installed" "$(dpkg_state stuck)"
	assert_equal "install ok installed" "$(dpkg_state zeal)"
}
