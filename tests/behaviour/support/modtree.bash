# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A real module tree: /lib/modules/RELEASE of the newest Debian cloud kernel, with its indexes, for
# tests that must see what libkmod sees on a node. Nothing is installed, no module is ever loaded.
# Needs common.bash.
#
#	modtree		sets MODTREE_RELEASE, and MODTREE: a folder with lib/modules/RELEASE and boot/config-RELEASE
#	modtree_bind	shows it at /lib/modules in the test's namespace, where the test may change it
#
# It is fetched once (27 MB) and kept in $TEST_CACHE. $MODTREE itself is shared by all tests and
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
}

_modtree_build()
{
	local dir=$1 work=$TEST_CACHE/modtree-work log=$TEST_CACHE/modtree.log meta release

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
	dpkg-deb --fsys-tarfile "$work"/fetch/*.deb | tar -x -C "$work/tree" --no-same-owner \
		--wildcards './lib/modules' './boot/config-*' './boot/System.map-*' || return
	release=$(ls "$work/tree/lib/modules")
	depmod -b "$work/tree" "$release" || return
	echo "$release" >"$work/tree/.release"
	mv "$work/tree" "$dir"
	rm -rf "$work"
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
