#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The loop on the real machine: create, drift, mend, and nothing the second time; what is taken away
# and what is left alone; modes, the question, saved plans, JSON and every exit code.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	scratch_open
	tree_open
}

teardown()
{
	scratch_close
}

# everything: one of each that the host itself can carry out
everything()
{
	node_file <<END
mounts:
  $AREA/fast: {source: tmpfs, type: tmpfs, options: [nosuid, nodev, size=1m, mode=0755], manage: live}
  $AREA/fast/deep: {source: tmpfs, type: tmpfs, options: [noexec, size=1m], manage: live}
  $AREA/seen: {source: $AREA/fast/data, type: none, options: [bind], manage: live}
resources:
  - {kind: directory, path: $AREA/fast/data, mode: "2750", group: daemon}
  - {kind: directory, path: $AREA/plain}
  - {kind: file, path: $AREA/plain/text, content: "text\n", mode: "0640", owner: daemon}
  - {kind: file, path: $AREA/fast/data/inner, content: "inner\n"}
  - {kind: command, name: once, argv: [touch, $AREA/plain/ran], creates: $AREA/plain/ran}
END
}

# all_of_it: every file, its times and inode, and every mount
all_of_it()
{
	footprint "$AREA" "$AREA/fast" "$AREA/fast/deep" "$AREA/seen" | sort -u
	mounts_listed
}

@test "what is not there is made as wanted, and a second apply touches nothing at all" {
	everything
	run_node plan
	assert_status 2
	assert_line "Plan: 8 to change."
	run_node apply
	assert_status 0
	assert_line -e '^Applied: 8 changed \(run 1\)\.$'
	assert_mounted "$AREA/fast" tmpfs tmpfs
	assert_mounted "$AREA/fast/deep" tmpfs
	assert_dir "$AREA/fast/data" 2750 root:daemon
	assert_dir "$AREA/plain" 0755 root:root
	assert_file "$AREA/plain/text" 0640 daemon:root
	assert_content "$AREA/plain/text" text
	assert_content "$AREA/seen/inner" inner
	assert_file "$AREA/plain/ran"
	before=$(all_of_it)
	run_node plan
	assert_status 0
	assert_line "Plan: 8 in sync."
	run_node apply
	assert_status 0
	assert_line -e '^Applied: 8 in sync \(run 2\)\.$'
	run_node run --once
	assert_status 0
	assert_equal "$before" "$(all_of_it)"
}

@test "plan changes nothing, writes no history, takes no lock" {
	everything
	mark_area
	run_node plan
	run_node plan --json
	run_node status
	run_node facts
	assert_untouched
	assert_missing "$SCRATCH/history.db" "$SCRATCH/run"
}

@test "drift of every kind is shown from what to what, and mended" {
	everything
	run_node apply
	in_ns chmod 00700 "$AREA/fast/data"
	in_ns mount -o remount,exec,size=2m "$AREA/fast/deep"
	in_ns "echo more >>$AREA/plain/text; chown root $AREA/plain/text"
	in_ns umount "$AREA/seen"
	in_ns rm "$AREA/plain/ran"
	run_node plan
	assert_status 2
	assert_line "Plan: 5 to change, 3 in sync."
	assert_line -e "^  ~ directory $AREA/fast/data  change"
	assert_line -e '^ +mode +0700 → 2750$'
	assert_line -e '^ +options +.*size=2048k.* → .*size=1m'
	assert_line -e '^ +owner +root → daemon$'
	assert_line -e '^ +digest +sha256:[0-9a-f]+ → sha256:[0-9a-f]+$'
	assert_line -e "^ +policy +resources \(shipped:policies/resources.lua:[0-9]+\)$"
	assert_line -e "^ +wanted +$TREE/state/nodes/n.yaml:8:"
	run_node apply
	assert_status 0
	assert_line -e '^Applied: 5 changed, 3 in sync'
	assert_content "$AREA/plain/text" text
	assert_dir "$AREA/fast/data" 2750
	[[ $(mount_of "$AREA/fast/deep") == *noexec*size=1024k* ]]
	run_node plan
	assert_status 0
}

@test "a remount keeps what is on the file system, and the mount itself" {
	everything
	run_node apply
	in_ns touch "$AREA/fast/deep/kept"
	before=$(awk -v t="$AREA/fast/deep" '$5 == t {print $1}' "/proc/$(ns_pid)/mountinfo")
	in_ns mount -o remount,exec "$AREA/fast/deep"
	run_node apply
	assert_status 0
	assert_file "$AREA/fast/deep/kept"
	assert_equal "$before" "$(awk -v t="$AREA/fast/deep" '$5 == t {print $1}' "/proc/$(ns_pid)/mountinfo")"
}

@test "state: absent takes away, what merely disappears stays, unmanaged is left alone" {
	node_file <<END
resources:
  - {kind: directory, path: $AREA/d}
  - {kind: file, path: $AREA/d/f, content: "x"}
  - {kind: file, path: $AREA/g, content: "x"}
mounts:
  $AREA/m: {source: tmpfs, type: tmpfs, manage: live}
END
	run_node apply
	assert_status 0
	node_file <<<"resources: [{kind: file, path: $AREA/g, state: unmanaged}]"
	in_ns chmod 0600 "$AREA/g"
	run_node apply --accept-shrink
	assert_file "$AREA/d/f"
	assert_file "$AREA/g" 0600
	assert_mounted "$AREA/m"
	node_file <<END
resources:
  - {kind: directory, path: $AREA/d, state: absent}
  - {kind: file, path: $AREA/d/f, state: absent}
mounts:
  $AREA/m: {state: absent, manage: live}
END
	run_node plan
	assert_status 2
	run_node apply
	assert_missing "$AREA/d" "$AREA/d/f"
	assert_file "$AREA/g"
	run_node apply --allow disruptive,irreversible
	assert_status 0
	refute_mounted "$AREA/m"
}

@test "a directory that is not empty is not removed, a mount in use is not unmounted" {
	node_file <<END
resources:
  - {kind: directory, path: $AREA/d, state: absent}
mounts:
  $AREA/m: {state: absent, manage: live}
END
	in_ns mkdir "$AREA/d" "$AREA/m"
	in_ns touch "$AREA/d/mine"
	in_ns mount -t tmpfs tmpfs "$AREA/m"
	in_ns "cd $AREA/m && exec sleep 60" 3>&- 4>&- &
	wait_for 5 in_ns bash -c "ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q '$AREA/m'"
	run_node apply --allow disruptive,irreversible
	assert_file "$AREA/d/mine"
	assert_mounted "$AREA/m"
	assert_status 4
	assert_output -p "directory $AREA/d"
	assert_output -p "mount $AREA/m"
	assert_output -p "sleep"
}

@test "orphans are shown, and taken away only by --prune, one or all" {
	everything
	run_node apply
	node_file <<<"resources: [{kind: directory, path: $AREA/plain}]"
	run_node plan
	assert_status 0
	assert_output -p "nothing wants it any more"
	assert_line -e "^  file:$AREA/plain/text  \(run 1"
	run_node apply --accept-shrink
	assert_file "$AREA/plain/text"
	run_node apply --prune-only "file:$AREA/plain/text"
	assert_status 0
	assert_missing "$AREA/plain/text"
	assert_mounted "$AREA/seen"
	run_node apply --prune --allow disruptive,irreversible
	assert_status 0
	refute_mounted "$AREA/seen"
	refute_mounted "$AREA/fast"
	assert_dir "$AREA/plain"
	run_node plan
	refute_output -p "nothing wants it any more"
}

@test "what was there before us is no orphan" {
	in_ns mkdir "$AREA/theirs"
	node_file <<<"resources: [{kind: directory, path: $AREA/theirs, mode: '0700'}, {kind: directory, path: $AREA/ours}]"
	run_node apply
	node_file </dev/null
	run_node apply --prune --accept-shrink --allow disruptive,irreversible
	assert_dir "$AREA/theirs"
	assert_missing "$AREA/ours"
}

@test "--only does what it names and what that needs" {
	everything
	run_node plan --only "file:$AREA/fast/data/inner"
	assert_line -e '^Plan: 3 to change, 5 skipped'
	run_node apply --only "file:$AREA/fast/data/inner"
	assert_content "$AREA/fast/data/inner" inner
	assert_missing "$AREA/plain"
	refute_mounted "$AREA/seen"
	run_node apply --only mount --only "directory:$AREA/plain"
	assert_mounted "$AREA/seen"
	assert_dir "$AREA/plain"
	assert_missing "$AREA/plain/ran"
	assert_missing "$AREA/plain/text"
}

@test "what a failed one carries is blocked, the rest goes on" {
	node_file <<END
resources:
  - {kind: command, name: breaks, argv: [/bin/false], creates: $AREA/never}
  - {kind: directory, path: $AREA/other}
END
	policy p <<<"    plan:directory{path = '$AREA/needs', reason = 'r', after = {'command:breaks'}}"
	run_node apply
	assert_status 5
	assert_output -p "command breaks"
	assert_line -e "needs command:breaks, which is failed"
	assert_dir "$AREA/other"
	assert_missing "$AREA/needs"
}

@test "what cannot be made in its place is said by the plan, and by apply in the same words" {
	node_file <<<"resources: [{kind: directory, path: $AREA/no/parent}, {kind: directory, path: $AREA/file}, {kind: file, path: $AREA/dir, content: x}]"
	in_ns "touch $AREA/file; mkdir $AREA/dir"
	mark_area
	run_node plan
	assert_status 4
	assert_line "Plan: 3 blocked."
	plan=$output
	run_node apply
	assert_status 4
	assert_line -e "^Applied: 3 blocked"
	assert_untouched
	for why in $(grep -o 'why not.*' <<<"$plan" | tr ' ' '_'); do
		assert_output -p "${why//_/ }"
	done
}

# ---- exit codes

@test "every exit code" {
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node plan
	assert_status 2
	run_node apply
	assert_status 0
	run_node run --once
	assert_status 0
	run_node status
	assert_status 0
	node_file <<<'mode: quick'
	run_node plan
	assert_status 1
	run_node status # of what run goes on with
	assert_status 4
	node_file <<<"resources: [{kind: command, name: c, argv: [/bin/false], creates: $AREA/never}]"
	run_node apply
	assert_status 5
	node_file <<<"resources: [{kind: service, unit: none.service, enabled: true}]"
	run_node plan
	[[ $status == 6 || $status == 4 ]]
	node_file <<<"modules: {}"
	policy p <<<'    plan:block{rule = "r", reason = "for a test"}'
	run_node plan
	assert_status 4
	assert_output -p "for a test"
	rm "$TREE/policies/p.lua"
	node_file <<<"resources: [{kind: command, name: c, argv: [sh, -c, 'touch $AREA/begun; sleep 30'], creates: $AREA/never}]"
	_apart node_run apply >/dev/null 2>&1 &
	wait_for 10 test -e "$AREA/begun"
	run_node apply
	assert_status 3
}

# ---- modes

# graver MODE: a tree with a change that is disruptive, and one that is not
graver()
{
	in_ns mkdir "$AREA/mount-$1"
	in_ns mount -t tmpfs tmpfs "$AREA/mount-$1"
	node_file <<END
mode: $1
mounts: {$AREA/mount-$1: {state: absent, manage: live}}
resources: [{kind: directory, path: $AREA/$1}]
END
}

@test "modes: observe changes nothing, safe what carries no mark, full disruptive changes too" {
	graver observe
	run_node apply --yes
	assert_status 4
	assert_output -p "mode: observe makes no changes"
	assert_missing "$AREA/observe"
	run_node apply --yes --allow disruptive,irreversible
	assert_missing "$AREA/observe"
	graver safe
	run_node plan
	assert_line -e "disruptive.*--allow disruptive"
	run_node apply --yes
	assert_status 4
	assert_dir "$AREA/safe"
	assert_mounted "$AREA/mount-safe"
	run_node run --once --allow disruptive,irreversible
	assert_status 0
	refute_mounted "$AREA/mount-safe"
	graver full
	run_node apply --yes
	assert_status 0
	assert_dir "$AREA/full"
	refute_mounted "$AREA/mount-full"
}

# ---- the question

# on_terminal ANSWER COMMAND...: at a terminal of its own, where ANSWER is typed
on_terminal()
{
	local answer=$1 command

	shift
	printf -v command '%q ' nsenter -t "$(ns_pid)" -m env TERM=xterm "$RECONCILE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" "$@" -C "$TREE" --node "$NODE"
	command="exec $command" # or a shell that stays would answer for it
	rm -f "$SCRATCH/typescript"
	{
		wait_for 10 grep -qs "Type yes" "$SCRATCH/typescript"
		printf "$answer"
		sleep 0.2
	} | script -qfec "$command" "$SCRATCH/typescript" >/dev/null
}

@test "on a terminal apply shows the plan and asks: yes, no, end of input, --yes" {
	need_command script
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_within 20 on_terminal 'no\n' apply
	assert_status 2
	assert_missing "$AREA/d"
	grep -q "Plan: .*1 to change" "$SCRATCH/typescript"
	grep -q "Nothing was changed" "$SCRATCH/typescript"
	run_within 20 on_terminal '\004' apply
	assert_status 2
	assert_missing "$AREA/d"
	run_within 20 on_terminal 'y\n' apply
	assert_missing "$AREA/d"
	run_within 20 on_terminal '\003' apply
	assert_status 1
	assert_missing "$AREA/d"
	run_within 20 on_terminal 'yes\n' apply
	assert_status 0
	assert_dir "$AREA/d"
	in_ns rmdir "$AREA/d"
	: >"$SCRATCH/typescript"
	run_within 20 script -qfec "$(printf '%q ' nsenter -t "$(ns_pid)" -m "$RECONCILE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" apply --yes -C "$TREE" --node n)" "$SCRATCH/typescript"
	assert_status 0
	assert_dir "$AREA/d"
	! grep -q "Type yes" "$SCRATCH/typescript"
}

@test "a declined apply is no run, and a person is not bound by the mode" {
	need_command script
	graver safe
	run_within 20 on_terminal 'no\n' apply
	assert_mounted "$AREA/mount-safe"
	run_within 20 on_terminal 'yes\n' apply
	assert_status 0
	refute_mounted "$AREA/mount-safe"
	assert_equal terminal "$(reconcile history --json | jq -r '.[0].trigger')"
}

@test "colour on a terminal only, and as told" {
	need_command script
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_node plan
	refute_output -p $'\e'
	run_node plan --color always
	assert_output -p $'\e[32m'
	node_file <<<'mode: quick'
	run_node plan --color always
	assert_stderr -p $'\e[31m'
	run_node plan --color never
	refute_stderr -p $'\e'
	node_file <<<"resources: [{kind: directory, path: $AREA/d}]"
	run_within 20 at_terminal TERM=xterm
	grep -q $'\e\[1m' "$SCRATCH/typescript"
	for setting in NO_COLOR=1 TERM=dumb; do
		run_within 20 at_terminal "$setting"
		! grep -q $'\e\[' "$SCRATCH/typescript"
	done
}

# at_terminal NAME=VALUE: plan, at a terminal
at_terminal()
{
	script -qfec "$(printf '%q ' nsenter -t "$(ns_pid)" -m env TERM=xterm "$1" "$RECONCILE" plan -C "$TREE" --node n)" \
		"$SCRATCH/typescript" >/dev/null
}

# ---- saved plans and JSON

@test "a saved plan is carried out as saved, once" {
	everything
	run_node plan -o "$SCRATCH/saved"
	assert_status 2
	assert_file "$SCRATCH/saved" 0600
	jq -e . "$SCRATCH/saved" >/dev/null
	run_node apply "$SCRATCH/saved"
	assert_status 0
	assert_mounted "$AREA/seen"
	before=$(all_of_it)
	run_node apply "$SCRATCH/saved"
	assert_status 1
	assert_stderr -p "stale"
	assert_equal "$before" "$(all_of_it)"
}

@test "JSON of every command is whole, and says what the text says" {
	everything
	run_node plan --json
	assert_status 2
	assert_equal "8 2" "$(jq -r '"\(.counts.change) \(.exit_code)"' <<<"$output")"
	assert_equal "$AREA/fast" "$(jq -r '[.steps[] | select(.kind == "mount")][0].key' <<<"$output")"
	jq -e '.steps[0].origins[0] | .policy and .lua and .yaml and .reason' <<<"$output" >/dev/null
	run_node apply --json
	assert_status 0
	assert_equal "8 0 1" "$(jq -r '"\(.counts.changed) \(.exit_code) \(.run)"' <<<"$output")"
	run_node status --json
	assert_equal "8 0 1" "$(jq -r '"\(.plan.counts.kept) \(.exit_code) \(.history.last_run.run)"' <<<"$output")"
	run_node history --json
	assert_equal "1 0 8" "$(jq -r '.[0] | "\(.run) \(.exit_code) \(.counts.changed)"' <<<"$output")"
	run_node history show 1 --json
	assert_equal "8" "$(jq -r '.steps | length' <<<"$output")"
	assert_equal "$TREE/state/nodes/n.yaml:4:3" "$(jq -r '.steps[0].origins[0].yaml' <<<"$output")"
	run_node show --json
	assert_equal tmpfs "$(jq -r --arg t "$AREA/fast" '.state.mounts[$t].type' <<<"$output")"
	run_node facts --json
	assert_equal 1 "$(jq '.reconcile_facts' <<<"$output")"
	run_node validate --json
	assert_equal 0 "$(jq '.errors | length' <<<"$output")"
	run_node version --json
	jq -e .version <<<"$output" >/dev/null
	run_node facts "mount:$AREA/fast" --json
	assert_equal true "$(jq '.facts[0].live' <<<"$output")"
}

@test "content of a file that not all may read appears nowhere but as a digest" {
	node_file <<<"resources: [{kind: file, path: $AREA/s, content: 'sesame-open', mode: '0600'}]"
	for command in plan "plan --json" "apply --json" history "history show 1" "history show 1 --json" status "facts --json"; do
		# shellcheck disable=SC2086
		run_node $command
		refute_output -p sesame
		refute_stderr -p sesame
	done
	run_node plan -o "$SCRATCH/saved"
	! grep -q sesame "$SCRATCH/saved" || fail "it stands in the saved plan"
	assert_content "$AREA/s" sesame-open || assert_equal sesame-open "$(in_ns cat "$AREA/s")"
}
