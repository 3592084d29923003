# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the VM's parts come from: Debian's archive, read through an apt of our own, so that any Debian
# or Ubuntu can build the image and the machine's own lists stay as they are.
#
#	archive_open DIR	makes that apt in DIR and reads the indexes
#	archive_apt COMMAND...	apt-get, apt-cache with it
#	archive_kernels		the releases: A and B, the two newest of 6.1, and C, the newest of 6.12

MIRROR=${MIRROR:-http://deb.debian.org}
KEYRING=${KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
ARCHIVE_SOURCES="deb [signed-by=$KEYRING] $MIRROR/debian bookworm main
deb [signed-by=$KEYRING] $MIRROR/debian bookworm-updates main
deb [signed-by=$KEYRING] $MIRROR/debian-security bookworm-security main"

archive_open()
{
	ARCHIVE=$1
	mkdir -p "$ARCHIVE"/{state/lists/partial,cache/archives/partial}
	echo "$ARCHIVE_SOURCES" >"$ARCHIVE/sources.list"
	cat >"$ARCHIVE/apt.conf" <<-CONF
		Dir::Etc::SourceList "$ARCHIVE/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State "$ARCHIVE/state";
		Dir::State::status "/dev/null";
		Dir::Cache "$ARCHIVE/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	CONF
	archive_apt apt-get -qq update
}

archive_apt()
{
	APT_CONFIG=$ARCHIVE/apt.conf "$@"
}

_newest_kernels()
{
	archive_apt apt-cache search --names-only "^linux-image-$1.*-cloud-amd64\$" |
		awk '{ sub(/^linux-image-/, "", $1); print $1 }' | sort -V | tail -n "$2"
}

# Releases leave the archive after a while, so that none is named here.
archive_kernels()
{
	local -a lts

	mapfile -t lts < <(_newest_kernels '6\.1\.[0-9]+-[0-9]+' 2)
	KERNEL_A=${lts[0]-} KERNEL_B=${lts[1]-} KERNEL_C=$(_newest_kernels '6\.12\.[0-9]+' 1)
	[[ -n $KERNEL_A && -n $KERNEL_B && -n $KERNEL_C ]] || {
		echo "the archive has not the kernels: '$KERNEL_A' '$KERNEL_B' '$KERNEL_C'" >&2
		return 1
	}
}

archive_version()
{
	archive_apt apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p'
}
