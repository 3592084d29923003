# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# shellcheck disable=SC2034 # ran, stderr: of support/common
#
# What the tests in the VM stand on. A test file has
#
#	load support/vm
#	setup() { vm_restore; }
#	teardown() { vm_show; }
#
# and gets
#
#	guest COMMAND		/bin/sh in the guest runs it: $status, $output, $stderr; fails as it does
#	in_guest COMMAND	the same, whatever its status
#	reconcile ARG...	the program in the guest; $status, $output, $stderr
#	apply ARG...		apply --yes, again and again while it says that more can be done
#	role <YAML		what the role of the node says from now on
#	assert_...		of tests/behaviour/support/common.bash
#
# What became of the guest is judged by its own tools (uname, findmnt, lsmod, dpkg-query, ...), never
# by the program under test.

load ../behaviour/support/common

VM=$TOP/tests/vm
A=$KERNEL_A B=$KERNEL_B C=$KERNEL_C
SOURCE=10.1.30.23@tcp:/czrc3amv

# vm_restore [SNAPSHOT]: the guest as it was then, with the time of now
vm_restore()
{
	SCRATCH=$BATS_TEST_TMPDIR
	"$VM/guest" monitor "loadvm ${1:-ready}" || return
	"$VM/guest" exec "date -s @$(date +%s) >/dev/null"
}

vm_save()
{
	"$VM/guest" monitor "savevm $1"
}

# vm_show: when a test failed, what one would look at first
vm_show()
{
	[[ -z ${BATS_TEST_COMPLETED:-} ]] || return 0
	"$VM/guest" exec 'exec 2>&1; echo "--- the guest:"; uname -r; cat /proc/mounts | grep -i lustre
		ls /lib/modules; dpkg -l "lustre*" "linux-image*" | grep "^[a-z][a-zA-Z]"
		grub-editenv list; dmesg | tail -n 8' || :
}

in_guest()
{
	ran="$*"
	status=0
	"$VM/guest" exec "$*" >"$SCRATCH/.stdout" 2>"$SCRATCH/.stderr" </dev/null || status=$?
	output=$(<"$SCRATCH/.stdout")
	stderr=$(<"$SCRATCH/.stderr")
}

guest()
{
	in_guest "$@"
	((status == 0)) || _fail_run "in the guest: status $status"
}

# guest_fails COMMAND: it must
guest_fails()
{
	in_guest "$@"
	((status != 0)) || _fail_run "in the guest: expected to fail"
}

reconcile()
{
	in_guest "reconcile $(printf '%q ' "$@")"
}

# One apply carries out one shown plan; 2 says that the next one has more to do, 6 that something did
# not answer in time: where a machine is emulated and busy, apt may not.
apply()
{
	local pass
	for pass in 1 2 3 4 5; do
		reconcile apply --yes "$@"
		echo "# apply $pass: $status" >&2
		((status == 2 || status == 6)) || return 0
	done
}

# settled: a plan finds nothing to do
settled()
{
	reconcile plan "$@"
	assert_status 0
}

role()
{
	cat >"$SCRATCH/role.yaml"
	"$VM/guest" put "$SCRATCH/role.yaml" /etc/reconcile/state/roles/compute.yaml
}

# vendor REPOSITORY: what the vendor publishes, and the node knows, from now on (vendor.sh)
vendor()
{
	guest "echo 'deb [signed-by=/srv/vendor/vendor.gpg] file:/srv/vendor/$1 ./' \
		>/etc/apt/sources.list.d/lustre.list && apt-get -q update"
}

# ---- what the guest's tools say

assert_kernel()
{
	guest uname -r
	assert_output "$1"
}

assert_lustre_mounted()
{
	guest 'findmnt -n -o FSTYPE,SOURCE /lustre; stat -f -c %t /lustre; ls /lustre'
	assert_line -e "^lustre +$SOURCE\$"
	assert_line bd00bd0
	assert_line checkpoints
}

refute_lustre_mounted()
{
	guest_fails findmnt /lustre
}

# assert_installed PACKAGE..., refute_installed PACKAGE...
assert_installed()
{
	local name
	for name; do
		in_guest "dpkg-query -W -f '\${Status}' $name"
		[[ $output == "install ok installed" || $output == "hold ok installed" ]] ||
			_fail_run "$name: expected to be installed"
	done
}

refute_installed()
{
	local name
	for name; do
		in_guest "dpkg-query -W -f '\${Status}' $name"
		[[ $output != *" installed" ]] || _fail_run "$name: expected not to be installed"
	done
}

# What GRUB would start, worked out from the two files that it reads: the id path that grub.cfg has as
# default (or, where that says so, grubenv), looked up in the menu; the first entry when there is no
# such path, as GRUB does it. Prints the release.
WHAT_BOOTS='
	config=/boot/grub/grub.cfg
	wanted=$(sed -n "s/^ *set default=\"\(.*\)\"/\1/p" $config | tail -n 1)
	[ "$wanted" != "\${saved_entry}" ] || wanted=$(grub-editenv list | sed -n "s/^saved_entry=//p")
	awk -v wanted="$wanted" -v quote="$(printf "\\047")" "
		function id(line,    part, n) {
			n = split(line, part, quote)
			return part[n - 1]
		}
		/^submenu / { menu = id(\$0) \">\"; next }
		/^}/ { menu = \"\" }
		/^[ \t]*menuentry / { path = menu id(\$0); next }
		/^[ \t]*linux[ \t]/ {
			release = \$2
			sub(/.*vmlinuz-/, \"\", release)
			if (first == \"\") first = release
			if (path == wanted) found = release
		}
		END { print found == \"\" ? first : found }" $config'

# assert_boots RELEASE: GRUB starts this kernel by default
assert_boots()
{
	guest "$WHAT_BOOTS"
	assert_output "$1"
}

# assert_boots_once [RELEASE]: and this one at the next start only; without RELEASE: there is none
assert_boots_once()
{
	guest 'grub-editenv list | sed -n s/^next_entry=//p'
	if (($#)); then
		assert_output -p "gnulinux-$1-"
	else
		refute_output
	fi
}
