#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Modules as libkmod sees them in the tree of a Debian kernel package. Nothing is loaded.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load support/common
load support/modtree

setup()
{
	GUARD=30
	scratch_open
	modtree_bind
	# the tree stands in for that of the running kernel
	in_ns ln -sfn "$MODTREE_RELEASE" "/lib/modules/$(uname -r)"
}

teardown()
{
	scratch_close
}

fact()
{
	run_reconcile facts "module:$1" --json
	assert_status 0
	fact=$(jq -c '.facts[0]' <<<"$output")
}

field()
{
	jq -r ".$1" <<<"$fact"
}

@test "a module that is not loaded is found with its file, by either dash" {
	need_command jq
	[[ ! -e /sys/module/xfs && ! -e /sys/module/nls_utf8 ]] || skip "this kernel has xfs"
	fact xfs
	assert_equal present "$(field state)"
	assert_equal false "$(field loaded)"
	[[ $(field file) == */kernel/fs/xfs/xfs.ko* ]]
}

@test "a module of the kernel image is built in" {
	need_command jq
	name=$(sed -n 's|.*/\(.*\)\.ko$|\1|p' "$MODTREE/lib/modules/$MODTREE_RELEASE/modules.builtin" | head -n 1)
	fact "$name"
	assert_equal true "$(field builtin)"
	assert_equal true "$(field loaded)"
}

@test "a module that nobody has is absent, with the reason" {
	need_command jq
	fact lustre
	assert_equal absent "$(field state)"
	[[ -n $(field obstacle) ]]
}

@test "a file that depmod has not seen is found and said" {
	need_command jq
	in_ns install -D -m 0644 /dev/null "/lib/modules/$MODTREE_RELEASE/updates/lustre.ko"
	fact lustre
	assert_equal present "$(field state)"
	assert_equal false "$(field loaded)"
	if [[ -e /proc/modules ]]; then
		assert_equal "$(field obstacle)" "$(field file) is in no index: depmod is needed"
	else
		assert_equal "$(field obstacle)" "the running kernel loads no modules: all it has is built in"
	fi
}

@test "with indexes that are gone every module is still found" {
	need_command jq
	[[ ! -e /sys/module/xfs ]] || skip "this kernel has xfs"
	in_ns rm "/lib/modules/$MODTREE_RELEASE/modules.dep.bin"
	fact xfs
	assert_equal present "$(field state)"
	[[ $(field file) == */kernel/fs/xfs/xfs.ko* ]]
}

@test "what a look at the tree tells is proved on the real tree" {
	run_within 60 in_ns "$BUILD/tests/unit/host/modules_test"
	assert_status 0
	refute_output -p "no module tree"
}

@test "a wanted module that could not be loaded is blocked, calmly" {
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], resources: [{kind: module, name: lustre, loaded: true}]}'
	run_reconcile plan -C "$SCRATCH/tree" --node n
	assert_status 4
	refute_output -p "not in this version"
	if [[ -e /proc/modules ]]; then
		assert_output -e "there is no module[[:space:]]+lustre"
	else
		assert_output -e "loads[[:space:]]+no[[:space:]]+modules"
	fi
}

# kernel_setting NAME VALUE: /proc/sys/kernel/NAME says so in the test's namespace, whether this kernel has it
kernel_setting()
{
	mkdir -p "$SCRATCH/kernel/random"
	cp /proc/sys/kernel/random/boot_id "$SCRATCH/kernel/random/"
	cp /proc/sys/kernel/osrelease "$SCRATCH/kernel/"
	echo "$2" >"$SCRATCH/kernel/$1"
	in_ns mount --bind "$SCRATCH/kernel" /proc/sys/kernel
}

@test "a kernel that takes no more modules: plan is blocked with that, doctor blames it, the next boot is another matter" {
	need_command jq
	[[ ! -e /sys/module/nfs ]] || skip "this kernel has nfs"
	ns_overlay /etc
	put "$SCRATCH/fstab" <<<"server:/export $SCRATCH/nfs nfs defaults 0 0"
	in_ns cp "$SCRATCH/fstab" /etc/fstab
	in_ns mkdir "$SCRATCH/nfs"
	kernel_setting modules_disabled 0
	run_reconcile doctor
	assert_status 2
	refute_output -p modules_disabled
	kernel_setting modules_disabled 1
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], resources: [{kind: module, name: nfs, loaded: true}]}'
	run_reconcile plan -C "$SCRATCH/tree" --node n
	assert_status 4
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"kernel.modules_disabled is set: nothing is loaded until the next boot"* ]] ||
		_fail_run "the reason is missing"
	run_reconcile doctor
	assert_status 2
	assert_output -p "cannot load nfs: kernel.modules_disabled is set: the running kernel takes no modules until the next boot"
	# what its file tells, as of the next boot, has nothing to do with it
	loadable nfs "$(uname -r)"
	[[ $(field verdict) != no ]] || fail "$fact"
}

@test "without CAP_SYS_MODULE in the bounding set nothing can be loaded, and plan says so" {
	need_command setpriv
	[[ ! -e /sys/module/nfs ]] || skip "this kernel has nfs"
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], resources: [{kind: module, name: nfs, loaded: true}]}'
	run_within 30 in_ns setpriv --bounding-set -sys_module "$RECONCILE" --run-dir "$SCRATCH/run" \
		plan -C "$SCRATCH/tree" --node n
	assert_status 4
	if [[ -e /proc/modules ]]; then
		assert_output -p "CAP_SYS_MODULE"
	else
		assert_output -e "loads[[:space:]]+no[[:space:]]+modules"
	fi
}

@test "a blacklist of ours is written once, and taken away" {
	need_command jq
	ns_overlay /etc
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], mode: full, resources: [{kind: module, name: floppy, blacklisted: true}]}'
	run_reconcile apply -C "$SCRATCH/tree" --node n --yes
	assert_status 0
	assert_content /etc/modprobe.d/reconcile-floppy.conf "$(printf '# Written by reconcile.\nblacklist floppy')"
	run_reconcile apply -C "$SCRATCH/tree" --node n --yes
	assert_status 0
	refute_output -p "changed"
	fact floppy
	put "$SCRATCH/tree/state/nodes/n.yaml" <<<'{version: 1, nodes: [n], mode: full, resources: [{kind: module, name: floppy, blacklisted: false}]}'
	run_reconcile apply -C "$SCRATCH/tree" --node n --yes
	assert_status 0
	assert_missing /etc/modprobe.d/reconcile-floppy.conf
}

# ---- Would it load? Of a kernel that does not run here.

# loadable MODULE [RELEASE]: sets fact
loadable()
{
	run_reconcile facts "loadable:$1@${2:-$MODTREE_RELEASE}" --json
	assert_status 0
	fact=$(jq -c '.facts[0]' <<<"$output")
}

# verdict WORD CAUSE [PART OF THE REASON]
verdict()
{
	assert_equal "$1 $2" "$(field verdict) $(field 'cause // "-"')"
	[[ $(field reason) == *"${3:-}"* ]] || fail "the reason is: $(field reason)"
}

tree()
{
	echo "/lib/modules/$MODTREE_RELEASE/$1"
}

@test "what comes with a kernel loads under it, running or not" {
	need_command jq
	for module in xfs ceph nfs loop sunrpc; do
		loadable "$module"
		verdict yes -
		loadable "$module" "$MODTREE_OTHER"
		verdict yes -
	done
	assert_equal "/lib/modules/$MODTREE_OTHER/kernel/net/sunrpc/sunrpc.ko" "$(field file)"
	[[ $(field vermagic) == "$MODTREE_OTHER "* ]]
}

@test "with the kernel's headers every symbol version is proved" {
	need_command jq
	in_ns install -D "$MODTREE/symvers" "$(tree build/Module.symvers)"
	loadable ceph
	verdict yes - "symbol versions agree with those of $MODTREE_RELEASE"
	[[ $(field reason) == all* ]]
}

@test "a module of another kernel is refused, with the symbol that tells" {
	need_command jq
	in_ns cp "/lib/modules/$MODTREE_OTHER/kernel/fs/xfs/xfs.ko" "$(tree kernel/fs/xfs/xfs.ko)"
	loadable xfs
	verdict no symbols "xfs was built for $MODTREE_OTHER, the kernel is $MODTREE_RELEASE: symbol module_layout has version"
	# and it is no witness against the others
	loadable ceph
	verdict yes -
	in_ns install -D "$MODTREE/symvers" "$(tree build/Module.symvers)"
	loadable xfs
	verdict no symbols "in $(tree build/Module.symvers)"
}

@test "a needed module of another kernel is found behind one that is right" {
	need_command jq
	in_ns cp "/lib/modules/$MODTREE_OTHER/kernel/net/ceph/libceph.ko" "$(tree kernel/net/ceph/libceph.ko)"
	loadable ceph
	verdict no symbols
	in_ns rm "$(tree kernel/net/ceph/libceph.ko)"
	loadable ceph
	verdict no needs "ceph needs the module libceph, of which $MODTREE_RELEASE has no file"
}

@test "a module that was cut off is damaged, packed or not" {
	need_command jq xz zstd
	local file
	file=$(tree kernel/fs/xfs/xfs.ko)
	in_ns cp "$file" "$SCRATCH/xfs.ko"
	in_ns truncate -s 300000 "$file"
	loadable xfs
	verdict no damaged "$file: it is cut off, or no module"
	in_ns truncate -s 0 "$file"
	loadable xfs
	verdict no damaged "it is empty"
	in_ns rm "$file"
	for packed in "xz -kf xz" "zstd -qf zst"; do
		in_ns ${packed% *} "$SCRATCH/xfs.ko"
		in_ns cp "$SCRATCH/xfs.ko.${packed##* }" "$file.${packed##* }"
		in_ns depmod "$MODTREE_RELEASE"
		loadable xfs
		verdict yes -
		in_ns truncate -s 100000 "$file.${packed##* }"
		loadable xfs
		verdict no damaged "it cannot be unpacked"
		in_ns rm "$file.${packed##* }"
	done
}

@test "what libkmod cannot unpack here is not called damaged" {
	need_command jq gzip
	in_ns gzip "$(tree kernel/fs/xfs/xfs.ko)"
	in_ns depmod "$MODTREE_RELEASE"
	loadable xfs
	if [[ $(modprobe --version) == *+ZLIB* ]]; then
		verdict yes -
	else
		verdict unproven unreadable "packed with gzip"
	fi
}

@test "an index that is missing or behind is told from a module that is missing" {
	need_command jq
	in_ns mkdir "$(tree updates)"
	in_ns mv "$(tree kernel/fs/xfs/xfs.ko)" "$(tree updates/xfs.ko)"
	loadable xfs
	verdict no not-indexed "depmod is needed"
	in_ns depmod "$MODTREE_RELEASE"
	loadable xfs
	verdict yes -
	in_ns rm "$(tree modules.dep.bin)"
	loadable xfs
	verdict no not-indexed "modules.dep.bin is missing: depmod is needed"
	in_ns rm "$(tree updates/xfs.ko)"
	loadable xfs
	verdict no missing "there is no module xfs for the"
}

@test "a blacklist and a command in place of loading are told with file and line" {
	need_command jq
	ns_overlay /etc
	in_ns 'mkdir -p /etc/modprobe.d; echo "blacklist xfs" >/etc/modprobe.d/site.conf'
	loadable xfs
	verdict no blacklisted "xfs is blacklisted by /etc/modprobe.d/site.conf:1"
	in_ns 'echo "install xfs /bin/false" >>/etc/modprobe.d/site.conf'
	loadable xfs
	verdict no install-redirected '/etc/modprobe.d/site.conf:2 has "/bin/false" run instead of loading xfs'
}

@test "a kernel that is not there and a module that is in the kernel need no file" {
	need_command jq
	loadable xfs 5.4.0-none
	verdict no no-tree "no kernel 5.4.0-none is installed"
	name=$(sed -n 's|.*/\(.*\)\.ko$|\1|p' "$MODTREE/lib/modules/$MODTREE_RELEASE/modules.builtin" | head -n 1)
	loadable "$name"
	verdict yes - "part of the kernel image"
}

@test "a signature is asked for where the kernel was built to" {
	need_command jq strip
	ns_overlay /boot
	in_ns "echo CONFIG_MODULE_SIG_FORCE=y >/boot/config-$MODTREE_RELEASE"
	loadable xfs
	verdict yes -
	# stripping takes the signature off
	in_ns strip --strip-debug "$(tree kernel/fs/xfs/xfs.ko)"
	loadable xfs
	verdict no unsigned "is not signed, and CONFIG_MODULE_SIG_FORCE of /boot/config-$MODTREE_RELEASE demands it"
}
