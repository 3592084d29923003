#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# reconcile-fsx: the program that asks the FSx service. Signatures are verified by the other side.

load support/common
load support/fsx

HELPER=$RECONCILE-fsx

setup()
{
	scratch_open
	fsx_open
}

teardown() { scratch_close; }

describe() # describe [TIMEOUT-MS]
{
	run_within 30 "$HELPER" describe "$FSX_ID" ap-northeast-2 "${1:-4000}"
}

trouble() # trouble WORD: it had this trouble, and said so
{
	assert_status 1
	assert_equal "$(jq -r .trouble <<<"$output")" "$1"
}

@test "all pages are read" {
	for i in 1 2 3 4 5; do
		fsx_associate "dra-0000000$i" "/p$i" "s3://bucket/p$i/"
	done
	describe
	assert_status 0
	assert_equal "$(jq -r '[.associations[].AssociationId] | length' <<<"$output")" 5
	assert_equal "$(jq -r .file_system.LustreConfiguration.MountName <<<"$output")" czrc3amv
	assert_equal "$(fsx_asked | grep -c DescribeDataRepositoryAssociations)" 3
}

@test "throttling, faults of the service and a broken connection are tried again" {
	fsx_faults throttle fail hangup throttle
	describe
	assert_status 0
	assert_equal "$(fsx_asked | wc -l)" 6
}

@test "what lasts is given up at the deadline" {
	local begin=$SECONDS

	fsx_faults always throttle
	describe 1500
	trouble unreachable
	assert_equal "$(jq -r .type <<<"$output")" ThrottlingException
	fsx_faults stall stall
	describe 1500
	trouble unreachable
	((SECONDS - begin < 15)) || fail "took $((SECONDS - begin)) s"
}

@test "what is not permitted is told apart from what is not there" {
	fsx_faults denied
	describe
	trouble denied
	[[ $(jq -r .message <<<"$output") == *"not authorized"* ]]
	run_within 30 "$HELPER" describe fs-00000000000000000 ap-northeast-2 4000
	trouble not-found
	AWS_SECRET_ACCESS_KEY=wrong describe
	trouble denied
	[[ $(jq -r .message <<<"$output") == *SignatureDoesNotMatch* ]]
}

@test "an answer that is none is trouble, not an empty list" {
	fsx_faults garbage
	describe
	trouble unreachable
}

@test "credentials come from a profile file" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	put "$SCRATCH/.aws/credentials" 0600 <<-'EOT'
		[default]
		aws_access_key_id = nobody
		aws_secret_access_key = nothing
		[training]
		aws_access_key_id=AKIDEXAMPLE
		aws_secret_access_key = secret/of+the=test
	EOT
	describe
	trouble denied
	AWS_PROFILE=training describe
	assert_status 0
	AWS_PROFILE=absent describe
	trouble no-credentials
	refute_output -p nothing
}

@test "credentials come from the container's service" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	put "$SCRATCH/token" 0600 <<<"Bearer pod"
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$FSX_URL/container
	describe
	trouble no-credentials
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$SCRATCH/token describe
	assert_status 0
	AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.org/x describe
	trouble no-credentials
}

@test "credentials come from the instance, with a session token first" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	describe
	trouble no-credentials
	AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=$FSX_URL describe
	assert_status 0
	assert_equal "$(fsx_asked | head -n 3 | tr '\n' ' ')" "PUT GET GET "
}

@test "nothing is sent in the clear, and no data is ever deleted" {
	AWS_ENDPOINT_URL_FSX=http://fsx.example.org describe
	trouble unreachable
	run_within 30 "$HELPER" delete '{"AssociationId": "dra-1", "DeleteDataInFileSystem": true}' \
		ap-northeast-2 4000
	assert_status 1
	[[ $(jq -r .message <<<"$output") == *"never set"* ]]
	assert_equal "$(fsx_asked)" ""
	# nor to this machine as the name of a user of another one
	AWS_ENDPOINT_URL_FSX=http://127.0.0.1:80@fsx.example.org describe
	trouble unreachable
	assert_output -p "neither https nor on this machine"
	# a region is a part of the host's name
	AWS_ENDPOINT_URL_FSX='' run_within 30 "$HELPER" describe "$FSX_ID" x.example.org/ 4000
	trouble unreachable
	assert_output -p "is no region"
}

@test "a call that cannot be understood prints how to call it" {
	run_within 30 "$HELPER" describe
	assert_status 2
	assert_stderr -p usage
}
