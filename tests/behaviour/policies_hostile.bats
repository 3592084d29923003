#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# takes: 40
#
# Policies that never end, take everything, or lie. Each ends in a message that names policy and line,
# exit 1, nothing changed, within ten seconds, and leaves no process behind.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034

load support/common
load support/tree

# A second of CPU time, or two by the clock where others want the CPU too.
TOO_LONG="CPU time|ran longer than"

setup()
{
	GUARD=30
	scratch_open
	tree_open
	node_file <<<"resources: [{kind: directory, path: $AREA/made}]"
}

teardown()
{
	scratch_close
}

# ends_with LINE EXPRESSION: it is refused, naming policy and line, and nobody is left behind. By apply, which
# plans as plan does and could do harm.
ends_with()
{
	if ((EUID == 0)); then
		refused apply --yes
	else
		refused plan
	fi
	assert_stderr -p "$TREE/policies/p.lua:$1: error: policy p: "
	assert_stderr -e "$2"
	! leftovers || fail "processes are left: $(leftovers)"
}

@test "an endless loop" {
	policy p <<<'    local x = 0 while true do x = x + 1 end'
	ends_with 4 "$TOO_LONG"
}

@test "an endless loop before the table is returned" {
	put "$TREE/policies/p.lua" <<<$'local x = 0\nwhile true do x = x + 1 end'
	ends_with 2 "$TOO_LONG"
}

@test "a pattern that backtracks for ever" {
	policy p <<'END'
    local text = string.rep("a", 40)
    return string.find(text, string.rep("a?", 40) .. text .. "b")
END
	ends_with 5 "$TOO_LONG"
}

@test "a pattern that backtracks over a long text" {
	policy p <<<'    return string.find(string.rep("a", 300000), ".-.-.-.-b")'
	ends_with 4 "$TOO_LONG"
}

@test "string.rep and table.move that would never return" {
	policy p <<<'    return string.rep("x", 1 << 40)'
	ends_with 4 "rep would make"
	policy p <<<'    return string.rep("", 1 << 62)'
	ends_with 4 ""
	policy p <<<'    return table.move({}, 1, 1 << 60, 2)'
	ends_with 4 "move"
	policy p <<<'    return table.concat({}, "", 1, 1 << 60)'
	ends_with 4 ""
	policy p <<<'    return table.unpack({}, 1, 1 << 30)'
	ends_with 4 ""
}

@test "a sort with an order that is none" {
	policy p <<'END'
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while true do table.sort(t, function(a, b) return true end) end
END
	ends_with 6 ""
}

@test "a bomb of memory: a table, a text, a closure" {
	policy p <<<'    local t = {} for i = 1, 1e9 do t[i] = {i} end'
	ends_with 4 "64 MiB of memory"
	policy p <<<'    local s = "x" while true do s = s .. s end'
	ends_with 4 "memory"
	policy p <<<'    local f for i = 1, 1e9 do local g = f f = function() return g end end'
	ends_with 4 ""
}

@test "deep recursion" {
	policy p <<'END'
    local function f() return 1 + f() end
    f()
END
	ends_with 4 ""
}

@test "recursion in the pattern matcher and in plan:each" {
	policy p <<<'    return string.find(string.rep("(", 100000), string.rep("(", 100000))'
	ends_with 4 ""
	policy p <<'END'
    local function deep()
      plan:each({a = 1}, deep)
    end
    deep()
END
	ends_with 5 ""
}

@test "bytecode, by file and by load" {
	printf '\x1bLuaT\x00\x19\x93\r\n\x1a\n' >"$TREE/policies/p.lua"
	ends_with 1 "bytecode"
	policy p <<<'    return load(string.char(27) .. "Lua")'
	ends_with 4 "there is no 'load' here"
	policy p <<<'    return string.dump(plan)'
	ends_with 4 "dump"
}

@test "__gc, metatables, pcall and coroutines are not there" {
	policy p <<<'    setmetatable({}, {__gc = function() while true do end end})'
	ends_with 4 "there is no 'setmetatable' here"
	policy p <<<'    pcall(error)'
	ends_with 4 "there is no 'pcall' here"
	policy p <<<'    coroutine.wrap(function() end)()'
	ends_with 4 "there is no 'coroutine' here"
	policy p <<<'    getmetatable("").__index = nil'
	ends_with 4 "there is no 'getmetatable' here"
}

@test "what would reach the machine is not there" {
	for name in os io print require dofile loadfile package debug; do
		policy p <<<"    local x = $name"
		ends_with 4 "there is no '$name' here"
	done
	policy p <<<'    return math.random()'
	ends_with 4 "random"
}

@test "a policy cannot change what others see" {
	run_node plan
	assert_status 2
	without=$output
	policy a <<'END'
    hidden = 5
    string.format, table.concat, lib, ipairs, next = nil
    facts.mount, want.resources, plan.directory = nil
END
	run_node plan
	assert_equal "$without" "$output"
	policy p <<<'    local x = hidden'
	ends_with 4 "hidden"
}

@test "a flood of resources" {
	policy p <<END
    for i = 1, 1e9 do plan:directory{path = "$AREA/" .. i, reason = "flood"} end
END
	ends_with 4 "more than 100000 resources"
}

@test "a flood of facts" {
	policy p <<'END'
    for i = 1, 1e9 do local x = facts.directory["/" .. i].state end
END
	refused plan
	assert_stderr -p "policies/p.lua:4: error: policy p: "
}

@test "a flood of warnings, and a reason that is too long" {
	policy p <<<'    for i = 1, 1e9 do plan:warn{rule = "w", reason = "flood"} end'
	ends_with 4 ""
	policy p <<<'    plan:warn{rule = "w", reason = string.rep(string.rep("x", 1000000), 60)}'
	ends_with 4 ""
}

@test "a policy that is killed from outside" {
	need_root
	policy p <<<'    local x = 0 while true do x = x + 1 end'
	mark_area
	run_within 10 killed_in_its_policy plan
	assert_status 1
	assert_stderr -p "$TREE/policies/p.lua:4: error: policy p: "
	assert_stderr -e "[Kk]illed"
	assert_untouched
}

# killed_in_its_policy COMMAND...: SIGKILL for the process that runs the policies, which is the child that spins
killed_in_its_policy()
{
	node_run "$@" &
	wait_for 5 kill_the_spinning
	wait $!
}

kill_the_spinning()
{
	local pid

	for pid in $(leftovers); do
		if [[ $(awk '{print $14}' "/proc/$pid/stat") -gt 5 ]]; then
			kill -KILL "$pid" && return
		fi
	done
	return 1
}

@test "garbage instead of a policy" {
	for text in 'return 5' '' 'return {}' 'return {name = "p"}' 'return {name = "q", summary = "s", handles = {}, plan = function() end}' \
		'return {name = "p", summary = "s", handles = {}, plan = 7}' 'return {name = "p", summary = "s", handles = "x", plan = function() end}' \
		'return {name = "p", summary = "s", handles = {"nothing"}, plan = function() end}' 'error({})' 'error("mine")' 'return nil + 1'; do
		put "$TREE/policies/p.lua" <<<"$text"
		refused plan
		assert_stderr -e "policies/p.lua(:1)?: error: policy p: " ||
			fail "policy: $text"
	done
}

@test "a file that is too long" {
	head -c 300000 /dev/zero | tr '\0' ' ' >"$TREE/policies/p.lua"
	ends_with 1 "256 KiB"
}

@test "values that are no values: NaN, cycles, functions, text with NUL" {
	local text

	for text in 'plan:file{path = "/a", content = "\0", reason = "r"}' 'plan:file{path = "/a", content = plan, reason = "r"}' \
		'plan:file{path = "/a\n", content = "", reason = "r"}' 'plan:file(nil)' 'plan:file{path = 0/0, reason = "r"}' \
		'local t = {path = "/a", reason = "r"} t.content = t plan:file(t)' 'plan:directory{path = "/a", reason = string.rep("r", 1000000)}' \
		'plan:block{rule = "x", reason = function() end}' 'plan:directory{path = "/a", mode = "\xff", reason = "r"}' \
		'plan:command{name = "c", argv = {[1] = "/bin/true", [3] = "x"}, creates = "/x", reason = "r"}' \
		'plan:directory{path = "/" .. string.rep("a", 100000), reason = "r"}'; do
		policy p <<<"    $text"
		ends_with 4 "" || fail "policy: $text"
	done
}

@test "facts that are not there: a kind, a field, a key that is none" {
	policy p <<<'    return facts.nope.x'
	ends_with 4 "did you mean 'node'"
	policy p <<<'    return facts.mount["/x"].nope'
	ends_with 4 "has no field 'nope'"
	policy p <<<'    return facts.mount["relative"].live'
	ends_with 4 ""
}

@test "the good policies before a bad one change nothing either" {
	policy a <<<"    plan:directory{path = '$AREA/early', reason = 'r'}"
	policy p <<<'    error("late")'
	ends_with 4 "late"
	assert_missing "$AREA/early" "$AREA/made"
}
