# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A Debian (or Ubuntu) root with its real apt and dpkg, and a package source of our own making next
# to it. Needs common.bash.
#
#	aptroot_open			a fresh one for this test, mounted at $ROOT in the test's namespace
#	make_deb NAME VERSION ...	a package to be published; field_debs makes those of a node of the field
#	publish				what was made is now on offer, and seen after the next apt-get update
#	in_root COMMAND ARG...		runs it in there, with /proc, /sys and /dev
#	root_program PROGRAM		puts a program of ours in there and prints its path inside
#	hold_lock FILE..., leave_half_configured, leave_interrupted	what a run may meet
#
# The tree is built once (about half a minute, needs the network) and kept in $TEST_CACHE, named by
# a digest of this file; a test gets it through an overlay whose upper side is in memory, so that a
# fresh root costs nothing and an apt run does not wait for the disk. It has no source but ours and
# so never asks the network.

APTROOT_LIBRARIES=libjansson4,libkmod2,liblua5.4-0,libmd0,libmount1,libsqlite3-0,libyaml-0-2
REPOSITORY_CODENAME=field

# shellcheck source=tests/behaviour/support/archive.bash
source "${BASH_SOURCE[0]%/*}/archive.bash"

# ---- the tree

# aptroot_base: the folder with the tree, made if need be. Skips when this machine cannot make it,
# fails when it should have.
aptroot_base()
{
	local key dir

	need_root
	key=$(cat "$TOP/tests/behaviour/support/aptroot.bash" /etc/os-release | sha256sum | cut -c1-16)
	dir=$TEST_CACHE/aptroot-$key
	if [[ ! -e $dir/.complete ]]; then
		mkdir -p "$TEST_CACHE"
		need_command mmdebstrap flock
		# another test file may be at it just now
		exec {APTROOT_LOCK}>"$TEST_CACHE/aptroot.lock"
		flock "$APTROOT_LOCK"
		[[ -e $dir/.complete ]] || _aptroot_build "$dir" || return
		exec {APTROOT_LOCK}>&-
	fi
	APTROOT_BASE=$dir/root
}

_aptroot_build()
{
	local dir=$1 url suite components=main log=$TEST_CACHE/aptroot.log setting
	local -a options=()

	: >"$log"
	if ! read -r url suite < <(archive_of_release) && ! {
		archive_refresh "$log" && read -r url suite < <(archive_of_release)
	}; then
		skip "needs the archive of this machine's release: $(grep '^[EW]:' "$log" | tail -n 1)"
	fi
	/usr/lib/apt/apt-helper -q download-file "$url/dists/$suite/InRelease" "$TEST_CACHE/InRelease" \
		>>"$log" 2>&1 || skip "needs the archive $url: $(tail -n 1 "$log")"
	rm -f "$TEST_CACHE/InRelease"
	! grep -q '^ID=ubuntu' /etc/os-release || components="main universe"
	# how the archive is reached (proxy, clock) is the machine's business
	while read -r setting; do
		options+=(--aptopt="$setting")
	done < <(apt-config dump | grep -E '^Acquire::(https?|Check-Date|Check-Valid-Until|Retries)')
	for setting in man doc locale info; do
		options+=(--dpkgopt="path-exclude=/usr/share/$setting/*")
	done
	rm -rf "$TEST_CACHE"/aptroot-*
	mkdir -p "$dir"
	options+=(--dpkgopt=force-unsafe-io --include="$APTROOT_LIBRARIES")
	_apart unshare -m --propagation private mmdebstrap --quiet --mode=root --variant=apt \
		"${options[@]}" "$suite" "$dir/root" "deb $url $suite $components" >"$log" 2>&1 || {
		fail "mmdebstrap failed:" "$(tail -n 30 "$log")"
		return
	}
	_aptroot_settle "$dir/root"
	touch "$dir/.complete"
}

# No source but ours, no service starts, and nothing of the options that were for building.
_aptroot_settle()
{
	local root=$1

	rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* \
		"$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
	printf '#!/bin/sh\nexit 101\n' | put "$root/usr/sbin/policy-rc.d" 0755
	put "$root/etc/apt/sources.list.d/field.list" \
		<<<"deb [trusted=yes] file:/srv/repository $REPOSITORY_CODENAME main"
	mkdir -p "$root/srv/repository"
}

# aptroot_open: sets ROOT, a path in the test's namespace, and REPOSITORY, the folder of the source,
# seen inside as /srv/repository
aptroot_open()
{
	local memory=$SCRATCH/.aptroot

	aptroot_base || return
	need_command apt-ftparchive dpkg-deb
	ROOT=$SCRATCH/root
	REPOSITORY=$SCRATCH/repository
	mkdir -p "$ROOT" "$memory" "$REPOSITORY/pool" "$REPOSITORY/dists"
	# shellcheck disable=SC2016 # they are the inner shell's
	in_ns bash -euc '
		base=$1 memory=$2 root=$3 repository=$4
		mount -t tmpfs tmpfs "$memory"
		mkdir "$memory/up" "$memory/work"
		mount -t overlay -o "lowerdir=$base,upperdir=$memory/up,workdir=$memory/work" overlay "$root"
		mount --bind "$repository" "$root/srv/repository"
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
		mkdir "$root/dev/pts"
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
		ln -s pts/ptmx "$root/dev/ptmx"
		ln -s /proc/self/fd "$root/dev/fd"
		for node in null zero full random urandom tty; do
			touch "$root/dev/$node"
			mount --bind "/dev/$node" "$root/dev/$node"
		done' _ "$APTROOT_BASE" "$memory" "$ROOT" "$REPOSITORY" || return
	publish
}

# in_root COMMAND ARG... | in_root 'SNIPPET': as in_ns, with the root as /. The clean environment a
# service has.
in_root()
{
	local -a command=("$@")

	(($# > 1)) || command=(bash -euo pipefail -c "$1")
	in_ns chroot "$ROOT" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${command[@]}"
}

# root_file PATH: where the test can read or write this file of the root from outside the namespace
root_file()
{
	echo "/proc/$(ns_pid)/root$ROOT$1"
}

# root_program PROGRAM [NAME]: a dynamic program brings the libraries along that the root does not
# have
root_program()
{
	local program=$1 inside=/usr/local/bin/${2:-$(basename "$1")} library

	install -D -m 0755 "$program" "$(root_file "$inside")" || return
	while read -r library; do
		in_root test -e "$library" ||
			install -D -m 0644 "$library" "$(root_file "$library")" || return
	done < <(ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// {print $3}')
	echo "$inside"
}

# apt_get ARG...: an operator's apt-get, with answers given
apt_get()
{
	in_root apt-get -y -q "$@" </dev/null
}

# ---- packages and their source

# make_deb NAME VERSION
#	[--depends TEXT] [--arch ARCH] [--field 'NAME: TEXT'] [--file /PATH TEXT]...
#	[--preinst|--postinst|--prerm|--postrm TEXT]	the line #!/bin/sh -e is put before TEXT
make_deb()
{
	local name=$1 version=$2 tree=$SCRATCH/.deb control arch=all
	local -a fields=()

	shift 2
	rm -rf "$tree"
	mkdir -p "$tree/DEBIAN"
	while (($# > 0)); do
		case $1 in
		--arch) arch=$2 ;;
		--depends) fields+=("Depends: $2") ;;
		--field) fields+=("$2") ;;
		--file)
			put "$tree$2" <<<"$3"
			shift
			;;
		--preinst | --postinst | --prerm | --postrm)
			printf '#!/bin/sh -e\n%s\n' "$2" | put "$tree/DEBIAN/${1#--}" 0755
			;;
		*)
			fail "make_deb: $1?"
			return
			;;
		esac
		shift 2
	done
	control=$(printf '%s\n' "Package: $name" "Version: $version" "Architecture: $arch" \
		"Maintainer: Field <field@example.org>" "${fields[@]}" "Description: $name, made by a test")
	put "$tree/DEBIAN/control" <<<"$control"
	dpkg-deb --root-owner-group -Znone --build "$tree" "$REPOSITORY/pool/" >/dev/null
}

# unpublish NAME [VERSION]: out of the pool; gone from the offer with the next publish
unpublish()
{
	if (($# == 1)); then
		rm -f "$REPOSITORY/pool/$1"_*.deb
	else
		rm -f "$REPOSITORY/pool/$1_$2"_*.deb
	fi
}

# publish: writes the indexes anew, as the owner of the source does when something is new
publish()
{
	local arch dists=$REPOSITORY/dists/$REPOSITORY_CODENAME field now before
	local -a options=()

	arch=$(dpkg --print-architecture)
	mkdir -p "$dists/main/binary-$arch"
	(cd "$REPOSITORY" && apt-ftparchive packages pool >"$dists/main/binary-$arch/Packages") || return
	for field in Origin=field Label=field "Suite=$REPOSITORY_CODENAME" "Codename=$REPOSITORY_CODENAME" \
		"Architectures=$arch" Components=main; do
		options+=(-o "APT::FTPArchive::Release::$field")
	done
	apt-ftparchive "${options[@]}" release "$dists" >"$SCRATCH/.Release" || return
	# apt takes a Release of the same second for the one it has
	now=$(date +%s)
	before=$(stat -c %Y "$dists/Release" 2>/dev/null || echo 0)
	touch -d "@$((now > before ? now : before + 1))" "$SCRATCH/.Release"
	mv "$SCRATCH/.Release" "$dists/Release"
}

# field_debs: the packages of a node of the field: the kernel it was made on and the one that came
# later, each with its metapackages, and the Lustre client for both
field_debs()
{
	make_kernel_debs 6.8.0-1039 && make_kernel_debs 6.8.0-1043 || return
	make_module_deb 6.8.0-1039-aws 2.15.6-1fsx21 && make_module_deb 6.8.0-1043-aws 2.15.6-1fsx25 || return
	make_deb lustre-client-utils 2.15.6-1fsx25 --file /sbin/mount.lustre "not a program" || return
	publish
}

# make_kernel_debs VERSION-BUILD: image and headers of this kernel, and the metapackages that bring it
make_kernel_debs()
{
	local release=$1-aws build=${1#*-} version meta

	version=$1.$build
	meta=${1%-*}.$build.$build
	make_deb "linux-image-$release" "$version" --file "/boot/vmlinuz-$release" "$release" || return
	make_deb "linux-headers-$release" "$version" --file "/usr/src/$release/Makefile" "$release" || return
	make_deb linux-image-aws "$meta" --depends "linux-image-$release" || return
	make_deb linux-headers-aws "$meta" --depends "linux-headers-$release" || return
	make_deb linux-aws "$meta" --depends "linux-image-aws (= $meta), linux-headers-aws (= $meta)"
}

# make_module_deb RELEASE VERSION: the Lustre client for one kernel
make_module_deb()
{
	make_deb "lustre-client-modules-$1" "$2" \
		--file "/lib/modules/$1/updates/kernel/fs/lustre/lustre.ko" "lustre $2 for $1"
}

# ---- what a run may meet

# hold_lock FILE...: keeps these locks of the root's package manager, as another run of it would;
# sets LOCK_HOLDER. Without FILE both that stand for "dpkg is at work". release_lock ends it.
hold_lock()
{
	local file
	local -a files=()

	need_program holdlock || return
	(($# > 0)) || set -- /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock
	for file; do
		files+=("$ROOT$file")
	done
	LOCK_HOLDER=$(_apart in_ns "$TEST_PROGRAMS/holdlock" "${files[@]}")
}

release_lock()
{
	kill "$LOCK_HOLDER" && wait_for 10 _has_ended "$LOCK_HOLDER"
}

# Gone, or a zombie: its descriptors go one by one, and the locks with them, before it becomes that.
_has_ended()
{
	local state

	state=$(awk '/^State:/ {print $2}' "/proc/$1/status" 2>/dev/null)
	[[ -z $state || $state == [ZX] ]]
}

# dpkg_state NAME: want, flag and status as dpkg itself sees them: "install ok installed", "hold ok
# half-configured"; nothing if unknown
dpkg_state()
{
	# shellcheck disable=SC2016
	in_root dpkg-query -W -f '${Status}' "$1" 2>/dev/null
}

# leave_half_configured NAME VERSION: installed but for its postinst, which failed this once and
# will do well the next time
leave_half_configured()
{
	make_deb "$1" "$2" --postinst "test -e /var/tmp/$1 || { touch /var/tmp/$1; exit 1; }" || return
	publish && apt_get update >/dev/null || return
	apt_get install "$1" >/dev/null 2>&1 && fail "$1 should have failed to configure"
	[[ $(dpkg_state "$1") == "install ok half-configured" ]]
}

# leave_interrupted NAME VERSION: dpkg itself was killed during the postinst, so that its journal is
# left and apt refuses to work
leave_interrupted()
{
	make_deb "$1" "$2" \
		--postinst "test -e /var/tmp/$1 || { touch /var/tmp/$1; kill -KILL \$PPID; }" || return
	publish && apt_get update >/dev/null || return
	apt_get install "$1" >/dev/null 2>&1 && fail "dpkg should have been killed"
	[[ -n $(in_root ls /var/lib/dpkg/updates) ]]
}
