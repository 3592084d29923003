# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Real module trees: /lib/modules/RELEASE of the newest and of the oldest Debian cloud kernel that the
# archive has, with their indexes, for tests that must see what libkmod sees on a node. Nothing is
# installed, no module is ever loaded. Needs common.bash.
#
#	modtree		sets MODTREE_RELEASE, MODTREE_OTHER (the older one), and MODTREE: a folder with
#			lib/modules/RELEASE, boot/config-RELEASE and, of the newest, symvers
#	modtree_bind	shows them at /lib/modules in the test's namespace, where the test may change them
#
# They are fetched once (55 MB) and kept in $TEST_CACHE. $MODTREE itself is shared by all tests and
# must not be written to.

# shellcheck source=tests/behaviour/support/archive.bash
source "${BASH_SOURCE[0]%/*}/archive.bash"

# modtree: skips when the package cannot be had
modtree()
{
	local key dir

	need_command dpkg-deb depmod apt-get flock
	key=$(sha256sum "$TOP/tests/behaviour/support/modtree.bash" | cut -c1-16)
	dir=$TEST_CACHE/modtree-$key
	if [[ ! -e $dir/.release ]]; then
		mkdir -p "$TEST_CACHE"
		exec {MODTREE_LOCK}>"$TEST_CACHE/modtree.lock"
		flock "$MODTREE_LOCK"
		[[ -e $dir/.release ]] || _modtree_build "$dir" || return
		exec {MODTREE_LOCK}>&-
	fi
	MODTREE=$dir
	# shellcheck disable=SC2034
	MODTREE_RELEASE=$(<"$dir/.release")
	# shellcheck disable=SC2034
	MODTREE_OTHER=$(<"$dir/.other")
}

_modtree_build()
{
	local dir=$1 work=$TEST_CACHE/modtree-work log=$TEST_CACHE/modtree.log meta release other

	rm -rf "$TEST_CACHE"/modtree-*
	mkdir -p "$work/fetch" "$work/tree"
	: >"$log"
	# Which kernel is the newest changes with every update of the archive: the metapackage knows.
	meta=linux-image-cloud-$(dpkg --print-architecture)
	if ! archive_fetch "$work/fetch" "$meta" >>"$log" 2>&1 && ! {
		archive_refresh "$log" && archive_fetch "$work/fetch" "$meta" >>"$log" 2>&1
	}; then
		skip "needs a Debian kernel package: $(grep '^[EW]:' "$log" | tail -n 1)"
	fi
	_modtree_unpack "$work" './lib/modules' './boot/config-*' './boot/System.map-*' || return
	release=$(ls "$work/tree/lib/modules")
	other=$(_modtree_oldest "$release")
	[[ -n $other ]] || skip "the archive has no second kernel beside $release"
	_modtree_get "$work" "linux-image-$other" &&
		_modtree_unpack "$work" './lib/modules' './boot/config-*' &&
		_modtree_get "$work" "linux-headers-$release" &&
		_modtree_unpack "$work" '*/Module.symvers' || return
	mv "$work/tree/usr/src/linux-headers-$release/Module.symvers" "$work/tree/symvers"
	rm -r "$work/tree/usr"
	depmod -b "$work/tree" "$release" && depmod -b "$work/tree" "$other" || return
	echo "$release" >"$work/tree/.release"
	echo "$other" >"$work/tree/.other"
	mv "$work/tree" "$dir"
	rm -rf "$work"
}

# The release of the oldest kernel of the same flavour and series; neighbours may agree in all their
# symbol versions
_modtree_oldest()
{
	apt-cache "${ARCHIVE[@]}" search --names-only "^linux-image-${1%%-*}-[0-9]+-cloud-${1##*-}\$" |
		awk '{sub(/^linux-image-/, "", $1); print $1}' | grep -vxF "$1" | sort -V | head -n 1
}

_modtree_get()
{
	rm -f "$1"/fetch/*.deb
	(cd "$1/fetch" && apt-get "${ARCHIVE[@]}" -q -o APT::Sandbox::User=root download "$2") \
		>>"$TEST_CACHE/modtree.log" 2>&1
}

_modtree_unpack()
{
	local work=$1

	shift
	dpkg-deb --fsys-tarfile "$work"/fetch/*.deb | tar -x -C "$work/tree" --no-same-owner --wildcards "$@"
}

# modtree_bind: in the namespace, /lib/modules is this tree and nothing else, over whatever the
# machine has or has not there
modtree_bind()
{
	local memory=$SCRATCH/.modtree

	need_root
	modtree || return
	mkdir -p "$memory"
	# shellcheck disable=SC2016 # they are the inner shell's
	in_ns bash -euc '
		tree=$1 memory=$2 lib=$(realpath /lib)
		mount -t tmpfs tmpfs "$memory"
		cd "$memory"
		mkdir -p lib/modules lib-work modules modules-work
		mount -t overlay -o "lowerdir=$lib,upperdir=lib,workdir=lib-work" overlay "$lib"
		mount -t overlay -o "lowerdir=$tree/lib/modules,upperdir=modules,workdir=modules-work" \
			overlay "$lib/modules"
		' _ "$MODTREE" "$memory"
}
