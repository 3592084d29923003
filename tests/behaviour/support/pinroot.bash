# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The root of aptroot.bash with the distribution's own unattended-upgrades in it, and kernels to be
# moved to. Needs common.bash.
#
#	aptroot_open ...		all that aptroot.bash has
#	kernel_offered ABI		a kernel, its module and the metapackages that bring both are on offer
#	unattended_upgrade		what the timer runs at night; its log is printed
#	autoremovable			what apt would take away by itself, one name a line
#
# No kernel of these is the running one: in a root the running kernel is that of the machine.

# shellcheck source=tests/behaviour/support/aptroot.bash
source "${BASH_SOURCE[0]%/*}/aptroot.bash"

# The base that aptroot_open takes is another one here.
eval "plain_$(declare -f aptroot_base)"
aptroot_base()
{
	local key dir

	plain_aptroot_base || return
	key=$(cat "$TOP/tests/behaviour/support/"{apt,pin}root.bash /etc/os-release | sha256sum | cut -c1-16)
	dir=$TEST_CACHE/pinroot-$key
	if [[ ! -e $dir/.complete ]]; then
		exec {APTROOT_LOCK}>"$TEST_CACHE/pinroot.lock"
		flock "$APTROOT_LOCK"
		[[ -e $dir/.complete ]] || _pinroot_build "$dir" >"$TEST_CACHE/pinroot.log" 2>&1 || {
			fail "the root with unattended-upgrades was not made:" "$(tail -n 30 "$TEST_CACHE/pinroot.log")"
			return
		}
		exec {APTROOT_LOCK}>&-
	fi
	APTROOT_BASE=$dir/root
}

_pinroot_build()
{
	local dir=$1 root=$1/root

	rm -rf "$TEST_CACHE"/pinroot-*
	mkdir -p "$dir"
	cp -a "$APTROOT_BASE" "$root" || return
	_pinroot_download "$root" || { archive_refresh /dev/stderr && _pinroot_download "$root"; } || return
	_apart unshare -m --propagation private bash -euc '
		mount -t proc proc "$1/proc"
		mkdir "$1/srv/debs"
		mv "$1"/var/cache/apt/archives/*.deb "$1/srv/debs"
		chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
			sh -c "apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install /srv/debs/*.deb"
	' _ "$root" || return
	rm -rf "$root/srv/debs"
	printf 'Unattended-Upgrade::Origins-Pattern:: "origin=field,label=field";\n' |
		put "$root/etc/apt/apt.conf.d/51field"
	touch "$dir/.complete"
}

# With the machine's own lists, and what is installed in there.
_pinroot_download()
{
	local archives=$1/var/cache/apt/archives

	mkdir -p "$archives/partial"
	apt-get "${ARCHIVE[@]}" -q -y --no-install-recommends --download-only -o APT::Sandbox::User=root \
		-o Debug::NoLocking=true -o "Dir::State::status=$1/var/lib/dpkg/status" \
		-o Dir::State::extended_states=/dev/null -o "Dir::Cache::archives=$archives" \
		install unattended-upgrades
}

# ---- kernels

# kernel_offered ABI: as Debian has them for the cloud. The metapackages name the newest kernel.
kernel_offered()
{
	local release=6.1.0-$1-cloud-amd64 version=6.1.$1-1

	make_deb "linux-image-$release" "$version" --file "/boot/vmlinuz-$release" "$release" || return
	make_deb "lustre-client-modules-$release" 2.15.6-1 --depends "linux-image-$release" \
		--file "/lib/modules/$release/updates/lustre.ko" "$release" || return
	make_deb linux-image-cloud-amd64 "$version" --depends "linux-image-$release (= $version)" || return
	make_deb lustre-client-modules-cloud-amd64 "$version" \
		--depends "lustre-client-modules-$release" || return
	publish && apt_get update >/dev/null
}

# kernels_there: the releases that are installed, one a line
kernels_there()
{
	# shellcheck disable=SC2016
	in_root dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'linux-image-6.*' |
		sed -n 's/^installed linux-image-//p'
}

unattended_upgrade()
{
	in_root unattended-upgrade --verbose "$@" 2>&1
}

autoremovable()
{
	in_root apt-get -s autoremove | awk '$1 == "Remv" {print $2}' | sort
}
