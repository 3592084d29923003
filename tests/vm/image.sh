#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the disk of the guest: Debian 12 with systemd, the kernels A and B, and a real GRUB, from
# packages. Needs root and Debian's archive; nothing of the machine is changed.
#
#	image.sh WORK DISK VARIANT	KERNEL_A, KERNEL_B, KERNEL_C name the releases; VARIANT is
#					base or dkms (with kernel C, dkms, and what builds modules)
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/archive.bash"
work=$1 # or --before-packages: mmdebstrap calls back
disk=${2-}
variant=${3-}
tree=$work/tree
START=2048 # sectors before the partition: room for GRUB's core image
SIZE=6144  # MiB

packages() {
	tr -s '\n\t ' ',' <<-LIST | sed 's/^,//; s/,$//'
		systemd systemd-sysv udev dbus init kmod initramfs-tools zstd procps iproute2 e2fsprogs
		linux-image-$KERNEL_A linux-image-$KERNEL_B linux-image-cloud-amd64 grub-pc
		unattended-upgrades apt-utils qemu-guest-agent
		libsqlite3-0 liblua5.4-0 libkmod2 libmount1 libyaml-0-2 libjansson4 libmd0 libcurl4
	LIST
	[[ $variant != dkms ]] || tr -s '\n\t ' ',' <<-LIST | sed 's/^/,/; s/^,,*/,/; s/,$//'
		dkms gcc libc6-dev make linux-headers-$KERNEL_B linux-image-$KERNEL_C linux-headers-$KERNEL_C
	LIST
}

# An initramfs of the few modules that a virtio disk needs is made in a tenth of the time.
before_packages() {
	mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
	printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$1/etc/initramfs-tools/conf.d/vm"
	printf 'virtio_pci\nvirtio_blk\next4\n' >"$1/usr/share/initramfs-tools/modules.d/vm"
}

bootstrap() {
	local -a sources
	mapfile -t sources <<<"$ARCHIVE_SOURCES"
	mmdebstrap -q --mode=root --variant=apt --architectures=amd64 --format=directory \
		--aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--extract-hook="$here/image.sh --before-packages \"\$1\"" \
		--include="$(packages)" --skip=cleanup/apt/lists bookworm "$tree" "${sources[@]}"
}

configure() {
	echo "UUID=$uuid / ext4 errors=remount-ro 0 1
LABEL=vendor /srv/vendor ext4 ro 0 0" >"$tree/etc/fstab"
	mkdir -p "$tree/srv/vendor" "$tree/etc/systemd/journald.conf.d"
	echo compute-1 >"$tree/etc/hostname"
	echo '127.0.0.1 localhost compute-1' >"$tree/etc/hosts"
	rm -f "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/* "$tree/etc/resolv.conf"
	find "$tree/var/lib/apt/lists" -type f -delete
	printf '[Journal]\nStorage=volatile\n' >"$tree/etc/systemd/journald.conf.d/vm.conf"
	# what only costs time at boot, or would work behind the back of a test
	chroot "$tree" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer unattended-upgrades.service \
		systemd-pstore.service systemd-journal-flush.service systemd-random-seed.service \
		modprobe@drm.service sys-kernel-tracing.mount sys-kernel-debug.mount dev-hugepages.mount \
		dev-mqueue.mount getty@tty1.service systemd-networkd.service
	cat >"$tree/etc/default/grub" <<-GRUB
		GRUB_DEFAULT=saved
		GRUB_TIMEOUT=0
		GRUB_RECORDFAIL_TIMEOUT=0
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX="console=ttyS0,115200 net.ifnames=0 quiet systemd.show_status=0"
		GRUB_TERMINAL=serial
		GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
		GRUB_DISABLE_OS_PROBER=true
	GRUB
}

# There is no disk yet that GRUB could look at: it is told what it will find on the one that is made.
boot_loader() {
	local grub=$tree/boot/grub probe=$tree/usr/sbin/grub-probe
	mkdir -p "$grub"
	cp -r "$tree/usr/lib/grub/i386-pc" "$grub/"
	chroot "$tree" grub-editenv /boot/grub/grubenv create
	chroot "$tree" grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' \
		-o /boot/grub/i386-pc/core.img biosdisk part_msdos ext2
	mv "$probe" "$probe.real"
	cat >"$probe" <<-PROBE
		#!/bin/sh
		case "\$*" in
		*device*/*fs_uuid* | *fs_uuid*) echo $uuid ;;
		*partuuid*) echo 00000000-01 ;;
		*target=fs*) echo ext2 ;;
		*partmap*) echo msdos ;;
		*compatibility_hint*) echo hd0,msdos1 ;;
		*target=drive*) echo '(hd0,msdos1)' ;;
		*target=device*) echo /dev/vda1 ;;
		esac
	PROBE
	chmod 0755 "$probe"
	mkdir -p "$tree/dev/disk/by-uuid"
	ln -s ../../vda1 "$tree/dev/disk/by-uuid/$uuid"
	touch "$tree/dev/vda1"
	chroot "$tree" update-grub >"$work/update-grub.log" 2>&1 || {
		cat "$work/update-grub.log" >&2
		return 1
	}
	rm -r "$tree/dev/disk" "$tree/dev/vda1"
	mv "$probe.real" "$probe"
	grep -q "root=UUID=$uuid" "$grub/grub.cfg"
}

write_disk() {
	local raw=$work/disk.raw grub=$tree/boot/grub
	truncate -s "$((SIZE + 1))M" "$raw"
	echo "start=$START, type=83, bootable" | sfdisk -q --label dos "$raw"
	dd if="$grub/i386-pc/boot.img" of="$raw" bs=440 count=1 conv=notrunc status=none
	dd if="$grub/i386-pc/core.img" of="$raw" bs=512 seek=1 conv=notrunc status=none
	mke2fs -q -t ext4 -F -L root -U "$uuid" -d "$tree" -E "offset=$((START * 512))" "$raw" "${SIZE}M"
	qemu-img convert -O qcow2 "$raw" "$disk"
	rm "$raw"
}

if [[ $1 == --before-packages ]]; then
	before_packages "$2"
	exit
fi
uuid=$(cat /proc/sys/kernel/random/uuid)
bootstrap
configure
boot_loader
write_disk
rm -rf --one-file-system "$tree"
