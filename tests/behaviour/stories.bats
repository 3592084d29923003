#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The stories of the examples (examples/*/story.txt), from the broken node to the whole one, are transcripts: each
# line that begins with "$ " is run in the example's folder, and what it prints and how it ends must be what stands
# there up to the line "# exit N". After a change that is meant: UPDATE_STORIES=1 bats tests/behaviour/stories.bats

load support/common

setup()
{
	scratch_open
	put "$SCRATCH/bin/reconcile" 0755 <<-EOT
		#!/bin/sh
		exec "$RECONCILE" --history "$SCRATCH/history.db" --run-dir "$SCRATCH/run" "\$@"
	EOT
}

teardown()
{
	scratch_close
}

# typed COMMAND: in the folder of the example, as on a terminal of 100 columns without colours. What it prints on
# either stream, and "# exit N". Where in a shipped policy something was planned may move.
typed()
{
	local code=0

	(
		cd "$FOLDER"
		env PATH="$SCRATCH/bin:$PATH" COLUMNS=100 NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8 TZ=UTC \
			timeout "$GUARD" bash -o pipefail -c "$1" </dev/null 2>&1
	) >"$SCRATCH/printed" || code=$?
	sed -E 's|(shipped:[^ ]*\.lua):[0-9]+|\1|' "$SCRATCH/printed"
	echo "# exit $code"
}

# replay <STORY: the story as it goes today. What stands between a command and its exit code is the old output.
replay()
{
	local line within=

	while IFS= read -r line; do
		if [[ $line == '$ '* ]]; then
			[[ -z $within ]] || fail "no exit code after: $within" || return
			within=$line
			echo "$line"
			typed "${line#'$ '}"
		elif [[ -z $within ]]; then
			echo "$line"
		elif [[ $line =~ ^'# exit '[0-9]+$ ]]; then
			within=
		fi
	done
	[[ -z $within ]] || fail "no exit code after: $within"
}

# told EXAMPLE: its story is true. It has what a story needs: a doctor or check that is not content, and at the end
# a plan that is in sync.
told()
{
	local story=$TOP/examples/$1/story.txt now

	FOLDER=$SCRATCH/$1
	cp -r "$TOP/examples/$1" "$FOLDER"
	chmod -R go-w "$FOLDER"
	replay <"$story" >"$SCRATCH/now"
	now=$(<"$SCRATCH/now")
	if [[ -n ${UPDATE_STORIES:-} ]]; then
		cp "$SCRATCH/now" "$story"
	fi
	assert_equal "$(<"$story")" "$now"
	[[ $now == *"will boot next; no "*" module for it"* ]] || fail "nothing is broken in this story"
	[[ $now =~ plan\ --facts[^$'\n']*$'\n'[^$]*in\ sync\.$'\n#'\ exit\ 0 ]] || fail "nothing is whole in this story"
	[[ $now != *"not in the recorded facts"* ]] || fail "a recording has not all that is asked for"
}

@test "the story of parallelcluster is true" {
	told parallelcluster
}

@test "the story of beegfs is true" {
	told beegfs
}

@test "the story of eks is true" {
	told eks
}

@test "every recording of an example belongs to its story or is named in its README" {
	local facts example name

	for facts in "$TOP"/examples/*/facts/*.json; do
		example=${facts%/facts/*}
		name=$(basename "$facts")
		grep -qF "$name" "$example/README.md" || fail "$facts is not in the README"
	done
}

@test "what the README shows of the first minutes stands in the story" {
	local line count=0

	while IFS= read -r line; do
		[[ $line != '$ '* && $line != ... && -n $line ]] || continue
		grep -qxF -- "$line" "$TOP/examples/parallelcluster/story.txt" || fail "not in the story: $line"
		((++count))
	done < <(sed -n '/^## A node is broken/,/^## See it/s/^    //p' "$TOP/README.md")
	((count > 10)) || fail "only $count lines were found"
}

# The client's words on the evening that this cost somebody, and what it ended with.
invalid_argument()
{
	put "$SCRATCH/mount.lustre" 0755 <<-EOT
		#!/bin/sh
		cat >&2 <<END
		mount.lustre: mount \$1 at \$2 failed: Invalid argument
		This may have multiple causes.
		Is 'ddyezbev' the correct filesystem name?
		Are the mount options correct?
		Check the syslog for more info.
		END
		exit 22
	EOT
	# /sbin is a link where /usr is merged
	in_ns "mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /mnt; mkdir /mnt/fsx-probe
		touch /run/fstab; mount --bind /run/fstab /etc/fstab
		echo '10.0.42.17 fs-04cb64a224a31f75d.fsx.ap-northeast-2.amazonaws.com' >/run/hosts
		mount --bind /run/hosts /etc/hosts
		mkdir -p /run/overlay/up /run/overlay/work
		dir=\$(readlink -f /sbin)
		mount -t overlay -o lowerdir=\$dir,upperdir=/run/overlay/up,workdir=/run/overlay/work overlay \$dir
		cp '$SCRATCH/mount.lustre' \$dir/mount.lustre"
}

@test "what the README of eks shows of a mount that is refused is what apply says" {
	local shown readme=$TOP/examples/eks/README.md

	need_root
	invalid_argument
	{
		printf 'version: 1\nnodes: ["*"]\n'
		sed -n '/^mounts:/,$p' "$TOP/examples/eks/state/roles/worker.yaml"
	} | put "$SCRATCH/tree/state/nodes/all.yaml"
	run_reconcile -C "$SCRATCH/tree" apply --yes
	assert_status 5
	# the README's block is indented by four
	shown=$(awk '/^  ✗ mount [^ ]*  failed$/ { step = $0; next } on && /^      because/ { exit }
		/^      why not/ { print "    " step; on = 1 } on { print "    " $0 }' <<<"$output")
	assert_equal "$(sed -n '/✗ mount/,/2\.10$/p' "$readme")" "$shown"
	[[ $shown == *"Is 'ddyezbev' the correct"*"Lustre 2.10" ]]
}
