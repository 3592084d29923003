# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The FSx service that tests talk to (tests/fake/fsx_server.py). Needs common.bash.
#
#	fsx_open		starts one in $FSX, with one file system and no association
#	fsx_associate ID PATH REPOSITORY [LIFECYCLE] [MORE-JSON]	an association it has already
#	fsx_faults WORD...	what its next requests meet
#	fsx_settled		what it was creating or updating is available now
#	fsx_state FILTER	what it has, by jq
#	fsx_asked		the operations that it was asked for, a line each

FSX_ID=fs-04cb64a224a31f75d

fsx_open()
{
	need_command python3 jq
	FSX=$SCRATCH/fsx
	mkdir -p "$FSX"
	put "$FSX/state.json" <<-EOT
		{"file_system": {"FileSystemId": "$FSX_ID", "FileSystemType": "LUSTRE",
		  "FileSystemTypeVersion": "2.15", "Lifecycle": "AVAILABLE", "CreationTime": 1732147200.25,
		  "LustreConfiguration": {"DeploymentType": "PERSISTENT_2", "MountName": "czrc3amv"}},
		 "associations": []}
	EOT
	python3 "$TOP/tests/fake/fsx_server.py" "$FSX" </dev/null >"$FSX/out" 2>&1 3>&- 4>&- &
	at_end kill -KILL "$!"
	disown "$!"
	wait_for 10 test -e "$FSX/port" || fail "the service does not start" "$(cat "$FSX/out")"
	FSX_URL=http://127.0.0.1:$(cat "$FSX/port")
	export AWS_ENDPOINT_URL_FSX=$FSX_URL AWS_EC2_METADATA_DISABLED=true HOME=$SCRATCH \
		AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret/of+the=test
	unset AWS_PROFILE AWS_SESSION_TOKEN http_proxy https_proxy
}

_fsx_change()
{
	jq "$@" "$FSX/state.json" >"$FSX/changed" && mv "$FSX/changed" "$FSX/state.json"
}

fsx_associate()
{
	local more=${5:-}

	_fsx_change --arg id "$1" --arg path "$2" --arg repository "$3" --arg life "${4:-AVAILABLE}" \
		--arg fs "$FSX_ID" --argjson more "${more:-"{}"}" \
		'.associations += [{AssociationId: $id, FileSystemId: $fs, Lifecycle: $life,
		  FileSystemPath: $path, DataRepositoryPath: $repository, CreationTime: 1732147201.5,
		  BatchImportMetaDataOnCreate: true, ImportedFileChunkSize: 1024, S3: {}} + $more]'
}

fsx_faults()
{
	printf '%s\n' "$@" >"$FSX/faults"
}

fsx_settled()
{
	_fsx_change '.associations[] |= (if .Lifecycle == "CREATING" or .Lifecycle == "UPDATING"
		then .Lifecycle = "AVAILABLE" else . end)'
}

fsx_state()
{
	jq -r "$1" "$FSX/state.json"
}

fsx_asked()
{
	awk '{print $1}' "$FSX/log" 2>/dev/null || :
}
