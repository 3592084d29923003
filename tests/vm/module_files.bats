#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# The file is there and does not load: why is told from the files, and nothing is ever forced.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

# nothing was loaded, let alone by force: the kernel would bear the mark
refute_loaded()
{
	guest 'cut -d" " -f1 /proc/modules | grep -cx lustre || :; cat /proc/sys/kernel/tainted'
	assert_output 0$'\n'0
	refute_lustre_mounted
}

# That of C: A and B may export the same symbols, and then the module of A loads under B.
force_other_kernels_module()
{
	guest "dpkg-deb -x /srv/vendor/next/lustre-client-modules-${C}_*.deb /tmp/c
		mkdir -p /lib/modules/$B/extra
		find /tmp/c -name lustre.ko -exec cp {} /lib/modules/$B/extra/ ';'
		depmod $B; modinfo -F vermagic lustre"
	assert_output -p "$C "
}

install_module()
{
	guest "apt-get -qq install lustre-client-modules-$B >/dev/null"
	guest 'modinfo -n lustre'
	FILE=$output
}

@test "the module of another kernel in the tree is named as such and not loaded" {
	vendor old
	force_other_kernels_module
	reconcile apply --yes
	assert_status 4
	assert_output -p "$C"
	assert_output -e 'vermagic|built for'
	refute_loaded
}

@test "the right package is installed beside the module of another kernel, and used" {
	force_other_kernels_module
	apply
	assert_status 0
	guest 'modinfo -F vermagic lustre'
	assert_output -e "^$B "
	assert_lustre_mounted
	settled
}

@test "a blacklisted module is left alone, and the line that says so is named" {
	install_module
	guest 'echo blacklist lustre >/etc/modprobe.d/site.conf'
	reconcile apply --yes
	assert_status 4
	assert_output -p blacklist
	refute_loaded
	guest 'rm /etc/modprobe.d/site.conf'
	apply
	assert_status 0
	assert_lustre_mounted
}

@test "a module that an install line replaces is left alone" {
	install_module
	guest 'echo install lustre /bin/false >/etc/modprobe.d/site.conf'
	reconcile apply --yes
	assert_status 4
	assert_output -p /bin/false
	refute_loaded
}

@test "a truncated module is told from one of another kernel, and put back from its package" {
	install_module
	guest "truncate -s \$((\$(stat -c %s $FILE) / 2)) $FILE"
	reconcile plan
	assert_status 2
	assert_output -e 'truncated|cut off|damaged|not complete|incomplete'
	refute_loaded
	apply
	assert_status 0
	guest "dpkg --verify lustre-client-modules-$B"
	refute_output
	assert_lustre_mounted
	settled
}

@test "a truncated module that nobody publishes any more is said and not loaded" {
	install_module
	guest "truncate -s \$((\$(stat -c %s $FILE) / 2)) $FILE; rm -f /var/cache/apt/archives/*.deb"
	vendor old
	reconcile apply --yes
	[[ $status == [45] ]] || assert_status 4
	assert_output -e 'truncated|cut off|damaged|not complete|incomplete'
	assert_output -p "apt-get install --reinstall lustre-client-modules-$B"
	refute_loaded
}

@test "a file system whose mount program is missing is said before anything is tried" {
	guest 'rm /sbin/mount.lustre'
	apply
	[[ $status == [45] ]] || assert_status 4
	assert_output -p /sbin/mount.lustre
	refute_lustre_mounted
}
