#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 1200
# takes: 20
#
# Too little of everything: disk, inodes, memory, descriptors, processes. The outcome is clear (an exit
# code that is documented, a sentence, never a crash), nothing is half done, and once there is enough
# again one run converges. SCARCITY_POINTS=N: how many moments of running out are tried (40).
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	scratch_open
	tree_open
	POINTS=${SCARCITY_POINTS:-40}
	node_file <<-YAML
		mounts:
		  $AREA/ram: {source: tmpfs, type: tmpfs, options: [size=1m, nosuid, mode=0755], manage: live}
		resources:
		  - {kind: directory, path: $AREA/ram/d, mode: "0750"}
		  - {kind: file, path: $AREA/ram/d/f, content: "on it\n"}
		  - {kind: file, path: $AREA/old, content: "changed\n"}
		  - {kind: command, name: once, argv: [cp, /etc/hostname, $AREA/made], creates: $AREA/made}
	YAML
	policy more <<<'    plan:warn{rule = "w", reason = "seen " .. facts.package.bash.state}'
	broken
}

teardown()
{
	scratch_close
}

broken()
{
	in_ns "umount -l '$AREA/ram' 2>/dev/null || :; rm -rf --one-file-system '$AREA'/{ram,made}; echo old >'$AREA/old'"
}

# scarce NAME=VALUE... -- COMMAND...: the program with less than it needs
scarce()
{
	local -a wishes=(LD_PRELOAD="$TEST_PROGRAMS/scarce")

	while [[ $1 != -- ]]; do
		wishes+=("$1")
		shift
	done
	shift
	run_within "$GUARD" in_ns env "${wishes[@]}" "$RECONCILE" --history "$SCRATCH/history.db" \
		--run-dir "$SCRATCH/run" "$@" -C "$TREE" --node "$NODE"
}

# clear: what was said and how it ended is one of the documented ways
clear()
{
	case $status in
	0 | 2 | 4 | 5 | 6) ;;
	1) [[ -n $stderr ]] || _fail_run "$1: status 1, and nothing was said" ;;
	*) _fail_run "$1: status $status" ;;
	esac
	[[ $stderr != *"signal 11"* && $output != *"signal 11"* ]] || _fail_run "$1: something crashed"
	[[ -z $(in_ns find "$AREA" -name '.*') ]] || fail "$1: left behind: $(in_ns find "$AREA" -name '.*')"
	[[ $(<"$AREA/old") == old || $(<"$AREA/old") == changed ]] || fail "$1: half a file: $(<"$AREA/old")"
}

recovers()
{
	run_node apply --yes
	assert_status 0
	run_node plan
	assert_status 0
	is_whole
}

is_whole()
{
	assert_equal changed "$(<"$AREA/old")"
	assert_equal "on it" "$(in_ns cat "$AREA/ram/d/f")"
}

# count COMMAND...: sets ALLOCATIONS and FORKS of a run that has enough
count()
{
	scarce SCARCE_COUNT="$SCRATCH/count" -- "$@"
	read -r ALLOCATIONS FORKS <"$SCRATCH/count"
	((ALLOCATIONS > 100 && FORKS > 1)) || fail "counted $ALLOCATIONS allocations, $FORKS forks"
}

need_preload()
{
	need_program scarce
	! is_sanitized || skip "the sanitizer brings its own allocator"
}

@test "an allocation fails, whichever: plan says so or goes on, and never crashes" {
	need_preload
	count plan
	local n
	for ((n = 1; n <= ALLOCATIONS; n += ALLOCATIONS / POINTS + 1)); do
		scarce SCARCE_MALLOC=$n -- plan
		clear "allocation $n"
		[[ $status != [04] ]] || _fail_run "allocation $n: what is broken is called whole"
		scarce SCARCE_MALLOC=$n+ -- plan
		clear "from allocation $n on"
		[[ $status != [04] ]] || _fail_run "from allocation $n on: what is broken is called whole"
	done
	recovers
}

@test "an allocation fails in the middle of an apply: nothing half done, the next one converges" {
	need_preload
	count apply --yes
	broken
	local n
	for ((n = 1 + TEST_SEED % 20; n <= ALLOCATIONS; n += ALLOCATIONS / POINTS + 1)); do
		scarce SCARCE_MALLOC=$n -- apply --yes
		clear "allocation $n"
		[[ $status != 0 ]] || is_whole
		recovers
		broken
	done
}

@test "no process can be started: the first, the second, or any more" {
	need_preload
	count apply --yes
	local n
	for ((n = 1; n <= FORKS; n++)); do
		broken
		scarce SCARCE_FORK=$n -- apply --yes
		clear "fork $n"
		[[ $status != 0 ]] || recovers
		broken
		scarce "SCARCE_FORK=$n+" -- apply --yes
		clear "from fork $n on"
		assert_output -e '.' || assert_stderr -p 'cannot start'
	done
	recovers
}

@test "little address space: an error that says so, or a run that is whole" {
	! is_sanitized || skip "the sanitizer needs terabytes of address space"
	local mib
	for mib in 4 8 12 16 20 24 28 32 40 48 64 96 128; do
		broken
		run_within "$GUARD" in_ns prlimit --as=$((mib << 20)) "$RECONCILE" --history "$SCRATCH/history.db" \
			--run-dir "$SCRATCH/run" apply --yes -C "$TREE" --node "$NODE"
		# the loader's own words, when not even the libraries fit
		[[ $status == 127 && $stderr == *"shared librar"* ]] || clear "$mib MiB"
	done
	recovers
}

@test "few descriptors: an error that says so, or a run that is whole" {
	local n
	for ((n = 3; n <= 24; n++)); do
		broken
		run_within "$GUARD" in_ns prlimit --nofile=$n "$RECONCILE" --history "$SCRATCH/history.db" \
			--run-dir "$SCRATCH/run" apply --yes -C "$TREE" --node "$NODE"
		[[ $status == 127 && $stderr == *"shared librar"* ]] || clear "$n descriptors"
	done
	recovers
}

@test "no space and no inodes where something is wanted: that fails with the reason, the rest goes on" {
	in_ns mkdir "$AREA/small"
	in_ns mount -t tmpfs -o size=64k,nr_inodes=3 tmpfs "$AREA/small"
	node_file <<-YAML
		resources:
		  - {kind: file, path: $AREA/small/f, content: "$(head -c 100000 /dev/zero | tr '\0' x)"}
		  - {kind: file, path: $AREA/d/other, content: "whole\n"}
		  - {kind: directory, path: $AREA/d}
	YAML
	run_node apply --yes
	assert_status 5
	assert_output -p "No space left on device"
	assert_equal whole "$(<"$AREA/d/other")"
	assert_equal "" "$(in_ns find "$AREA/small" -mindepth 1)"
	in_ns touch "$AREA/small/"{a,b}
	node_file <<-YAML
		resources:
		  - {kind: file, path: $AREA/small/f, content: "x"}
		  - {kind: directory, path: $AREA/small/d}
	YAML
	run_node apply --yes --accept-shrink
	assert_status 5
	assert_output -p "No space left on device"
	in_ns rm "$AREA/small/"{a,b}
	in_ns mount -o remount,nr_inodes=20 "$AREA/small"
	run_node apply --yes
	assert_status 0
	assert_equal x "$(in_ns cat "$AREA/small/f")"
}

@test "a read-only disk where something is wanted: that fails with the reason, and mends itself" {
	in_ns mkdir "$AREA/ro"
	in_ns mount -t tmpfs -o mode=0755 tmpfs "$AREA/ro"
	in_ns mount -o remount,ro "$AREA/ro"
	node_file <<-YAML
		resources:
		  - {kind: file, path: $AREA/ro/f, content: "x"}
		  - {kind: file, path: $AREA/other, content: "y"}
	YAML
	run_node apply --yes
	assert_status 5
	assert_output -p "Read-only file system"
	assert_equal y "$(<"$AREA/other")"
	in_ns mount -o remount,rw "$AREA/ro"
	run_node apply --yes
	assert_status 0
}

@test "everything that we write on is full: nothing is changed that could not be told of afterwards" {
	in_ns "mkdir '$SCRATCH'/{run,var}
		mount -t tmpfs -o mode=0755,size=16k tmpfs '$SCRATCH/run'
		mount -t tmpfs -o size=16k tmpfs '$SCRATCH/var'
		cat /dev/zero >'$SCRATCH/run/filler' 2>/dev/null || :
		cat /dev/zero >'$SCRATCH/var/filler' 2>/dev/null || :"
	run_within "$GUARD" in_ns "$RECONCILE" --history "$SCRATCH/var/history.db" --run-dir "$SCRATCH/run" apply --yes \
		-C "$TREE" --node "$NODE"
	clear "full disks"
	assert_stderr -p "No space left on device"
	in_ns rm "$SCRATCH/run/filler" "$SCRATCH/var/filler"
	recovers
}
