#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 50
#
# Plan and apply of the first node under valgrind: no error in the program or in one of its children,
# and nothing lost.
# shellcheck disable=SC2016,SC2030,SC2031

load support/common
load support/tree

setup()
{
	need_command valgrind unshare
	! is_sanitized || skip "the sanitizers in this program look for themselves"
	scratch_open
	tree_open first-node
	cp -r "$TOP/examples/first-node/state" "$TREE/"
	chmod -R go-w "$TREE"
	in_ns mount -t tmpfs -o mode=0755 tmpfs /mnt # the node's own folders are below it
}

teardown()
{
	scratch_close
}

# What valgrind says goes by a pipe, because a policy's child may write to no file; it keeps that
# descriptor open when the program closes all it knows of.
under_valgrind()
{
	{
		in_ns bash -c 'echo $$ >"$1" && shift && exec "$@"' _ "$SCRATCH/.pid" \
			valgrind --quiet --leak-check=full --trace-children=no --log-fd=9 \
			"$RECONCILE" "$@" -C "$TREE" --node "$NODE" --history "$SCRATCH/history.db" \
			--run-dir "$SCRATCH/run" 9>&1 >&8 | cat >"$SCRATCH/.valgrind"
	} 8>&1
	return "${PIPESTATUS[0]}"
}

# found: the errors in the program and its children, and what the program lost. A child leaves by
# _exit and frees nothing; what it had is not lost but left. Lines that begin with -- are about
# system calls this valgrind does not know; the program does without them.
found()
{
	awk -v program="==$(<"$SCRATCH/.pid")==" '
		$1 !~ /^==[0-9]+==$/ { next }
		NF == 1 { report[$1] = ""; next }
		report[$1] == "" { report[$1] = / (lost|reachable) in loss record / && $1 != program ? "skip" : "tell" }
		report[$1] == "tell"' "$SCRATCH/.valgrind" | head -n 100
}

# clean STATUS COMMAND...: it ends so, and nothing is found
clean()
{
	local wanted=$1

	shift
	run_within "$GUARD" under_valgrind "$@"
	assert_equal "" "$(found)"
	assert_status "$wanted"
}

@test "what is found: an error, that of a child too, and a loss, but not what a child leaves" {
	need_command "${CC:-cc}"
	put "$SCRATCH/faulty.c" <<-'END'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/wait.h>
		#include <unistd.h>

		static int unset(void)
		{
			char *text = malloc(8);
			int is_x = text && memchr(text, 'x', 8);

			text = NULL;
			return is_x;
		}

		int main(int count, char **words)
		{
			if (count > 1 && !strcmp(words[1], "child") && fork() == 0) {
				_exit(unset());
			}
			wait(NULL);
			if (count > 1 && !strcmp(words[1], "loss")) {
				return malloc(77) == NULL;
			}
			return count > 1 && !strcmp(words[1], "itself") ? unset() : 0;
		}
	END
	"${CC:-cc}" -O0 -o "$SCRATCH/faulty" "$SCRATCH/faulty.c"
	RECONCILE=$SCRATCH/faulty
	clean 0 well
	run_within "$GUARD" under_valgrind itself
	found | grep -q uninitialised
	run_within "$GUARD" under_valgrind loss
	found | grep -q "77 bytes in 1 blocks are definitely lost"
	run_within "$GUARD" under_valgrind child
	found | grep -q uninitialised
	! found | grep -q "loss record" || fail "$(found)"
	grep -q "loss record" "$SCRATCH/.valgrind"
}

@test "plan and apply: creating, nothing to do, drift, mending, the history of it" {
	clean 2 plan
	clean 0 apply
	assert_mounted /mnt/scratch/fast tmpfs
	clean 0 plan
	clean 0 apply
	in_ns 'chmod 0777 /mnt/scratch/data
		mount --options-mode ignore -o remount,nosuid,nodev,noexec,size=8m /mnt/scratch/fast'
	clean 2 plan --json
	clean 0 apply --json
	clean 0 history
	clean 0 history show 1 --json
	clean 0 status
}

@test "a saved plan, carried out once and refused then" {
	clean 2 plan -o "$SCRATCH/saved"
	clean 0 apply "$SCRATCH/saved"
	clean 1 apply "$SCRATCH/saved"
	echo '{' | put "$SCRATCH/short" 0600
	clean 1 apply "$SCRATCH/short"
}

@test "what is wanted no more, what fails, and what is in the way" {
	clean 0 apply
	node_file <<-'END'
		mounts: {/mnt/scratch/fast: {state: absent, manage: live}, /mnt/data: {state: absent, manage: live}}
		resources:
		  - {kind: command, name: fails, argv: ["false"], creates: /mnt/never}
		  - {kind: directory, path: /mnt/after}
		  - {kind: directory, path: /mnt/scratch/README}
		  - {kind: service, unit: none.service, enabled: true}
	END
	clean 5 apply --yes --allow disruptive,irreversible --accept-shrink --prune
	assert_missing /mnt/never
	clean 0 show
	clean 0 facts
}

@test "policies that fail, and a tree full of faults" {
	local body

	for body in '    error("for a test")' '    while true do end' '    local t = {} while true do t[#t + 1] = {} end' \
		'    plan:directory{path = "relative"}' '    return nil .. "x"' '    plan:block{rule ='; do
		policy p <<<"$body"
		clean 1 plan
	done
	clean 1 apply
	rm "$TREE/policies/p.lua"
	node_file <<-'END'
		mods: safe
		mode: quick
		mounts: {relative: {source: tmpfs, type: tmpfs}, /mnt/x/../y: {sauce: [a, b]}}
		resources: [{kind: direktory}, {kind: file, path: 7, mode: "9"}, *nowhere
	END
	clean 1 validate
	node_file <<<'mode: safe
		x: [}'
	clean 1 validate
}
