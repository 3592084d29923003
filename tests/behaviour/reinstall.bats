#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Files of an installed package that are damaged or gone, and put back: by the real apt and dpkg, in a
# root with a source of our making. What is right is judged by dpkg --verify.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode
load support/signed

FILE=/lib/modules/6.1.0-1/updates/lustre.ko

setup()
{
	aptnode_open
	make_deb lustre-modules 1.0 --file "$FILE" "the module" --file /etc/lustre.conf "as it came" \
		--file /usr/share/doc/lustre-modules/README "read me"
	offer
	apt_get install lustre-modules >/dev/null
}

teardown()
{
	scratch_close
}

# want_intact [YAML]: with further resources
want_intact()
{
	wanted <<-END
		resources:
		  - {kind: package, name: lustre-modules, version: "1.*", intact: true}
		  $*
	END
}

content()
{
	in_root cat "$FILE"
}

assert_whole()
{
	assert_equal "the module" "$(content)"
	assert_equal "" "$(in_root dpkg --verify lustre-modules | grep "$FILE")"
}

cut_short()
{
	in_root truncate -s 3 "$FILE"
}

@test "what is cut short or gone is put back, once, and the plan says which file" {
	want_intact
	settled
	cut_short
	at_node plan
	assert_status 2
	assert_output -p "$FILE"
	assert_equal "the" "$(content)"
	at_node apply --yes
	assert_status 0
	assert_whole
	settled
	in_root rm "$FILE"
	at_node apply --yes
	assert_status 0
	assert_whole
	settled
}

@test "what nobody wants intact is not looked at" {
	wanted <<<'packages: {lustre-modules: {}}'
	cut_short
	at_node plan
	assert_status 0
}

@test "documentation that is left out and configuration that was changed are no damage" {
	want_intact
	in_root rm -f /usr/share/doc/lustre-modules/README
	in_root bash -c 'echo mine >/etc/lustre.conf; echo /etc/lustre.conf >>/var/lib/dpkg/info/lustre-modules.conffiles'
	in_root sed -i '/^Package: lustre-modules$/a Conffiles:\n /etc/lustre.conf 00000000000000000000000000000000' \
		/var/lib/dpkg/status
	at_node plan
	assert_status 0
}

@test "a hold stays, and a newer version is not taken for it" {
	make_deb lustre-modules 1.1 --file "$FILE" "a newer module"
	offer
	in_root apt-mark hold lustre-modules >/dev/null
	want_intact
	cut_short
	at_node apply --yes
	assert_status 0
	assert_whole
	assert_equal lustre-modules "$(in_root apt-mark showhold)"
	settled
}

@test "a version that cannot be had any more is said, and nothing is changed" {
	want_intact
	unpublish lustre-modules
	make_deb lustre-modules 1.1 --file "$FILE" "a newer module"
	offer
	in_root bash -c 'rm -f /var/cache/apt/archives/*.deb'
	cut_short
	at_node apply --yes
	assert_status 4
	at_node apply --yes --json
	assert_status 4
	assert_output -p "version 1.0, which would put it right, is neither published nor kept"
	assert_equal "the" "$(content)"
}

@test "what was kept on the node puts it back when all else is cut off" {
	signed_open
	key_text | put "$(root_file /etc/apt/keyrings/field.asc)"
	echo 'deb [signed-by=/etc/apt/keyrings/field.asc] file:/srv/repository field main' |
		put "$(root_file /etc/apt/sources.list.d/vendor.list)"
	apt_get update >/dev/null
	want_intact '- {kind: cached_package, name: lustre-modules}'
	at_node apply --yes
	[[ $status == [02] ]] || _fail_run "it should be kept"
	at_node apply --yes
	assert_status 0
	# the index still knows it, and nobody has it
	in_root mv /srv/repository/pool /srv/repository/away
	in_root bash -c 'rm -f /var/cache/apt/archives/*.deb'
	cut_short
	at_node apply --yes
	assert_status 0
	assert_whole
	# nor does the index
	in_root mv /srv/repository/away /srv/repository/pool
	unpublish lustre-modules
	publish
	sign
	apt_get update >/dev/null
	cut_short
	at_node apply --yes
	[[ $status == [02] ]] || _fail_run "it should be put back"
	assert_whole
}

@test "to want it damaged is a fault of the tree" {
	wanted <<<'resources: [{kind: package, name: lustre-modules, intact: false}]'
	at_node validate
	assert_status 1
	assert_stderr -p "expected true"
}
