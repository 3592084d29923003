# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The Debian (or Ubuntu) root of aptroot.bash with a boot loader: its own grub-mkconfig, grub-probe
# and grub-editenv, and a /boot on an ext4 file system of a block device, as GRUB can write to.
#
#	bootroot_open			sets ROOT; three kernels are installed, and grub.cfg is made
#	boot_kernel RELEASE		files of a kernel
#	boot_says [next]		what GRUB would boot, found out by a reading of our own: its release
#
# What is not real: grub-probe asked for the device of / is told that of /boot, because / is an
# overlay here. The kernels are texts: nothing is booted.

BOOTROOT_PACKAGES=(grub-common grub2-common gettext-base libdevmapper1.02.1)

# shellcheck source=tests/behaviour/support/aptroot.bash
source "${BASH_SOURCE[0]%/*}/aptroot.bash"

# bootroot_tools: sets BOOTROOT_TOOLS, the folder with the tools, unpacked if need be
bootroot_tools()
{
	local key

	key=$(cat "$TOP/tests/behaviour/support/bootroot.bash" /etc/os-release | sha256sum | cut -c1-16)
	BOOTROOT_TOOLS=$TEST_CACHE/grubroot-$key
	[[ ! -e $BOOTROOT_TOOLS/.complete ]] || return 0
	mkdir -p "$TEST_CACHE"
	need_command flock dpkg-deb
	# another test file may be at it just now
	exec {BOOTROOT_LOCK}>"$TEST_CACHE/grubroot.lock"
	flock "$BOOTROOT_LOCK"
	[[ -e $BOOTROOT_TOOLS/.complete ]] || _bootroot_unpack "$BOOTROOT_TOOLS" || return
	exec {BOOTROOT_LOCK}>&-
}

_bootroot_unpack()
{
	local dir=$1 deb folder

	rm -rf "$TEST_CACHE"/grubroot-*
	mkdir -p "$dir/debs"
	chmod 0777 "$dir/debs"
	(cd "$dir/debs" && apt-get -q download "${BOOTROOT_PACKAGES[@]}") >"$dir/log" 2>&1 ||
		skip "needs the packages of GRUB: $(grep '^E:' "$dir/log" | head -n 1)"
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/tree" || return
	done
	# as the root has it, where /lib is a link
	for folder in lib sbin bin; do
		[[ -d $dir/tree/$folder ]] || continue
		mkdir -p "$dir/tree/usr/$folder"
		cp -a "$dir/tree/$folder/." "$dir/tree/usr/$folder/"
		rm -rf "${dir:?}/tree/$folder"
	done
	rm -rf "$dir/debs" "$dir/tree/usr/share/doc" "$dir/tree/usr/share/locale" "$dir/tree/usr/share/man"
	touch "$dir/.complete"
}

bootroot_open()
{
	local release device number

	need_root
	need_command losetup mkfs.ext4
	bootroot_tools || return
	aptroot_open || return
	in_ns cp -a "$BOOTROOT_TOOLS/tree/." "$ROOT/"
	truncate -s 32M "$SCRATCH/boot.img"
	mkfs.ext4 -q -F -U 5f1e0000-0000-4000-8000-000000000001 "$SCRATCH/boot.img"
	device=$(losetup -f --show "$SCRATCH/boot.img") || skip "needs a loop device"
	echo "$device" >"$SCRATCH/.loop"
	at_end bootroot_detach
	# 10_linux passes over a device that is called loop
	number=${device#/dev/loop}
	root_program "$(command -v mount)" >/dev/null
	in_ns mknod "$ROOT/dev/vdboot" b 7 "$number" || return
	in_root mount -t ext4 /dev/vdboot /boot || return
	bootroot_detach
	in_root 'mv /usr/sbin/grub-probe /usr/sbin/grub-probe.real'
	in_root bash -c 'cat >/usr/sbin/grub-probe && chmod 0755 /usr/sbin/grub-probe' <<'SH'
#!/bin/bash
for word; do
	shift
	[[ $word != / ]] || word=/boot
	set -- "$@" "$word"
done
exec /usr/sbin/grub-probe.real "$@"
SH
	in_root bash -c 'cat >/etc/default/grub' <<'SH'
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
SH
	in_root mkdir -p /boot/grub
	for release in 6.1.0-9-cloud-amd64 6.1.0-50-cloud-amd64 6.1.0-56-cloud-amd64; do
		boot_kernel "$release" || return
	done
	in_root update-grub 2>"$SCRATCH/.update-grub" || fail "$(<"$SCRATCH/.update-grub")"
}

# Once: what is mounted keeps the device, and by the time that it is given back somebody else may have
# one of that number.
bootroot_detach()
{
	[[ ! -e $SCRATCH/.loop ]] || losetup -d "$(<"$SCRATCH/.loop")"
	rm -f "$SCRATCH/.loop"
}

# boot_kernel RELEASE
boot_kernel()
{
	in_root bash -euc '
		echo kernel >/boot/vmlinuz-$1
		echo disk >/boot/initrd.img-$1
		mkdir -p /lib/modules/$1
		: >/lib/modules/$1/modules.dep' _ "$1"
}

# boot_says [next]: by walking the menu with awk, from the text of grub.cfg and grub-editenv list
boot_says()
{
	local default path

	default=$(in_root sed -n 's/^ *set default="\(.*\)"$/\1/p' /boot/grub/grub.cfg | tail -n 1)
	[[ $default != '${saved_entry}' ]] ||
		default=$(in_root grub-editenv - list | sed -n 's/^saved_entry=//p')
	if [[ ${1:-} == next ]]; then
		default=$(in_root grub-editenv - list | sed -n 's/^next_entry=//p')
		[[ -n $default ]] || {
			echo none
			return
		}
	fi
	path=$default
	in_root awk -v path="$path" "
		BEGIN { n = split(path, part, \">\"); at = 1; inside = 1 }
		/menuentry_id_option '/ {
			id = \$0
			sub(/.*menuentry_id_option '/, \"\", id)
			sub(/'.*/, \"\", id)
			hit = id == part[at]
			if (hit && \$1 == \"submenu\") at++
			if (hit && \$1 == \"menuentry\") found = 1
		}
		\$1 == \"linux\" {
			name = \$2
			sub(/.*vmlinuz-/, \"\", name)
			if (first == \"\") first = name
			if (found) { print name; done = 1; exit }
		}
		END { if (!done) print first }" /boot/grub/grub.cfg
}
