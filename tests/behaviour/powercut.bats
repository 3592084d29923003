#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 20
#
# The power fails. A node's file system lies on a disk that writes down each write and each flush
# (tests/programs/powercut.c); afterwards the disk is made as it would be after a cut at any of them: what
# was flushed is there, of what was written since some is and some is not, sector by sector. Then the node
# boots: the history opens and tells what was cut, nothing that was reported as done is lost, no file is
# half written, and one run converges.
#
# POWERCUTS=5000 tries so many cuts in each test instead of some fifty; TEST_SEED=N repeats a run.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_root
	need_command sqlite3 mkfs.ext4
	need_program powercut
	[[ -c /dev/fuse && -c /dev/loop-control ]] || skip "needs /dev/fuse and loop devices"
	scratch_open
	tree_open
	DISK=$SCRATCH/disk
	AREA=$DISK/area
	HISTORY=$DISK/var/history.db
	SEED=$TEST_SEED
	mkdir "$DISK" "$SCRATCH/served"
	head -c 12M /dev/zero >"$SCRATCH/base"
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$SCRATCH/base"
	in_ns "mount -o loop '$SCRATCH/base' '$DISK'" || skip "needs loop devices"
	in_ns "mkdir '$DISK/var' '$AREA' && umount '$DISK'"
	boot recorded
	in_ns "mount --bind '$SCRATCH/boot_id' /proc/sys/kernel/random/boot_id"
}

teardown()
{
	in_ns "umount -l '$DISK' || :" 2>/dev/null || :
	scratch_close
}

# boot ID: another boot: nothing that lay in memory is there any more
boot()
{
	printf '%-36.36s\n' "$1" | tr ' ' - >"$SCRATCH/boot_id"
	rm -rf "$SCRATCH/run"
}

node_run()
{
	in_ns "$RECONCILE" "$@" --history "$HISTORY" --run-dir "$SCRATCH/run" -C "$TREE" --node "$NODE"
}

# wants VERSION: six files in two folders, two of which come and go with the version, and a command
wants()
{
	local i

	{
		echo "resources:"
		for i in 1 2; do
			echo "  - {kind: directory, path: $AREA/d$i, mode: '075$1'}"
			echo "  - {kind: file, path: $AREA/d$i/f, content: \"$(contents "$1")\"}"
		done
		echo "  - {kind: file, path: $AREA/only1, content: x, state: $( (($1 == 1)) && echo present || echo absent)}"
		echo "  - {kind: command, name: c$1, argv: [cp, $AREA/d1/f, $AREA/copy$1], creates: $AREA/copy$1}"
	} | node_file
	echo "    plan:command{name = 'c$1', argv = {'cp', '$AREA/d1/f', '$AREA/copy$1'}, creates = '$AREA/copy$1', reason = 'r', after = {'file:$AREA/d1/f'}}" |
		policy last
}

contents()
{
	printf "version $1 %.0s" {1..400}
}

# recorded COMMAND ...: it runs, and what it says stands in the log of the disk where it was said
recorded()
{
	node_run "$@" 2>&1 </dev/null | in_ns "while IFS= read -r line; do printf '%s\n' \"\$line\" >>'$SCRATCH/served/mark'; done"
}

# record OPTIONS: two versions of the tree are applied on a disk that is recorded
record()
{
	local pid

	cp "$SCRATCH/base" "$SCRATCH/image"
	pid=$(_apart in_ns "$TEST_PROGRAMS/powercut" serve "$SCRATCH/image" "$SCRATCH/log" "$SCRATCH/served")
	at_end eval "kill $pid 2>/dev/null || :"
	in_ns mount -o "loop,$1" "$SCRATCH/served/disk" "$DISK"
	wants 1
	recorded apply --yes
	in_ns chmod 0700 "$AREA/d2"
	recorded run --once
	wants 2
	recorded apply --yes
	recorded run --once
	in_ns umount "$DISK"
	# somebody who looks through all loop devices may have it open for a moment
	wait_for 20 in_ns umount "$SCRATCH/served" 2>"$SCRATCH/then"
	EVENTS=$("$TEST_PROGRAMS/powercut" count "$SCRATCH/log")
	((EVENTS > 100))
}

# spoilt WHAT: says all there is to know of the cut that did not end well
spoilt()
{
	fail "cut $CUT of $EVENTS, seed $SEED: $1" "reported:" "$(<"$SCRATCH/said")" "--- then:" "$(cat "$SCRATCH/then" 2>/dev/null)" \
		"--- disk:" "$(in_ns "df '$DISK'; df -i '$DISK'; find '$DISK' -ls" 2>&1)"
}

# whole FILE: not there, or all of one version
whole()
{
	[[ ! -e $1 || $(<"$1") == "$(contents 1)" || $(<"$1") == "$(contents 2)" ]]
}

# reported PATTERN: how many such lines were printed before the cut
reported()
{
	grep -c "$1" "$SCRATCH/said" || :
}

# last_good: the last good tree is whole
last_good()
{
	echo "resources: [" | node_file
	node_run run --once >"$SCRATCH/then" 2>&1 || :
	grep -q "going on with the last good tree" "$SCRATCH/then" || spoilt "there is no last good tree"
	wants 2
}

# after_cut OPTIONS: what is true after the power failed at event CUT
after_cut()
{
	local changes runs

	# another file each time: the loop device of the last one may still be there, because somebody who looked
	# through all of them had it open when it was unmounted, and mount would take it again for the same file,
	# with what the kernel remembers of the disk before
	rm -f "$SCRATCH/cut"
	"$TEST_PROGRAMS/powercut" cut "$SCRATCH/base" "$SCRATCH/log" "$CUT" $((SEED + CUT)) "$SCRATCH/cut" >"$SCRATCH/said"
	boot "after-$CUT"
	in_ns mount -o "loop,$1" "$SCRATCH/cut" "$DISK" || spoilt "the file system does not mount"
	in_ns "$BASH" -c "$(declare -f whole contents); whole '$AREA/d1/f' && whole '$AREA/d2/f'" || spoilt "a file is half written"
	# whoever was told that all is done finds it done
	if (($(reported '^Applied: .*(run') == 4)); then
		node_run plan >"$SCRATCH/then" 2>&1 || spoilt "what was reported as done is not"
	fi
	node_run apply --yes --accept-shrink >"$SCRATCH/then" 2>&1 || spoilt "the first run does not converge"
	! grep -q "set aside\|going on without" "$SCRATCH/then" || spoilt "the history is lost"
	node_run plan >"$SCRATCH/then" 2>&1 || spoilt "it has not converged"
	# each change that was reported is in the history as changed, each run that was reported as ended has
	# ended, and nothing is left open
	in_ns sqlite3 "$HISTORY" "SELECT count(*) FROM step JOIN run ON run.id = step.run
			WHERE outcome = 'changed' AND boot_id LIKE 'recorded%';
		SELECT count(*) FROM run WHERE finished NOT NULL AND boot_id LIKE 'recorded%' AND changed > 0;
		SELECT 'run ' || run || ': ' || id FROM step WHERE outcome IS NULL;
		SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'" >"$SCRATCH/then" 2>&1 ||
		spoilt "the history does not open"
	{ read -r changes && read -r runs && ! read -r; } <"$SCRATCH/then" || spoilt "the history is not whole"
	((changes >= $(reported '^  ✓ .* changed$'))) || spoilt "more changes were reported"
	((runs >= $(reported '^Applied: .*changed.*(run'))) || spoilt "more runs were reported"
	in_ns find "$DISK" -name '.*' -o -name '*.new' -o -name '*.set-aside*' >"$SCRATCH/then"
	[[ ! -s $SCRATCH/then ]] || spoilt "something was left behind"
	((CUT % 4 > 0)) || last_good
	in_ns umount "$DISK"
}

# cuts HOW_MANY OPTIONS: at so many of the events, the last ones among them
cuts()
{
	local most=${POWERCUTS:-$1} i

	for ((i = 0; i < most; i++)); do
		CUT=$((EVENTS * (i + 1) / most))
		after_cut "$2"
		SEED=$((SEED + 1000003))
	done
}

@test "at any write to the disk: nothing reported is lost, the next boot converges" {
	record defaults
	cuts 30 defaults
}

@test "on a file system that orders nothing it was not told to" {
	record data=writeback,noauto_da_alloc,commit=300
	cuts 20 data=writeback,noauto_da_alloc
}
