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

# says TEXT: in the message of its trouble
says()
{
	[[ $(jq -r .message <<<"$output") == *"$1"* ]] || fail "expected: $1" "$output"
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

@test "only the associations of the file system are asked for, and pages come to an end" {
	fsx_associate dra-00000001 /a s3://bucket/a/
	fsx_associate dra-00000002 /b s3://bucket/b/ AVAILABLE '{"FileSystemId": "fs-another"}'
	describe
	assert_status 0
	assert_equal "$(jq -r '[.associations[].AssociationId] | join(" ")' <<<"$output")" dra-00000001
	fsx_faults ok 'say:{"Associations":[],"NextToken":""}'
	describe
	assert_status 0
	fsx_faults ok always 'say:{"Associations":[],"NextToken":"again"}'
	describe 20000
	trouble unreachable
	says "more than 100 pages"
}

@test "throttling, faults of the service and a broken connection are tried again" {
	fsx_faults throttle fail hangup throttle
	describe
	assert_status 0
	assert_equal "$(fsx_asked | wc -l)" 6
	fsx_faults refuse:429:Slow refuse:400:TooManyRequestsException refuse:400:RequestLimitExceeded
	describe
	assert_status 0
	assert_equal "$(fsx_asked | wc -l)" 11
}

@test "what lasts is given up at the deadline" {
	local begin=$SECONDS

	fsx_faults always throttle
	describe 3000
	trouble unreachable
	# each pause is twice as long as the one before: after the fifth there is no time left
	(($(fsx_asked | wc -l) <= 6)) || fail "asked $(fsx_asked | wc -l) times"
	assert_equal "$(jq -r .type <<<"$output")" ThrottlingException
	says "Rate exceeded"
	fsx_faults always fail
	describe 1500
	trouble unreachable
	assert_equal "$(jq -r .type <<<"$output")" InternalServerError
	fsx_faults stall stall
	describe 1500
	trouble unreachable
	says "does not answer"
	((SECONDS - begin < 20)) || fail "took $((SECONDS - begin)) s"
}

@test "what is not permitted is told apart from what is not there" {
	fsx_faults denied
	describe
	trouble denied
	[[ $(jq -r .message <<<"$output") == *"not authorized"* ]]
	run_within 30 "$HELPER" describe fs-00000000000000000 ap-northeast-2 4000
	trouble not-found
	fsx_faults refuse:403:SomethingNew
	describe
	trouble denied
	fsx_faults refuse:400:SomethingNew
	describe
	trouble refused
	assert_equal "$(jq -r .type <<<"$output")" SomethingNew
	AWS_SECRET_ACCESS_KEY=wrong describe
	trouble denied
	[[ $(jq -r .message <<<"$output") == *SignatureDoesNotMatch* ]]
}

@test "an answer that is none is trouble, not an empty list" {
	fsx_faults garbage
	describe
	trouble unreachable
	fsx_faults garbled
	describe
	trouble refused
	says "status 400"
	fsx_faults 'say:{"FileSystems":[]}'
	describe
	trouble unreachable
	says "does not name $FSX_ID"
	fsx_faults ok 'say:{"Associations":"none"}'
	describe
	trouble unreachable
	says "no Associations"
	fsx_faults always flood
	describe 1500
	trouble unreachable
	says "more than"
}

@test "credentials come from the environment, whole or not at all" {
	AWS_ACCESS_KEY_ID=ASIAEXAMPLE AWS_SECRET_ACCESS_KEY=temporary AWS_SESSION_TOKEN=token== describe
	assert_status 0
	AWS_ACCESS_KEY_ID='' describe
	trouble no-credentials
	says "only one is set"
	AWS_SECRET_ACCESS_KEY='' describe
	trouble no-credentials
	says "only one is set"
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

@test "a file that is named stands in place of the one in the home folder, and each has its words" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	put "$SCRATCH/.aws/credentials" 0600 <<-'EOT'
		[default]
		aws_access_key_id = ASIAEXAMPLE
		aws_secret_access_key = temporary
		aws_session_token = token==
	EOT
	AWS_PROFILE='' describe
	assert_status 0
	put "$SCRATCH/empty" 0600 </dev/null
	AWS_SHARED_CREDENTIALS_FILE=$SCRATCH/empty describe
	trouble no-credentials
	put "$SCRATCH/config" 0600 <<-'EOT'
		[profile training]
		aws_access_key_id = AKIDEXAMPLE
		aws_secret_access_key = secret/of+the=test
	EOT
	AWS_PROFILE=training AWS_CONFIG_FILE=$SCRATCH/config describe
	assert_status 0
}

@test "credentials come from the container's service" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	put "$SCRATCH/token" 0600 <<<"Bearer pod"
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$FSX_URL/container
	describe
	trouble no-credentials
	says "status 403"
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$SCRATCH/token describe
	assert_status 0
	AWS_CONTAINER_AUTHORIZATION_TOKEN='Bearer pod' describe
	assert_status 0
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$FSX_URL/nothing describe
	trouble no-credentials
	says "no credentials in the answer"
	AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x describe
	trouble no-credentials
	says "http://169.254.170.2/v2/x"
}

@test "no token is sent in the clear to another machine, whatever its name begins with" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	for url in http://example.org/x http://127.0.0.1.example.org/ http://127.0.0.1:80@example.org/ \
		ftp://127.0.0.1/x; do
		AWS_CONTAINER_CREDENTIALS_FULL_URI=$url describe
		trouble no-credentials
		says "neither https nor on this machine: $url"
	done
}

@test "who hands out credentials is asked without a proxy, and not for long" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	put "$SCRATCH/token" 0600 <<<"Bearer pod"
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$FSX_URL/container http_proxy=http://127.0.0.1:1 \
		AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$SCRATCH/token describe 1500
	trouble unreachable
	assert_equal "$(fsx_asked)" GET
	# of a minute no more than the service that answers needs
	AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=$FSX_URL/stall describe 60000
	trouble no-credentials
	says "does not answer"
}

@test "credentials come from the instance, with a session token first" {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	describe
	trouble no-credentials
	AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=$FSX_URL describe
	assert_status 0
	assert_equal "$(fsx_asked | head -n 3 | tr '\n' ' ')" "PUT GET GET "
	: >"$FSX/log"
	AWS_EC2_METADATA_DISABLED=true AWS_EC2_METADATA_SERVICE_ENDPOINT=$FSX_URL describe
	trouble no-credentials
	assert_equal "$(fsx_asked)" ""
}

@test "nothing is sent in the clear, and no data is ever deleted" {
	for url in http://fsx.example.org http://127.0.0.1.example.org; do
		AWS_ENDPOINT_URL_FSX=$url describe
		trouble unreachable
		says "neither https nor on this machine: $url"
	done
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
	run_within 30 "$HELPER" describe "$FSX_ID" '' 4000
	trouble unreachable
	assert_output -p "is no region"
}

@test "a region of China is asked in its own domain" {
	unset AWS_ENDPOINT_URL_FSX
	run_within 30 env https_proxy=http://127.0.0.1:1 "$HELPER" describe "$FSX_ID" cn-north-1 500
	trouble unreachable
	says https://fsx.cn-north-1.amazonaws.com.cn/
	run_within 30 env https_proxy=http://127.0.0.1:1 "$HELPER" describe "$FSX_ID" eu-west-1 500
	says https://fsx.eu-west-1.amazonaws.com/:
}

@test "a call that cannot be understood prints how to call it" {
	run_within 30 "$HELPER" describe
	assert_status 2
	assert_stderr -p usage
	run_within 30 "$HELPER" describe "$FSX_ID" ap-northeast-2 0
	assert_status 2
	run_within 30 "$HELPER" destroy "$FSX_ID" ap-northeast-2 4000
	assert_status 2
	assert_equal "$(fsx_asked)" ""
}
