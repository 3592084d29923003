#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 30
#
# The Debian package that `make deb` makes, put into a real Debian root by its own apt and dpkg, and
# taken out of it again: what a removal and a purge leave, and that apt works afterwards.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/booted

APT_HOOK=/etc/apt/apt.conf.d/zz-reconcile-preflight
KERNEL_HOOK=/etc/kernel/postinst.d/zzz-reconcile
GUARD=120

setup()
{
	scratch_open
	need_command dpkg-deb dpkg-shlibdeps strip
	! is_sanitized || skip "the package is made of the release build"
	PACKAGE=$BATS_FILE_TMPDIR/of-all
	[[ -d $PACKAGE ]] || make_package "$PACKAGE"
	PACKAGE=$(echo "$PACKAGE"/reconcile_*.deb)
}

teardown()
{
	scratch_close
}

# of_make TARGET VARIABLE=VALUE...: with the program under test, which is not built anew
of_make()
{
	make -s -C "$TOP" -o "$RECONCILE" -o "$RECONCILE-fsx" BIN="$RECONCILE" "$@"
}

# next_package: sets NEXT, the package of a release to come
next_package()
{
	local folder=$BATS_FILE_TMPDIR/of-tag

	[[ -d $folder ]] || make_package "$folder" TAGGED=v1.2.0-rc1-4-gabc1234-dirty
	NEXT=$(echo "$folder"/reconcile_*.deb)
}

# make_package FOLDER [VARIABLE=VALUE...]
make_package()
{
	mkdir -p "$1"
	of_make deb DEB_FOLDER="$1" "${@:2}" >/dev/null
}

# node_open: a Debian root that is offered the package, and what that needs and this root lacks:
# empty packages, since nothing that is tried asks for them
node_open()
{
	local name

	aptroot_open
	cp "$PACKAGE" "$REPOSITORY/pool/"
	while read -r name; do
		[[ $(dpkg_state "$name") == "install ok installed" ]] ||
			make_deb "$name" "$(dpkg-query -W -f '${Version}' "$name")"
	done < <(depends)
	make_deb tool 1.0
	publish
	apt_get update >/dev/null
}

# depends: the names of what the package needs
depends()
{
	dpkg-deb -f "$PACKAGE" Depends | tr ',' '\n' | awk '{print $1}'
}

# files_of_node: all that is there, but for what apt and dpkg note for themselves and log
files_of_node()
{
	in_root find / -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache/apt \
		-o -path /var/log -o -path /proc -o -path /srv -o -path /tmp \) -prune -o -print | sort
}

# in_node ARG...: the installed program
in_node()
{
	run_within "$GUARD" in_root reconcile "$@"
}

# refusing: the tree wants every transaction of apt judged, and that has been applied
refusing()
{
	put "$(root_file /etc/reconcile)/state/nodes/n.yaml" <<-YAML
		version: 1
		nodes: ["*"]
		preflight: refuse
	YAML
	in_node apply --yes
	assert_status 0
	in_root test -x "$KERNEL_HOOK"
	in_root test -f "$APT_HOOK"
}

# is_another PID: the agent is up, as another process
is_another()
{
	local now

	now=$(in_booted systemctl show -p MainPID --value reconcile.service)
	[[ $now != 0 && $now != "$1" && $(in_booted systemctl is-active reconcile.service) == active ]]
}

@test "it holds what make install puts there, and what Debian asks for" {
	local extra

	of_make install DESTDIR="$SCRATCH/installed" PREFIX=/usr >/dev/null
	dpkg-deb -x "$PACKAGE" "$SCRATCH/packed"
	gunzip "$SCRATCH/packed/usr/share/man/man8/reconcile.8.gz"
	extra=$(diff -rq "$SCRATCH/installed" "$SCRATCH/packed" | sed "s,$SCRATCH/,,g" || true)
	# the programs without what only a debugger reads
	assert_equal "Files installed/usr/bin/reconcile and packed/usr/bin/reconcile differ
Files installed/usr/libexec/reconcile/reconcile-fsx and packed/usr/libexec/reconcile/reconcile-fsx differ
Only in packed/usr/share/doc/reconcile: changelog.gz
Only in packed/usr/share/doc/reconcile: copyright
Only in packed/usr/share: lintian" "$extra"
	assert_equal "$("$RECONCILE" version)" "$("$SCRATCH/packed/usr/bin/reconcile" version)"
	# linked with, and loaded when they are first needed
	assert_equal "libjansson4 libkmod2 libmount1 libsqlite3-0" \
		"$(depends | grep -xE 'lib(jansson4|kmod2|mount1|sqlite3-0)' | sort | xargs)"
	assert_equal "" "$(dpkg-deb -c "$PACKAGE" | grep -v ' root/root ' || true)"
}

@test "the same commit gives the same bytes, and a tag its version" {
	(umask 077 && make_package "$SCRATCH/again")
	cmp "$PACKAGE" "$SCRATCH"/again/reconcile_*.deb
	next_package
	assert_equal "1.2.0~rc1+4.gabc1234.dirty" "$(dpkg-deb -f "$NEXT" Version)"
	dpkg --compare-versions "$(dpkg-deb -f "$PACKAGE" Version)" lt "$(dpkg-deb -f "$NEXT" Version)"
	dpkg --compare-versions "$(dpkg-deb -f "$NEXT" Version)" lt 1.2.0
}

@test "lintian has nothing to say that the package does not explain" {
	need_command lintian
	run lintian --allow-root --profile debian --display-level '>=info' --fail-on warning "$PACKAGE"
	assert_status 0
	assert_output ""
}

@test "installed with apt it runs, keeps nothing unattended, and goes again without a trace" {
	local before

	node_open
	before=$(files_of_node)
	apt_get install reconcile >/dev/null
	assert_equal "install ok installed" "$(dpkg_state reconcile)"
	# what is read by people is not unpacked in this root
	assert_equal "" "$(in_root dpkg --verify reconcile | grep -vE ' /usr/share/(doc|man)/' || true)"
	in_node version
	assert_status 0
	assert_equal "$("$RECONCILE" version)" "$output"
	in_node doctor
	[[ $status == [02346] ]] || _fail_run "doctor should have told how the node stands"
	assert_equal "" "$(in_root find /etc/systemd -name 'reconcile*')"
	apt_get purge reconcile >/dev/null
	apt_get autoremove >/dev/null
	assert_equal "" "$(dpkg_state reconcile)"
	assert_equal "$before" "$(files_of_node)"
}

@test "removed it leaves its history and hooks that let apt work, purged only the tree" {
	local before wants=/etc/systemd/system/multi-user.target.wants

	node_open
	before=$(files_of_node)
	apt_get install reconcile >/dev/null
	refusing
	in_root mkdir -p "$wants"
	in_root ln -s /usr/lib/systemd/system/reconcile.service "$wants/reconcile.service"
	# what the operator enabled, the next version knows of
	apt_get install --reinstall reconcile >/dev/null
	in_root mkdir -p /var/cache/reconcile/packages
	in_root test -s /var/lib/reconcile/history.db

	apt_get remove reconcile >/dev/null
	in_root test -s /var/lib/reconcile/history.db
	in_root test -x "$KERNEL_HOOK"
	in_root test -f "$APT_HOOK"
	in_root test ! -e /usr/bin/reconcile
	run_within "$GUARD" apt_get install tool
	assert_status 0
	in_root "$KERNEL_HOOK" 6.1.0-56-cloud-amd64
	in_root rm "$KERNEL_HOOK"
	run_within "$GUARD" apt_get remove tool
	assert_status 0
	assert_equal "deinstall ok config-files" "$(dpkg_state reconcile)"

	apt_get install reconcile >/dev/null
	in_node apply --yes
	in_root test -x "$KERNEL_HOOK"
	apt_get purge reconcile >/dev/null
	apt_get autoremove >/dev/null
	run_within "$GUARD" apt_get install tool
	assert_status 0
	apt_get purge tool >/dev/null
	assert_equal "/etc/reconcile
/etc/reconcile/state
/etc/reconcile/state/nodes
/etc/reconcile/state/nodes/n.yaml" "$(comm -13 <(echo "$before") \
		<(files_of_node))"
	assert_equal "" "$(comm -23 <(echo "$before") <(files_of_node))"
}

@test "a purge takes no hook of somebody else and nothing that is mounted, and says so" {
	node_open
	apt_get install reconcile >/dev/null
	refusing
	in_root bash -c 'echo "# mine" >"$1"' _ "$KERNEL_HOOK"
	in_root 'mkdir -p /srv/data /var/lib/reconcile/data; echo precious >/srv/data/file'
	in_ns mount --bind "$ROOT/srv/data" "$ROOT/var/lib/reconcile/data"
	run_within "$GUARD" apt_get purge reconcile
	assert_status 0
	[[ $output$stderr == *"/var/lib/reconcile is left as it is"* ]]
	assert_equal precious "$(in_root cat /var/lib/reconcile/data/file)"
	assert_equal "# mine" "$(in_root cat "$KERNEL_HOOK")"
	in_root test ! -e "$APT_HOOK"
}

@test "under systemd an upgrade restarts the agent, a removal ends it, and what is mounted stays" {
	local before

		booted_open
	REPOSITORY=$SCRATCH/repository
	mkdir -p "$REPOSITORY/pool"
	make_deb libcurl4 "$(dpkg-query -W -f '${Version}' "$(depends | grep curl)")" \
		--field "Provides: $(depends | grep curl)"
	next_package
	in_ns cp "$PACKAGE" "$ROOT/root/first.deb"
	in_ns cp "$REPOSITORY"/pool/libcurl4_*.deb "$ROOT/root/curl.deb"
	in_ns cp "$NEXT" "$ROOT/root/next.deb"
	booted_put /etc/reconcile/state/nodes/n.yaml <<-YAML
		version: 1
		nodes: ["*"]
		mounts:
		  /srv/scratch: {source: tmpfs, type: tmpfs, manage: live}
	YAML
		in_booted dpkg -i /root/curl.deb /root/first.deb
		assert_equal inactive "$(in_booted systemctl is-active reconcile.service || true)"
		in_booted systemctl enable --now reconcile.service
	wait_for 60 in_booted findmnt /srv/scratch
	before=$(in_booted systemctl show -p MainPID --value reconcile.service)
		in_booted dpkg -i /root/next.deb
	wait_for 60 is_another "$before"
	in_booted dpkg --remove reconcile
	run in_booted pgrep -x reconcile
	assert_status 1
	in_booted findmnt /srv/scratch
	in_booted dpkg --purge reconcile
	assert_equal "" "$(in_booted find /etc/systemd /var/lib /run /var/cache -name reconcile \
		-o -name 'reconcile.*' 2>/dev/null || true)"
	in_booted findmnt /srv/scratch
}
