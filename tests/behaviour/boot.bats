#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 40
#
# What boots, set with the real tools of GRUB in a root of their own, and read back from grub.cfg and
# grubenv by the tools alone.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/bootroot

OLD=6.1.0-50-cloud-amd64
NEW=6.1.0-56-cloud-amd64
OWN=/etc/default/grub.d/zz-reconcile.cfg

setup()
{
	GUARD=120
	scratch_open
	bootroot_open
	PROGRAM=$(root_program "$RECONCILE")
}

teardown()
{
	scratch_close
}

# wanted FIELDS: of the kernel, as a policy says it
wanted()
{
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<<'{version: 1, nodes: [n]}'
	put "$(root_file /etc/reconcile)/policies/boot.lua" <<<"return {
  name = 'boot', summary = 'of a test', handles = {},
  plan = function(want, facts, plan)
    plan:kernel{ $1, reason = 'a test' }
  end,
}"
}

at_node()
{
	run_within "$GUARD" in_root "$PROGRAM" --node n "$@"
}

fact()
{
	in_root "$PROGRAM" --node n facts "$2" | sed -n "s/^  $1  *//p"
}

# what_boots: all that decides about it
what_boots()
{
	in_root bash -c 'cat /boot/grub/grub.cfg; cat /boot/grub/grubenv /etc/default/grub.d/* 2>/dev/null' |
		sha256sum
}

# converged: applied once, and a second time there is nothing to do, nor anything touched
converged()
{
	local before

	at_node apply --yes
	assert_status 0
	before=$(in_root find /boot /etc -printf '%p %i %s %T@ %C@\n' | sort)
	at_node apply --yes
	assert_status 0
	at_node plan
	assert_status 0
	assert_equal "$before" "$(in_root find /boot /etc -printf '%p %i %s %T@ %C@\n' | sort)"
	assert_missing "$ROOT/run/reconcile-grub.cfg" "$ROOT/run/reconcile-grub.cfg.new" \
		"$ROOT/run/reconcile-grubenv"
}

@test "an older kernel becomes the default and stays it when a newer one arrives" {
	wanted "boot_default = '$OLD'"
	before=$(what_boots)
	at_node plan
	assert_status 2
	assert_output -p "$NEW → $OLD"
	assert_equal "$before" "$(what_boots)"
	converged
	assert_equal "$OLD" "$(boot_says)"
	# what the package of a kernel does
	boot_kernel 6.1.0-60-cloud-amd64
	in_root update-grub 2>/dev/null
	assert_equal "$OLD" "$(boot_says)"
	at_node plan
	assert_status 0
}

@test "the kernel that boots anyway is pinned too, before the next one arrives" {
	wanted "boot_default = '$NEW'"
	at_node plan
	assert_status 2
	converged
	boot_kernel 6.1.0-60-cloud-amd64
	in_root update-grub 2>/dev/null
	assert_equal "$NEW" "$(boot_says)"
}

@test "the choice is given back to the distribution" {
	wanted "boot_default = '$OLD'"
	converged
	wanted "boot_default = 'distribution'"
	converged
	assert_equal "$NEW" "$(boot_says)"
	assert_missing "$ROOT$OWN"
}

@test "what nobody wants any more is left as it is" {
	wanted "boot_default = '$OLD'"
	converged
	wanted "boot_next = 'none'"
	at_node apply --yes
	assert_status 0
	assert_equal "$OLD" "$(boot_says)"
}

@test "ids that move leave a stale default, which is seen and mended" {
	wanted "boot_default = '$OLD'"
	converged
	# as when the device had no name by UUID: grub-probe finds none now
	in_root "echo GRUB_DISABLE_UUID=true >>/etc/default/grub"
	in_root update-grub 2>/dev/null
	assert_equal "$NEW" "$(boot_says)"
	assert_equal "$NEW" "$(fact boot_default kernel)"
	[[ -n $(fact stale_entry kernel) ]]
	at_node plan
	assert_status 2
	converged
	assert_equal "$OLD" "$(boot_says)"
	[[ -z $(fact stale_entry kernel) ]]
}

@test "ids that move while the menu is made anew are followed" {
	# the grub.cfg at hand has the old ids, the next one will have others
	in_root "echo GRUB_DISABLE_UUID=true >>/etc/default/grub"
	wanted "boot_default = '$OLD'"
	converged
	assert_equal "$OLD" "$(boot_says)"
	in_root grep -q "_dev_vdboot\|/dev/vdboot" "$OWN"
}

@test "without a submenu and with a saved entry of somebody's" {
	in_root "sed -i 's/^GRUB_DEFAULT=.*/GRUB_DEFAULT=saved/' /etc/default/grub
		echo GRUB_DISABLE_SUBMENU=true >>/etc/default/grub"
	in_root update-grub 2>/dev/null
	in_root grub-editenv /boot/grub/grubenv set "saved_entry=gone"
	assert_equal gone "$(fact stale_entry kernel)"
	assert_equal "$NEW" "$(fact boot_default kernel)"
	wanted "boot_default = '$OLD'"
	converged
	assert_equal "$OLD" "$(boot_says)"
	# theirs is still there, for when ours goes
	in_root grub-editenv /boot/grub/grubenv list | grep -qx saved_entry=gone
}

@test "a kernel is started once, and the default stays" {
	wanted "boot_default = '$NEW', boot_next = '$OLD'"
	converged
	assert_equal "$NEW" "$(boot_says)"
	assert_equal "$OLD" "$(boot_says next)"
	assert_equal 1024 "$(in_root stat -c %s /boot/grub/grubenv)"
	wanted "boot_next = 'none'"
	converged
	assert_equal none "$(boot_says next)"
}

@test "what else the environment block holds outlives a broken and a whole edit" {
	in_root grub-editenv /boot/grub/grubenv set saved_entry=mine other=1
	wanted "boot_next = '$OLD'"
	converged
	in_root grub-editenv /boot/grub/grubenv list | grep -qx saved_entry=mine
	# grub-editenv of somebody's was killed in the middle
	in_root "truncate -s 0 /boot/grub/grubenv"
	converged
	assert_equal "$OLD" "$(boot_says next)"
}

@test "nothing is started once where GRUB could not forget it" {
	in_ns mount -t tmpfs tmpfs "$ROOT/boot"
	in_root mkdir /boot/grub
	boot_kernel "$OLD"
	put "$(root_file /boot/grub)/grub.cfg" <<<'set default="${next_entry}"
menuentry a --id gnulinux-'"$OLD"'-advanced-x {
linux /vmlinuz-'"$OLD"'
}'
	wanted "boot_next = '$OLD'"
	at_node plan
	assert_status 4
	assert_output -p "GRUB cannot write to tmpfs"
	at_node apply --yes
	assert_missing "$ROOT/boot/grub/grubenv"
}

@test "a kernel that could not boot is not made the default" {
	for gone in /boot/vmlinuz-$OLD /boot/initrd.img-$OLD /lib/modules/$OLD/modules.dep; do
		in_root mv "$gone" /root/gone
		wanted "boot_default = '$OLD'"
		before=$(what_boots)
		at_node apply --yes
		assert_status 4
		assert_equal "$before" "$(what_boots)"
		in_root mv /root/gone "$gone"
	done
	in_root "truncate -s 0 /boot/initrd.img-$OLD"
	at_node plan
	assert_status 4
	at_node facts "boot_entry:$OLD"
	assert_output -p "/boot/initrd.img-$OLD is empty"
	wanted "boot_default = '6.1.0-51-cloud-amd64'"
	at_node plan
	assert_status 4
	assert_output -p "is not installed"
	# on the disk, but not in the menu
	boot_kernel 6.1.0-51-cloud-amd64
	at_node plan
	assert_status 4
	assert_output -p "has no entry in the menu"
}

@test "somebody's file that has the last word is named, and nothing is changed" {
	in_root "mkdir -p /etc/default/grub.d; echo GRUB_DEFAULT=0 >/etc/default/grub.d/zzz-last.cfg"
	wanted "boot_default = '$OLD'"
	before=$(what_boots)
	at_node apply --yes
	assert_status 4
	assert_output -p "zzz-last.cfg sets GRUB_DEFAULT"
	assert_equal "$before" "$(what_boots)"
}

@test "a grub-mkconfig that fails leaves everything as it was" {
	in_root "printf '#!/bin/sh\nexit 3\n' >/etc/grub.d/15_broken; chmod 0755 /etc/grub.d/15_broken"
	wanted "boot_default = '$OLD'"
	before=$(what_boots)
	at_node apply --yes
	assert_status 5
	assert_output -p "grub-mkconfig failed"
	assert_equal "$before" "$(what_boots)"
	# and a menu without that kernel is never put in place
	in_root "printf '#!/bin/sh\n' >/etc/grub.d/10_linux; rm /etc/grub.d/15_broken"
	at_node apply --yes
	assert_status 5
	assert_output -p "has no entry for $OLD"
	assert_equal "$before" "$(what_boots)"
}

# killed_in TOOL: the program that runs TOOL is killed, and nobody else's: it is among the parents
killed_in()
{
	local tool=$1

	in_root mv "$tool" "$tool.real"
	in_root bash -c "cat >$tool; chmod 0755 $tool" <<'SH'
#!/bin/bash
ours=()
for ((pid = PPID; pid > 1; pid = parent)); do
	read -r name <"/proc/$pid/comm"
	parent=$(sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$pid/status")
	[[ $name != reconcile ]] || ours+=("$pid")
done
kill -KILL "${ours[@]}"
sleep 0.2
exit 1
SH
	at_node apply --yes
	in_root mv "$tool.real" "$tool"
}

@test "killed in the middle, the default is the old one or the new one, and the next run converges" {
	wanted "boot_default = '$OLD', boot_next = '$OLD'"
	killed_in /etc/grub.d/10_linux
	((status != 0))
	assert_equal "$NEW" "$(boot_says)"
	# our file asks for what grub.cfg does not have yet
	in_root test -e "$OWN"
	killed_in /usr/bin/grub-editenv
	assert_equal "$OLD" "$(boot_says)"
	assert_equal none "$(boot_says next)"
	converged
	assert_equal "$OLD" "$(boot_says)"
	assert_equal "$OLD" "$(boot_says next)"
}

@test "who brought a kernel is told from the logs, also from rotated ones" {
	for release in "$OLD" "$NEW"; do
		make_deb "linux-image-$release" 6.1.1-1
		make_deb "linux-headers-$release" 6.1.1-1
	done
	make_deb linux-image-cloud-amd64 6.1.1-1 --depends "linux-image-$NEW (= 6.1.1-1)"
	make_deb linux-cloud 6.1.1-1 --depends linux-image-cloud-amd64
	publish
	apt_get update >/dev/null
	apt_get install "linux-image-$OLD" "linux-headers-$OLD" >/dev/null
	at_node facts "boot_entry:$OLD"
	assert_line -e "^  brought  +apt-get -y -q install linux-image-$OLD .* by root$"
	assert_line -e '^  installed +20[0-9-]+T[0-9:]+Z$'
	assert_line -e "^  packages +linux-headers-$OLD,linux-image-$OLD$"
	in_root gzip -S .1.gz /var/log/apt/history.log
	in_root mv /var/log/apt/history.log.1.gz /var/log/apt/history.log.2.gz
	in_root env SUDO_UID=0 apt-get -y -q install linux-cloud >/dev/null </dev/null
	at_node facts boot_entry
	assert_line -e "^  brought  +apt-get -y -q install linux-image-$OLD .* by root$"
	assert_line -e "^  brought  +apt-get -y -q install linux-cloud by root$"
	at_node facts kernel
	assert_line -e "^  metapackages +linux-cloud,linux-image-cloud-amd64$"
	in_root rm -r /var/log/apt
	at_node facts "boot_entry:$NEW"
	assert_line -e "^  brought  +dpkg; the history of apt does not tell more$"
	in_root rm /var/log/dpkg.log
	at_node facts "boot_entry:$NEW"
	refute_line -e '^  (brought|installed) '
}
