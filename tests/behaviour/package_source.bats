#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 20
#
# Package sources and their keys with real apt, in a root with a signed source of our making.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load support/common
load support/aptroot
load support/aptnode
load support/signed

PLACE=file:/srv/repository
RING=/etc/apt/keyrings/field.asc

setup()
{
	aptnode_open
	TRACES=(/etc/apt /var/lib/apt /var/cache/reconcile)
	make_deb always 1.0
	publish
	signed_open
}

teardown()
{
	scratch_close
}

# want_source [MORE]: the source with its key, and what else is wanted
want_source()
{
	wanted <<END
package_sources:
  field:
    uri: $PLACE
    suites: [field]
    components: [main]
    signed_by: $RING
    key: |
$(key_yaml 6)
${1:-}
END
}

# offer: what is made is published and signed
offer()
{
	publish && sign
}

is_done()
{
	at_node apply --yes
	[[ $status == 0 ]]
}

# write_source FILE <<TEXT
write_source()
{
	put "$(root_file "/etc/apt/sources.list.d/$1")"
}

source_text()
{
	in_root cat "/etc/apt/sources.list.d/$1"
}

@test "a source that stands nowhere is made with its key, the index refreshed, the package installed" {
	make_deb tool 1.0
	offer
	want_source 'packages: {tool: {}}'
	at_node plan
	assert_status 2
	assert_output -p "/etc/apt/sources.list.d/field.sources"
	assert_output -p "refreshed"
	assert_missing "$ROOT/etc/apt/sources.list.d/field.sources"
	at_node apply --yes
	assert_status 2
	assert_equal "$(key_text)" "$(in_root cat $RING)"
	at_node apply --yes
	assert_status 0
	assert_equal "install ok installed" "$(dpkg_state tool)"
	settled
}

@test "a young index is refreshed together with a source that is added" {
	make_deb tool 1.0
	offer
	echo "deb [trusted=yes] $PLACE field main" | write_source other.list
	apt_get update >/dev/null
	in_root rm /etc/apt/sources.list.d/other.list
	want_source
	at_node apply --yes
	assert_status 0
	assert_output -p "since a source has changed"
	settled
}

# plan_at AGE: what would be planned with an index of that many seconds
plan_at()
{
	put "$(root_file /run)/facts.json" <<END
{"reconcile_facts": 1, "facts": [
 {"kind": "node", "key": "", "state": "present", "name": "n"},
 {"kind": "scheduler", "key": "", "state": "absent"},
 {"kind": "kernel", "key": "", "state": "present", "running": "6.1"},
 {"kind": "package_source", "key": "$PLACE", "state": "present", "uri": "$PLACE",
  "suites": ["field"], "components": ["main"]},
 {"kind": "package_source", "key": "field", "state": "present", "uri": "$PLACE",
  "suites": ["field"], "components": ["main"]},
 {"kind": "package_index", "key": "apt", "state": "present", "age": $1},
 {"kind": "package", "key": "always", "state": "present", "status": "installed", "version": "1.0"},
 {"kind": "package", "key": "tool", "state": "absent", "offered": []},
 {"kind": "candidate", "key": "tool", "state": "absent"}]}
END
	at_node plan --facts /run/facts.json
}

@test "an index that is days old is refreshed when it lacks what is wanted, and only then" {
	wanted <<END
package_sources: {field: {uri: "$PLACE", suites: [field], components: [main]}}
packages: {always: {}}
END
	plan_at 400000
	assert_status 0
	wanted <<END
package_sources: {field: {uri: "$PLACE", suites: [field], components: [main]}}
packages: {always: {}, tool: {}}
END
	plan_at 400000
	assert_status 2
	assert_output -p "> package_index apt  run"
	plan_at 4000
	assert_status 4
}

@test "a source that somebody wrote is mended where it stands, and its options and neighbours stay" {
	printf '%s\n' '# of the vendor' "deb [arch=$(dpkg --print-architecture)] $PLACE/ field main extra # keep" \
		'deb [trusted=yes] file:/srv/other x main' | write_source vendor.list
	mkdir -p "$REPOSITORY/../other"
	want_source
	at_node plan
	assert_status 2
	assert_output -p "vendor.list:2"
	at_node apply --yes
	assert_missing "$ROOT/etc/apt/sources.list.d/field.sources"
	assert_equal "$(printf '%s\n' '# of the vendor' \
		"deb [arch=$(dpkg --print-architecture) signed-by=$RING] $PLACE field main extra # keep" \
		'deb [trusted=yes] file:/srv/other x main')" "$(source_text vendor.list)"
}

@test "a source that was switched off is switched on" {
	echo "# deb $PLACE field main # disabled on upgrade" | write_source vendor.list
	want_source
	at_node apply --yes
	assert_status 0
	assert_equal "deb [signed-by=$RING] $PLACE field main" "$(source_text vendor.list)"
	settled
	printf '%s\n' 'Types: deb' "URIs: $PLACE" 'Suites: field' 'Components: main' 'Enabled: no' \
		'# a word' 'Architectures: amd64' | write_source vendor.sources
	in_root rm /etc/apt/sources.list.d/vendor.list
	at_node apply --yes
	assert_equal "$(printf '%s\n' 'Types: deb' "URIs: $PLACE" 'Suites: field' 'Components: main' \
		'Enabled: yes' '# a word' 'Architectures: amd64' "Signed-By: $RING")" \
		"$(source_text vendor.sources)"
	settled
}

@test "the same source in two files gets the one key in both, so that apt can read them" {
	echo "deb [signed-by=/usr/share/keyrings/old.gpg] $PLACE field main" | write_source a.list
	printf '%s\n' 'Types: deb' "URIs: $PLACE" 'Suites: field' 'Components: main' \
		'Signed-By: /etc/apt/keyrings/older.gpg' | write_source b.sources
	run_within 60 in_root apt-get indextargets
	[[ $status != 0 ]] || fail "apt should not be able to read them"
	want_source
	at_node apply --yes
	assert_status 0
	in_root apt-get indextargets >/dev/null
	settled
}

@test "what apt could not read is never put there" {
	local before

	echo "deb $PLACE field main" | write_source vendor.list
	echo 'deb nonsense' | write_source broken.list
	before=$(in_root find /etc/apt -printf '%p %i %s %T@\n' | sort)
	want_source
	at_node apply --yes
	assert_status 5
	assert_output -p "broken.list"
	assert_equal "$before" "$(in_root find /etc/apt -printf '%p %i %s %T@\n' | sort)"
	assert_missing "$ROOT/var/cache/reconcile/apt-sources"
	in_root rm /etc/apt/sources.list.d/broken.list
	at_node apply --yes
	assert_status 0
	settled
}

@test "a key that was altered is put right, and the same key in another armour is kept" {
	want_source
	at_node apply --yes
	assert_status 0
	{ key_text | head -n 1; echo 'Comment: the same'; key_text | tail -n +2; } |
		put "$(root_file $RING)"
	at_node plan
	[[ $output != *"package_source field"* ]] || fail "$output"
	echo nonsense | put "$(root_file $RING)"
	at_node plan
	assert_status 2
	at_node apply --yes
	assert_equal "$(key_text)" "$(in_root cat $RING)"
}

@test "absent removes that source and nothing else" {
	printf '%s\n' "deb $PLACE field main" 'deb [trusted=yes] file:/srv/other x main' | write_source both.list
	wanted <<END
package_sources: {field: {state: absent, uri: "$PLACE", suites: [field]}}
END
	at_node apply --yes
	assert_equal 'deb [trusted=yes] file:/srv/other x main' "$(source_text both.list)"
	in_root rm /etc/apt/sources.list.d/both.list
	want_source
	at_node apply --yes
	wanted <<<'package_sources: {field: {state: absent}}'
	at_node apply --yes
	assert_missing "$ROOT/etc/apt/sources.list.d/field.sources"
	assert_equal "$(key_text)" "$(in_root cat $RING)"
}

@test "a source that contradicts itself is refused with its line" {
	want_source
	sed -i 's/components.*/components: []/' "$(root_file /etc/reconcile)/state/nodes/n.yaml"
	at_node plan
	assert_status 1
	assert_stderr -p "n.yaml"
	wanted <<END
package_sources: {field: {uri: "$PLACE", suites: [field/], components: [main]}}
END
	at_node plan
	assert_status 1
	assert_stderr -p "has no components"
	wanted <<END
package_sources: {field: {uri: "$PLACE", suites: [./], key: "x"}}
END
	at_node plan
	assert_status 1
	assert_stderr -p "needs signed_by"
}

@test "killed at any moment, the next run finishes and apt can read its sources all along" {
	local delay

	for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
		in_root rm -rf /etc/apt/sources.list.d /etc/apt/keyrings /var/cache/reconcile
		in_root mkdir /etc/apt/sources.list.d
		echo "deb $PLACE field main" | write_source vendor.list
		want_source
		run_within 60 in_root timeout -s KILL "$delay" "$PROGRAM" --node n apply --yes
		in_root apt-get indextargets >/dev/null
		wait_for 60 is_done # an apt-get of the killed run may go on for a moment
		at_node plan
		assert_status 0
		assert_missing "$ROOT/var/cache/reconcile/apt-sources"
	done
}

@test "a fault in any call of the provider is mended by the next run" {
	program=$(root_program "$BUILD/tests/unit/provider/package_source_test")
	run_within 400 in_root env RECONCILE_APTROOT=1 "$program"
	assert_status 0
}

@test "a source that stands behind a link is known and not written to; one masked with /dev/null is none" {
	want_source
	key_text | put "$(root_file "$RING")"
	echo "deb [signed-by=$RING] $PLACE field main" | put "$(root_file /srv/vendor.list)"
	in_root bash -euc 'ln -s /srv/vendor.list /etc/apt/sources.list.d/vendor.list
		ln -s /dev/null /etc/apt/sources.list.d/masked.list
		ln -s /nowhere /etc/apt/sources.list.d/dangling.list'
	at_node apply --yes
	at_node plan
	assert_status 0
	in_root bash -c '! test -e /etc/apt/sources.list.d/field.sources'
	sed -i 's/suites: \[field\]/suites: [field, other]/' "$(root_file /etc/reconcile/state/nodes/n.yaml)"
	at_node apply --yes
	assert_status 4
	assert_output -p "/etc/apt/sources.list.d/vendor.list is a symbolic link"
	in_root test -L /etc/apt/sources.list.d/vendor.list
}
