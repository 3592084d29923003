#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# Reboots as the tree allows them, with the tools of GRUB in a root of their own. Nothing is rebooted
# here: what is run as systemctl writes its words down. Real reboots are in tests/vm.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/bootroot

OLD=6.1.0-50-cloud-amd64
BOOTS=6.1.0-56-cloud-amd64
LEDGER=/var/lib/reconcile/reboots.json

setup()
{
	GUARD=120
	scratch_open
	bootroot_open
	PROGRAM=$(root_program "$RECONCILE")
	systemctl_does ':'
	wanted "$BOOTS" "when: now"
}

teardown()
{
	scratch_close
}

# systemctl_does SNIPPET: after it has written down what was asked of it
systemctl_does()
{
	in_root bash -c 'cat >/usr/local/sbin/systemctl && chmod 0755 /usr/local/sbin/systemctl' <<END
#!/bin/bash
echo "\$*" >>/root/asked
$1
END
}

# asked: how often a reboot was asked for
asked()
{
	in_root bash -c 'cat /root/asked 2>/dev/null || :' | grep -cx reboot || :
}

# wanted RELEASE FIELDS [MODE]: boots it by default and is rebooted into it, as `reboot: {FIELDS}` says
wanted()
{
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<<"{version: 1, nodes: [n], mode: ${3:-safe}, reboot: {$2}}"
	put "$(root_file /etc/reconcile)/policies/reboot.lua" <<<"return {
  name = 'reboot', summary = 'of a test', handles = { 'reboot' },
  plan = function(want, facts, plan)
    plan:kernel{ boot_default = '$1', reason = 'a test' }
    plan:reboot(lib.with(want.reboot, { into = '$1', reason = 'a test' }))
  end,
}"
}

at_node()
{
	run_within "$GUARD" in_root "$PROGRAM" --node n "$@"
}

# ledger FILTER: changes it
ledger()
{
	local text

	text=$(in_root cat "$LEDGER" | jq "$1") && in_root bash -c 'cat >"$1"' _ "$LEDGER" <<<"$text"
}

@test "what the tree allows is done unattended: written down, asked for once, and the run ends" {
	at_node plan
	assert_status 2
	assert_equal 0 "$(asked)"
	assert_missing "$ROOT$LEDGER"
	at_node apply --yes
	assert_status 4
	assert_output -p "the node is going down, to come up with $BOOTS"
	assert_equal 1 "$(asked)"
	assert_file "$ROOT$LEDGER" 0600 root:root
	assert_equal "$BOOTS true null" "$(in_root cat "$LEDGER" | jq -r '.reboots[-1] | "\(.into) \(.asked) \(.result)"')"
	at_node history show 1 --json
	assert_equal ended "$(jq -r .status <<<"$output")"
	at_node apply --yes
	assert_status 4
	at_node run --once
	assert_equal 1 "$(asked)"
}

@test "the default is set and the reboot asked for in one run, in this order" {
	wanted "$OLD" "when: now"
	at_node apply --yes
	assert_equal "$OLD" "$(boot_says)"
	assert_equal 1 "$(asked)"
}

@test "never is never, and mode observe looks on" {
	wanted "$BOOTS" "when: never" full
	at_node apply --yes --allow disruptive,irreversible,reboot
	assert_status 4
	assert_output -p "and reboot.when is"
	wanted "$BOOTS" "when: now" observe
	at_node apply --yes --allow disruptive,irreversible,reboot
	assert_status 4
	at_node run --once
	assert_equal 0 "$(asked)"
	assert_missing "$ROOT/root/asked"
}

@test "a node that others need is not rebooted outside the scheduler" {
	in_root mkdir -p /etc/parallelcluster
	at_node apply --yes
	assert_status 4
	assert_output -p "ParallelCluster"
	assert_equal 0 "$(asked)"
	wanted "$BOOTS" "when: now, force: true"
	at_node apply --yes
	assert_equal 1 "$(asked)"
}

@test "killed between the ledger and the reboot it is tried again later, and not for ever" {
	# the worker and the program itself, before the command has done anything
	systemctl_does 'read -r _ _ _ supervisor _ </proc/$PPID/stat; kill -KILL "$supervisor" "$PPID"'
	for attempt in 1 2; do
		at_node apply --yes
		assert_status 137
		assert_equal "$attempt" "$(asked)"
		assert_equal false "$(in_root cat "$LEDGER" | jq -r '.reboots[-1].asked')"
		# it may still come
		at_node apply --yes
		assert_status 4
		assert_output -p "going down"
		assert_equal "$attempt" "$(asked)"
		ledger '.reboots[-1].uptime -= 121 | .reboots[-1].at -= 100000'
	done
	for _ in 1 2 3; do
		at_node apply --yes
		assert_status 4
		assert_output -p "attempts_per_kernel"
	done
	assert_equal 2 "$(asked)"
}

@test "a reboot whose command failed and that came all the same has used up an attempt" {
	for ends in 'echo "Failed to talk to init daemon" >&2; exit 1' 'kill -TERM $$; sleep 9'; do
		in_root rm -f /root/asked
		! in_root test -e "$LEDGER" || ledger '.reboots = []'
		wanted "$BOOTS" "when: now, per_day: 9"
		systemctl_does "[[ \$1 != reboot ]] || { $ends; }"
		for boot in 1 2 3 4 5; do
			at_node apply --yes
			assert_status "$((boot < 3 ? 5 : 4))"
			ledger '.reboots |= map(if .boot_id | startswith("b") then . else .boot_id = "b'$boot'" end)'
		done
		assert_equal 2 "$(asked)"
		assert_output -p "2 reboots into $BOOTS did not come to a good end; no more are tried"
		wanted "$BOOTS" "when: now"
		at_node facts reboot
		assert_output -e 'last_day +2'
	done
}

@test "a node that comes back with another kernel has used up an attempt" {
	at_node apply --yes
	for attempt in 1 2; do
		# another boot, of the kernel that runs here
		ledger '.reboots[-1].boot_id = "another" | .reboots[-1].at -= 100000'
		at_node facts reboot
		assert_output -e "result +came back"
		at_node apply --yes
		assert_equal "came back" "$(in_root cat "$LEDGER" | jq -r ".reboots[$((attempt - 1))].result")"
	done
	assert_output -p "attempts_per_kernel"
	assert_equal 2 "$(asked)"
}

@test "one reboot a day, unless the tree says more" {
	wanted "$BOOTS" "when: now, attempts_per_kernel: 9"
	at_node apply --yes
	ledger '.reboots[-1].boot_id = "another"'
	at_node apply --yes
	assert_output -p "per_day"
	assert_equal 1 "$(asked)"
	wanted "$BOOTS" "when: now, attempts_per_kernel: 9, per_day: 2"
	at_node apply --yes
	assert_equal 2 "$(asked)"
}

@test "without its ledger a node is not rebooted, until an operator says so" {
	at_node apply --yes
	assert_equal 1 "$(asked)"
	in_root rm "$LEDGER"
	at_node apply --yes
	assert_status 4
	assert_output -p "the ledger of reboots is missing"
	in_root bash -c 'head -c 40 /dev/urandom >"$1"' _ "$LEDGER"
	at_node apply --yes
	assert_status 4
	assert_output -p "damaged"
	assert_equal 1 "$(asked)"
	at_node allow reboots --reason "the disk was exchanged"
	assert_status 0
	at_node apply --yes
	assert_equal 2 "$(asked)"
}

@test "a reboot that waited for consent is made once it is given" {
	wanted "$BOOTS" "when: never"
	at_node apply --yes
	assert_status 4
	assert_output -p "reboot  pending"
	assert_file "$ROOT$LEDGER"
	wanted "$BOOTS" "when: now"
	at_node plan
	assert_status 2
	refute_output -p "ledger"
	at_node apply --yes
	assert_equal 1 "$(asked)"
}

@test "a node with a history that never knew of reboots begins a ledger" {
	rm "$(root_file /etc/reconcile)/policies/reboot.lua"
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<<"{version: 1, nodes: [n]}"
	at_node apply --yes
	assert_status 0
	assert_missing "$ROOT$LEDGER"
	wanted "$BOOTS" "when: now"
	at_node plan
	assert_status 2
	assert_output -p "the ledger of reboots is missing"
	at_node apply --yes
	assert_equal 1 "$(asked)"
}

# kernels_published: those of the root as packages of its source, and apt knows of them
kernels_published()
{
	local release

	for release in "$OLD" "$BOOTS"; do
		make_deb "linux-image-$release" 6.1.1 --file "/boot/vmlinuz-$release" kernel
	done
	publish
	apt_get update >/dev/null
	apt_get install "linux-image-$OLD" "linux-image-$BOOTS" >/dev/null
}

@test "a pin under the shipped policies reboots into the pinned kernel once it is the default" {
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<END
version: 1
nodes: [n]
kernel: {release: $OLD, strategy: pin}
reboot: {when: now}
END
	in_root rm /etc/reconcile/policies/reboot.lua
	kernels_published
	at_node apply --yes
	assert_status 4
	assert_equal "$OLD" "$(boot_says)"
	assert_equal 1 "$(asked)"
	at_node apply --yes
	assert_equal 1 "$(asked)"
}

@test "a trial under the shipped policies is started once, and the default stays" {
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<END
version: 1
nodes: [n]
kernel: {release: $OLD, strategy: pin}
reboot: {when: now, trial: true}
END
	in_root rm /etc/reconcile/policies/reboot.lua
	kernels_published
	at_node apply --yes
	assert_status 4
	assert_equal "$BOOTS" "$(boot_says)"
	assert_equal "$OLD" "$(boot_says next)"
	assert_equal 1 "$(asked)"
	assert_equal true "$(in_root cat "$LEDGER" | jq -r '.reboots[-1].trial')"
	# it comes back twice, in the kernel that runs here
	for _ in 1 2 3; do
		in_root grub-editenv - unset next_entry
		ledger '.reboots[-1].boot_id = "another" | .reboots[-1].at -= 100000'
		at_node apply --yes
	done
	assert_equal 2 "$(asked)"
	assert_output -p "stays the default"
	assert_equal none "$(boot_says next)"
}
