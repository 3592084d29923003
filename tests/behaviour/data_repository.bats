#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Associations of a Lustre file system with a bucket, as the node that owns them and as the others
# see them. The service verifies each signature; the file system is a tmpfs whose source is written
# as Lustre's.

load support/common
load support/fsx

setup()
{
	scratch_open
	fsx_open
	MNT=$SCRATCH/lustre
	mkdir "$MNT"
	in_ns mount -t tmpfs '10.1.30.23@tcp:/czrc3amv' "$MNT"
	in_ns mkdir "$MNT/data" "$MNT/checkpoints"
	put "$SCRATCH/tree/state/nodes/all.yaml" <<-EOT
		version: 1
		nodes: [head, "compute-*"]
		roles: [lustre]
	EOT
	wants 'import: [NEW, CHANGED], export: [NEW]'
}

teardown() { scratch_close; }

# wants FIELDS [MORE-LINES]: of the directory data, which head owns
wants()
{
	put "$SCRATCH/tree/state/roles/lustre.yaml" <<-EOT
		version: 1
		data_repositories:
		  $MNT/data:
		    {repository: "s3://bucket/data", file_system: $FSX_ID, region: ap-northeast-2,
		     manage: ${MANAGE:-owner}, owner: head, $1}
		${2:-}
	EOT
}

on() # on NODE COMMAND ARG...
{
	run_reconcile -C "$SCRATCH/tree" --node "$1" "${@:2}"
}

said() # on stdout, wherever it was wrapped
{
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"$1"* ]] || fail "expected: $1" "$output"
}

never_asked() # never_asked PATTERN: the service was not asked to
{
	! fsx_asked | grep -E "$1"
}

@test "the owner creates the association, and a second run changes nothing" {
	on head plan
	assert_status 2
	assert_equal "$(fsx_state '.associations | length')" 0
	on head apply --yes
	assert_status 4 # the service takes its time
	assert_equal "$(fsx_state '.associations[0] | "\(.FileSystemPath) \(.DataRepositoryPath)"')" \
		"/data s3://bucket/data/"
	assert_equal "$(fsx_state '.associations[0].S3.AutoImportPolicy.Events | join(",")')" NEW,CHANGED
	on head apply --yes
	assert_status 4
	said CREATING
	fsx_settled
	on head apply --yes
	assert_status 0
	on head apply --yes
	assert_status 0
	assert_equal "$(fsx_asked | grep -c Create)" 1
}

@test "another node looks at the directory only, and asks nobody" {
	on compute-1 apply --yes
	assert_status 0
	assert_equal "$(fsx_asked)" ""
	in_ns rmdir "$MNT/data"
	on compute-1 plan
	assert_status 4
	said "is missing on the mounted file system"
}

@test "observed, an association that is missing or differs is said and left" {
	MANAGE=observe wants 'import: [NEW]'
	on head plan
	assert_status 4
	said "has no association for /data; it is only observed"
	fsx_associate dra-00000001 /data s3://bucket/data/
	on head plan
	assert_status 4
	said "dra-00000001 is not as wanted; it is only observed"
	never_asked 'Create|Update|Delete'
}

@test "two are created one after the other" {
	wants 'import: [NEW]' "  $MNT/checkpoints:
    {repository: \"s3://bucket/checkpoints/\", file_system: $FSX_ID, region: ap-northeast-2,
     manage: owner, owner: head}"
	on head apply --yes
	assert_status 4
	assert_equal "$(fsx_state '[.associations[].Lifecycle] | join(" ")')" CREATING
	said "the service works at one at a time"
	fsx_settled
	on head apply --yes
	fsx_settled
	on head apply --yes
	assert_status 0
	assert_equal "$(fsx_state '[.associations[].Lifecycle] | join(" ")')" "AVAILABLE AVAILABLE"
}

@test "events are updated in place; what is not wanted otherwise stays" {
	fsx_associate dra-00000001 /data s3://bucket/data AVAILABLE \
		'{"S3": {"AutoExportPolicy": {"Events": ["NEW", "DELETED"]}}}'
	wants 'import: [NEW]'
	on head apply --yes
	assert_status 4
	assert_equal "$(fsx_state '.associations[0].S3 | tojson')" \
		'{"AutoExportPolicy":{"Events":["NEW","DELETED"]},"AutoImportPolicy":{"Events":["NEW"]}}'
	fsx_settled
	on head apply --yes
	assert_status 0
}

@test "another repository means replacing it, which is not done unasked, and never deletes data" {
	fsx_associate dra-00000001 /data s3://elsewhere/data/ AVAILABLE '{"S3":
		{"AutoImportPolicy": {"Events": ["NEW", "CHANGED"]}, "AutoExportPolicy": {"Events": ["NEW"]}}}'
	on head apply
	assert_status 4
	said "irreversible"
	assert_equal "$(fsx_state '.associations[0].DataRepositoryPath')" s3://elsewhere/data/
	on head apply --allow disruptive,irreversible
	assert_status 4
	said "is being deleted, and what lies on the file system stays"
	assert_equal "$(fsx_state '"\(.associations | length) \(.data_deleted)"')" "0 null"
	on head apply --allow disruptive,irreversible
	fsx_settled
	on head apply
	assert_status 0
}

@test "MISCONFIGURED and FAILED are shown with the service's reason" {
	fsx_associate dra-00000001 /data s3://bucket/data/ MISCONFIGURED \
		'{"FailureDetails": {"Message": "bucket notification FSx was removed"}}'
	wants 'chunk_mib: 1024'
	on head apply --yes
	assert_status 4
	said "dra-00000001 is MISCONFIGURED: bucket notification FSx was removed"
	jq '.associations[0].Lifecycle = "FAILED"' "$FSX/state.json" >"$FSX/x" && mv "$FSX/x" "$FSX/state.json"
	on head apply --yes
	assert_status 4
	said "is FAILED, which is final: bucket notification FSx was removed"
	said "aws fsx delete-data-repository-association --association-id dra-00000001"
	never_asked 'Create|Update|Delete'
}

@test "a difference hides neither the state nor the service's reason" {
	fsx_associate dra-00000001 /data s3://bucket/data/ MISCONFIGURED \
		'{"FailureDetails": {"Message": "bucket notification FSx was removed"}}'
	on head plan
	assert_status 2
	said "lifecycle MISCONFIGURED: bucket notification FSx was removed → AVAILABLE"
	said "import none → NEW,CHANGED"
}

@test "a failed one is replaced where another repository is wanted, with consent" {
	fsx_associate dra-00000001 /data s3://gone/data/ FAILED \
		'{"FailureDetails": {"Message": "the bucket does not exist"}}'
	on head apply
	assert_status 4
	said "FAILED: the bucket does not exist"
	never_asked 'Create|Update|Delete'
	on head apply --allow disruptive,irreversible
	said "is being deleted, and what lies on the file system stays"
	on head apply --allow disruptive,irreversible
	assert_equal "$(fsx_state '.associations[0].DataRepositoryPath')" s3://bucket/data/
}

@test "an empty list turns events off, and is said as that" {
	fsx_associate dra-00000001 /data s3://bucket/data/ AVAILABLE \
		'{"S3": {"AutoImportPolicy": {"Events": ["NEW"]}, "AutoExportPolicy": {"Events": ["NEW"]}}}'
	wants 'import: []'
	on head apply --yes
	assert_status 4
	said "import NEW → none"
	assert_equal "$(fsx_state '.associations[0].S3 | tojson')" \
		'{"AutoExportPolicy":{"Events":["NEW"]},"AutoImportPolicy":{"Events":[]}}'
	fsx_settled
	on head apply --yes
	assert_status 0
}

@test "a folder on what is no Lustre file system is not in sync" {
	in_ns umount "$MNT"
	in_ns mount -t tmpfs tmpfs "$MNT"
	in_ns mkdir "$MNT/data"
	for node in compute-1 head; do
		on "$node" plan
		assert_status 4
		said "lies on no Lustre mount: its file system is not mounted"
	done
	assert_equal "$(fsx_asked)" ""
}

@test "another file system than the one that is written is not taken for it" {
	in_ns umount "$MNT"
	in_ns mount -t tmpfs '10.1.30.23@tcp:/abcdefgh' "$MNT"
	in_ns mkdir "$MNT/data"
	fsx_associate dra-00000001 /data s3://bucket/data/
	on head apply --yes
	assert_status 4
	said "$FSX_ID is mounted as czrc3amv, and what is mounted here is abcdefgh"
	never_asked 'Create|Update|Delete'
}

@test "an owner that is no node is warned of, and named by the others" {
	run_reconcile validate -C "$SCRATCH/tree"
	assert_status 0
	refute_stderr -p warning
	on compute-1 plan --json
	said "the service is asked by its owner head"
	sed -i 's/owner: head/owner: hed/' "$SCRATCH/tree/state/roles/lustre.yaml"
	run_reconcile validate -C "$SCRATCH/tree"
	assert_status 0
	assert_stderr -p "roles/lustre.yaml:5:"
	assert_stderr -p "warning: $MNT/data is owned by hed, and no node of the tree that is called so"
	run_reconcile validate -C "$SCRATCH/tree" --json
	assert_equal 1 "$(jq '.warnings | length' <<<"$output")"
}

@test "more than eight are too many by a rule of their own" {
	put "$SCRATCH/tree/state/roles/lustre.yaml" <<-EOT
		version: 1
		data_repositories:
		$(for i in {1..9}; do
			echo "  $MNT/d$i: {repository: \"s3://bucket$i\", file_system: $FSX_ID, owner: head}"
		done)
	EOT
	on head plan
	assert_status 4
	said "is wanted to have 9 associations, and 8 is the most"
	on head plan --json
	assert_equal "$(jq -r '[.blocks[].rule] | unique | join(" ")' <<<"$output")" repositories-limit
}

@test "what is not permitted, or does not answer, is undetermined, and the rest goes on" {
	fsx_faults denied
	on head plan
	assert_status 6
	said "the association cannot be told"
	said AccessDenied
	fsx_faults stall
	on head plan
	assert_status 6
	said "does not answer"
	fsx_faults always throttle
	on head plan
	assert_status 6
	said ThrottlingException
}

@test "overlapping directories and repositories are found offline" {
	wants 'import: [NEW]' "  $MNT/data/inner:
    {repository: \"s3://other/x\", file_system: $FSX_ID, region: ap-northeast-2}
  $MNT/logs:
    {repository: \"s3://bucket/data/logs/\", file_system: $FSX_ID, region: ap-northeast-2}"
	on head plan
	assert_status 4
	said "lie within each other: the service refuses that"
	assert_equal "$(fsx_asked)" ""
}

@test "an overlap with what somebody else made is found before asking for it" {
	fsx_associate dra-00000009 /data/inner s3://theirs/x/
	on head apply --yes
	assert_status 4
	said "it would overlap with dra-00000009, which ties /data/inner to s3://theirs/x/"
	never_asked Create
}

@test "a file system of the older kind is read and shown" {
	jq '.file_system.LustreConfiguration.DataRepositoryConfiguration =
		{ImportPath: "s3://bucket", ExportPath: "s3://bucket/out", AutoImportPolicy: "NEW_CHANGED"}' \
		"$FSX/state.json" >"$FSX/x" && mv "$FSX/x" "$FSX/state.json"
	on head plan
	assert_status 4
	said "ImportPath=s3://bucket ExportPath=s3://bucket/out AutoImportPolicy=NEW_CHANGED"
}

@test "while the file system is not mounted nothing is known of it" {
	in_ns umount "$MNT"
	on head plan
	assert_status 4
	said "its file system is not mounted"
	assert_equal "$(fsx_asked)" ""
}
