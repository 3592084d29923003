#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 50
#
# Package transactions judged by the hooks, with real apt, dpkg, unattended-upgrades and the tools of
# GRUB in a root of their own. What apt did is judged by dpkg's own state, what boots by a reading of
# grub.cfg.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/bootroot
load support/pinroot

OLD=6.1.0-50-cloud-amd64
BOOTS=6.1.0-56-cloud-amd64
LATER=6.1.0-60-cloud-amd64
APT_HOOK=/etc/apt/apt.conf.d/zz-reconcile-preflight
KERNEL_HOOK=/etc/kernel/postinst.d/zzz-reconcile

setup()
{
	GUARD=120
	scratch_open
	need_command cc depmod
	bootroot_open
	root_program "$(command -v depmod)" >/dev/null
	for release in "$OLD" "$BOOTS"; do
		in_root bash -c 'cd "/lib/modules/$1" && echo kernel/a.ko >modules.builtin && : >modules.order &&
			printf "a.license=GPL\0" >modules.builtin.modinfo && depmod "$1"' _ "$release"
	done
	PROGRAM=$(root_program "$RECONCILE")
	# what a kernel's package runs after it was unpacked, and GRUB's part of it
	in_root bash -euc 'mkdir -p /etc/kernel/postinst.d
		printf "#!/bin/sh\nexec update-grub 2>/dev/null\n" >/etc/kernel/postinst.d/zz-update-grub
		chmod 0755 /etc/kernel/postinst.d/zz-update-grub'
	module_deb "$OLD"
	module_deb "$BOOTS"
	make_deb tool 1.0
	make_deb lustre-client-utils 2.15.6 --file /sbin/mount.lustre "not a program"
	offer
	apt_get install "lustre-client-modules-$OLD" "lustre-client-modules-$BOOTS" \
		lustre-client-utils >/dev/null
}

teardown()
{
	scratch_close
}

# module_deb RELEASE [NAME]: a module that needs no symbols; as a package of another name it takes the
# place of that
module_deb()
{
	local tree=$SCRATCH/.module dir=/lib/modules/$1/updates own=lustre-client-modules-$1

	rm -rf "$tree"
	mkdir -p "$tree$dir" "$tree/DEBIAN"
	cc -x c -c -o "$tree$dir/lustre.ko" - <<END
__attribute__((section(".modinfo"), used)) static const char info[] =
	"license=GPL\0name=lustre\0vermagic=$1 SMP preempt mod_unload modversions ";
__attribute__((section(".gnu.linkonce.this_module"), used)) static char module[64] = {1};
END
	put "$tree/DEBIAN/control" <<END
Package: ${2:-$own}
Version: 2.15.6${2:+
Conflicts: $own}
Architecture: all
Maintainer: Field <field@example.org>
Description: made by a test
END
	printf '#!/bin/sh\nexec /usr/local/bin/depmod %s 2>/dev/null\n' "$1" | put "$tree/DEBIAN/postinst" 0755
	cp "$tree/DEBIAN/postinst" "$tree/DEBIAN/postrm"
	dpkg-deb --root-owner-group -Znone --build "$tree" "$REPOSITORY/pool/" >/dev/null
}

# kernel_deb RELEASE: an image whose package does what that of Debian does
kernel_deb()
{
	make_deb "linux-image-$1" 6.1.60 --file "/boot/vmlinuz-$1" kernel \
		--file "/lib/modules/$1/modules.builtin" kernel/a.ko \
		--postinst "echo disk >/boot/initrd.img-$1; /usr/local/bin/depmod $1 2>/dev/null
		run-parts --arg=$1 --arg=/boot/vmlinuz-$1 /etc/kernel/postinst.d"
}

offer()
{
	publish && apt_get update >/dev/null
}

# mode WORD: the tree says so, and it is applied; what cannot be had here (a mount) does not matter
mode()
{
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<YAML
version: 1
nodes: [n]
preflight: $1
modules: {lustre: {package: "lustre-client-modules-{kernel}", filesystem: lustre}}
mounts: {/fsx: {source: "10.1.30.23@tcp:/czrc3amv", type: lustre, manage: live}}
YAML
	at_node apply --yes
	[[ $status == [0246] ]] || _fail_run "it should have been applied"
}

at_node()
{
	run_within "$GUARD" in_root "$PROGRAM" --node n "$@"
}

run_apt()
{
	run_within "$GUARD" apt_get "$@"
}

# packages: all that dpkg knows, and its own files
packages()
{
	in_root bash -c 'dpkg-query -W -f "\${Package} \${Version} \${Status}\n"
		cat /var/lib/dpkg/status; ls /var/lib/dpkg/info' | sha256sum
}

# refused COMMAND: apt fails and nothing has changed
refused()
{
	local before

	before=$(packages)
	run_apt "$@"
	assert_status 100
	assert_equal "$before" "$(packages)"
}

@test "refuse stops what takes a module from the kernel that boots next, and nothing else" {
	mode refuse
	assert_file "$ROOT$APT_HOOK" 0644
	refused remove "lustre-client-modules-$BOOTS"
	assert_stderr -p "lustre-client-modules-$BOOTS goes, and with it lustre from $BOOTS, which boots next"
	assert_stderr -p "lost with it: /fsx"
	assert_stderr -p "reconcile allow kernel $BOOTS"
	refused purge "lustre-client-modules-$BOOTS"
	refused remove lustre-client-utils
	assert_stderr -p "/sbin/mount.lustre"
	run_apt install tool
	assert_status 0
	run_apt remove tool
	assert_status 0
	# neither runs nor boots
	run_apt remove "lustre-client-modules-$OLD"
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state "lustre-client-modules-$BOOTS")"
}

@test "refuse lets a package of another name bring the module, and refuses one that does not" {
	mode refuse
	make_deb vendor-tools 1.0 --field "Conflicts: lustre-client-modules-$BOOTS" --file /usr/share/lustre.ko x
	module_deb "$BOOTS" vendor-lustre
	make_deb vendor-utils 1.0 --field "Conflicts: lustre-client-utils" --file /usr/sbin/mount.lustre x
	offer
	refused install vendor-tools
	assert_stderr -p "lost with it: /fsx"
	run_apt install vendor-lustre
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state vendor-lustre)"
	refute_stderr -p "goes, and with it"
	run_apt install vendor-utils
	assert_status 0
	# and one that cannot be read stands in nobody's way
	in_root bash -c 'printf "VERSION 2\n\nvendor-lustre 2.15.6 > - **REMOVE**\ntool - < 1 /etc/passwd\n" |
		"$1" preflight --apt' _ "$PROGRAM" 2>"$SCRATCH/said"
	grep -q "not judged, let pass: what /etc/passwd brings cannot be told" "$SCRATCH/said"
}

@test "warn says it and lets it pass; guard and off say nothing" {
	mode warn
	run_apt remove "lustre-client-modules-$BOOTS"
	assert_status 0
	assert_stderr -p "which boots next"
	assert_stderr -p "only a warning"
	[[ $(dpkg_state "lustre-client-modules-$BOOTS") != *installed ]]
	mode guard
	assert_missing "$ROOT$APT_HOOK"
	assert_file "$ROOT$KERNEL_HOOK" 0755
	run_apt remove lustre-client-utils
	assert_status 0
	mode off
	assert_missing "$ROOT$KERNEL_HOOK" "$ROOT/var/lib/reconcile/preflight.json"
}

@test "an operator's override lets it pass, is listed, logged and ends" {
	mode refuse
	run_within "$GUARD" in_root "$PROGRAM" allow kernel "$BOOTS"
	assert_status 1
	run_within "$GUARD" in_root "$PROGRAM" allow kernel "$BOOTS" --for 2d --reason "moved to NFS"
	assert_status 0
	run_within "$GUARD" in_root "$PROGRAM" allow
	assert_output -p "kernel $BOOTS until"
	assert_output -p "moved to NFS"
	at_node status
	assert_output -p "Allowed: kernel $BOOTS until"
	run_within "$GUARD" in_root "$PROGRAM" history
	assert_output -p "moved to NFS"
	run_within "$GUARD" in_root "$PROGRAM" allow kernel "$BOOTS" --remove
	assert_status 0
	refused remove "lustre-client-modules-$BOOTS"
	in_root "$PROGRAM" allow kernel "$BOOTS" --for 1s --reason short >/dev/null
	sleep 2
	refused remove "lustre-client-modules-$BOOTS"
	in_root "$PROGRAM" allow kernel "$BOOTS" --for 1h --reason "moved to NFS" >/dev/null
	run_apt remove "lustre-client-modules-$BOOTS"
	assert_status 0
	assert_stderr -p "moved to NFS"
}

@test "a hook that is gone, dies, or gets garbage never stands in apt's way" {
	mode refuse
	# the program is gone
	in_root mv "$PROGRAM" "$PROGRAM.away"
	run_apt install tool
	assert_status 0
	# it dies by a signal, and with any code but one
	for body in 'kill -SEGV $$' 'kill -KILL $$' 'exit 1' 'exit 126' 'exit 100'; do
		in_root bash -c 'printf "#!/bin/sh\n%s\n" "$1" >"$2"; chmod 0755 "$2"' _ "$body" "$PROGRAM"
		run_apt --reinstall install tool
		assert_status 0
	done
	in_root mv "$PROGRAM.away" "$PROGRAM"
	# the hook file itself is gone
	in_root mv "$KERNEL_HOOK" /root/hook
	run_apt --reinstall install tool
	assert_status 0
	in_root mv /root/hook "$KERNEL_HOOK"
	# what it is given, or rests on, is no such thing
	for text in '' 'garbage' 'VERSION 3' $'VERSION 3\n\na b c\n' "$(head -c 100000 /dev/zero | tr '\0' x)"; do
		run_within 30 in_root bash -c 'printf %s "$1" | "$2" preflight --apt' _ "$text" "$PROGRAM"
		assert_status 0
	done
	run_within 30 in_root bash -c 'head -c 100000 /dev/urandom | "$1" preflight --apt' _ "$PROGRAM"
	assert_status 0
	in_root bash -c 'echo "{\"reconcile_pre" >/var/lib/reconcile/preflight.json'
	run_apt remove "lustre-client-modules-$BOOTS"
	assert_status 0
	assert_stderr -p "not judged, let pass"
	assert_stderr -p /var/lib/reconcile/preflight.json
	run_within 30 in_root "$PROGRAM" preflight --guard "$BOOTS"
	assert_status 1
	assert_stderr -p /var/lib/reconcile/preflight.json
	in_root rm /var/lib/reconcile/preflight.json
	for hook in "--guard $BOOTS" "--apt"; do
		# shellcheck disable=SC2086
		run_within 30 in_root "$PROGRAM" preflight $hook </dev/null
		assert_status 0
		assert_stderr -p "/var/lib/reconcile/preflight.json is not there: this hook protects nothing"
	done
}

@test "guard keeps the boot default on the proven kernel" {
	mode guard
	kernel_deb "$LATER"
	offer
	assert_equal "$BOOTS" "$(boot_says)"
	run_apt install "linux-image-$LATER"
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state "linux-image-$LATER")"
	assert_output -p "no lustre module for it"
	assert_output -p "The boot default stays $BOOTS."
	assert_equal "$BOOTS" "$(boot_says)"
	# and again when the menu is made anew
	in_root update-grub 2>/dev/null
	assert_equal "$BOOTS" "$(boot_says)"
}

@test "guard lets a kernel boot whose module is there" {
	mode guard
	module_deb "$LATER"
	kernel_deb "$LATER"
	offer
	run_apt install "lustre-client-modules-$LATER"
	assert_status 0
	run_apt install "linux-image-$LATER"
	assert_status 0
	assert_equal "$LATER" "$(boot_says)"
}

@test "without the guard the new kernel boots" {
	kernel_deb "$LATER"
	offer
	run_apt install "linux-image-$LATER"
	assert_status 0
	assert_equal "$LATER" "$(boot_says)"
}

@test "refuse stops a kernel without a module, until an operator allows it" {
	mode refuse
	kernel_deb "$LATER"
	offer
	refused install "linux-image-$LATER"
	assert_stderr -p "$LATER would boot next, and there is no lustre for it"
	in_root "$PROGRAM" allow kernel "$LATER" --for 1h --reason "a test" >/dev/null
	run_apt install "linux-image-$LATER"
	assert_status 0
	assert_equal "$LATER" "$(boot_says)"
}

@test "a kernel may come in one small step and its module, which is published, in the next" {
	mode refuse
	kernel_deb "$LATER"
	module_deb "$LATER"
	offer
	in_root mv /usr/sbin/grub-mkconfig /usr/sbin/grub-mkconfig.away
	in_root bash -c 'printf "#!/bin/sh\n" >/etc/kernel/postinst.d/zz-update-grub'
	run_apt install "linux-image-$LATER"
	assert_status 0
	run_apt install "lustre-client-modules-$LATER"
	assert_status 0
}

@test "the kernel that boots cannot be taken away when what boots then has no module" {
	mode refuse
	run_apt remove "lustre-client-modules-$OLD"
	assert_status 0
	unpublish "lustre-client-modules-$OLD"
	offer
	make_deb "linux-image-$BOOTS" 6.1.56 --file "/boot/vmlinuz-$BOOTS" kernel
	offer
	run_apt install "linux-image-$BOOTS"
	assert_status 0
	refused purge "linux-image-$BOOTS"
	assert_stderr -p "$OLD would boot next, and there is no lustre for it"
}

# upgrades_waiting: what comes tonight is a kernel without a module, and a tool
upgrades_waiting()
{
	make_deb linux-image-cloud-amd64 6.1.56-1
	offer
	apt_get install linux-image-cloud-amd64 tool >/dev/null
	kernel_deb "$LATER"
	make_deb linux-image-cloud-amd64 6.1.60-1 --depends "linux-image-$LATER"
	make_deb tool 2.0
	offer
}

@test "unattended-upgrade under guard: the kernel comes, and does not boot" {
	mode guard
	upgrades_waiting
	unattended_upgrade >"$SCRATCH/log"
	assert_equal "install ok installed" "$(dpkg_state "linux-image-$LATER")"
	assert_equal 2.0 "$(in_root dpkg-query -W -f '${Version}' tool)"
	assert_equal "$BOOTS" "$(boot_says)"
}

@test "unattended-upgrade under refuse: the kernel without a module does not come" {
	mode refuse
	upgrades_waiting
	unattended_upgrade >"$SCRATCH/log" || :
	assert_equal "" "$(dpkg_state "linux-image-$LATER")"
	assert_equal "6.1.56-1" "$(in_root dpkg-query -W -f '${Version}' linux-image-cloud-amd64)"
	# it takes its steps in no certain order, and ends with the one that was refused
	assert_equal "" "$(in_root dpkg --audit)"
	assert_equal "$BOOTS" "$(boot_says)"
}

@test "preflight --kernel says what a kernel would keep" {
	mode guard
	kernel_deb "$LATER"
	offer
	at_node preflight --kernel "$LATER"
	assert_status 10
	assert_output -p "lustre-client-modules-$LATER is not published"
	assert_output -p "mount:/fsx"
	make_deb "lustre-client-modules-$LATER-64k" 2.15.6 # of another kernel, for all that apt takes it for
	offer
	at_node preflight --kernel "$LATER"
	assert_status 10
	assert_output -p "lustre-client-modules-$LATER is not published"
	module_deb "$LATER"
	offer
	at_node preflight --kernel "$LATER" --json
	assert_status 6
	assert_equal unproven "$(jq -r .verdict <<<"$output")"
	for typo in "linux-image-$LATER" "${LATER/6.1.0/6.1.9}"; do
		at_node preflight --kernel "$typo"
		assert_status 1
		assert_stderr -p "$typo: no such kernel is installed or published"
	done
	at_node preflight --kernel "$BOOTS" --guard "$BOOTS"
	assert_status 1
	assert_stderr -p "--kernel and --guard: expected one of them, once"
	at_node preflight --kernel
	assert_status 1
	at_node preflight
	assert_status 1
}
