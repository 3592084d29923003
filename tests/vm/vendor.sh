#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the disk of the vendor: the test's file system module (module/) built for each kernel with
# that kernel's headers, packaged as a vendor does, in signed apt repositories.
#
#	vendor.sh WORK IMAGE	KERNEL_A, KERNEL_B, KERNEL_C name the releases; WORK holds the apt
#
# The packages are lustre-client-modules-RELEASE, lustre-client-utils (mount.lustre) and, on the disk
# itself, beegfs-client (dkms/, a source for DKMS and its units). On the disk: full (modules for A and B), old (for A only), next (for all three), broken (the one for
# B depends on what nobody has), debian (what every node knows, without a kernel), archive (kernel C and the metapackage that brings it, by the names
# under which Debian's own security updates come), vendor.gpg and vendor.asc (the key).
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/archive.bash"
work=$1
image=$2
# shellcheck disable=SC2034 # archive_apt's
ARCHIVE=$work/apt
VERSION=2.15.6-1fsx25

# The headers and what they need, unpacked, not installed: their paths are absolute.
headers() {
	local release=$1 top=$work/headers-$1
	local -a packages

	mapfile -t packages < <(archive_apt apt-cache show --no-all-versions "linux-headers-$release" |
		sed -n 's/^Depends: //p' | grep -oE 'linux-(headers|kbuild)-[^ ,]+')
	mkdir -p "$top"
	(cd "$top" && archive_apt apt-get -qq download "linux-headers-$release" "${packages[@]}")
	for deb in "$top"/*.deb; do
		dpkg-deb -x "$deb" "$top"
	done
	sed -i "s|/usr/|$top/usr/|g" "$top/usr/src/linux-headers-$release/Makefile"
}

# build RELEASE: WORK/RELEASE/lustre.ko
build() {
	headers "$1"
	mkdir -p "$work/$1"
	cp "$here"/module/* "$work/$1"
	make -s -C "$work/headers-$1/usr/src/linux-headers-$1" M="$work/$1" CC=gcc \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>"$work/$1/log" 2>&1 || {
		cat "$work/$1/log" >&2
		return 1
	}
	strip --strip-debug "$work/$1/lustre.ko"
}

# package FOLDER NAME VERSION DEPENDS [TREE]: a .deb; when TREE is given of what is in it
package() {
	local root
	root=$(mktemp -d -p "$work")
	chmod 0755 "$root"
	[[ -z ${5-} ]] || cp -a "$5/." "$root"
	mkdir -p "$root/DEBIAN" "$1"
	cat >"$root/DEBIAN/control" <<-CONTROL
		Package: $2
		Version: $3
		Architecture: amd64
		Maintainer: Vendor <vendor@example.org>
		Depends: $4
		Section: kernel
		Priority: optional
		Description: $2, for tests
	CONTROL
	if [[ $2 == lustre-client-modules-* ]]; then
		release=${2#lustre-client-modules-}
		for script in postinst postrm; do
			printf '#!/bin/sh\nset -e\n[ ! -e /lib/modules/%s/modules.order ] || depmod %s\n' \
				"$release" "$release" >"$root/DEBIAN/$script"
			chmod 0755 "$root/DEBIAN/$script"
		done
	fi
	dpkg-deb --root-owner-group -Zgzip -b "$root" "$1" >/dev/null
	rm -r "$root"
}

# module_package FOLDER RELEASE [DEPENDS]
module_package() {
	local tree=$work/$2/tree
	install -D -m 0644 "$work/$2/lustre.ko" "$tree/lib/modules/$2/updates/kernel/fs/lustre/lustre.ko"
	package "$1" "lustre-client-modules-$2" "$VERSION" "linux-image-$2, kmod${3:+, $3}" "$tree"
}

client_packages() {
	local tree=$work/utils
	mkdir -p "$tree/sbin"
	gcc -O2 -Wall -Werror -static -o "$tree/sbin/mount.lustre" "$here/module/mount_lustre.c"
	for name in full old next broken; do
		package "$disk/$name" lustre-client-utils "$VERSION" kmod "$tree"
	done
	tree=$work/beegfs
	install -D -m 0644 -t "$tree/usr/src/beegfs-7.4.4" "$here"/dkms/{beegfs.c,Kbuild,dkms.conf}
	install -D -m 0644 -t "$tree/lib/systemd/system" "$here"/dkms/*.service
	package "$disk" beegfs-client 7.4.4 dkms "$tree"
}

# repository FOLDER ORIGIN LABEL CODENAME: its indexes, signed
repository() {
	(
		cd "$1"
		apt-ftparchive packages . >Packages
		apt-ftparchive -o APT::FTPArchive::Release::Origin="$2" \
			-o APT::FTPArchive::Release::Label="$3" -o APT::FTPArchive::Release::Suite="$4" \
			-o APT::FTPArchive::Release::Codename="$4" release . >"$work/Release"
		mv "$work/Release" Release
		gpg --homedir "$work/gnupg" --batch --yes -q --clearsign -o InRelease Release
	)
}

disk=$work/vendor
mkdir -p "$disk"
mkdir -m 0700 "$work/gnupg"
gpg --homedir "$work/gnupg" --batch -q --passphrase '' --quick-generate-key 'Vendor <vendor@example.org>' \
	rsa2048 sign never
gpg --homedir "$work/gnupg" --batch -q --export >"$disk/vendor.gpg"
gpg --homedir "$work/gnupg" --batch -q --armor --export >"$disk/vendor.asc"

for release in "$KERNEL_A" "$KERNEL_B" "$KERNEL_C"; do
	build "$release"
	module_package "$disk/next" "$release"
done
module_package "$disk/full" "$KERNEL_A"
module_package "$disk/full" "$KERNEL_B"
module_package "$disk/old" "$KERNEL_A"
module_package "$disk/broken" "$KERNEL_A"
module_package "$disk/broken" "$KERNEL_B" "lustre-client-common (= $VERSION)"
client_packages

mkdir -p "$disk/archive"
(cd "$disk/archive" && archive_apt apt-get -qq download "linux-image-$KERNEL_C")
package "$disk/archive" linux-image-cloud-amd64 "$(archive_version "linux-image-$KERNEL_C")" \
	"linux-image-$KERNEL_C"

package "$disk/debian" node-tools 1.0 kmod
repository "$disk/debian" Debian Debian bookworm
for name in full old next broken; do
	repository "$disk/$name" Vendor Vendor stable
done
repository "$disk/archive" Debian Debian-Security bookworm-security
gpgconf --homedir "$work/gnupg" --kill gpg-agent
chmod -R go+rX "$disk"
mke2fs -q -t ext4 -F -L vendor -d "$disk" "$image" 256M
